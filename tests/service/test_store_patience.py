"""A store that does not answer holds nobody up for long: calls end in 503 and say when to come again."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from model.errors import Overloaded, StoreUnavailable
from model.pipeline import Pipeline
from serving.api import backlog, room
from serving.api.roles import Role
from serving.intake import Intake, incoming_from
from serving.store import writer
from serving.store.database import Database
from serving.store.upgrade import upgrade
from tests.office import Served, served

OUTAGE = "停电三小时了没人管"


@pytest.fixture
def impatient(upgraded_postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A PostgreSQL store whose statements have a fifth of a second."""
    from serving.store import patience

    database = Database(upgraded_postgres, pool=1)
    with database.read() as session:
        session.execute(text("SELECT 1"))  # connected before the limit
    token = patience._seconds.set(0.2)
    yield database
    patience._seconds.reset(token)
    database.close()


def test_a_statement_without_an_answer_ends_and_the_next_gets_another_connection(impatient: Database) -> None:
    with pytest.raises(StoreUnavailable), impatient.read() as session:
        session.execute(text("SELECT pg_sleep(2)"))
    with impatient.unhurried(), impatient.read() as session:
        assert session.scalar(text("SELECT 7 FROM pg_sleep(0.4)")) == 7


def test_what_a_statement_without_an_answer_was_to_write_is_not_there(impatient: Database) -> None:
    slow = "INSERT INTO data_versions (digest, made_at, bundles) SELECT 'x', now(), '{}' FROM pg_sleep(2)"
    with pytest.raises(StoreUnavailable), impatient.write() as session:
        session.execute(text(slow))
    with impatient.unhurried(), impatient.read() as session:
        assert session.scalar(text("SELECT count(*) FROM data_versions")) == 0


def _held(intake: Intake) -> tuple[threading.Event, Any]:
    """The thread of the writer is busy until told otherwise."""
    go = threading.Event()
    return go, intake.writer._thread.submit(go.wait)


def _tickets(count: int) -> list[Any]:
    return [incoming_from({"ticket_id": f"T{number}", "content": OUTAGE}) for number in range(count)]


def test_nobody_waits_in_line_for_a_store_that_is_away(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def away(_: object, new: Any) -> None:
        calls.append(len(new))
        if len(calls) == 1:
            late.extend(intake.writer.put(intake._arrival(one, "intake"), intake) for one in _tickets(3))
        raise StoreUnavailable("away")

    late: list[Any] = []
    monkeypatch.setattr(writer, "add", away)
    with pytest.raises(StoreUnavailable):
        intake.take_in(_tickets(1)[0], "intake")
    assert all(isinstance(one.exception(10), StoreUnavailable) for one in late)
    assert calls == [1]


def test_too_many_tickets_that_wait_are_told_to_come_again(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 2)
    go, _ = _held(intake)
    with ThreadPoolExecutor(2) as pool:
        first = [pool.submit(intake.take_in, ticket, "intake") for ticket in _tickets(2)]
        while len(intake.writer._waiting) < 2:
            pass
        with pytest.raises(Overloaded):
            intake.take_in(_tickets(3)[2], "intake")
        go.set()
        assert all(one.result().new for one in first)


def test_a_caller_who_left_before_his_ticket_was_begun_has_brought_none(intake: Intake, database: Database) -> None:
    go, busy = _held(intake)

    async def leave() -> None:
        bringing = asyncio.create_task(intake.answer(_tickets(1)[0], "intake"))
        while not intake.writer._waiting:
            await asyncio.sleep(0)
        bringing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await bringing

    asyncio.run(leave())
    go.set()
    assert busy.result()
    assert intake.take_in(_tickets(2)[1], "intake").new
    with database.read() as session:
        assert session.scalars(text("SELECT ticket_id FROM tickets")).all() == ["T1"]


@pytest.fixture
def office(database: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(database, rules_pipeline) as running:
        yield running


def _hanging(monkeypatch: pytest.MonkeyPatch, database: Database) -> threading.Event:
    """A store that says nothing until the event."""
    go, real = threading.Event(), database.read

    def read() -> Any:
        assert go.wait(30)
        return real()

    monkeypatch.setattr(database, "read", read)
    return go


def test_a_call_for_which_there_is_no_room_is_told_at_once_to_come_again(
    office: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST", 2)
    ask: Callable[[], Any] = lambda: office.client.get("/v1/tickets", headers=office.by(Role.REVIEWER))  # noqa: E731
    assert ask().status_code == 200  # the key is known from now on
    go = _hanging(monkeypatch, database)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(8)]
        while sum(one.done() for one in answers) < 6:
            pass
        go.set()
        found = [one.result() for one in answers]
    assert sorted(answer.status_code for answer in found) == [200] * 2 + [503] * 6
    refused = next(answer for answer in found if answer.status_code == 503)
    assert (refused.json()["code"], int(refused.headers["retry-after"]) >= 1) == ("overloaded", True)


def test_the_page_of_metrics_answers_while_the_store_does_not(
    office: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_PATIENCE", 0.1)
    client: TestClient = office.client
    go = _hanging(monkeypatch, database)
    assert "triage_store_up 0.0" in client.get("/metrics").text
    go.set()
    while "triage_store_up 1.0" not in client.get("/metrics").text:
        pass


def test_a_store_of_a_newer_program_is_refused_in_words(database: Database) -> None:
    with database.write() as session:
        before = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    try:
        with pytest.raises(StoreUnavailable, match=r"r9999 比本程序.*新"):
            upgrade(database)
    finally:
        with database.write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})


def test_nobody_but_its_owner_reads_a_new_store(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'store.db'}")
    upgrade(database)
    with database.write() as session:
        session.execute(text("CREATE TABLE x (y INTEGER)"))
        modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "new").iterdir()}
    database.close()
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
