"""The shape of the store: made on first start, by several processes at once, and as the tables say."""

import multiprocessing
import socket
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import event, func, inspect, select, text

from model.errors import StoreUnavailable
from model.pipeline import Pipeline
from serving.intake import Intake, incoming_from
from serving.store.columns import Base
from serving.store.database import Database
from serving.store.secret import own_secret
from serving.store.tables import OutboxMessage, StoredTicket
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from tests.service.conftest import Take
from triage.compose import build_store, store_secret
from triage.settings import Settings


def test_migrations_make_what_the_tables_say(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_upgrade_can_be_repeated(database: Database) -> None:
    upgrade(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["r0007"]


def test_steps_can_be_taken_back_and_taken_again_over_tickets(database: Database, take: Take) -> None:
    take("T1", "停电三小时了没人管")
    configuration = Config()
    configuration.set_main_option("script_location", "serving.store:migrations")
    for step, columns in ((command.downgrade, set()), (command.upgrade, {"upheld", "arrived_at"})):
        with database.unhurried(), database.write() as session:
            configuration.attributes["connection"] = session.connection()
            step(configuration, "r0005" if step is command.downgrade else "head")
        found = {column["name"] for column in inspect(database.engine).get_columns("tickets")}
        assert found & {"upheld", "arrived_at"} == columns
    with database.read() as session:
        row = session.get_one(StoredTicket, "T1")
        assert (row.upheld, row.arrived_at) == (None, None)


def _upgrade(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()


def test_processes_that_start_at_once_make_one_store(empty_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_upgrade, args=(empty_url,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    database = Database(empty_url)
    assert set(Base.metadata.tables) < set(inspect(database.engine).get_table_names())
    database.close()


def test_sqlite_waits_for_the_disk_and_overwrites_what_is_deleted(tmp_path: Path) -> None:
    database = build_store(Settings(database_url=f"sqlite:///{tmp_path}/new/folder/store.db"))
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    with database.engine.connect() as connection:
        assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted
    database.close()


@pytest.mark.parametrize(
    "url", ["nonsense", "oracle://x/y", "sqlite://", "sqlite:///:memory:", "sqlite:////proc/none/store.db"]
)
def test_an_address_that_cannot_be_used_is_said_in_words(url: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"TRIAGE_DATABASE_URL|存储"):
        build_store(Settings(database_url=url))


def test_a_database_that_is_away_is_said_to_be_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="稍后重试"):
        build_store(Settings(database_url="postgresql://nobody@127.0.0.1:9/none"))


def test_a_postgresql_server_that_says_nothing_counts_as_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.store.database.CONNECT_SECONDS", 2)  # the driver's least
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        database = Database(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none")
        began = time.monotonic()
        with pytest.raises(StoreUnavailable), database.read() as session:
            session.execute(text("SELECT 1"))
        assert time.monotonic() - began < 30  # without the limit it would wait for ever
        database.close()


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/store.db")
    database = build_store(settings)
    secret = store_secret(settings, database)
    assert len(secret) >= 32
    assert store_secret(settings, database) == secret
    assert stat.S_IMODE((tmp_path / "store.secret").stat().st_mode) == 0o600
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.suffix not in (".db-wal", ".db-shm")) == [
        ".db",
        ".secret",
    ]
    database.close()


def test_a_configured_secret_wins_and_a_damaged_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_SECRET", "sixteen characters at least")
    settings = Settings(database_url=f"sqlite:///{tmp_path}/store.db")
    database = build_store(settings)
    assert store_secret(settings, database) == b"sixteen characters at least"
    database.close()
    (tmp_path / "short.secret").write_text("x")
    with pytest.raises(StoreUnavailable, match="损坏"):
        own_secret(tmp_path / "short.secret")


def test_postgresql_asks_for_a_configured_secret(postgres: str) -> None:
    database = Database(postgres)
    with pytest.raises(StoreUnavailable, match="TRIAGE_SECRET"):
        store_secret(Settings(database_url=postgres), database)
    database.close()


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path, rules_pipeline: Pipeline) -> None:
    database = build_store(Settings(database_url=f"sqlite:///{tmp_path}/store.db"))
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=80"))
    database.engine.dispose()  # the next connections have a disk of 80 pages
    intake = Intake(TicketWriter(database), rules_pipeline, b"s" * 32, 365, lambda: datetime.now(UTC))
    acknowledged: list[str] = []

    def send_until_refused() -> None:
        for number in range(1000):
            taken = intake.take_in(incoming_from({"ticket_id": f"T{number}", "content": "停电没人管" * 20}), "test")
            acknowledged.append(taken.answer["ticket_id"])

    with pytest.raises(StoreUnavailable, match="磁盘"):
        send_until_refused()
    with database.read() as session:
        assert sorted(session.scalars(select(StoredTicket.ticket_id))) == sorted(acknowledged)
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == len(acknowledged) > 5
    database.close()
