"""Everything proposed for one ticket, in the shape of the contract (section 3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the ticket's content as sent (code points) that speaks for something.

    `supports` names the leaf or cue; `weight` is its part in the decision. Cue evidence leaves both out.
    """

    start: int
    end: int
    text: str
    supports: str | None = None
    weight: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The contract's form.

        Returns:
            `start`, `end`, `text`, and `for` and `weight` where they are known.
        """
        data: dict[str, Any] = {"start": self.start, "end": self.end, "text": self.text}
        if self.supports is not None:
            data["for"] = self.supports
        if self.weight is not None:
            data["weight"] = round(self.weight, 4)
        return data


@dataclass(frozen=True, slots=True)
class Candidate:
    """A leaf with its calibrated confidence in [0, 1]."""

    code: str
    name: str
    group: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Cue:
    """A flag, or safety, or escalation: a cue for a person, never a verdict. `role` is for theft only."""

    probability: float
    raised: bool
    evidence: tuple[Evidence, ...] = ()
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """A 重要服务事项报备 that a person should check; only ever suggested."""

    code: str
    name: str

    def to_dict(self) -> dict[str, str]:
        """The contract's form.

        Returns:
            `code`, `name` and `basis`, which is always `suggested`.
        """
        return {"code": self.code, "name": self.name, "basis": "suggested"}


@dataclass(frozen=True, slots=True)
class Route:
    """Where a ticket goes and until when (派单). `deliver_to` are the queues it enters at once.

    Times are in Asia/Shanghai; `provisional` marks a date in a year without published make-up workdays.
    """

    desk: str
    support: tuple[str, ...]
    deliver_to: tuple[str, ...]
    promise: str
    basis: str
    contact_due_at: datetime | None = None
    due_at: datetime | None = None
    arrive_by: datetime | None = None
    provisional: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The contract's form.

        Returns:
            All fields, times in RFC 3339 or None.
        """
        times = {"contact_due_at": self.contact_due_at, "due_at": self.due_at, "arrive_by": self.arrive_by}
        return {
            "desk": self.desk,
            "support": list(self.support),
            **{name: time.isoformat() if time else None for name, time in times.items()},
            "promise": self.promise,
            "basis": self.basis,
            "deliver_to": list(self.deliver_to),
            "provisional": self.provisional,
        }


@dataclass(frozen=True, slots=True)
class Versions:
    """What produced a prediction."""

    bundle: str | None
    taxonomy: str
    rules: str
    guideline: str

    def to_dict(self) -> dict[str, str | None]:
        """The contract's form.

        Returns:
            The four versions by name.
        """
        return {"bundle": self.bundle, "taxonomy": self.taxonomy, "rules": self.rules, "guideline": self.guideline}


@dataclass(frozen=True, slots=True)
class Prediction:
    """Everything proposed for one ticket. `decision` concerns the category only; flags never change it."""

    ticket_id: str | None
    candidates: tuple[Candidate, ...]
    secondary: tuple[str, ...]
    flags: dict[str, Cue]
    safety: Cue
    escalation: Cue
    filing: Filing | None
    route: Route
    measures: tuple[str, ...]
    decision: str
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    source: str
    answered_by: str
    versions: Versions
    rules_fired: tuple[str, ...] = ()

    @property
    def category(self) -> Candidate:
        """The proposed leaf."""
        return self.candidates[0]

    def to_dict(self) -> dict[str, Any]:
        """The contract's form, without `row`.

        Returns:
            A JSON-ready mapping.
        """
        first = self.category
        return {
            "ticket_id": self.ticket_id,
            "category": {
                "code": first.code,
                "name": first.name,
                "group": first.group,
                "confidence": _round(first.confidence),
            },
            "candidates": [
                {"code": c.code, "name": c.name, "confidence": _round(c.confidence)} for c in self.candidates
            ],
            "secondary": list(self.secondary),
            "flags": {name: self._flag(name, cue) for name, cue in self.flags.items()},
            "safety": _cue(self.safety),
            "escalation": _cue(self.escalation),
            "filing": self.filing.to_dict() if self.filing else None,
            "route": self.route.to_dict(),
            "measures": list(self.measures),
            "decision": self.decision,
            "reasons": list(self.reasons),
            "evidence": [item.to_dict() for item in self.evidence],
            "rules_fired": list(self.rules_fired),
            "source": self.source,
            "answered_by": self.answered_by,
            "versions": self.versions.to_dict(),
        }

    def _flag(self, name: str, cue: Cue) -> dict[str, Any]:
        data: dict[str, Any] = {"probability": _round(cue.probability), **_cue(cue)}
        if name == "theft":
            data["role"] = cue.role
        return data


def _cue(cue: Cue) -> dict[str, Any]:
    return {"raised": cue.raised, "evidence": [item.to_dict() for item in cue.evidence]}


def _round(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)
