"""A ticket as it comes in: with the fields that tell who called, which are hashed and never stored."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from model.errors import InvalidTicket
from model.privacy import mask
from model.text import normalise
from model.ticket import Ticket, ticket_from
from serving.store.columns import Json

ID_MOST = 200
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A ticket with the fields that tell who called. These are hashed, never stored."""

    ticket: Ticket
    cust_no: str | None = None
    contact: str | None = None
    address: str | None = None
    reply: str | None = None


def incoming_from(value: Mapping[str, Any]) -> Incoming:
    """Read a ticket with its private fields from a body.

    Args:
        value: a mapping with the contract's field names; unknown keys are ignored.

    Returns:
        The ticket.

    Raises:
        InvalidTicket: a field that cannot be read.
    """
    private = {key: value.get(key) for key in ("cust_no", "contact", "address", "reply")}
    return Incoming(
        ticket_from(value), **{key: str(item) if item is not None else None for key, item in private.items()}
    )


def usable_id(ticket: Ticket) -> str:
    """The id under which a ticket can be stored.

    Args:
        ticket: as received.

    Returns:
        The id without space around it.

    Raises:
        InvalidTicket: none, too long, or with control characters.
    """
    ticket_id = (ticket.ticket_id or "").strip()
    if not ticket_id:
        raise InvalidTicket("bad_row", "缺少 ticket_id;存储工单须给编号,重试时用同一编号")
    if len(ticket_id) > ID_MOST or _CONTROL.search(ticket_id):
        raise InvalidTicket("bad_row", f"ticket_id 须为 1–{ID_MOST} 个字符,不含控制字符")
    return ticket_id


def canonical(incoming: Incoming) -> str:
    """What makes two bodies the same ticket: every field that we read, in one spelling.

    Args:
        incoming: the ticket.

    Returns:
        JSON with sorted keys; holds raw text, so it is hashed at once.
    """
    return json.dumps(asdict(incoming), sort_keys=True, ensure_ascii=False, default=datetime.isoformat)


def kept_fields(ticket: Ticket) -> Json:
    """Fields beside the text. Free wording is masked; names of places stay.

    Args:
        ticket: as received.

    Returns:
        Columns of `tickets`.
    """
    org = ticket.org
    place = {name: _cut(getattr(org, name) if org else None, 200) for name in ("city", "county", "station")}
    return {
        **place,
        "urban": org.urban if org else None,
        "accepted_at": ticket.accepted_at,
        "channel": _cut(_masked(ticket.channel), 100),
        "biz_type": _cut(_masked(ticket.biz_type), 200),
        "repeat_of": _cut(ticket.repeat_of, ID_MOST),
    }


def _masked(text: str | None) -> str | None:
    return mask(normalise(text).text).text if text else None


def _cut(text: str | None, most: int) -> str | None:
    return _CONTROL.sub("", text)[:most] or None if text else None
