"""Who may call what: every call of the OpenAPI with every role, without a key, with a wrong one, too often."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from model.errors import Conflict, NotFound, StoreUnavailable
from model.pipeline import Pipeline
from serving.api import keys
from serving.api.access import FRESH_SECONDS, STALE_SECONDS, Access
from serving.api.roles import Caller, Role
from serving.store.database import Database
from serving.store.upgrade import upgrade
from tests.office import Served, now, served

ALL, A = {"intake", "analyst", "reviewer", "admin"}, "admin"
N, R = "analyst", "reviewer"
CONTRACT = {  # contract.md, section 4, and what was added to it: contact, arrive, close, cues, ledger, import, use of the model
    "POST /v1/predict": ALL,
    "POST /v1/predict/batch": ALL,
    "POST /v1/tickets": ALL,
    "GET /v1/tickets": {R, A},
    "GET /v1/tickets/{ticket_id}": {R, A},
    "POST /v1/tickets/{ticket_id}/review": {R, A},
    "POST /v1/tickets/{ticket_id}/undo": {R, A},
    "GET /v1/tickets/{ticket_id}/similar": {R, A},
    "GET /v1/counts": {R, A},
    "GET /v1/categories": {N, R, A},
    "POST /v1/tickets/{ticket_id}/contact": {R, A},
    "POST /v1/tickets/{ticket_id}/arrive": {R, A},
    "POST /v1/tickets/{ticket_id}/close": {R, A},
    "POST /v1/tickets/{ticket_id}/cues/{flag}/{step}": {R, A},
    "GET /v1/cues": {R, A},
    "GET /v1/cues/ledger": {R, A},
    "GET /v1/cues/{flag}/{ticket_id}": {R, A},
    "GET /v1/labels/export": {N, A},
    "GET /v1/hotspots": {N, R, A},
    "GET /v1/events": {R, A},
    "POST /v1/events": {R, A},
    "POST /v1/events/import": {R, A},
    "DELETE /v1/events/{event_id}": {R, A},
    "GET /v1/me": ALL,
    "GET /v1/hotspots/report": {N, R, A},
    "GET /v1/model": {N, R, A},
    "GET /v1/model/use": {N, R, A},
    "POST /v1/model/reload": {A},
}
OPEN = {"GET /livez", "GET /readyz", "GET /metrics"}


@pytest.fixture(scope="module")
def desk(store: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(store, rules_pipeline) as running:
        yield running


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    upgrade(database)
    yield database
    database.close()


def _call(desk: Served, call: str, headers: dict[str, str]) -> Any:
    method, path = call.split(" ")
    for name, value in (("ticket_id", "none"), ("flag", "theft"), ("step", "reject"), ("event_id", "9")):
        path = path.replace(f"{{{name}}}", value)
    return desk.client.request(method, path, headers=headers, json={} if method == "POST" else None)


def test_every_call_of_the_description_stands_in_the_contract(desk: Served) -> None:
    paths = desk.client.get("/openapi.json").json()["paths"]
    assert {f"{method.upper()} {path}" for path, calls in paths.items() for method in calls} == set(CONTRACT) | OPEN


@pytest.mark.parametrize("call", CONTRACT)
def test_a_call_lets_in_the_roles_of_the_contract_and_no_others(desk: Served, call: str) -> None:
    for role in Role:
        answer = _call(desk, call, desk.by(role))
        refused = answer.status_code == 403 and answer.json()["code"] == "forbidden"
        assert refused == (role not in CONTRACT[call]), (role, answer.text)
        assert answer.status_code != 401


@pytest.mark.parametrize("call", CONTRACT)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer tri_wrong"}, {"Authorization": "Basic YTpi"}])
def test_a_call_without_a_good_key_is_a_401_that_says_how(desk: Served, call: str, header: dict[str, str]) -> None:
    elsewhere = TestClient(
        desk.app, client=(call, 1)
    )  # wrong keys are counted by address: more than twenty calls are known
    answer = _call(replace(desk, client=elsewhere), call, header)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] in ("key_missing", "key_refused")


@pytest.mark.parametrize("call", [*sorted(OPEN), "GET /docs", "GET /openapi.json"])
def test_health_and_description_ask_for_no_key(desk: Served, call: str) -> None:
    assert _call(desk, call, {}).status_code == 200


def test_a_route_that_nobody_gave_a_role_is_closed_to_all(empty: Database, rules_pipeline: Pipeline) -> None:
    with served(empty, rules_pipeline) as desk:
        desk.app.add_api_route("/v1/forgotten", lambda: "open", methods=["GET"])
        assert desk.client.get("/v1/forgotten", headers=desk.by(Role.ADMIN)).status_code == 403


def test_the_store_holds_no_key_and_a_key_has_256_random_bits(empty: Database, tmp_path: Path) -> None:
    token = keys.create(empty, Caller("a", Role.INTAKE), by="test", now=now())
    assert token.startswith("tri_")
    assert len(token) == 4 + 43
    empty.close()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in held
    assert keys.digest_of(token) in held


def test_a_name_signs_one_holder_for_ever(empty: Database) -> None:
    keys.create(empty, Caller("a", Role.INTAKE), by="test", now=now())
    keys.revoke(empty, "a", by="test", now=now())
    with pytest.raises(Conflict):
        keys.create(empty, Caller("a", Role.ADMIN), by="test", now=now())
    with pytest.raises(NotFound):
        keys.revoke(empty, "a", by="test", now=now())


class _Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


class _Book:
    """A book of one key."""

    def __init__(self) -> None:
        self.good, self.away, self.asked = True, False, 0

    def find(self, digest: bytes) -> Caller | None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return Caller("a", Role.INTAKE) if self.good and digest == b"a" else None

    def any_made(self) -> bool:
        if self.away:
            raise StoreUnavailable("away")
        return self.good


def test_a_revoked_key_stops_within_seconds_and_a_good_one_is_not_looked_up_each_time() -> None:
    book, clock = _Book(), _Clock()
    access = Access(book, clock)
    assert access.fresh(b"a") is None
    assert access.look_up(b"a")
    assert access.fresh(b"a")
    assert book.asked == 1
    book.good = False
    clock.time += FRESH_SECONDS
    assert access.fresh(b"a") is None
    assert access.look_up(b"a") is None
    assert not access.known(b"a")


def test_while_the_store_is_away_known_keys_go_on_for_a_while_and_unknown_ones_do_not() -> None:
    book, clock = _Book(), _Clock()
    access = Access(book, clock)
    assert access.look_up(b"a")
    book.away = True
    clock.time += STALE_SECONDS - 1
    assert access.look_up(b"a")
    with pytest.raises(StoreUnavailable):
        access.look_up(b"b")
    clock.time += 1
    with pytest.raises(StoreUnavailable):
        access.look_up(b"a")


def test_a_known_key_does_not_wait_while_a_slow_store_is_asked_for_it() -> None:
    book, clock = _Book(), _Clock()
    access = Access(book, clock)
    assert access.look_up(b"a")
    clock.time += FRESH_SECONDS
    waiting, answer = threading.Event(), threading.Event()

    def slow(_: bytes) -> None:
        waiting.set()
        answer.wait(30)

    book.find = slow  # type: ignore[method-assign,assignment]
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(access.look_up, b"a")
        assert waiting.wait(30)
        assert access.look_up(b"a")  # at once, as it was
        answer.set()
        assert asked.result() is None
    assert not access.known(b"a")


def test_while_the_store_hangs_what_it_said_before_holds_and_it_is_not_asked_each_time() -> None:
    book, clock = _Book(), _Clock()
    access = Access(book, clock)
    assert (access.stale(b"a"), access.was_keyless()) == (None, None)
    assert access.look_up(b"a")
    assert access.look_for_keys() is False
    clock.time += STALE_SECONDS - 1
    assert access.stale(b"a")
    assert access.fresh(b"a")
    assert access.was_keyless() is False
    clock.time += 1
    assert (access.stale(b"a"), access.was_keyless()) == (None, None)


def test_once_there_was_a_key_the_door_never_opens_again() -> None:
    book, clock = _Book(), _Clock()
    book.good = False
    access = Access(book, clock)
    assert access.keyless() is None
    assert access.look_for_keys()
    clock.time += FRESH_SECONDS
    book.good = True
    assert access.keyless() is None
    assert not access.look_for_keys()
    clock.time += 10 * STALE_SECONDS
    assert access.keyless() is False


def test_a_key_that_is_revoked_is_refused_by_the_running_service(
    empty: Database, rules_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.api.access.FRESH_SECONDS", 0.0)
    with served(empty, rules_pipeline) as desk:
        assert desk.client.get("/v1/model", headers=desk.by(Role.ANALYST)).status_code == 200
        keys.revoke(empty, "analyst", by="test", now=now())
        assert desk.client.get("/v1/model", headers=desk.by(Role.ANALYST)).status_code == 401
        keys.revoke(empty, "admin", by="test", now=now())
        for name in ("intake", "reviewer"):
            keys.revoke(empty, name, by="test", now=now())
        assert desk.client.get("/v1/model").status_code == 401  # without any good key it is closed, not open


def test_while_no_key_was_made_this_machine_is_let_in_and_nobody_else(
    empty: Database, rules_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.api.access.FRESH_SECONDS", 0.0)
    with served(empty, rules_pipeline, with_keys=False) as desk:
        get = desk.client.get
        assert get("/v1/tickets").status_code == 200
        assert get("/v1/tickets", headers={"origin": "http://127.0.0.1:8000"}).status_code == 200
        for host in ("evil.example", "127.0.0.1.evil.example:8000", "", "[::1"):
            assert get("/v1/tickets", headers={"host": host}).json()["code"] == "local_only", host
        for host in ("localhost:8000", "[::1]:8000", "127.0.0.1"):
            assert get("/v1/tickets", headers={"host": host}).status_code == 200, host
        for origin in ("http://evil.example", "null", "http://127.0.0.1:3000"):
            assert get("/v1/tickets", headers={"origin": origin}).json()["code"] == "foreign_page", origin
        answer = desk.client.post("/v1/tickets", json={"ticket_id": "1", "content": "停电了"})
        assert answer.status_code == 201
        assert get("/v1/tickets/1").json()["history"][0]["actor"] == "local"
        keys.create(empty, Caller("a", Role.ADMIN), by="test", now=now())
        assert get("/v1/tickets").status_code == 401


def test_another_machine_is_not_let_in_without_keys(empty: Database, rules_pipeline: Pipeline) -> None:
    from fastapi.testclient import TestClient

    with served(empty, rules_pipeline, with_keys=False) as desk:
        far = TestClient(desk.app, base_url="http://127.0.0.1", client=("192.0.2.7", 1))
        assert far.get("/v1/tickets").json()["code"] == "local_only"
        assert far.get("/livez").status_code == 200


def test_a_key_that_calls_too_often_waits_and_a_batch_counts_its_tickets(
    empty: Database, rules_pipeline: Pipeline
) -> None:
    with served(empty, rules_pipeline, per_minute=20) as desk:
        intake = desk.by(Role.INTAKE)
        batch = {"tickets": ["停电了"] * 19}
        assert desk.client.post("/v1/predict/batch", json=batch, headers=intake).status_code == 200
        assert desk.client.post("/v1/predict", json="停电了", headers=intake).status_code == 200
        answer = desk.client.post("/v1/predict", json="停电了", headers=intake)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 120  # this minute must end, and its share must shrink
        assert desk.client.post("/v1/predict/batch", json=batch, headers=desk.by(Role.ANALYST)).status_code == 200
        large = desk.client.post("/v1/predict/batch", json={"tickets": ["停电了"] * 30}, headers=desk.by(Role.ADMIN))
        assert large.status_code == 429
        assert "triage_rate_limited_total" in desk.client.get("/metrics").text


def test_an_address_that_shows_wrong_keys_waits_while_its_good_keys_go_on(
    empty: Database, rules_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(empty, rules_pipeline) as desk:
        good = desk.by(Role.ADMIN)
        assert desk.client.get("/v1/model", headers=good).status_code == 200
        seen = [
            desk.client.get("/v1/model", headers={"Authorization": f"Bearer tri_{n}"}).status_code for n in range(30)
        ]
        assert seen[0] == 401
        assert seen[-1] == 429
        monkeypatch.setattr("serving.api.access.FRESH_SECONDS", 0.0)  # so that the good key is looked up again
        assert desk.client.get("/v1/model", headers=good).status_code == 200
        assert 'triage_key_failures_total{reason="key_refused"}' in desk.client.get("/metrics").text


def test_keys_are_made_listed_and_revoked_on_the_command_line(tmp_path: Path) -> None:
    from triage.cli.main import app

    run = CliRunner().invoke
    made = run(app, ["keys", "create", "--role", "reviewer", "--name", "li", "--unit", "客户服务中心"])
    assert made.exit_code == 0, made.output
    token = made.stdout.strip().splitlines()[-1]
    assert token.startswith("tri_")
    listed = run(app, ["keys", "list"]).output
    assert "li" in listed
    assert "有效" in listed
    assert token not in listed
    assert run(app, ["keys", "revoke", "li"]).exit_code == 0
    assert "作废" in run(app, ["keys", "list"]).output
    assert run(app, ["keys", "create", "--role", "boss"]).exit_code == 2
    with sqlite3.connect(tmp_path / "artifacts" / "store" / "triage.db") as store:
        assert [row[0] for row in store.execute("SELECT action FROM audit")] == ["key.created", "key.revoked"]
    store.close()


def test_the_service_does_not_listen_to_the_network_before_there_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    from triage.cli.main import app

    started: list[str] = []
    monkeypatch.setattr(uvicorn, "run", lambda *_, host, **__: started.append(host))
    run = CliRunner().invoke
    refused = run(app, ["serve", "--host", "0.0.0.0"])
    assert refused.exit_code == 2
    assert "triage keys create" in refused.output.replace("\n", "").replace("│", "")
    assert run(app, ["serve"]).exit_code == 0
    run(app, ["keys", "create", "--role", "admin"])
    assert run(app, ["serve", "--host", "0.0.0.0"]).exit_code == 0
    assert started == ["127.0.0.1", "0.0.0.0"]
