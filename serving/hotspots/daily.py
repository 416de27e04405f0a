"""Tickets a day, leaf and place: all that the baseline needs of the past, counted by the database itself."""

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Date, cast, func, select
from sqlalchemy.orm import Session

from model.taxonomy import Taxonomy
from serving.events.arrival import arrived
from serving.hotspots.frame import Level, todays, units_of
from serving.store.tables import StoredTicket

COLUMNS = ("day", "leaf", "unit", "tickets")
_PLACE = ("city", "county", "station")


def daily_from_store(
    session: Session, since: datetime, until: datetime, taxonomy: Taxonomy, *, level: Level = "station"
) -> pd.DataFrame:
    """Counts of stored tickets, deleted ones among them.

    Args:
        session: reads.
        since: arrived from this moment on.
        until: arrived before this moment.
        taxonomy: knows what became of former leaves.
        level: what a unit is.

    Returns:
        Columns `day` (midnight in Asia/Shanghai, without zone), `leaf` (today's code), `unit` (None where unknown),
        `tickets`; leaves that were merged may have several rows for one cell.
    """
    place = [getattr(StoredTicket, name) for name in _PLACE]
    day = _day(session)
    query = select(day, StoredTicket.category, *place, func.count())
    query = query.where(arrived() >= since, arrived() < until).group_by(day, StoredTicket.category, *place)
    rows = [tuple(row) for row in session.execute(query)]  # pandas takes long over rows of SQLAlchemy
    frame = pd.DataFrame(rows, columns=["day", "leaf", *_PLACE, "tickets"], dtype=object)
    frame["leaf"] = todays(frame["leaf"], taxonomy)
    frame["unit"] = units_of(frame, level)
    frame["day"] = pd.to_datetime(frame["day"])
    frame["tickets"] = frame["tickets"].astype(int)
    return frame[list(COLUMNS)]


def daily_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The same from a frame of tickets.

    Args:
        frame: of `serving.hotspots.frame`.

    Returns:
        As `daily_from_store`.
    """
    days = frame["accepted_at"].dt.tz_localize(None).dt.normalize()
    keys = pd.DataFrame({"day": days, "leaf": frame["category"], "unit": frame["unit"]})
    found = keys.groupby(["day", "leaf", "unit"], dropna=False, observed=True).size().rename("tickets").reset_index()
    found["unit"] = found["unit"].astype(object).where(found["unit"].notna(), None)
    return found[list(COLUMNS)]


def _day(session: Session) -> ColumnElement[Any]:
    """The calendar day in China, which has had one offset and no summer time since 1991."""
    if session.connection().dialect.name == "sqlite":
        return func.date(arrived(), "+8 hours")
    return cast(func.timezone("Asia/Shanghai", arrived()), Date)
