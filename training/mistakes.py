"""Every ticket with a wrong leaf or cue, beside the training tickets most like it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model.calibration import CUES
from model.pipeline import Pipeline
from model.prediction import Prediction
from model.ticket import LabelledTicket
from training.evaluated import Evaluated
from training.fit import truth
from training.neighbours import Neighbour, masked, nearest

COLUMNS = (
    "id", "author", "channel", "gold", "proposed", "confidence", "flags_gold", "flags_raised", "safety_gold",
    "safety_raised", "escalation_gold", "escalation_raised", "text", "nearest_1", "nearest_2", "nearest_3",
)  # fmt: skip
_BEGINNING = 60  # characters of a neighbour's text


@dataclass(frozen=True)
class Mistake:
    """A ticket, what was proposed, its masked text; cues `missed` and raised for nothing; training tickets near it."""

    ticket: LabelledTicket
    prediction: Prediction
    text: str
    missed: tuple[str, ...]
    false: tuple[str, ...]
    near: tuple[Neighbour, ...]

    @property
    def wrong_leaf(self) -> bool:
        """Whether the leaf is wrong."""
        return self.ticket.category != self.prediction.category.code

    def row(self) -> dict[str, Any]:
        """For errors.csv.

        Returns:
            A value for each of `COLUMNS`.
        """
        ticket, proposed = self.ticket, self.prediction
        raised = sorted(flag for flag, cue in proposed.flags.items() if cue.raised)
        near = [f"{n.id} {n.category} {n.similarity:.2f} {beginning(n.text)}" for n in self.near]
        values = (
            ticket.id, ticket.author, ticket.channel, ticket.category, proposed.category.code,
            round(proposed.category.confidence, 3), "|".join(sorted(ticket.flags)), "|".join(raised), ticket.safety,
            proposed.safety.raised, ticket.escalation, proposed.escalation.raised, self.text, *near, "", "", "",
        )  # fmt: skip
        return dict(zip(COLUMNS, values, strict=False))


def mistakes(data: Evaluated, pipeline: Pipeline, train: Sequence[LabelledTicket]) -> list[Mistake]:
    """Find what is wrong.

    Args:
        data: predictions and labels.
        pipeline: what was measured; its bundle's features tell what is near.
        train: what it learned from; empty where that is not at hand.

    Returns:
        Missed danger first, then wrong leaves, the most confident ones first.
    """
    rows = zip(data.tickets, data.predictions, strict=True)
    wrong = [
        (ticket, proposed, missed, false)
        for ticket, proposed in rows
        for missed, false in [_cues(ticket, proposed)]
        if missed or false or ticket.category != proposed.category.code
    ]
    tickets = [ticket for ticket, *_ in wrong]
    near = nearest(pipeline.bundle.classifier, train, tickets) if pipeline.bundle else [() for _ in tickets]
    found = [
        Mistake(ticket, proposed, text, missed, false, close)
        for (ticket, proposed, missed, false), text, close in zip(wrong, masked(tickets), near, strict=True)
    ]
    return sorted(found, key=lambda m: ("safety" not in m.missed, not m.wrong_leaf, -m.prediction.category.confidence))


def beginning(text: str) -> str:
    """The first characters of a text, on one line.

    Args:
        text: masked.

    Returns:
        At most some sixty characters, with … where more would follow.
    """
    line = " ".join(text.split())
    return line if len(line) <= _BEGINNING else f"{line[:_BEGINNING]}…"


def _cues(ticket: LabelledTicket, proposed: Prediction) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cues that were missed, and cues that were raised for nothing."""
    raised = {**{flag: cue.raised for flag, cue in proposed.flags.items()}, "safety": proposed.safety.raised}
    raised["escalation"] = proposed.escalation.raised
    labelled = {name: bool(truth(ticket, name)) for name in CUES}
    missed = tuple(name for name in CUES if labelled[name] and not raised[name])
    return missed, tuple(name for name in CUES if raised[name] and not labelled[name])
