"""Frames of complaints for tests: made from numbers and short invented texts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pandas as pd

from model.policy import Policy, load_policy
from model.ticket import CHINA
from serving.hotspots.frame import from_records

START = datetime(2026, 11, 2, tzinfo=CHINA)  # a Monday


@cache
def policy() -> Policy:
    """The built-in one, read once."""
    return load_policy()


def row(ticket_id: str, at: datetime, **known: Any) -> dict[str, Any]:
    """One ticket; what is not given is plain."""
    plain = {
        "category": "billing.charge",
        "county": "城东县",
        "station": "河湾供电所",
        "decision": "auto",
        "status": "open",
    }
    return {"ticket_id": ticket_id, "accepted_at": at, **plain, **known}


def frame_of(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The frame of such rows."""
    return from_records(rows, policy().taxonomy)


def steady(weeks: int, a_day: int, *, until: datetime = START, **known: Any) -> list[dict[str, Any]]:
    """So many tickets every day of so many weeks before a moment."""
    first = until - timedelta(weeks=weeks)
    return [
        row(f"{known.get('station', '')}{known.get('category', '')}{day}-{n}", first + timedelta(days=day, hours=9 + n % 9), **known)
        for day in range(7 * weeks)
        for n in range(a_day)
    ]  # fmt: skip
