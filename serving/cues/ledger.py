"""The ledger of cues (台账): what became of each, by leaf and unit. It names no reviewer and ranks nobody."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from model.ticket import CHINA
from serving.cues.cue import State
from serving.cues.store import subject
from serving.store.columns import Json
from serving.store.tables import AuditEntry, StoredCue, StoredTicket

CALLER_RIGHT = "caller_right"
SMALL = 5  # a cell of fewer cues shows counts only
_COUNTED = (State.ACTIVE, State.REJECTED, State.APPEALED, State.REMOVED, State.EXPIRED)
_NAMES = {State.ACTIVE: "confirmed"}  # what a state that was reached is called in the ledger
_STEPS = ("cue.confirm", "cue.reject", "cue.appeal", "cue.remove", "cue.expire")


@dataclass(frozen=True, slots=True)
class Passed:
    """A state that a cue reached, when, and the reason given."""

    state: State
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One cue with the states it passed through, oldest first."""

    ticket_id: str
    flag: str
    leaf: str
    unit: str | None
    raised_at: datetime
    passed: tuple[Passed, ...] = ()

    @property
    def caller_right(self) -> Passed | None:
        """The end of a cue that was wrong about the caller."""
        ends = [one for one in self.passed if one.state in (State.REJECTED, State.REMOVED)]
        return next((one for one in ends if one.reason == CALLER_RIGHT), None)


def ledger(cases: Iterable[Case]) -> Json:
    """Count what became of cues.

    Args:
        cases: cues with their history.

    Returns:
        `caller_proved_right` (cues for malice that were wrong, the newest first), `cells` by flag, leaf and unit,
        and `total`. Shares and ticket ids only in cells of five cues and more.
    """
    cases = list(cases)
    cells: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        cells.setdefault((case.flag, case.leaf, case.unit or "未登记"), []).append(case)
    wrong = [(case, case.caller_right) for case in cases if case.flag == "malicious"]
    proved = sorted(((case, end) for case, end in wrong if end), key=lambda pair: pair[1].at, reverse=True)
    return {
        "caller_proved_right": [_proved(case, end) for case, end in proved],
        "cells": [_cell(key, found) for key, found in sorted(cells.items(), key=lambda pair: (-len(pair[1]), pair[0]))],
        "total": _counts(cases),
    }


def read_cases(session: Session, since: datetime | None = None, until: datetime | None = None) -> list[Case]:
    """Cues of the store with their history, which the audit log holds.

    Args:
        session: reads.
        since: raised from this moment on.
        until: raised before this moment.

    Returns:
        In the order in which they were raised.
    """
    wanted = select(StoredCue, StoredTicket.category).join(StoredTicket, StoredTicket.ticket_id == StoredCue.ticket_id)
    if since:
        wanted = wanted.where(StoredCue.raised_at >= since)
    if until:
        wanted = wanted.where(StoredCue.raised_at < until)
    history = _history(session)
    return [
        Case(
            cue.ticket_id, cue.flag, leaf, cue.unit, cue.raised_at,
            tuple(history.get(subject(cue.ticket_id, cue.flag), ())),
        )
        for cue, leaf in session.execute(wanted.order_by(StoredCue.raised_at, StoredCue.id))
    ]  # fmt: skip


def _history(session: Session) -> dict[str, list[Passed]]:
    found: dict[str, list[Passed]] = {}
    steps = session.execute(
        select(AuditEntry.subject, AuditEntry.at, AuditEntry.detail)
        .where(AuditEntry.action.in_(_STEPS))
        .order_by(AuditEntry.id)
    )
    for name, at, detail in steps:
        if detail["from"] != detail["to"]:
            found.setdefault(name, []).append(Passed(State(detail["to"]), at, detail.get("reason")))
    return found


def _counts(cases: Iterable[Case]) -> dict[str, int]:
    """Cues raised, and how many ever came to each state; `open` are those that nothing was decided about."""
    reached: Counter[str] = Counter()
    for case in cases:
        states = {one.state for one in case.passed}
        reached.update(["raised", *states, *([] if states else ["open"])])
    shown: Mapping[str, str] = {state: _NAMES.get(state, str(state)) for state in _COUNTED}
    return {
        "raised": reached["raised"],
        "open": reached["open"],
        **{name: reached[state] for state, name in shown.items()},
    }


def _cell(key: tuple[str, str, str], cases: list[Case]) -> Json:
    flag, leaf, unit = key
    counts = _counts(cases)
    cell: Json = {"flag": flag, "leaf": leaf, "unit": unit, **counts}
    if len(cases) < SMALL:
        return cell
    right = sum(case.caller_right is not None for case in cases)
    shares = {"confirmed_share": counts["confirmed"] / len(cases), "caller_right_share": right / len(cases)}
    return {**cell, **shares, "tickets": [case.ticket_id for case in cases]}


def _proved(case: Case, end: Passed) -> Json:
    appealed = any(one.state is State.APPEALED for one in case.passed)
    return {
        "ticket_id": case.ticket_id,
        "flag": case.flag,
        "leaf": case.leaf,
        "unit": case.unit,
        "raised_at": case.raised_at.astimezone(CHINA).isoformat(),
        "ended_at": end.at.astimezone(CHINA).isoformat(),
        "how": str(end.state),
        "after_appeal": appealed,
    }
