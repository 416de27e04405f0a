"""Cues in the database: each step is one write transaction with its audit entry. Tickets and routes are only read."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from model.policy.cue_schema import CuesFile
from model.privacy import mask
from serving.cues.cue import Attachment, Cue, State, Step
from serving.cues.errors import CueConflict, CueInvalid, CueNotFound
from serving.cues.life import take
from serving.cues.people import Person
from serving.cues.records import CueRecord, from_row, write_back
from serving.events.arrival import arrived
from serving.store import audit
from serving.store.database import Database
from serving.store.tables import StoredCue, StoredTicket

CLOCK = Person("clock")  # who lets cues expire when their time has come
_LONGEST = 200  # characters of a reference or a unit
_AT_ONCE = 500  # cues that expire in one transaction
_ENDING = ("reject", "remove", "expire")


def subject(ticket_id: str, flag: str) -> str:
    """What the audit log calls a cue.

    Args:
        ticket_id: of its ticket.
        flag: its flag.

    Returns:
        `cue:TICKET/FLAG`.
    """
    return f"cue:{ticket_id}/{flag}"


def cues_of(session: Session, ticket_id: str) -> list[CueRecord]:
    """All cues of a ticket.

    Args:
        session: reads.
        ticket_id: of the ticket.

    Returns:
        In the order in which they were raised.
    """
    wanted = select(StoredCue, arrived()).join(StoredTicket, StoredTicket.ticket_id == StoredCue.ticket_id)
    rows = session.execute(wanted.where(StoredCue.ticket_id == ticket_id).order_by(StoredCue.id))
    return [from_row(row, called_at) for row, called_at in rows]


def take_step(database: Database, ticket_id: str, flag: str, step: Step, *, version: int, rules: CuesFile) -> CueRecord:
    """Take one step of a cue's life.

    Args:
        database: the store.
        ticket_id: of the ticket.
        flag: of the cue.
        step: who does what, when.
        version: of the cue that the person looked at.
        rules: the policy's evidence lists.

    Returns:
        The cue after the step.

    Raises:
        CueNotFound: this ticket has no such cue.
        CueConflict: somebody else was quicker.
    """
    step = _masked(step)
    with database.write() as session:
        row = session.scalar(
            select(StoredCue).where(StoredCue.ticket_id == ticket_id, StoredCue.flag == flag).with_for_update()
        )
        if row is None:
            raise CueNotFound("这张工单没有这条线索;请核对工单编号和线索代码")
        if row.version != version:
            message = f"线索已被别人更新到第 {row.version} 版(您看的是第 {version} 版);请刷新后再办"
            raise CueConflict("stale_version", message)
        return _write(session, row, step, rules)


def expire_due(database: Database, rules: CuesFile, now: datetime) -> int:
    """Let cues expire whose time has come.

    Args:
        database: the store.
        rules: the policy's evidence lists.
        now: the moment.

    Returns:
        How many.
    """
    due = select(StoredCue).where(StoredCue.state.in_((State.ACTIVE, State.APPEALED)), StoredCue.expires_at <= now)
    count = 0
    while _any(database, due):
        with database.write() as session:
            rows = session.scalars(due.limit(_AT_ONCE).with_for_update(skip_locked=True)).all()
            for row in rows:
                _write(session, row, Step("expire", CLOCK, now), rules)
        count += len(rows)
        if len(rows) < _AT_ONCE:
            return count
    return count


def _any(database: Database, wanted: Select[Any]) -> bool:
    """Asked first without a lock: nearly always there is nothing to do."""
    with database.read() as session:
        return session.scalars(wanted.limit(1)).first() is not None


def _write(session: Session, row: StoredCue, step: Step, rules: CuesFile) -> CueRecord:
    wanted = select(arrived(), StoredTicket.status).where(StoredTicket.ticket_id == row.ticket_id)
    called_at, status = session.execute(wanted).one()
    if status == "deleted" and step.name not in _ENDING:
        raise CueConflict("ticket_deleted", "工单内容已按规定删除;线索只能驳回、撤销或到期")
    former = from_row(row, called_at).cue
    after = take(former, step, rules)
    write_back(row, after, step.at)
    audit.append(
        session,
        actor=step.who.name,
        action=f"cue.{step.name}",
        subject=subject(row.ticket_id, row.flag),
        detail=_detail(former, after, step, row.version),
        at=step.at,
    )
    return from_row(row, called_at)


def _detail(former: Cue, after: Cue, step: Step, version: int) -> dict[str, object]:
    """What the audit log says: states, codes and days; references stand in the cue itself."""
    items = [{"item": a.item, "date": a.dated.isoformat() if a.dated else None} for a in step.attachments]
    seen = sorted(former.evidence) if step.name == "confirm" else []
    known = {"reason": step.reason, "unit": step.unit, "actor_unit": step.who.unit, "items": items, "saw": seen}
    told = {name: value for name, value in known.items() if value}
    return {"from": str(former.state), "to": str(after.state), "version": version, **told}


def _masked(step: Step) -> Step:
    """No personal data in what people type; lengths as the store takes them."""
    typed = [given.reference for given in step.attachments] + [step.unit or ""]
    if any(len(text) > _LONGEST for text in typed):
        raise CueInvalid("too_long", f"编号或单位超过 {_LONGEST} 个字;请只写编号或存放处,不要抄录内容")
    clean = tuple(Attachment(a.item, mask(a.reference.strip()).text, a.dated) for a in step.attachments)
    return replace(step, attachments=clean, unit=(step.unit or "").strip() or None)
