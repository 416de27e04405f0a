"""Names of labelled batches: the same tickets with the same labels give the same name, whoever computes it."""

import hashlib
import re
from collections.abc import Iterable

from model.ticket import LabelledTicket

_SPACE = re.compile(r"\s+")


def digest(tickets: Iterable[LabelledTicket]) -> str:
    """The name of a data version.

    Args:
        tickets: labelled tickets, in any order.

    Returns:
        Hexadecimal SHA-256 over ids, text hashes and labels.
    """
    return hashlib.sha256("\n".join(sorted(map(_line, tickets))).encode("utf-8", "replace")).hexdigest()


def text_hash(text: str) -> str:
    """A hash that does not change with white space.

    Args:
        text: a ticket's text.

    Returns:
        Hexadecimal SHA-256.
    """
    return hashlib.sha256(_SPACE.sub("", text).encode("utf-8", "replace")).hexdigest()


def _line(ticket: LabelledTicket) -> str:
    labels = (ticket.category, *ticket.secondary, *sorted(ticket.flags), str(ticket.theft_role), str(ticket.filing))
    return "\t".join((ticket.id, text_hash(ticket.text), *labels, f"{ticket.safety}{ticket.escalation}"))
