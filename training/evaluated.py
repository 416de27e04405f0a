"""Labelled tickets side by side with what was predicted for them, and the few figures that every part needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from model.pipeline import Pipeline
from model.prediction import Prediction
from model.ticket import LabelledTicket, Ticket
from training.fit import truth

_BATCH = 256
Table = dict[str, Any]


@dataclass(frozen=True)
class Evaluated:
    """Labelled tickets with what was predicted for them."""

    tickets: tuple[LabelledTicket, ...]
    predictions: tuple[Prediction, ...]

    @property
    def gold(self) -> list[str]:
        """Labelled leaves."""
        return [ticket.category for ticket in self.tickets]

    @property
    def found(self) -> list[str]:
        """Proposed leaves."""
        return [prediction.category.code for prediction in self.predictions]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the proposed leaf is the labelled one; shape (n,)."""
        return np.array([g == f for g, f in zip(self.gold, self.found, strict=True)])

    @property
    def among_three(self) -> NDArray[np.bool_]:
        """Whether the labelled leaf is among the three candidates; shape (n,)."""
        rows = zip(self.gold, self.predictions, strict=True)
        return np.array([gold in [candidate.code for candidate in p.candidates] for gold, p in rows])

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Confidence of the proposed leaf; shape (n,)."""
        return np.array([prediction.category.confidence for prediction in self.predictions])

    @property
    def auto(self) -> NDArray[np.bool_]:
        """Whether a ticket would go to its desk unread; shape (n,)."""
        return np.array([prediction.decision == "auto" for prediction in self.predictions])

    def labelled(self, cue: str) -> NDArray[np.bool_]:
        """Whether a cue is labelled.

        Args:
            cue: a flag, `safety` or `escalation`.

        Returns:
            Shape (n,).
        """
        return np.array([bool(truth(ticket, cue)) for ticket in self.tickets])

    def raised(self, cue: str) -> NDArray[np.bool_]:
        """Whether a cue was raised.

        Args:
            cue: a flag, `safety` or `escalation`.

        Returns:
            Shape (n,).
        """
        return np.array([p.flags[cue].raised if cue in p.flags else getattr(p, cue).raised for p in self.predictions])


def run(pipeline: Pipeline, tickets: Sequence[LabelledTicket]) -> Evaluated:
    """Predict labelled tickets.

    Args:
        pipeline: predicts.
        tickets: labelled.

    Returns:
        Both, row by row.
    """
    predictions: list[Prediction] = []
    for start in range(0, len(tickets), _BATCH):
        predictions += pipeline.predict([Ticket(t.text, ticket_id=t.id) for t in tickets[start : start + _BATCH]])
    return Evaluated(tuple(tickets), tuple(predictions))


def short_figures(gold: Sequence[str], found: Sequence[str]) -> Table:
    """The three figures of a baseline or a slice.

    Args:
        gold: n labelled leaves.
        found: n proposed leaves.

    Returns:
        `n`, `accuracy`, `macro_f1`.
    """
    return {"n": len(gold), "accuracy": rounded(accuracy_score(gold, found)), "macro_f1": macro_f1(gold, found)}


def macro_f1(gold: Sequence[str], found: Sequence[str]) -> float:
    """Mean F1 over the codes that were labelled or proposed.

    Args:
        gold: n labelled codes.
        found: n proposed codes.

    Returns:
        A number in [0, 1].
    """
    return rounded(f1_score(gold, found, average="macro", zero_division=0))


def group_of(code: str) -> str:
    """The group of a leaf.

    Args:
        code: e.g. `billing.charge`.

    Returns:
        e.g. `billing`.
    """
    return code.split(".")[0]


def rounded(value: Any) -> float:
    """A figure as it stands in reports.

    Args:
        value: any number.

    Returns:
        The number with four decimals.
    """
    return round(float(value), 4)
