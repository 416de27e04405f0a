"""Shapes of cues.yaml and events.yaml: what a person must attach before a cue counts, and kinds of known events."""

from typing import Annotated, Literal

from pydantic import Field

from model.policy.schema import Dated, Strict, Text


class EvidenceItem(Strict):
    """What a person attaches to a cue. `date`: whether it bears a day, and whether that must lie before the call."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    name: Text
    date: Literal["none", "needed", "before_call"] = "none"


class CueEntry(Strict):
    """`flags` of cues.yaml: the evidence list of a flag, and what may be done once two people confirmed it."""

    section: Text
    allows: Text
    filing: Text | None = None
    confirmable: bool = True
    items: Annotated[tuple[EvidenceItem, ...], Field(min_length=1)]


class CuesFile(Dated):
    """cues.yaml. `reasons` are those for rejecting or removing a cue."""

    active_days: Annotated[int, Field(ge=1, le=365)]
    flags: dict[Text, CueEntry]
    reasons: dict[Literal["caller_right", "not_enough_evidence", "raised_in_error", "matter_closed"], Text]


class EventKind(Strict):
    """`kinds` of events.yaml. `everywhere`: such an event may be entered without an area."""

    name: Text
    leaves: Annotated[tuple[Text, ...], Field(min_length=1)]
    filing: Text | None = None
    margin_hours: Annotated[int, Field(ge=0, le=336)]
    everywhere: bool = False


class EventsFile(Dated):
    """events.yaml."""

    most_days: Annotated[int, Field(ge=1, le=400)]
    kinds: dict[Text, EventKind]
