"""An explanation as HTML for Jupyter: one fragment that loads nothing, escaped by Jinja, for light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, Template

from model.occlusion import Occlusion
from model.reasons import Reason
from triage.analysis.explanation import Explanation, wording
from triage.analysis.why import ANSWERED, DECISIONS

if TYPE_CHECKING:
    from triage.analysis.explanation import Grounds

_CUES = {"safety": "人身安全", "escalation": "升级风险"}
Piece = tuple[str, float, str]


@dataclass(frozen=True)
class Layer:
    """Stretches in one colour. Opacities stay so low that light and dark letters are legible on it."""

    reasons: Sequence[Reason]
    palest: float = 0.12
    deepest: float = 0.5

    def colour(self, reason: Reason) -> tuple[float, str]:
        """Opacity of a stretch, and its weight to be shown."""
        strongest = max(reason.weight for reason in self.reasons)
        return round(self.palest + (self.deepest - self.palest) * reason.weight / strongest, 2), f"{reason.weight:.2f}"


def explanation_html(explanation: Explanation) -> str:
    """Render an explanation.

    Args:
        explanation: of one ticket.

    Returns:
        HTML; shows the masked text, never the text as sent.
    """
    grounds = explanation.grounds
    if grounds is None:
        return _template().render(error=explanation["error"]["message"])
    return _template().render(
        row=explanation,
        grounds=grounds,
        decision=DECISIONS[explanation["decision"]],
        answered=ANSWERED[explanation["answered_by"]],
        words=pieces(grounds.text, Layer(grounds.words)),
        occlusion=_of_encoder(grounds.text, grounds.occlusion) if grounds.occlusion else None,
        rules=[(hit, wording(grounds.text, hit)) for hit in grounds.rules],
        cues=_raised(explanation, grounds),
    )


def pieces(text: str, *layers: Layer) -> list[Piece]:
    """Cut a text where its colour changes.

    Args:
        text: masked.
        *layers: painted one over the other; within a layer the stronger stretch is seen.

    Returns:
        (text, opacity of its background, its weight to be shown), in order; joined they are the text.
    """
    paint: list[tuple[float, str]] = [(0.0, "")] * len(text)
    for layer in layers:
        for reason in sorted(layer.reasons, key=lambda reason: reason.weight):
            paint[reason.start : reason.end] = [layer.colour(reason)] * (reason.end - reason.start)
    found: list[Piece] = []
    for colour, run in groupby(zip(text, paint, strict=True), key=lambda pair: pair[1]):
        found.append(("".join(letter for letter, _ in run), *colour))
    return found


def _of_encoder(text: str, occlusion: Occlusion) -> list[Piece]:
    """Telling clauses pale, telling words in them deep."""
    return pieces(text, Layer(occlusion.clauses, 0.06, 0.15), Layer(occlusion.words, 0.18))


def _raised(explanation: Explanation, grounds: "Grounds") -> list[tuple[str, str, list[str]]]:
    """Cues that were raised: name, probability where there is one, wordings."""
    cues: dict[str, Any] = {**explanation["flags"], **{cue: explanation[cue] for cue in _CUES}}
    return [
        (
            grounds.names[name],
            f"{cue['probability']:.2f}" if "probability" in cue else "",
            [e["text"] for e in cue["evidence"]],
        )
        for name, cue in cues.items()
        if cue["raised"]
    ]


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("triage.analysis", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("explanation.html")
