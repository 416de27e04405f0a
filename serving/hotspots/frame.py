"""The frame of complaints that everything is counted from: one row a ticket, masked text, no name, no number.

`COLUMNS` says what stands in it. Times are in Asia/Shanghai. `accepted_at` is the time received where acceptance is not
known. `unit` is the place that figures are made for; None where a ticket names none. `category` is the leaf as predicted,
or as a person decided, under today's code; `filing` a code. The four flags tell whether one was raised, never that it is
true; `upheld` is what people found of a closed ticket, None where nobody judged it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, cast

import pandas as pd
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from model.taxonomy import FLAGS, Taxonomy
from model.ticket import CHINA, Ticket
from serving.events.arrival import arrived
from serving.store.tables import StoredCue, StoredPrediction, StoredTicket, TicketText

Level = Literal["station", "county", "city"]
TIMES = ("accepted_at", "contact_due_at", "due_at", "arrive_by", "contacted_at", "arrived_at", "closed_at")
COLUMNS = (
    "ticket_id", "accepted_at", "category", "group", "city", "county", "station", "unit", "decision", "safety",
    "escalation", *FLAGS, "text", "caller", "repeat_of", "event_id", "contact_due_at", "due_at", "arrive_by",
    "contacted_at", "arrived_at", "closed_at", "status", "upheld", "filing",
)  # fmt: skip
_TRUTHS = ("safety", "escalation", *FLAGS)
_STORED = ("ticket_id", "category", "city", "county", "station", "decision", "safety", "escalation", "caller", "repeat_of",
           "event_id", "contact_due_at", "due_at", "arrive_by", "contacted_at", "arrived_at", "closed_at", "status", "upheld")  # fmt: skip
_PARTS: Mapping[Level, tuple[str, ...]] = {
    "station": ("county", "station"),
    "county": ("city", "county"),
    "city": ("city",),
}


def from_store(
    session: Session,
    since: datetime,
    until: datetime,
    taxonomy: Taxonomy,
    *,
    level: Level = "station",
    texts: bool = True,
) -> pd.DataFrame:
    """Tickets of the store. A deleted one still counts: its text and its caller are gone.

    Args:
        session: reads.
        since: arrived from this moment on.
        until: arrived before this moment.
        taxonomy: knows the group of each leaf, and what became of former ones.
        level: what a unit is.
        texts: with masked texts.

    Returns:
        A frame of `COLUMNS` in order of arrival.
    """
    text = [TicketText.text] if texts else []
    columns = [getattr(StoredTicket, name) for name in _STORED]
    query = select(arrived().label("accepted_at"), *columns, *text)
    if texts:
        query = query.outerjoin(TicketText, TicketText.ticket_id == StoredTicket.ticket_id)
    rows = session.execute(_within(query, since, until).order_by(arrived(), StoredTicket.ticket_id))
    names = list(rows.keys())
    frame = pd.DataFrame([tuple(row) for row in rows], columns=names, dtype=object)
    known = _within(select(StoredTicket.ticket_id), since, until)
    cues = session.execute(_of(StoredCue, StoredCue.flag, known)).all()
    filed = session.execute(_of(StoredPrediction, StoredPrediction.body["filing"]["code"].as_string(), known))
    last = {ticket_id: code for _, ticket_id, code in sorted(map(tuple, filed))}  # of several the last one holds
    frame["filing"] = frame["ticket_id"].map(last)
    frame["category"] = todays(frame["category"], taxonomy)
    for flag in FLAGS:
        frame[flag] = frame["ticket_id"].isin({ticket_id for _, ticket_id, raised in cues if raised == flag})
    return _completed(frame, taxonomy, level)


def from_records(records: Iterable[Mapping[str, Any]], taxonomy: Taxonomy, *, level: Level = "station") -> pd.DataFrame:
    """Tickets from anywhere else.

    Args:
        records: any of `COLUMNS` by name, as `record` gives them; `ticket_id`, `accepted_at` and `category` are needed.
        taxonomy: knows the group of each leaf.
        level: what a unit is.

    Returns:
        A frame of `COLUMNS` in order of arrival; what no record holds is None, or False.
    """
    frame = pd.DataFrame(list(records), dtype=object)
    if frame.empty:
        frame = pd.DataFrame(columns=["ticket_id", "accepted_at", "category"], dtype=object)
    frame = frame.sort_values("accepted_at", kind="stable", ignore_index=True)
    return _completed(frame, taxonomy, level)


def record(ticket: Ticket, answer: Mapping[str, Any], text: str, **known: Any) -> dict[str, Any]:
    """A row for `from_records` from a ticket and its prediction.

    Args:
        ticket: with `ticket_id` and `accepted_at`.
        answer: the prediction of the contract, section 3.
        text: normalised and masked.
        **known: any of `COLUMNS` that a file holds beside: `caller` (an HMAC), `closed_at`, `contacted_at`, `upheld`, ….

    Returns:
        Values by the names of `COLUMNS`.
    """
    org, route, filing = ticket.org, answer["route"], answer.get("filing")
    return {
        "ticket_id": ticket.ticket_id, "accepted_at": ticket.accepted_at, "category": answer["category"]["code"],
        **{name: getattr(org, name, None) for name in ("city", "county", "station")}, "decision": answer["decision"],
        **{cue: answer[cue]["raised"] for cue in ("safety", "escalation")},
        **{flag: answer["flags"][flag]["raised"] for flag in FLAGS}, "text": text, "repeat_of": ticket.repeat_of,
        **{clock: route[clock] for clock in ("contact_due_at", "due_at", "arrive_by")},
        "filing": filing["code"] if filing else None, **known,
    }  # fmt: skip


def todays(codes: "pd.Series[Any]", taxonomy: Taxonomy) -> "pd.Series[Any]":
    """Stored codes as the taxonomy in force calls them.

    Args:
        codes: of leaves, perhaps former ones.
        taxonomy: knows what became of them.

    Returns:
        Today's codes. A leaf that was split keeps its former one, as no program can tell the part; so does an unknown one.
    """
    became = {code: taxonomy.today(code) for code in codes.unique()}
    return codes.map({code: now[0] if len(now) == 1 else code for code, now in became.items()})


def units_of(frame: pd.DataFrame, level: Level) -> "pd.Series[Any]":
    """The place of each row.

    Args:
        frame: with city, county, station.
        level: what a unit is.

    Returns:
        Such as 城东县 · 河湾供电所: a station's name alone may stand for several. None where the row names no such place.
    """
    above, own = [*_PARTS[level], _PARTS[level][-1]][:2]
    pairs = frame[[above, own]].drop_duplicates()
    named = {pair: _named(*pair, alone=above == own) for pair in pairs.itertuples(index=False, name=None)}
    return pd.Series([named[pair] for pair in zip(frame[above], frame[own], strict=True)], frame.index, dtype=object)


def unit_name(row: Mapping[str, Any], level: Level) -> str | None:
    """The name of one row's unit, as `units_of` gives it.

    Args:
        row: with any of city, county, station.
        level: what a unit is.

    Returns:
        None where the row names no such place.
    """
    above, own = [*_PARTS[level], _PARTS[level][-1]][:2]
    return _named(row.get(above), row.get(own), alone=above == own)


def _named(above: object, own: object, *, alone: bool) -> str | None:
    if not isinstance(own, str) or not own.strip():
        return None
    return own if alone or not isinstance(above, str) or not above.strip() else f"{above} · {own}"


def _of(entity: Any, value: Any, known: Select[Any]) -> Select[Any]:
    """What hangs on known tickets. A join, or an order, makes SQLite read the whole table."""
    query = select(entity.id, entity.ticket_id, value)
    return cast("Select[Any]", query.where(entity.ticket_id.in_(known), value.is_not(None)))


def _within(query: Select[Any], since: datetime, until: datetime) -> Select[Any]:
    return query.where(arrived() >= since, arrived() < until)


def _completed(frame: pd.DataFrame, taxonomy: Taxonomy, level: Level) -> pd.DataFrame:
    """All columns, in order, with their kinds; blanks are None."""
    for name in COLUMNS:
        if name not in frame:
            frame[name] = None
    for name in TIMES:
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_convert(CHINA)
    for name in _TRUTHS:
        frame[name] = frame[name].eq(True).astype(bool)
    groups = {leaf.code: leaf.group for leaf in taxonomy}
    frame["group"] = [groups.get(code, str(code).split(".")[0]) for code in frame["category"]]
    rest = [name for name in COLUMNS if name not in (*TIMES, *_TRUTHS)]
    frame[rest] = frame[rest].astype(object).where(frame[rest].notna(), None)
    frame["unit"] = units_of(frame, level)
    return frame[list(COLUMNS)]
