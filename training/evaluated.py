"""Labelled tickets side by side with what was predicted for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.prediction import Prediction
from model.ticket import LabelledTicket


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

    def take(self, rows: Sequence[int] | NDArray[np.int_]) -> "Evaluated":
        """A part of it.

        Args:
            rows: which rows; may repeat.

        Returns:
            Those rows.
        """
        return Evaluated(tuple(self.tickets[i] for i in rows), tuple(self.predictions[i] for i in rows))
