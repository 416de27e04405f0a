"""Odd and hostile requests: the outcome that contract.md fixes, never a 500, never the ticket in an error."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from model.pipeline import Pipeline
from serving.api.app import create_app
from serving.engine.options import EngineOptions

TEXTS = json.loads((Path(__file__).parent.parent / "data" / "hostile_texts.json").read_text(encoding="utf-8"))
JSON = {"content-type": "application/json"}
GOOD = '"content": "停电三小时了没人管"'


@pytest.fixture(scope="module")
def client(linear_pipeline: Pipeline) -> Iterator[TestClient]:
    unhurried = EngineOptions(budget_ms=60_000)  # on a busy machine too, the rung that answers is the best one
    app = create_app(lambda: linear_pipeline, "test", unhurried)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def _body(value: object) -> bytes:
    """JSON in UTF-8; lone surrogates are escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _check(case: dict[str, Any], text: str, result: dict[str, Any]) -> None:
    assert result["category"]["code"] == case.get("leaf", result["category"]["code"])
    sent = "".join("\ufffd" if 0xD800 <= ord(character) < 0xE000 else character for character in text)
    for found in (*result["evidence"], *result["safety"]["evidence"], *result["escalation"]["evidence"]):
        assert sent[found["start"] : found["end"]] == found["text"]
    if "reason" in case:
        assert case["reason"] in result["reasons"]
        assert result["decision"] == "review"


@pytest.mark.parametrize("case", TEXTS, ids=[case["name"] for case in TEXTS])
@pytest.mark.parametrize("shape", ["ticket", "bare text", "transcript"])
def test_an_odd_text_gets_what_the_contract_says(client: TestClient, case: dict[str, Any], shape: str) -> None:
    text = case["text"] * case.get("times", 1)
    shapes = {
        "ticket": {"content": text},
        "bare text": text,
        "transcript": {"content": text, "transcript": [{"speaker": "agent", "text": "\x00"}]},
    }
    answer = client.post("/v1/predict?explain=true", content=_body(shapes[shape]), headers=JSON)
    if shape == "transcript":  # a call was delivered, so a ticket it is
        assert answer.status_code == 200
    elif "error" in case:
        assert (answer.status_code, answer.json()["code"]) == (422, case["error"])
    else:
        assert answer.status_code == 200
        _check(case, text, answer.json())


def test_odd_texts_keep_their_places_in_a_batch(client: TestClient) -> None:
    tickets = [case["text"] * case.get("times", 1) for case in TEXTS]
    answer = client.post("/v1/predict/batch", content=_body({"tickets": tickets}), headers=JSON)
    assert answer.status_code == 200
    rows = answer.json()
    assert [row["row"] for row in rows] == list(range(1, len(TEXTS) + 1))
    for case, text, row in zip(TEXTS, tickets, rows, strict=True):
        if "error" in case:
            assert row["error"]["code"] == case["error"]
        else:
            _check(case, text, row)


BODIES = [
    ("a list", "[1]", 422, "invalid_field", "请求体 须为对象,收到列表"),
    ("a number", "5", 422, "invalid_field", "请求体 须为对象,收到数字"),
    ("null", "null", 422, "invalid_field", "请求体 须为对象,收到空值"),
    ("NaN", "NaN", 422, "invalid_field", "请求体 须为对象,收到数字"),
    ("a list without end", "[" * 400_000, 400, "malformed_json", "括号"),
    ("objects without end", '{"content":' * 50_000, 400, "malformed_json", "括号"),
    ("a list in the text", '{"content": [1]}', 422, "invalid_field", "content 须为文本,收到列表"),
    ("depth in the text", '{"content": ' + "[" * 500 + "]" * 500 + "}", 422, "invalid_field", "收到列表"),
    ("NaN in the text", '{"content": NaN}', 422, "invalid_field", "content 须为文本,收到数字"),
    ("NaN as number", f'{{{GOOD}, "ticket_id": NaN}}', 422, "invalid_field", "ticket_id 须为文本或整数"),
    ("infinity as number", f'{{{GOOD}, "ticket_id": 1e999}}', 422, "invalid_field", "ticket_id 须为文本或整数"),
    ("a list as number", f'{{{GOOD}, "ticket_id": [1]}}', 422, "invalid_field", "ticket_id 须为文本或整数,收到列表"),
    ("a huge integer", f'{{{GOOD}, "ticket_id": {"9" * 5000}}}', 400, "malformed_json", "UTF-8 JSON"),
    ("a time that is a number", f'{{{GOOD}, "accepted_at": 5}}', 422, "invalid_field", "accepted_at 须为文本,收到数字"),
    ("a time that is none", f'{{{GOOD}, "accepted_at": "\\ud800"}}', 422, "bad_row", "请写成 2026-03-02 08:30"),
    (
        "a transcript that is a text",
        f'{{{GOOD}, "transcript": "喂"}}',
        422,
        "invalid_field",
        "transcript 须为列表,收到文本",
    ),
    (
        "an unknown speaker",
        '{"transcript": [{"speaker": 1, "text": "喂"}]}',
        422,
        "invalid_field",
        "'agent' 或 'customer'",
    ),
    ("a turn without text", '{"transcript": [{"speaker": "agent"}]}', 422, "invalid_field", "transcript.0.text 缺少"),
    ("an org of another kind", f'{{{GOOD}, "org": {{"city": 5}}}}', 422, "invalid_field", "org.city 须为文本,收到数字"),
    ("a key twice, blank last", f'{{{GOOD}, "content": ""}}', 422, "empty_text", "content"),
    ("a body that ends early", f"{{{GOOD}", 400, "malformed_json", "引号、逗号"),
    ("a key twice, filled last", f'{{"content": "", {GOOD}}}', 200, None, ""),
    ("a long integer as number", f'{{{GOOD}, "ticket_id": {"9" * 4000}}}', 200, None, ""),
    ("NaN in an unknown field", f'{{{GOOD}, "x": [NaN, 1e999]}}', 200, None, ""),
    ("depth in an unknown field", f'{{{GOOD}, "x": {"[" * 500 + "]" * 500}}}', 200, None, ""),
    ("surrogates in names", f'{{{GOOD}, "\\ud800": "\\udc00", "org": {{"\\udfff": 1}}}}', 200, None, ""),
    ("50,000 unknown fields", "{" + "".join(f'"{n}":0,' for n in range(50_000)) + GOOD + "}", 200, None, ""),
    ("a byte order mark", "\ufeff{" + GOOD + "}", 200, None, ""),
]


