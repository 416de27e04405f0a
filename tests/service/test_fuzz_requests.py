"""Any JSON, query, header and table into the calls that read or write the store, and any message of the broker.

Answers are those of contract.md, section 4; never a 500, and what was accepted is there. Predictions: `test_hostile_requests.py`.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.pipeline import Pipeline
from serving.api.roles import Role
from serving.intake import Intake
from serving.store.database import Database
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from tests.office import SECRET, Served, now, served

TEXTS = st.one_of(
    st.text(max_size=12), st.sampled_from(["\ud800", "\x00", "停电\x00三小时", "2026-11-23", "-1", "../x", "%"])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
FIELDS = (
    "accepted_at", "channel", "biz_type", "org", "cust_no", "contact", "address", "transcript", "reply", "repeat_of", "text"
)  # fmt: skip
TICKETS = st.builds(
    lambda number, content, more: {**more, "ticket_id": number, "content": content},
    st.one_of(TEXTS, VALUES),
    st.one_of(TEXTS, st.just("停电三小时了没人管")),
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(TEXTS, VALUES), max_size=3),
)
BODIES = {
    "/v1/tickets/T/review": ("version", "category", "secondary", "flags", "note"),
    "/v1/tickets/T/contact": ("version", "note", "reached"),
    "/v1/tickets/T/close": ("version", "note", "upheld"),
    "/v1/tickets/T/cues/theft/evidence": ("version", "evidence", "unit", "reason"),
    "/v1/events": ("kind", "city", "county", "station", "places", "starts_at", "ends_at", "text", "filing"),
}
QUERIES = {
    "/v1/tickets": ("status", "desk", "category", "decision", "flag", "cursor", "limit"),
    "/v1/cues": ("status", "flag", "cursor"),
    "/v1/cues/ledger": ("since", "until"),
    "/v1/labels/export": ("since", "until", "cursor"),
    "/v1/events": ("since", "until"),
    "/v1/hotspots": ("since", "until", "by"),
    "/v1/hotspots/report": ("since", "until", "by", "format"),
}


@pytest.fixture(scope="module")
def desk(store: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(store, rules_pipeline) as running:
        known = {"ticket_id": "T", "content": "我没有偷电,停电三小时了"}
        assert running.client.post("/v1/tickets", json=known, headers=running.by(Role.ADMIN)).status_code == 201
        yield running


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@settings(max_examples=150, deadline=None)
@given(TICKETS)
@example({"ticket_id": "a", "content": "停电", "cust_no": "\ud800", "contact": "\udfff", "reply": "\ud800"})
@example({"ticket_id": "b\ud800", "content": "停\x00电", "channel": "\x00", "org": {"city": "\ud800\x00"}})
def test_any_ticket_is_stored_or_refused(desk: Served, ticket: dict[str, object]) -> None:
    headers = {**desk.by(Role.ADMIN), "content-type": "application/json"}
    answer = desk.client.post("/v1/tickets", content=_json(ticket), headers=headers)
    assert answer.status_code in (200, 201, 400, 409, 422), answer.text
    if answer.status_code >= 300:
        assert answer.json()["code"]
        return
    number = quote(answer.json()["ticket_id"], safe="")
    assert desk.client.get(f"/v1/tickets/{number}", headers=headers).status_code == 200
    again = desk.client.post("/v1/tickets", content=_json(ticket), headers=headers)
    assert (again.status_code, again.json()) == (200, answer.json())


@pytest.mark.parametrize("path", BODIES)
def test_any_body_of_a_writing_call_is_taken_or_refused(desk: Served, path: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.one_of(VALUES, st.dictionaries(st.sampled_from(BODIES[path]), VALUES, max_size=5)))
    def check(body: object) -> None:
        headers = {**desk.by(Role.ADMIN), "content-type": "application/json"}
        answer = desk.client.post(path, content=_json(body), headers=headers)
        assert answer.status_code < 500, answer.text
        assert answer.status_code < 300 or answer.json()["code"]

    check()


@pytest.mark.parametrize("path", QUERIES)
def test_any_query_is_answered_or_refused(desk: Served, path: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.dictionaries(st.sampled_from(QUERIES[path]), st.text(max_size=30), max_size=3))
    def check(query: dict[str, str]) -> None:
        given_ = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
        answer = desk.client.get(path, params=given_, headers=desk.by(Role.ADMIN))
        assert answer.status_code in (200, 404, 422), answer.text

    check()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["", "/similar", "/../../livez"]))
def test_any_name_of_a_ticket_is_found_or_not(desk: Served, name: str, rest: str) -> None:
    number = quote(name.encode("utf-8", "replace"), safe="")
    answer = desk.client.get(f"/v1/tickets/{number}{rest}", headers=desk.by(Role.ADMIN))
    assert answer.status_code in (200, 404, 422), answer.text


@pytest.mark.parametrize(
    "path", ["..%2f..%2fpyproject.toml", "%2e%2e/%2e%2e/x", "..%5c..%5cx", "%2fetc%2fhostname", "%00"]
)
def test_no_path_leads_out_of_the_pages_that_are_served(desk: Served, path: str) -> None:
    answer = desk.client.get(f"/static-offline-docs/{path}")
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("name", ["since", "until", "by", "format"])
def test_no_query_reaches_the_header_that_names_a_report(desk: Served, name: str) -> None:
    query = {"since": "2026-10-01", "until": "2026-11-01", "by": "month", "format": "html"}
    query[name] += '"\r\nSet-Cookie: a=b'
    answer = desk.client.get("/v1/hotspots/report", params=query, headers=desk.by(Role.ADMIN))
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("header", ["host", "origin"])
def test_a_spoilt_address_in_a_header_is_a_refusal(tmp_path: Path, rules_pipeline: Pipeline, header: str) -> None:
    database = Database(f"sqlite:///{tmp_path / 'open.db'}")
    upgrade(database)
    with served(database, rules_pipeline, with_keys=False) as open_desk:
        assert open_desk.client.get("/v1/me").status_code == 200
        for value in ("http://[", "[", "http://a]b", "//", "\x7f"):
            assert open_desk.client.get("/v1/me", headers={header: value}).status_code == 403
    database.close()


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(st.binary(max_size=60), st.binary(max_size=300).map(lambda b: b"Bearer " + b)).filter(
        lambda b: not set(b) & set(b"\r\n\0")
    )
)
@example(b"Bearer " + b"\xff" * 5000)
def test_any_key_that_is_none_is_refused(desk: Served, header: bytes) -> None:
    with TestClient(desk.app, client=("203.0.113.9", 1), raise_server_exceptions=False) as elsewhere:
        answer = elsewhere.get("/v1/me", headers={b"authorization": header})  # type: ignore[dict-item]
    assert answer.status_code in (401, 429), answer.text
    assert answer.json()["code"] in ("key_missing", "key_refused", "rate_limited")


@settings(max_examples=60, deadline=None)
@example(b"PK\x03\x04 a workbook")
@example(b"%PDF-1.7")
@given(
    st.one_of(st.binary(max_size=80), st.text('类型开始时间,结束\n"内容2026-11计划停电', max_size=60).map(str.encode))
)
def test_any_table_of_events_is_entered_or_refused_row_by_row(desk: Served, table: bytes) -> None:
    headers = {**desk.by(Role.ADMIN), "content-type": "text/csv"}
    answer = desk.client.post("/v1/events/import", content=table, headers=headers)
    assert answer.status_code in (200, 422), answer.text


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=80), VALUES.map(_json), TICKETS.map(_json)))
@example(b'{"ticket_id": "\\ud800", "content": "\\udc00", "cust_no": "\\ud800", "address": ["\\udfff"]}')
@example(b"[" * 100_000)
def test_any_message_is_a_ticket_or_a_dead_letter_with_its_reason(
    store: Database, rules_pipeline: Pipeline, body: bytes
) -> None:
    pytest.importorskip("aio_pika", reason="the extra `serve` is not installed")
    from serving.consume import INTERNAL_ERROR, Consumer

    consumer = Consumer(Intake(TicketWriter(store), rules_pipeline, SECRET, 365, now), "amqp://nowhere")
    reason = asyncio.run(consumer._take(body, seen_before=True))
    assert reason != INTERNAL_ERROR
