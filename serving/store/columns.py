"""What all tables are made of: times with a zone, JSON, and the quick way to write rows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import JSON, DateTime, Dialect, Table, TypeDecorator, insert
from sqlalchemy.orm import DeclarativeBase, Session

Json = dict[str, Any]


class UtcTime(TypeDecorator[datetime]):
    """An aware time; SQLite, which knows no time zones, gets it in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy asks for it
        """To the database.

        Args:
            value: an aware time.
            dialect: of the database.

        Returns:
            The same moment in UTC.

        Raises:
            ValueError: a time without zone.
        """
        if value is not None and value.tzinfo is None:
            raise ValueError("the store takes aware times only")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy asks for it
        """From the database.

        Args:
            value: as it was read.
            dialect: of the database.

        Returns:
            An aware time in UTC.
        """
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map = {datetime: UtcTime, Json: JSON}  # noqa: RUF012 - SQLAlchemy's own way


def table(entity: type[Base]) -> Table:
    """The table of a class.

    Args:
        entity: one of `tables`.

    Returns:
        For statements that need no objects.
    """
    return cast("Table", entity.__table__)


def write_rows(session: Session, entity: type[Base], rows: Sequence[Json]) -> None:
    """Insert rows at once, without objects.

    Args:
        session: writes.
        entity: whose table.
        rows: with the same keys; none is allowed too.
    """
    if rows:
        session.connection().execute(insert(table(entity)), rows)
