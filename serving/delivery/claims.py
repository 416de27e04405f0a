"""The state of the outbox: which messages are due, who holds them, what became of them.

Order: of one ticket, a message waits until every earlier one is delivered; a parked one holds the later ones back until a
person releases it. Two exceptions. An urgent message (danger) waits only for earlier ones to the same desk that are not
parked. A message parked because its desk must not get it is never sent, so it holds nothing back.

A claim is a lease: a process that dies between delivery and mark leaves it to lapse, and the message is sent again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from serving.delivery.destination import Envelope
from serving.store import audit
from serving.store.tables import OutboxMessage

FORBIDDEN_DESK = "forbidden_desk"
ACTOR = "deliver"

_M = OutboxMessage


@dataclass(frozen=True, slots=True)
class Pace:
    """How messages are sent and tried again. `lease` is longer than `timeout`, so that no two send one at a time."""

    park_after: int
    lanes: int = 8
    timeout: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=60)
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=5)
    idle: timedelta = timedelta(seconds=0.5)

    def __post_init__(self) -> None:
        if self.lease < 2 * self.timeout:
            raise ValueError("the lease must outlast a delivery")

    def wait(self, tries: int, chance: float) -> timedelta:
        """How long to wait after a failure: twice as long each time, shortened by chance so that retries spread.

        Args:
            tries: failures so far, at least 1.
            chance: between 0 and 1.

        Returns:
            Between half the full wait and all of it.
        """
        full = min(self.longest_wait, self.first_wait * 2.0 ** min(tries - 1, 30))
        return full * (0.5 + chance / 2)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What stands in the outbox. `oldest_seconds`: age of the oldest message that is neither delivered nor parked."""

    waiting: int
    parked: int
    oldest_seconds: float


def anything_due(session: Session, now: datetime, pace: Pace) -> bool:
    """Whether a claim would find something; asked before the write lock is taken.

    Args:
        session: reads.
        now: the time.
        pace: leases and waits.

    Returns:
        True where a message may be sent.
    """
    return bool(session.scalar(select(exists().where(_claimable(now, pace)))))


def claim(session: Session, limit: int, now: datetime, pace: Pace) -> list[OutboxMessage]:
    """Take messages for sending; nobody else gets them until the lease ends.

    Args:
        session: writes.
        limit: at most so many.
        now: the time.
        pace: the lease.

    Returns:
        Danger first, then those tried least, then the oldest.
    """
    query = select(_M).where(_claimable(now, pace)).order_by(_M.urgent.desc(), _M.tries, _M.id).limit(limit)
    found = list(session.scalars(query.with_for_update(skip_locked=True, of=_M)))
    for message in found:
        message.claimed_until = now + pace.lease
    session.flush()
    return found


def mark_delivered(session: Session, envelope: Envelope, now: datetime) -> None:
    """A destination took the message; true whoever holds the claim by now.

    Args:
        session: writes.
        envelope: the message.
        now: the time.
    """
    session.execute(
        update(_M)
        .where(_M.id == envelope.id, _M.delivered_at.is_(None))
        .values(delivered_at=now, claimed_until=None, parked_at=None, last_error=None, tries=envelope.tries + 1)
    )


def mark_failed(session: Session, envelope: Envelope, reason: str, again_at: datetime) -> None:
    """A try failed; the message waits for the next one.

    Args:
        session: writes.
        envelope: the message.
        reason: a short code.
        again_at: when to try again.
    """
    session.execute(
        update(_M)
        .where(_ours(envelope))
        .values(tries=envelope.tries + 1, last_error=reason, next_try_at=again_at, claimed_until=None)
    )


def park(session: Session, envelope: Envelope, reason: str, now: datetime) -> None:
    """Stop trying; a person must look. The audit log says so.

    Args:
        session: writes.
        envelope: the message.
        reason: a short code.
        now: the time.
    """
    values = {"tries": envelope.tries + 1, "last_error": reason, "parked_at": now, "claimed_until": None}
    done = session.connection().execute(update(_M).where(_ours(envelope)).values(values))
    if done.rowcount:
        detail = {"key": envelope.key, "kind": envelope.kind, "desk": envelope.desk, "reason": reason}
        subject = f"ticket:{envelope.ticket_id}"
        audit.append(session, actor=ACTOR, action="outbox.parked", subject=subject, detail=detail, at=now)


def release_parked(session: Session, actor: str, now: datetime) -> int:
    """Let parked messages be tried again, all but those whose desk must not get them.

    Args:
        session: writes.
        actor: who asked for it.
        now: the time.

    Returns:
        How many.
    """
    parked = select(_M).where(_M.parked_at.is_not(None), _M.last_error != FORBIDDEN_DESK).order_by(_M.id)
    found = list(session.scalars(parked.with_for_update()))
    for message in found:
        message.parked_at, message.tries, message.next_try_at = None, 0, now
        subject = f"ticket:{message.ticket_id}"
        audit.append(
            session, actor=actor, action="outbox.released", subject=subject, detail={"key": message.key}, at=now
        )
    return len(found)


def backlog(session: Session, now: datetime) -> Backlog:
    """How much waits, how long already, and how much is parked.

    Args:
        session: reads.
        now: the time.

    Returns:
        The figures behind the alarm metrics.
    """
    open_ = select(func.count(), func.min(_M.made_at)).where(_M.delivered_at.is_(None), _M.parked_at.is_(None))
    waiting, oldest = session.execute(open_).one()
    parked = session.scalar(select(func.count()).where(_M.delivered_at.is_(None), _M.parked_at.is_not(None)))
    return Backlog(waiting, parked or 0, max((now - oldest).total_seconds(), 0.0) if oldest else 0.0)


def _claimable(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Due, held by nobody, and its turn. A time further ahead than we ever set is left over from a clock that jumped."""
    due = or_(_M.tries == 0, _M.next_try_at <= now, _M.next_try_at > now + 2 * pace.longest_wait)
    free = or_(_M.claimed_until.is_(None), _M.claimed_until <= now, _M.claimed_until > now + 2 * pace.lease)
    return and_(_M.delivered_at.is_(None), _M.parked_at.is_(None), due, free, ~_held_back())


def _held_back() -> ColumnElement[bool]:
    earlier = aliased(OutboxMessage)
    never_sent = and_(earlier.parked_at.is_not(None), earlier.last_error == FORBIDDEN_DESK)
    in_the_way = or_(~_M.urgent, and_(earlier.desk == _M.desk, earlier.parked_at.is_(None)))
    same = and_(earlier.ticket_id == _M.ticket_id, earlier.id < _M.id, earlier.delivered_at.is_(None))
    return exists().where(same, ~never_sent, in_the_way).correlate(_M)


def _ours(envelope: Envelope) -> ColumnElement[bool]:
    return and_(_M.id == envelope.id, _M.delivered_at.is_(None), _M.claimed_until == envelope.lease)
