"""Lists of tickets in the order in which people should see them, page by page."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select, tuple_
from sqlalchemy.orm import Session

from model.errors import InvalidField
from serving.store.columns import Json
from serving.store.folding import folded, leaders
from serving.store.reading import summary
from serving.store.tables import StoredCue, StoredTicket
from serving.store.urgency import Urgency, conditions

PAGE, PAGE_MOST = 50, 200

_T = StoredTicket
# danger first, then the nearest time that still runs (so what is overdue leads), escalation, low confidence, first received
_ORDER: tuple[ColumnElement[Any], ...] = (
    case((_T.safety, 0), else_=1),
    func.coalesce(case((_T.arrived_at.is_(None), _T.arrive_by)), _T.due_at, _T.received_at),
    case((_T.escalation, 0), else_=1),
    _T.confidence.expression,
    _T.received_at.expression,
    _T.ticket_id.expression,
)
_TIMES = (1, 4)  # places of times in the order
_NUMBER_MOST = 2**31


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; None asks for nothing. `desk` is the ticket's desk, `queue` one that holds it now."""

    status: str | None = None
    desk: str | None = None
    queue: str | None = None
    category: str | None = None
    decision: str | None = None
    flag: str | None = None
    event_id: int | None = None
    incident: str | None = None
    urgency: Urgency | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Tickets, and the cursor of the next page, or None at the end."""

    tickets: list[Json]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Which page. `fold` leaves one line for each known event or incident: its most urgent ticket, with the number of `folded`."""

    cursor: str | None = None
    limit: int = PAGE
    fold: bool = False


def page(session: Session, filters: Filters, wanted: Slice, now: datetime) -> Page:
    """One page of tickets. Pages never repeat or skip a ticket that stays in its place.

    Args:
        session: reads.
        filters: all must hold.
        wanted: which page.
        now: tells what is overdue.

    Returns:
        The page.

    Raises:
        InvalidField: a cursor that is none of ours.
    """
    query, first = _filtered(filters, now), {}
    if wanted.fold and filters.event_id is None and filters.incident is None:
        first = leaders(session, query, _ORDER)
        query = folded(query, first)
    limit = min(wanted.limit, PAGE_MOST)
    query = query.order_by(*_ORDER).limit(limit + 1)
    if wanted.cursor is not None:
        last = [literal(value, column.type) for value, column in zip(_decoded(wanted.cursor), _ORDER, strict=True)]
        query = query.where(tuple_(*_ORDER) > tuple_(*last))
    found = session.execute(query.with_only_columns(_T.ticket_id, *_ORDER)).all()  # from the index alone
    shown = found[:limit]
    rows = {
        row.ticket_id: row for row in session.scalars(select(_T).where(_T.ticket_id.in_([one[0] for one in shown])))
    }
    tickets = [summary(rows[one[0]]) | {"folded": first.get(one[0], 1)} for one in shown]
    return Page(tickets, _encoded(shown[-1][1:]) if len(found) > len(shown) else None)


def _filtered(filters: Filters, now: datetime) -> Select[Any]:
    query = select(_T)
    for name in ("status", "desk", "category", "decision", "event_id", "incident"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(getattr(_T, name) == value)
    if filters.queue is not None:
        query = query.where(_T.queues.contains(f"|{filters.queue}|", autoescape=True))
    if filters.flag is not None:
        cue = select(StoredCue.id).where(StoredCue.ticket_id == _T.ticket_id, StoredCue.flag == filters.flag)
        query = query.where(cue.exists())
    return query if filters.urgency is None else query.where(conditions(now)[filters.urgency])


def _encoded(values: Any) -> str:
    words = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(words, separators=(",", ":")).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> list[Any]:
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        kinds = [type(value) for value in values]
        if kinds not in ([int, str, int, float, str, str], [int, str, int, int, str, str]):
            raise ValueError("another shape")
        if not all(abs(value) < _NUMBER_MOST for value in (values[0], values[2], values[3])):
            raise ValueError("no number of ours")
        for place in _TIMES:
            moment = datetime.fromisoformat(values[place])
            if moment.tzinfo is None:
                raise ValueError("no zone")
            values[place] = moment.astimezone(UTC)
        return [*values[:5], _storable(values[5])]
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidField("cursor 无法识别;请原样使用上一页返回的 cursor,或去掉它从头列出") from error


def _storable(text: str) -> str:
    """A text that a database takes as a parameter."""
    text.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    if "\x00" in text:
        raise ValueError("NUL")
    return text
