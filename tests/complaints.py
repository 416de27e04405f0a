"""Complaints with drawn dates and places, and an analysis of them, for tests of reports."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from model.policy import Policy
from model.privacy import mask
from model.text import normalise
from model.ticket import CHINA, LabelledTicket
from model.workdays import add_working_days
from serving.hotspots.analysis import (
    Analysis,
    Breach,
    Count,
    Hotspot,
    Incident,
    Period,
    Phrase,
    RepeatCaller,
    Rising,
    Totals,
    Why,
)
from serving.hotspots.frame import from_records

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=CHINA), datetime(2026, 11, 1, tzinfo=CHINA)
NOW = datetime(2026, 11, 2, 9, tzinfo=CHINA)
PLACES = (("安平县", "城关供电所"), ("安平县", "河湾供电所"), ("清河县", "城关供电所"))


def row(ticket_id: str, category: str, text: str, at: datetime, **known: Any) -> dict[str, Any]:
    """One complaint of 城关供电所 in 安平县; `known` overrides."""
    clocks = {"contact_due_at": at + timedelta(hours=24), "due_at": add_working_days(at, 5)}
    place = {"city": "某市", "county": "安平县", "station": "城关供电所"}
    return {"ticket_id": ticket_id, "accepted_at": at, "category": category, "text": text, "status": "open",
            "decision": "auto", **place, **clocks, **known}  # fmt: skip


def drawn(tickets: Sequence[LabelledTicket], number: int, seed: int = 3) -> list[dict[str, Any]]:
    """Labelled tickets, masked, at drawn times and places of one month."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    rows = []
    for count, ticket in enumerate(draw.sample(list(tickets), number)):
        at = SINCE + timedelta(seconds=draw.randrange(31 * 86_400))
        county, station = draw.choice(PLACES)
        closed = at + timedelta(days=3) if draw.random() < 0.7 else None
        known = {"county": county, "station": station, "safety": ticket.safety, "escalation": ticket.escalation}
        known |= dict.fromkeys(ticket.flags, True)
        known |= {
            "caller": f"c{draw.randrange(number // 2)}",
            "closed_at": closed,
            "status": "closed" if closed else "open",
        }
        rows.append(row(f"T{count:04}", ticket.category, mask(normalise(ticket.text).text).text, at, **known))
    return rows


def frame_of(rows: list[dict[str, Any]], policy: Policy) -> pd.DataFrame:
    """The frame of rows."""
    return from_records(rows, policy.taxonomy)


def analysis_of(frame: pd.DataFrame, policy: Policy) -> Analysis:
    """An analysis with everything in it that a report can show; its figures are not those of the engine."""

    def count(leaf: str | None, group: str | None, unit: str | None, tickets: int) -> Count:
        few = tickets < 5
        return Count(
            leaf,
            group,
            unit,
            None,
            tickets,
            4,
            None,
            None if few else 0.25,
            None,
            None if few else tickets / len(frame),
        )

    leaves = [count(str(code), None, None, int(n)) for code, n in frame["category"].value_counts().items()]
    units = [count(None, None, str(unit), int(n)) for unit, n in frame["unit"].value_counts().items()]
    groups = [count(None, str(code), None, int(n)) for code, n in frame["group"].value_counts().items()]
    pairs = frame.groupby(["category", "unit"]).size().items()
    cells = [Count(leaf, None, unit, "2026-10", int(n)) for (leaf, unit), n in pairs]  # type: ignore[misc]
    leaf, ids = leaves[0].leaf or "", tuple(frame["ticket_id"][:6])
    rising = Rising(
        leaf, units[0].unit, "2026-10", span=1, tickets=30, expected=12.0, ratio=2.5, p=0.0001, q=0.01, history=(11, 12)
    )
    entry, taxonomy = policy.measures.leaves[leaf], policy.taxonomy
    causes = tuple(taxonomy.causes[code] for code in taxonomy.leaf(leaf).causes)
    spot = Hotspot(rising, taxonomy.leaf(leaf).name, 20, ("E1",), ("新说法",), causes, entry.measures, entry.section)
    first, last = frame["accepted_at"].min().to_pydatetime(), frame["accepted_at"].max().to_pydatetime()
    totals = Totals(Count(None, None, None, None, len(frame), 40, None, 0.5, None, 1.0), len(frame) - 5,
                    int(frame["safety"].sum()), int(frame["escalation"].sum()), 3, 0, 0, {"malicious": 1})  # fmt: skip
    return Analysis(
        SINCE, UNTIL, NOW, "month", (Period("2026-10", SINCE.date(), UNTIL.date(), complete=True),), totals,
        tuple(leaves), tuple(groups), tuple(units), (), tuple(cells), 40, (rising,), (spot,),
        (Incident("E1", (Why.WORDING,), leaf, units[0].unit, 1, first, last, ids),),
        (Phrase("新说法", leaf, 7, 0, 0.5),),
        (RepeatCaller("3fa9", ids[:3], (leaf,), (str(units[0].unit),), first, last, 1),),
        (Breach("due", None, len(frame), 9, 4, 0.1, ids), Breach("arrive", None, 3, 1, 0, None, ids[:1])),
        (), ("一句说明。",),
    )  # fmt: skip


def nothing() -> Analysis:
    """An analysis of no tickets."""
    totals = Totals(Count(None, None, None, None, 0), 0, 0, 0, 0, 0, 0, {})
    return Analysis(SINCE, UNTIL, NOW, "month", (), totals, *((),) * 5, 0, *((),) * 7, ())
