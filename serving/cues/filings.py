"""Hard rule 4: a filing that is suggested or registered after the complaint arrived is marked as such."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from model.taxonomy import Taxonomy
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


def decided_filing(
    predicted: Mapping[str, Any] | None, flags: Collection[str], taxonomy: Taxonomy
) -> Mapping[str, Any] | None:
    """The filing to look at once people have looked at the flags: one that goes with a flag stands and falls with it.

    Args:
        predicted: `code`, `name` and `basis` of a prediction, or None.
        flags: that stand.
        taxonomy: knows which filing goes with which flag.

    Returns:
        The filing of a flag that stands, the one for malice first; else one that was predicted for another reason.
    """
    wanted = sorted((f for f in taxonomy.filings if f.goes_with in flags), key=lambda f: f.goes_with != "malicious")
    if wanted:
        return {"code": wanted[0].code, "name": wanted[0].name, "basis": "suggested"}
    return predicted if predicted and taxonomy.filing(predicted["code"]).goes_with is None else None
