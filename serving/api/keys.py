"""Access keys: made once, shown once; the store holds their SHA-256.

A plain hash is enough, and a slow one would only slow down every request: a key is 256 random bits, not a password.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from model.errors import Conflict, InvalidField, NotFound
from serving.api.roles import Caller, Role
from serving.store import audit
from serving.store.database import Database
from serving.store.tables import AccessKey

_PREFIX = "tri_"  # lets scanners for leaked secrets know ours
_BYTES = 32
_LONGEST = {"name": 100, "unit": 200}


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as lists show it: never the key itself."""

    name: str
    role: Role
    unit: str | None
    made_at: datetime
    revoked_at: datetime | None


def create(database: Database, caller: Caller, *, by: str, now: datetime) -> str:
    """Make a key.

    Args:
        database: the store.
        caller: name, role and unit of the holder; the name also signs what the holder does.
        by: who makes it.
        now: when.

    Returns:
        The key, which nobody can show again.

    Raises:
        Conflict: the name is taken, also by a revoked key: what it signed must stay its own.
        InvalidField: a name or a unit that the store cannot take.
    """
    _check("name", caller.name)
    _check("unit", caller.unit or "-")
    token = _PREFIX + secrets.token_urlsafe(_BYTES)
    row = AccessKey(name=caller.name, role=str(caller.role), unit=caller.unit, digest=digest_of(token), made_at=now)
    try:
        with database.write() as session:
            session.add(row)
            session.flush()
            detail = {"role": str(caller.role), "unit": caller.unit}
            audit.append(session, actor=by, action="key.created", subject=f"key:{caller.name}", detail=detail, at=now)
    except IntegrityError as error:
        raise Conflict(f"已有名为 {caller.name} 的密钥(作废的也算,记录须分得清);请换一个 --name") from error
    return token


def revoke(database: Database, name: str, *, by: str, now: datetime) -> None:
    """Revoke a key; servers refuse it within seconds.

    Args:
        database: the store.
        name: of the key.
        by: who revokes it.
        now: when.

    Raises:
        NotFound: there is no such key, or it was revoked before.
    """
    with database.write() as session:
        row = session.scalar(select(AccessKey).where(AccessKey.name == name, AccessKey.revoked_at.is_(None)))
        if row is None:
            raise NotFound(f"没有名为 {name} 的有效密钥;用 triage keys list 查看")
        row.revoked_at = now
        audit.append(session, actor=by, action="key.revoked", subject=f"key:{name}", detail={}, at=now)


def listed(database: Database) -> list[KeyInfo]:
    """All keys.

    Args:
        database: the store.

    Returns:
        In the order in which they were made.
    """
    with database.read() as session:
        rows = session.scalars(select(AccessKey).order_by(AccessKey.id))
        return [KeyInfo(row.name, Role(row.role), row.unit, row.made_at, row.revoked_at) for row in rows]


def any_made(database: Database) -> bool:
    """Whether a key was ever made; revoked ones count, so that revoking the last opens no door.

    Args:
        database: the store.

    Returns:
        False while the service is for this machine only.
    """
    with database.read() as session:
        return session.scalar(select(AccessKey.id).limit(1)) is not None


def find(database: Database, digest: bytes) -> Caller | None:
    """The holder of a key.

    Args:
        database: the store.
        digest: of what was sent.

    Returns:
        None for a key that is unknown or revoked.
    """
    with database.read() as session:
        row = session.scalar(select(AccessKey).where(AccessKey.digest == digest, AccessKey.revoked_at.is_(None)))
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None
        return Caller(row.name, Role(row.role), row.unit)


def digest_of(token: str) -> bytes:
    """What the store holds of a key.

    Args:
        token: as sent.

    Returns:
        32 bytes.
    """
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _check(field: str, value: str) -> None:
    if not value.strip() or len(value) > _LONGEST[field] or not value.isprintable():
        raise InvalidField(f"{field} 须为 1–{_LONGEST[field]} 个可见字符")
