"""Hard rule 4: a filing that is suggested or registered after the complaint arrived is marked as such."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.events.match import Event


def marked_filing(
    filing: Mapping[str, Any] | None, arrived_at: datetime, event: Event | None = None
) -> dict[str, Any] | None:
    """A prediction's filing with the mark whether it came after the complaint.

    What a text suggests always comes after it. Only a filing registered beforehand, with a known event, does not.

    Args:
        filing: `code`, `name` and `basis` of a prediction, or None.
        arrived_at: when the complaint was accepted, else received.
        event: the known event that the ticket may belong to.

    Returns:
        The filing with `after_complaint`, and `event_id` where the event carries the same filing; None without one.
    """
    if not filing:
        return None
    registered = event if event is not None and event.filing == filing["code"] else None
    return {
        **filing,
        "basis": "suggested",
        "after_complaint": registered is None or registered.entered_after(arrived_at),
        "event_id": registered.id if registered else None,
    }
