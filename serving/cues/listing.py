"""Cues page by page, and one cue with what its reader may do next. Reading moves nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from model.errors import TriageError
from model.policy.cue_schema import CuesFile
from serving.cues.cue import STEP_NAMES, Cue, State, Step, StepName
from serving.cues.errors import CueNotFound
from serving.cues.life import take
from serving.cues.people import Person
from serving.cues.records import CueRecord, from_row
from serving.events.arrival import arrived
from serving.store.columns import Json
from serving.store.tables import StoredCue, StoredTicket

PAGE, PAGE_MOST = 50, 200
_WITH_REASON: tuple[StepName, ...] = ("reject", "remove")


@dataclass(frozen=True, slots=True)
class CueFilters:
    """What to list; None asks for nothing."""

    state: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class CuePage:
    """Cues with the leaf of their tickets, the last raised first, and the cursor of the next page or None."""

    cues: list[tuple[CueRecord, str]]
    cursor: int | None


def page(session: Session, filters: CueFilters, *, before: int | None = None, limit: int = PAGE) -> CuePage:
    """One page of cues.

    Args:
        session: reads.
        filters: all must hold.
        before: the cursor that the page before gave.
        limit: cues at most.

    Returns:
        The page.
    """
    wanted = _joined().order_by(StoredCue.id.desc()).limit(min(limit, PAGE_MOST) + 1)
    for name in ("state", "flag"):
        if (value := getattr(filters, name)) is not None:
            wanted = wanted.where(getattr(StoredCue, name) == value)
    if before is not None:
        wanted = wanted.where(StoredCue.id < before)
    found = session.execute(wanted).all()
    shown = found[: min(limit, PAGE_MOST)]
    cues = [(from_row(row, called_at), leaf) for row, called_at, leaf in shown]
    return CuePage(cues, shown[-1][0].id if len(found) > len(shown) else None)


def counts(session: Session) -> dict[str, dict[str, int]]:
    """How many cues there are.

    Args:
        session: reads.

    Returns:
        By state, then by flag; every state is there, also where it has none.
    """
    found: dict[str, dict[str, int]] = {str(state): {} for state in State}
    wanted = select(StoredCue.state, StoredCue.flag, func.count()).group_by(StoredCue.state, StoredCue.flag)
    for state, flag, count in session.execute(wanted):
        found[state][flag] = count
    return found


def one(session: Session, ticket_id: str, flag: str) -> CueRecord:
    """A cue.

    Args:
        session: reads.
        ticket_id: of its ticket.
        flag: its flag.

    Returns:
        The cue as it stands.

    Raises:
        CueNotFound: this ticket has no such cue.
    """
    wanted = _joined().where(StoredCue.ticket_id == ticket_id, StoredCue.flag == flag)
    found = session.execute(wanted).first()
    if found is None:
        raise CueNotFound("这张工单没有这条线索;请核对工单编号和线索代码")
    return from_row(found[0], found[1])


def next_steps(cue: Cue, who: Person, now: datetime, rules: CuesFile) -> list[Json]:
    """What may be done with a cue as it stands, and for this person why not.

    Args:
        cue: as it stands.
        who: would do it.
        now: when.
        rules: evidence lists.

    Returns:
        `step`, `name`, `refusal` (None where the person may) of each step that fits the state.
    """
    found = []
    for name in get_args(StepName):
        code, refusal = _tried(cue, _trial(name, who, now, rules), rules)
        if code not in ("illegal_step", "no_confirmation"):
            found.append({"step": name, "name": STEP_NAMES[name], "refusal": refusal})
    return found


def _joined() -> Select[StoredCue, datetime, str]:
    wanted = select(StoredCue, arrived(), StoredTicket.category)
    return wanted.join(StoredTicket, StoredTicket.ticket_id == StoredCue.ticket_id)


def _trial(name: StepName, who: Person, now: datetime, rules: CuesFile) -> Step:
    """A step that is only tried: with all that a person would have to fill in."""
    reason = next(iter(rules.reasons)) if name in _WITH_REASON else None
    return Step(name, who, now, unit="?" if name == "evidence" else None, reason=reason)


def _tried(cue: Cue, step: Step, rules: CuesFile) -> tuple[str | None, str | None]:
    try:
        take(cue, step, rules)
    except TriageError as error:
        return error.code, str(error)
    return None, None
