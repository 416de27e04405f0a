"""The database behind the store: SQLite by default, PostgreSQL by URL."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from model.errors import MissingExtra, StoreUnavailable

_POSTGRES = re.compile(r"^postgres(?:ql)?://")  # the usual spelling; psycopg is the driver that we bring
BUSY_SECONDS = 10.0  # how long a writer waits for another one
CONNECT_SECONDS = 5  # after which a PostgreSQL server that says nothing counts as away
_UNREADABLE = "TRIAGE_DATABASE_URL 无法识别;请写成 sqlite:///目录/文件.db 或 postgresql+psycopg://用户@主机/库名"
_AWAY = "存储暂时不可用(数据库连不上、忙或磁盘已满);请稍后重试"


class Database:
    """Opens sessions; holds the connection pool.

    Args:
        url: SQLAlchemy URL, `sqlite:///file.db` or `postgresql+psycopg://…`.
        pool: connections at most.

    Raises:
        StoreUnavailable: the URL cannot be read.
        MissingExtra: the driver is not installed.
    """

    def __init__(self, url: str, pool: int = 8) -> None:
        try:
            self.engine = _engine(url, pool)
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreUnavailable(_UNREADABLE) from error
        except ModuleNotFoundError as error:
            raise MissingExtra('缺少 PostgreSQL 驱动;请运行 pip install "complaint-triage[serve]"') from error
        self._writing = sessionmaker(self.engine.execution_options(writes=True), expire_on_commit=False)
        self._reading = sessionmaker(self.engine)
        self._turn = threading.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, which has one writer at a time."""
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """SQLite's file; None for PostgreSQL."""
        return Path(self.engine.url.database or "") if self.is_sqlite else None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: committed when the block ends, rolled back when it raises.

        Yields:
            The session. On SQLite the write lock is taken at once, so that two writers queue instead of failing.

        Raises:
            StoreUnavailable: the database is away, busy for too long or full; nothing was written.
        """
        with _translated(), self._own_turn(), self._writing.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads: one snapshot on SQLite.

        Yields:
            The session; always rolled back.

        Raises:
            StoreUnavailable: the database is away.
        """
        with _translated(), self._reading() as session:
            yield session

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Statements within the block may take as long as they need; else PostgreSQL has seconds to answer each.

        Yields:
            Nothing.
        """
        if self.is_sqlite:
            yield
            return
        from serving.store.patience import unhurried

        with unhurried():
            yield

    def wipe(self) -> None:
        """Let deleted text leave SQLite's files: `secure_delete` overwrites it, this empties the write-ahead log.

        A reader that is busy just now keeps the log until the next call. PostgreSQL's vacuum does its own part.
        """
        if self.is_sqlite:
            with _translated(), closing(self.engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _own_turn(self) -> AbstractContextManager[Any]:
        """Threads of one process queue here; SQLite's own waiting is a sleep that lets some of them starve."""
        return _held(self._turn) if self._turn else nullcontext()


@contextmanager
def _held(lock: threading.Lock) -> Iterator[None]:
    if not lock.acquire(timeout=BUSY_SECONDS):
        raise StoreUnavailable(_AWAY)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable(_AWAY) from error


def _engine(url: str, pool: int) -> Engine:
    """An engine whose errors never show a statement's values."""
    url = _POSTGRES.sub("postgresql+psycopg://", url)
    if make_url(url).get_backend_name() not in ("sqlite", "postgresql"):
        raise ArgumentError("neither SQLite nor PostgreSQL")
    common: dict[str, Any] = {"pool_size": pool, "max_overflow": 0, "pool_timeout": BUSY_SECONDS}
    common |= {"hide_parameters": True, "json_serializer": partial(json.dumps, ensure_ascii=False)}
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS}, **common)
        from serving.store.patience import limit  # needs the driver, which comes with the extra `serve`

        limit(engine)
        return engine
    if make_url(url).database in (None, "", ":memory:"):
        raise ArgumentError("a store in memory would not be durable")
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **common)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin` does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
