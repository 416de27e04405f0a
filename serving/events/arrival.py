"""When a complaint arrived: accepted, else received."""

from datetime import datetime

from sqlalchemy import ColumnElement, func

from serving.store.tables import StoredTicket


def arrived() -> ColumnElement[datetime]:
    """The moment that counts for a stored ticket, in a statement.

    Returns:
        An expression over the table of tickets.
    """
    return func.coalesce(StoredTicket.accepted_at, StoredTicket.received_at, type_=StoredTicket.received_at.type)
