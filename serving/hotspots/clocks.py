"""Clock breaches, findings and repeat callers."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pandas as pd

from serving.hotspots.analysis import Breach, RepeatCaller, Upheld
from serving.hotspots.options import Options

CLOCKS = {  # clock -> due time, what decides when it ended, and what does where that is unknown: whichever came first
    "contact": ("contact_due_at", None, ("contacted_at", "closed_at")),
    "due": ("due_at", None, ("closed_at",)),
    "arrive": ("arrive_by", "arrived_at", ("contacted_at", "closed_at")),
}
_CALLER = 12  # letters of the HMAC that are shown


def breaches(tickets: pd.DataFrame, as_of: pd.Timestamp, options: Options) -> tuple[Breach, ...]:
    """Each clock, everywhere and by unit.

    Args:
        tickets: a frame of `serving.hotspots.frame`.
        as_of: the clock.
        options: the smallest cell.

    Returns:
        For each clock the row of all first, then units with the most late tickets first; units without any left out.
        Nothing for a clock that no ticket has, or of whose end nothing is known (a file without status and times).
    """
    found: list[Breach] = []
    for clock, (due, _, _) in CLOCKS.items():
        running = tickets[tickets[due].notna() & (tickets["status"] != "deleted")]
        known = running["status"].notna() | ended(clock, running).notna()
        if not known.any():
            continue
        found.append(_breach(clock, None, running, as_of, options))
        units = [_breach(clock, str(unit), rows, as_of, options) for unit, rows in running.groupby("unit")]
        found += sorted((one for one in units if one.late), key=lambda one: (-one.late, one.unit or ""))
    return tuple(found)


def ended(clock: str, rows: pd.DataFrame) -> "pd.Series[Any]":
    """When a clock ended. An arrival that somebody noted decides; where none was, contact or closing stands for it.

    Args:
        clock: of `CLOCKS`.
        rows: of a frame of `serving.hotspots.frame`.

    Returns:
        A time for each row; NaT where nothing ended the clock.
    """
    _, decides, otherwise = CLOCKS[clock]
    first = rows[list(otherwise)].min(axis=1)
    return rows[decides].fillna(first) if decides else first


def _breach(clock: str, unit: str | None, rows: pd.DataFrame, as_of: pd.Timestamp, options: Options) -> Breach:
    due, end = rows[CLOCKS[clock][0]], ended(clock, rows)
    over = due < as_of
    late = (end > due) | (end.isna() & over)
    decided, number = int((over | end.notna()).sum()), int(late.sum())
    return Breach(
        clock=clock,
        unit=unit,
        decided=decided,
        late=number,
        running=int((late & end.isna()).sum()),
        share=number / decided if decided >= options.smallest else None,
        ticket_ids=tuple(rows["ticket_id"][late]),
    )


def upheld(tickets: pd.DataFrame, options: Options) -> tuple[Upheld, ...]:
    """属实率 where findings are known: of all, by leaf, by unit.

    Args:
        tickets: a frame of `serving.hotspots.frame`.
        options: the smallest cell.

    Returns:
        Nothing where no finding is known.
    """
    judged = tickets[tickets["upheld"].notna()]
    if judged.empty:
        return ()
    cells: list[tuple[str | None, str | None, pd.DataFrame]] = [(None, None, judged)]
    cells += [(str(leaf), None, rows) for leaf, rows in judged.groupby("category")]
    cells += [(None, str(unit), rows) for unit, rows in judged.groupby("unit")]
    return tuple(_upheld(leaf, unit, rows, options) for leaf, unit, rows in cells)


def _upheld(leaf: str | None, unit: str | None, rows: pd.DataFrame, options: Options) -> Upheld:
    number = int(rows["upheld"].astype(bool).sum())
    return Upheld(leaf, unit, len(rows), number, number / len(rows) if len(rows) >= options.smallest else None)


def repeat_callers(tickets: pd.DataFrame, options: Options) -> tuple[RepeatCaller, ...]:
    """Callers with many tickets.

    Args:
        tickets: a frame of `serving.hotspots.frame` in order of arrival.
        options: from how many tickets on.

    Returns:
        The most tickets first.
    """
    known = tickets[tickets["caller"].notna()]
    often = known[known.groupby("caller")["ticket_id"].transform("size") >= options.repeats]
    found = [_caller(str(caller), rows) for caller, rows in often.groupby("caller")]
    return tuple(sorted(found, key=lambda one: (-len(one.ticket_ids), one.caller)))


def _caller(caller: str, rows: pd.DataFrame) -> RepeatCaller:
    return RepeatCaller(
        caller=caller[:_CALLER],
        ticket_ids=tuple(rows["ticket_id"]),
        leaves=tuple(_frequent(rows["category"].tolist())),
        units=tuple(_frequent(rows["unit"].tolist())),
        first_at=rows["accepted_at"].iloc[0].to_pydatetime(),
        last_at=rows["accepted_at"].iloc[-1].to_pydatetime(),
        open=int(rows["status"].isin(("open", "reviewed")).sum()),
    )


def _frequent(values: list[str | None]) -> Iterator[str]:
    return (value for value, _ in Counter(value for value in values if value is not None).most_common())
