"""New tickets for PostgreSQL in one statement, rows of seven tables: a seventh of the round trips, half the work."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from serving.store.columns import Base, Json
from serving.store.tables import AuditEntry, StoredTicket

Rows = Mapping[type[Base], Sequence[Json]]
_ID: Mapping[type[Base], str] = {AuditEntry: "substr(subject, 8)"}  # where the ticket's id stands: behind `ticket:`


def insert_new(session: Session, rows: Rows) -> set[str]:
    """Insert tickets that are not there yet, and of the rows that hang on them only theirs.

    Rows travel as JSON, one parameter a table; the database turns them into its own types. Serial numbers follow the
    order of the rows.

    Args:
        session: writes.
        rows: of `tickets`, in the order of their ids, so that two writers never wait for each other; and of the other
            tables.

    Returns:
        Ids of the tickets that were written.
    """
    full = {entity: found for entity, found in rows.items() if found}
    # names of our tables only:
    statement = f"WITH {', '.join(_parts(full))} SELECT ticket_id FROM fresh"  # noqa: S608  # nosec B608
    values = {entity.__tablename__: _as_json(found) for entity, found in full.items()}
    return set(session.connection().execute(text(statement), values).scalars())


def _parts(rows: Rows) -> Iterator[str]:
    """One common table expression a table; names of tables and columns are our own."""
    for entity, found in rows.items():
        name, columns = entity.__tablename__, ", ".join(found[0])
        into = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM"
        given = f"ROWS FROM (json_populate_recordset(NULL::{name}, CAST(:{name} AS json))) WITH ORDINALITY AS given"
        if entity is StoredTicket:
            yield f"fresh AS ({into} {given} ORDER BY ordinality ON CONFLICT DO NOTHING RETURNING ticket_id)"
        else:
            theirs = f"{_ID.get(entity, 'ticket_id')} IN (SELECT ticket_id FROM fresh)"  # noqa: S608  # nosec B608
            yield f"new_{name} AS ({into} {given} WHERE {theirs} ORDER BY ordinality)"


def _as_json(rows: Sequence[Json]) -> str:
    return json.dumps(rows, ensure_ascii=False, default=datetime.isoformat)
