"""The queue as people read it: filters, rows, figures. Pure: what the service answered in, values of templates out."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from serving.console import words

URGENCIES = {
    "safety": "安全风险",
    "overdue": "已超期",
    "due_soon": "将到期",
    "escalation": "升级风险",
    "low_confidence": "未自动派单",
}
STATUSES = {"open": "待处理", "reviewed": "已复核", "closed": "已办结"}
SOON_HOURS = 4  # a clock with less is shown as urgent
_ENDS = {"arrive_by": "arrived_at", "contact_due_at": "contacted_at"}  # what ends a clock before the ticket is closed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the queue shows; "" asks for nothing."""

    status: str = "open"
    urgency: str = ""
    desk: str = ""
    category: str = ""
    decision: str = ""
    flag: str = ""

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> "Wanted":
        """Read from a form or an address.

        Args:
            sent: by name; others are ignored.

        Returns:
            What is asked for.
        """
        return cls(**{one.name: sent[one.name] for one in fields(cls) if one.name in sent})

    @property
    def params(self) -> dict[str, str | None]:
        """For `GET /v1/tickets`."""
        return {one.name: getattr(self, one.name) or None for one in fields(self)}

    @property
    def query(self) -> str:
        """For the address of the page; "" where nothing but the usual is asked for."""
        asked = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        return f"?{urlencode(asked)}" if asked else ""

    def with_urgency(self, urgency: str) -> "Wanted":
        """The same, of those that wait and are urgent for one reason.

        Args:
            urgency: one of `URGENCIES`, or "" for all that wait.

        Returns:
            What is asked for.
        """
        return replace(self, urgency=urgency, status="open")


def row_of(ticket: Mapping[str, Any], leaves: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """A ticket as a row.

    Args:
        ticket: of `GET /v1/tickets`.
        leaves: names by code.
        now: for the clocks.

    Returns:
        Values of the template.
    """
    return {
        **ticket,
        "name": leaves.get(ticket["category"], ticket["category"]),
        "url": words.ticket_url(ticket["ticket_id"]),
        "clock": nearest(ticket, now),
        "place": ticket["org"]["station"] or ticket["org"]["county"] or "—",
        "decision_name": words.DECISION.get(ticket["decision"], ticket["decision"]),
        "status_name": words.status(ticket["status"]),
        "count": ticket.get("folded", 1),
        "matter": matter_of(ticket),
        "inside": False,
        "unfolded": False,
    }


def matter_of(ticket: Mapping[str, Any]) -> str | None:
    """What a ticket is folded by: its known event, else the incident that it may belong to.

    Args:
        ticket: of `GET /v1/tickets`.

    Returns:
        Such as event_id=7; None where it stands alone.
    """
    found = ((name, ticket.get(name)) for name in ("event_id", "incident"))
    return next((f"{name}={value}" for name, value in found if value is not None), None)


def clocks(ticket: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The clocks of a ticket.

    Args:
        ticket: of the service.
        now: for what remains.

    Returns:
        For each clock that there is: `name`, `due`, `words`, `state` (over, soon, calm, done).
    """
    found = []
    for field, name in (("arrive_by", "到场"), ("contact_due_at", "首次联系"), ("due_at", "答复")):
        if ticket.get(field):
            done = _stopped(ticket, field)
            state = "done" if done else _state(ticket[field], now)
            said = f"已完成({words.moment(done)})" if done else words.remaining(ticket[field], now)
            found.append({"name": name, "due": ticket[field], "words": said, "state": state})
    return found


def nearest(ticket: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """The clock that ends first of those that run.

    Args:
        ticket: of the service.
        now: for what remains.

    Returns:
        As `clocks`; None where none runs.
    """
    running = [clock for clock in clocks(ticket, now) if clock["state"] != "done"]
    return min(running, key=lambda clock: datetime.fromisoformat(clock["due"]), default=None)


def _stopped(ticket: Mapping[str, Any], field: str) -> str | None:
    """When a clock stopped, None while it runs."""
    closed: str | None = ticket.get("closed_at")
    return ticket.get(_ENDS.get(field, "")) or closed


def _state(due: str, now: datetime) -> str:
    left = (datetime.fromisoformat(due) - now).total_seconds()
    return "over" if left < 0 else "soon" if left < SOON_HOURS * 3600 else "calm"
