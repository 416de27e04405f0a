"""Numbers fitted after training on out-of-fold predictions: thresholds and how linear and rules are joined."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.policy.schema import DecisionFile
from model.taxonomy import FLAGS

CUES = (*FLAGS, "safety", "escalation")
MOST_WEIGHT = 4.0  # summed rule weights above this count alike
ROLES, ALSO = "role:", "also:"  # further separators: roles of theft; leaves that are first or second in a ticket


@dataclass(frozen=True, slots=True)
class CueJoint:
    """A logistic over the linear decision value and the rules' summed weight, and where a cue is raised."""

    linear: float
    rules: float
    intercept: float
    threshold: float

    def probability(self, value: float, weight: float) -> float:
        """The calibrated probability of a cue.

        Args:
            value: decision value of the linear separator.
            weight: summed weight of the rules that fired.

        Returns:
            A number in [0, 1].
        """
        logit = self.linear * value + self.rules * min(weight, MOST_WEIGHT) + self.intercept
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a bundle adds to a policy's thresholds.

    `auto`: confidence from which a leaf goes to its desk unread. `rule_share`: weight of the rules' log
    confidence beside the classifier's. `cues`: by cue name.
    """

    auto: Mapping[str, float]
    rule_share: float = 0.0
    cues: Mapping[str, CueJoint] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For the manifest.

        Returns:
            A JSON-ready mapping, read back by `from_dict`.
        """
        cues = {
            name: {"linear": j.linear, "rules": j.rules, "intercept": j.intercept, "threshold": j.threshold}
            for name, j in self.cues.items()
        }
        return {"auto": dict(self.auto), "rule_share": self.rule_share, "cues": cues}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Calibration":
        """Read what `to_dict` wrote.

        Args:
            data: the manifest's `thresholds`.

        Returns:
            The calibration.
        """
        cues = {name: CueJoint(**joint) for name, joint in data["cues"].items()}
        return cls(auto=dict(data["auto"]), rule_share=float(data["rule_share"]), cues=cues)


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
