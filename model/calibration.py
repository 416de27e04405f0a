"""Numbers fitted after training on out-of-fold predictions: thresholds and how linear and rules are joined."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from model.policy.schema import DecisionFile
from model.taxonomy import FLAGS

CUES = (*FLAGS, "safety", "escalation")
MOST_WEIGHT = 4.0  # summed rule weights above this count alike
ROLES, ALSO = "role:", "also:"  # further separators: roles of theft; leaves that are first or second in a ticket


@dataclass(frozen=True, slots=True)
class CueJoint:
    """A logistic over decision values (linear, encoder) and the rules' summed weight, and where a cue is raised."""

    linear: float
    rules: float
    intercept: float
    threshold: float
    encoder: float = 0.0

    def probability(self, value: float, weight: float, encoder_value: float = 0.0) -> float:
        """The calibrated probability of a cue.

        Args:
            value: decision value of the linear separator.
            weight: summed weight of the rules that fired.
            encoder_value: decision value of the encoder's head, where one has read the ticket.

        Returns:
            A number in [0, 1].
        """
        logit = self.linear * value + self.rules * min(weight, MOST_WEIGHT) + self.intercept
        logit += self.encoder * encoder_value
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a bundle adds to a policy's thresholds.

    `auto`: confidence from which a leaf goes to its desk unread. `rule_share`, `linear_share`, `encoder_share`:
    weights of the log confidences that make a leaf's. `cues`: by cue name. `least_value`: a text whose highest leaf decision value
    is below it is far from training.
    """

    auto: Mapping[str, float]
    rule_share: float = 0.0
    cues: Mapping[str, CueJoint] = field(default_factory=dict)
    linear_share: float = 1.0
    encoder_share: float = 0.0
    least_value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For the manifest.

        Returns:
            A JSON-ready mapping, read back by `from_dict`.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Calibration":
        """Read what `to_dict` wrote.

        Args:
            data: the manifest's `thresholds`.

        Returns:
            The calibration.
        """
        cues = {name: CueJoint(**joint) for name, joint in data["cues"].items()}
        return cls(**{**data, "auto": dict(data["auto"]), "cues": cues})


@dataclass(frozen=True)
class Exits:
    """When a ticket needs no encoder: least confidence by leaf, and most probability by cue."""

    leaves: Mapping[str, float]
    cues: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """For the manifest.

        Returns:
            A JSON-ready mapping, read back by `from_dict`.
        """
        return {"leaves": dict(self.leaves), "cues": dict(self.cues)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Args:
            data: the manifest's `exits`.

        Returns:
            The thresholds.
        """
        return cls(dict(data["leaves"]), dict(data["cues"]))

    def passes(self, leaves: Mapping[str, float], cues: Mapping[str, float]) -> bool:
        """Whether the first opinion is enough.

        Args:
            leaves: confidence by leaf.
            cues: probability by cue.

        Returns:
            True if the first leaf and every cue pass.
        """
        first = max(leaves, key=lambda code: leaves[code])
        return leaves[first] >= self.leaves.get(first, 2.0) and all(cues[name] <= most for name, most in self.cues.items())


def default_calibration(codes: tuple[str, ...], decision: DecisionFile) -> Calibration:
    """What holds before anything was fitted.

    Args:
        codes: leaf codes.
        decision: the policy's thresholds.

    Returns:
        One threshold for all leaves; cues raised by rules only.
    """
    cues = {name: CueJoint(0.0, 3.0, -3.0 * decision.flag_rule_weight, 0.5) for name in CUES}
    return Calibration(dict.fromkeys(codes, decision.auto_confidence), 0.0, cues)