@pytest.mark.parametrize(("body", "status", "code", "words"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
def test_an_odd_body_is_answered_in_words(
    client: TestClient, body: str, status: int, code: str | None, words: str
) -> None:
    answer = client.post("/v1/predict", content=body.encode(), headers=JSON)
    assert answer.status_code == status, answer.text
    if code is None:
        assert answer.json()["category"]["code"] == "other.outage"
        return
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] == code
    assert words in problem["detail"]
    assert "停电" not in answer.text
    assert "喂" not in answer.text


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 10,
        b"\x1f\x8b\x08",
        "停电".encode("gb18030"),
        f'{{"text": "{"停电" * 9}"}}'.encode("gb18030"),
    ],
)
def test_bytes_that_are_no_utf_8_are_malformed_json(client: TestClient, data: bytes) -> None:
    answer = client.post("/v1/predict", content=data, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert "UTF-8" in answer.json()["detail"]


def test_a_ticket_of_one_megabyte_in_escapes_is_too_large_and_says_what_to_do(client: TestClient) -> None:
    body = json.dumps({"content": "停电。" * 66_667}).encode()  # 200,000 characters, six bytes each
    answer = client.post("/v1/predict", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "1 MB" in answer.json()["detail"]


def test_odd_values_in_a_batch_are_errors_in_their_places(client: TestClient) -> None:
    deep = "[" * 500 + "]" * 500
    values = ["NaN", "1e999", "null", "true", "[]", "{}", '""', '{"text": NaN}', f'{{"text": {deep}}}', deep,
              '{"text": "停电", "org": {"city": {}}}', '{"\\ud800": 1}', '{"text": "停电", "transcript": 5}', f"{{{GOOD}}}"]  # fmt: skip
    body = f'{{"tickets": [{",".join(values)}]}}'.encode()
    rows = client.post("/v1/predict/batch", content=body, headers=JSON).json()
    bad, empty = "bad_row", "empty_text"
    assert [row.get("error", {}).get("code") for row in rows] == [
        bad, bad, bad, bad, bad, empty, empty, empty, bad, bad, bad, empty, bad, None,
    ]  # fmt: skip


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("\ud800停电")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("content", "text", "ticket_id", "accepted_at", "channel", "biz_type", "org", "transcript", "repeat_of", "x")


@settings(max_examples=150, deadline=None)
@given(st.one_of(VALUES, st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4)))
def test_no_json_at_all_makes_the_service_fail(client: TestClient, value: object) -> None:
    one = client.post("/v1/predict", content=json.dumps(value).encode(), headers=JSON)
    assert one.status_code in (200, 400, 422), one.text
    many = client.post("/v1/predict/batch", content=json.dumps({"tickets": [value, "停电"]}).encode(), headers=JSON)
    assert many.status_code == 200
    assert [row["row"] for row in many.json()] == [1, 2]
    if one.status_code == 200:
        assert many.json()[0]["category"]["code"] == one.json()["category"]["code"]
