"""HTTP as the contract fixes it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from model.bundle import Bundle
from model.pipeline import Pipeline
from model.policy import Policy
from serving.api.app import create_app
from serving.engine.options import EngineOptions


@pytest.fixture(scope="module")
def client(linear_pipeline: Pipeline) -> Iterator[TestClient]:
    unhurried = EngineOptions(budget_ms=60_000)  # on a busy machine too, the rung that answers is the best one
    app = create_app(lambda: linear_pipeline, "test", unhurried)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def _is_problem(answer, status: int, code: str) -> bool:  # type: ignore[no-untyped-def]
    body = answer.json()
    fields = {"type", "title", "status", "code", "detail", "errors"} <= set(body)
    return (
        (answer.status_code, body["code"]) == (status, code)
        and fields
        and answer.headers["content-type"] == "application/problem+json"
    )


def test_one_ticket_gets_one_prediction(client: TestClient) -> None:
    answer = client.post(
        "/v1/predict", json={"text": "停电三小时了没人管", "accepted_at": "2026-11-23T08:30:00+08:00", "whatever": 1}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["category"]["code"] == "other.outage"
    assert body["route"]["due_at"] == "2026-11-30T08:30:00+08:00"
    assert body["route"]["arrive_by"] == "2026-11-23T10:00:00+08:00"


def test_a_bare_string_is_a_ticket(client: TestClient) -> None:
    assert client.post("/v1/predict", json="停电三小时了没人管").json()["category"]["code"] == "other.outage"


def test_a_transcript_is_read_and_its_danger_seen(client: TestClient) -> None:
    turns = [{"speaker": "agent", "text": "请讲"}, {"speaker": "customer", "text": "表箱冒烟了有糊味,快派人来"}]
    body = client.post("/v1/predict", json={"content": "客户来电", "transcript": turns}).json()
    assert body["safety"]["raised"] is True
    assert body["route"]["desk"] == "供电服务指挥中心"


def test_a_batch_keeps_its_order_and_its_errors(client: TestClient) -> None:
    answer = client.post(
        "/v1/predict/batch", json={"tickets": ["停电了没人管", [1], {"text": ""}, {"text": "电费多扣了"}]}
    )
    assert answer.status_code == 200
    rows = answer.json()
    assert [row["row"] for row in rows] == [1, 2, 3, 4]
    assert [row.get("error", {}).get("code") for row in rows] == [None, "bad_row", "empty_text", None]


def test_command_line_and_http_agree(client: TestClient, linear_pipeline: Pipeline) -> None:
    from triage.triage import Triage

    text = "这个月电费突然翻倍,抄表的说没抄错"
    assert client.post("/v1/predict", json={"text": text}).json() == Triage(linear_pipeline).predict([text])[0]


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{bad", "application/json", 400, "malformed_json"),
        (b'{"text": ""}', "application/json", 422, "empty_text"),
        (b"{}", "application/json", 422, "empty_text"),
        (b'{"text": 5}', "application/json", 422, "invalid_field"),
        (b'{"text": "x", "accepted_at": "yesterday"}', "application/json", 422, "bad_row"),
        (b'{"text": "x"}', "text/plain", 415, "unsupported_media_type"),
        (b'{"text": "' + b"x" * 1_000_001 + b'"}', "application/json", 413, "too_large"),
        (b"\xff\xfe", "application/json", 400, "malformed_json"),
        (b"", "application/json", 422, "invalid_field"),
    ],
)
def test_what_is_wrong_with_a_request_is_a_problem(
    client: TestClient, content: bytes, kind: str, status: int, code: str
) -> None:
    answer = client.post("/v1/predict", content=content, headers={"content-type": kind})
    assert _is_problem(answer, status, code), answer.text


def test_a_batch_of_257_is_refused(client: TestClient) -> None:
    assert _is_problem(client.post("/v1/predict/batch", json={"tickets": ["停电"] * 257}), 422, "invalid_field")


def test_a_batch_body_over_four_megabytes_is_refused(client: TestClient) -> None:
    assert _is_problem(client.post("/v1/predict/batch", json={"tickets": ["x" * 4_000_000]}), 413, "too_large")


def test_a_body_without_length_is_limited_too(client: TestClient) -> None:
    chunks = (b'"' + b"x" * 300_000 for _ in range(5))
    answer = client.post("/v1/predict", content=chunks, headers={"content-type": "application/json"})
    assert _is_problem(answer, 413, "too_large")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/v1/predict", 405)])
def test_unknown_places_are_problems_too(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_errors_never_repeat_the_ticket(client: TestClient) -> None:
    secret = "王小明的电话13812345678"
    answer = client.post("/v1/predict", json={"text": secret, "accepted_at": 5, "org": 7})
    assert answer.status_code == 422
    assert secret not in answer.text
    assert "13812345678" not in answer.text


def test_masked_spans_never_become_evidence(client: TestClient) -> None:
    text = "我叫张伟,电话13812345678,停电三小时了没人管"
    body = client.post("/v1/predict?explain=true", json={"text": text}).json()
    for item in body["evidence"]:
        assert "13812345678" not in item["text"]
        assert "张伟" not in item["text"]
        assert text[item["start"] : item["end"]] == item["text"]


def test_alive_ready_model_and_metrics(client: TestClient, bundle: Bundle) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "level": "linear", "reason": None}
    assert client.get("/v1/model").json()["bundle"] == bundle.id
    client.post("/v1/predict", json={"text": "停电三小时了没人管"})
    page = client.get("/metrics").text
    assert 'triage_predictions_total{category="other.outage"' in page
    assert 'triage_level{level="linear"} 1.0' in page
    assert "停电" not in page


def test_the_documentation_page_loads_nothing_from_outside(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    assert "/v1/predict/batch" in client.get("/openapi.json").json()["paths"]


def test_without_a_bundle_rules_answer_and_every_surface_says_so(policy: Policy) -> None:
    with TestClient(create_app(lambda: Pipeline(policy, missing="bundle_refused"), "test")) as client:
        assert client.get("/readyz").json() == {"status": "ready", "level": "rules", "reason": "bundle_refused"}
        body = client.post("/v1/predict", json={"text": "停电三小时了没人管"}).json()
        assert (body["decision"], body["answered_by"]) == ("fallback", "rules")
        assert "model_unavailable" in body["reasons"]
        assert "triage_bundle_refused 1.0" in client.get("/metrics").text


def test_a_server_with_a_refused_bundle_starts_and_answers_from_rules(
    bundle_folder: Path, tmp_path: Path, monkeypatch
) -> None:  # type: ignore[no-untyped-def]
    import shutil

    from triage.service import create

    broken = Path(shutil.copytree(bundle_folder, tmp_path / "broken"))
    (broken / "linear.joblib").write_bytes(b"x")
    monkeypatch.setenv("TRIAGE_BUNDLE", str(broken))
    with TestClient(create(), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        assert client.get("/readyz").json()["reason"] == "bundle_refused"
        assert (
            client.post("/v1/predict", json={"text": "停电三小时了没人管"}).json()["category"]["code"] == "other.outage"
        )


class _Thrower:
    """A classifier that fails on texts with 炸 in them."""

    def __init__(self, bundle: Bundle) -> None:
        self._real = bundle.classifier
        self.classes_, self.cues_ = self._real.classes_, self._real.cues_

    def scores(self, texts: list[str]) -> tuple[np.ndarray, ...]:
        if any("炸" in text for text in texts):
            raise RuntimeError("boom")
        return self._real.scores(texts)


def test_a_classifier_that_throws_spoils_its_own_ticket_only(bundle: Bundle) -> None:
    pipeline = Pipeline(bundle.policy, replace(bundle, classifier=_Thrower(bundle)))  # type: ignore[arg-type]
    with TestClient(create_app(lambda: pipeline, "test")) as client:
        rows = client.post(
            "/v1/predict/batch", json={"tickets": ["停电三小时了没人管", "变压器炸了停电", "电费多扣两百块"]}
        ).json()
    assert [row["answered_by"] for row in rows] == ["linear", "rules", "linear"]
    assert rows[1]["decision"] == "fallback"
    assert "model_unavailable" in rows[1]["reasons"]
    assert json.dumps(rows)
