"""A special-customer cue, its states, and the steps that people take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from serving.cues.people import Person, same_name

CONFIRMERS = 2  # a hard rule of the product, so no policy data
StepName = Literal["evidence", "confirm", "reject", "appeal", "remove", "expire"]


class State(StrEnum):
    """How far a cue has come."""

    CANDIDATE = "candidate"
    COMPLETE = "evidence_complete"
    ACTIVE = "active"
    APPEALED = "appealed"
    EXPIRED = "expired"
    REMOVED = "removed"
    REJECTED = "rejected"


ENDED = (State.EXPIRED, State.REMOVED, State.REJECTED)
STATE_NAMES = {
    State.CANDIDATE: "候选", State.COMPLETE: "证据齐全", State.ACTIVE: "已确认", State.APPEALED: "申诉中",
    State.EXPIRED: "已到期", State.REMOVED: "已撤销", State.REJECTED: "已驳回",
}  # fmt: skip
STEP_NAMES: dict[StepName, str] = {
    "evidence": "补证据", "confirm": "确认", "reject": "驳回", "appeal": "申诉", "remove": "撤销", "expire": "到期",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """One item of the evidence list: where it can be found (a number, never its content) and the day it bears."""

    item: str
    reference: str
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment with who handed it in, and when."""

    attachment: Attachment
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed, of which unit, when."""

    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What a person wants to do. `unit` names or corrects the unit complained of (evidence only)."""

    name: StepName
    who: Person
    at: datetime
    attachments: tuple[Attachment, ...] = ()
    unit: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue as it stands. `unit` is the one complained of; `called_at` is when the complaint was accepted."""

    flag: str
    called_at: datetime
    unit: str | None = None
    state: State = State.CANDIDATE
    evidence: Mapping[str, Attached] = field(default_factory=lambda: MappingProxyType({}))
    confirmed_by: tuple[Confirmation, ...] = ()
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.state in (State.ACTIVE, State.APPEALED):
            people = {same_name(one.by.name) for one in self.confirmed_by}
            if len(people) < CONFIRMERS or self.expires_at is None:
                raise ValueError(f"a cue that is {self.state} needs {CONFIRMERS} people and an end")

    def in_force(self, now: datetime) -> bool:
        """Whether two people's confirmation holds at this moment.

        Args:
            now: the moment.

        Returns:
            True while active and not past its end.
        """
        return self.state is State.ACTIVE and self.expires_at is not None and now < self.expires_at
