"""A PostgreSQL database of its own for a benchmark or a test, dropped in the end."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

_CONNECT_SECONDS = 5


@contextmanager
def own_database(server: str, kind: str) -> Iterator[str]:
    """Make a database on a server.

    Args:
        server: URL of any database there.
        kind: part of the name, so that a forgotten one tells where it came from.

    Yields:
        URL of the new database.
    """
    name = f"triage_{kind}_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": _CONNECT_SECONDS})
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()
