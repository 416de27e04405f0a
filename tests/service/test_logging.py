"""Logs of a real server: JSON lines, one for each request, never a word of a ticket."""

import io
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from model.pipeline import Pipeline
from serving.api.app import create_app
from serving.api.logs import formatter

PLANTED = ["王小明", "13812345678", "幺三八一二三四五六七八", "紫藤路七号", "停电三小时了没人管", "翠屏供电所", "缺德台区",
           "机密附言", "SECRET-4711"]  # fmt: skip
TICKET = {
    "content": "我叫王小明,电话13812345678(幺三八一二三四五六七八),住紫藤路七号,停电三小时了没人管,缺德台区经理",
    "org": {"station": "翠屏供电所"}, "contact": "13812345678", "address": "紫藤路七号", "reply": "机密附言",
    "cust_no": "SECRET-4711", "channel": "王小明", "transcript": [{"speaker": "customer", "text": "我是王小明"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`triage serve` in a folder of its own, at the log level that says most."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "triage"), "serve", "--port", str(port)],
        cwd=tmp_path_factory.mktemp("logs"),
        env={**os.environ, "TRIAGE_LOG_LEVEL": "DEBUG"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx2.get(f"{address}/readyz", timeout=5)
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield address, process
    finally:
        process.kill()
        process.wait(30)


def _call_everything(client: httpx2.Client) -> list[int]:
    """Every call with planted words in every place, most of them failing in one way or another."""
    word = PLANTED[0]
    stored = {**TICKET, "ticket_id": "T1"}
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/v1/predict?explain=true", TICKET), ("POST", "/v1/predict", TICKET["content"]),
        ("POST", "/v1/predict/batch", {"tickets": [TICKET, {"content": [word]}, word]}),
        ("POST", "/v1/tickets", stored), ("POST", "/v1/tickets", stored), ("POST", "/v1/tickets", TICKET),
        ("POST", "/v1/tickets", {**stored, "content": word + word}), ("POST", "/v1/tickets", {**stored, "org": word * 99}),
        ("POST", "/v1/tickets", {**stored, "ticket_id": "T2", "accepted_at": word}),
        ("GET", f"/v1/tickets/{word}", None), ("GET", f"/v1/tickets?desk={word}&cursor={word}", None),
        ("GET", "/v1/tickets", None), ("GET", "/v1/tickets/T1", None), ("GET", f"/{word}", None),
        ("POST", "/v1/tickets/T1/review", {"version": 1, "category": word}),
        ("POST", "/v1/tickets/T1/review", {"version": 9, "category": "other.misc", "note": TICKET["content"]}),
        ("POST", "/v1/tickets/T1/review",
         {"version": 1, "category": "other.misc", "flags": ["theft"], "note": TICKET["content"]}),
        ("POST", "/v1/tickets/T1/cues/theft/evidence",
         {"version": 1, "evidence": [{"item": word, "reference": word}], "unit": word}),
        ("POST", f"/v1/tickets/T1/cues/{word}/reject", {"version": 1, "reason": word}),
        ("POST", "/v1/events", {"kind": word, "text": TICKET["content"], word: word}), ("GET", "/v1/events", None),
        ("DELETE", "/v1/events/9", None), ("GET", "/v1/labels/export", None), ("GET", "/v1/model", None),
        ("POST", "/v1/model/reload", None), ("GET", "/metrics", None), ("GET", "/docs", None),
    ]  # fmt: skip
    answers = [client.request(method, path, json=body).status_code for method, path, body in calls]
    json_kind = {"content-type": "application/json", "x-request-id": PLANTED[1]}
    raws = (f'{{"content": "{word}'.encode(), b"\xff" + word.encode(), f'"{word}"'.encode() * 200_000)
    answers += [client.post("/v1/tickets", content=raw, headers=json_kind).status_code for raw in raws]
    csv = f"类型,开始时间,结束时间,内容\n{word},{word},{word},{word}\n".encode()
    answers.append(client.post("/v1/events/import", content=csv, headers={"content-type": "text/csv"}).status_code)
    return answers


def test_no_word_of_a_ticket_comes_into_the_log_of_a_real_server(
    server: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = server
    with httpx2.Client(base_url=address, timeout=60) as client:
        answers = _call_everything(client)
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert {200, 201, 400, 404, 409, 413, 422} <= set(answers)
    assert 500 not in answers
    lines = [json.loads(line) for line in output.splitlines()]
    requests = [line for line in lines if line["event"] == "request" and line["level"] == "info"]
    assert len(requests) == len(answers) - 1  # all but /metrics, which is told of at DEBUG
    assert all(line["request_id"] and line["key"] in ("local", None) and line["ms"] >= 0 for line in requests)
    assert {"/v1/tickets", "/v1/tickets/{ticket_id}", "other"} <= {line["route"] for line in requests}
    for word in PLANTED:
        assert word not in output
        assert json.dumps(word)[1:-1] not in output


class _Failing:
    """A pipeline that fails with the ticket's text in its message once it is warm."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)

    def predict(self, tickets: Any, **_: Any) -> Any:
        raise RuntimeError(f"cannot read {tickets[0].content}")


def test_a_mistake_of_ours_is_logged_by_type_and_place_only(
    rules_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter())
    logging.getLogger().addHandler(handler)
    try:
        with TestClient(create_app(lambda: _Failing(rules_pipeline), "test"), raise_server_exceptions=False) as client:  # type: ignore[arg-type,return-value]
            answer = client.post(
                "/v1/predict", json={"text": TICKET["content"]}, headers={"x-request-id": "order-4711"}
            )
        try:
            raise ValueError(TICKET["content"])
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    finally:
        logging.getLogger().removeHandler(handler)
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert answer.headers["x-request-id"] == "order-4711"
    output = written.getvalue()
    lines = [json.loads(line) for line in output.splitlines()]
    assert any("RuntimeError" in line["event"] and line["request_id"] == "order-4711" for line in lines)
    assert lines[-1]["error"] == "ValueError"
    assert "test_logging.py" in lines[-1]["at"]
    assert not any(word in output or word in answer.text for word in PLANTED)
