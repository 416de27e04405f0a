"""The audit log: who did what, when. Rows are only ever added; triggers of the database refuse anything else."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from serving.store.columns import Json, write_rows
from serving.store.tables import AuditEntry


def append(session: Session, *, actor: str, action: str, subject: str, detail: Json, at: datetime) -> None:
    """Add an entry in the caller's transaction, so that it stands exactly when the change does.

    Args:
        session: of the change that is told of.
        actor: name of the key, or of the part of the program.
        action: what was done, such as `ticket.taken_in`.
        subject: what it was done to, such as `ticket:4711`.
        detail: ids, codes and numbers; never text of a ticket.
        at: when.
    """
    write_rows(session, AuditEntry, [row(actor=actor, action=action, subject=subject, detail=detail, at=at)])


def row(*, actor: str, action: str, subject: str, detail: Json, at: datetime) -> Json:
    """An entry, for those who write several at once.

    Args:
        actor: as for `append`.
        action: as for `append`.
        subject: as for `append`.
        detail: as for `append`.
        at: as for `append`.

    Returns:
        A row for `audit`.
    """
    return {"actor": actor[:100], "action": action, "subject": subject, "detail": detail, "at": at}


def entries(session: Session, subject: str) -> list[Json]:
    """What happened to something.

    Args:
        session: reads.
        subject: such as `ticket:4711`.

    Returns:
        Entries from the oldest to the newest.
    """
    found = session.scalars(select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.id))
    return [{"at": e.at.isoformat(), "actor": e.actor, "action": e.action, "detail": e.detail} for e in found]
