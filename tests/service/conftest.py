"""A store to write to, on SQLite and on PostgreSQL where one can be reached, and tickets to put into it."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from benchmarks.own_database import own_database
from model.pipeline import Pipeline
from serving.intake import Intake
from serving.store.columns import Base
from serving.store.database import Database
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter

POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"  # TRIAGE_TEST_POSTGRES names another one
SECRET = b"a secret of the tests, long enough"


@pytest.fixture(scope="session")
def postgres() -> str:
    """The address of a PostgreSQL server that tests may make databases on."""
    url = _POSTGRES
    try:
        engine = create_engine(url, connect_args={"connect_timeout": 2})
        with engine.connect():
            pass
        engine.dispose()
    except (OperationalError, ImportError) as error:
        pytest.skip(f"no PostgreSQL at {make_url(url).host}: {type(error).__name__}; set TRIAGE_TEST_POSTGRES")
    return url


_POSTGRES = os.environ.get("TRIAGE_TEST_POSTGRES", POSTGRES)  # read before other tests clear the environment


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with own_database(request.getfixturevalue("postgres"), "test") as url:
        yield url


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store with all its tables, to be copied."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    database = Database(f"sqlite:///{file}")
    upgrade(database)
    database.wipe()
    database.close()
    return file


@pytest.fixture(scope="session")
def upgraded_postgres(postgres: str) -> Iterator[str]:
    """A PostgreSQL store with all its tables, emptied after each test."""
    with own_database(postgres, "test") as url:
        database = Database(url)
        upgrade(database)
        database.close()
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty store with all its tables, for tests that start processes of their own."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("upgraded_sqlite"), tmp_path / "store.db")
        yield f"sqlite:///{copy}"
        return
    url = request.getfixturevalue("upgraded_postgres")
    yield url
    _empty(url)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """An empty store with all its tables."""
    database = Database(store_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def store(upgraded_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A SQLite store with all its tables that the tests of one file share."""
    database = Database(f"sqlite:///{shutil.copy(upgraded_sqlite, tmp_path_factory.mktemp('shared') / 'store.db')}")
    yield database
    database.close()


def _empty(url: str) -> None:
    names = ", ".join(Base.metadata.tables)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        connection.execute(text("ALTER TABLE audit ENABLE TRIGGER USER"))
    engine.dispose()


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday, 9 o'clock in China

    def __call__(self) -> datetime:
        return self.time

    def goes_on(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intake(database: Database, rules_pipeline: Pipeline, clock: Clock) -> Intake:
    """An intake answered by rules alone: what is stored does not depend on a fitted bundle."""
    return Intake(TicketWriter(database), rules_pipeline, SECRET, retention_days=365, now=clock)


Take = Callable[..., dict[str, object]]


@pytest.fixture
def take(intake: Intake) -> Take:
    """Take one ticket in: `take("T1", "停电了", org=…)` gives the answer."""
    from serving.intake import incoming_from

    def call(ticket_id: str, content: str, **fields: object) -> dict[str, object]:
        return intake.take_in(incoming_from({"ticket_id": ticket_id, "content": content, **fields}), "intake").answer

    return call
