"""A prediction that says why: a dict as ever, tables for pandas, and HTML in Jupyter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.occlusion import Occlusion
from model.reasons import Reason
from model.rules import Hit
from training.neighbours import Neighbour
from triage.analysis.library import neighbour_frame


@dataclass(frozen=True)
class Grounds:
    """What a prediction rests on. All places are places of `text`, which is normalised and masked.

    `words`: exact parts in the linear classifier's decision value; `occlusion`: of the encoder, None where it did not
    read the ticket, with `unread` saying why; `rules`: those that fired, with their remarks by rule id; `why`: reasons
    against `auto`; `similar`: labelled tickets, None where none are at hand; `names`: of leaves, flags and desks by code.
    """

    text: str
    words: tuple[Reason, ...]
    occlusion: Occlusion | None
    unread: str
    rules: tuple[Hit, ...]
    remarks: Mapping[str, str]
    why: tuple[str, ...]
    similar: tuple[Neighbour, ...] | None
    names: Mapping[str, str]


class Explanation(dict[str, Any]):
    """A prediction as the contract's section 3 has it, with its grounds.

    Args:
        prediction: as `Triage.predict` gives it for one ticket, or its error.
        grounds: None for a ticket that could not be read.
    """

    def __init__(self, prediction: dict[str, Any], grounds: Grounds | None) -> None:
        super().__init__(prediction)
        self.grounds = grounds

    @property
    def words(self) -> pd.DataFrame:
        """Words of the linear classifier: `text`, `weight` (exact part in the decision value), strongest first."""
        return pd.DataFrame(self._stretches(self.grounds.words if self.grounds else ()), columns=["text", "weight"])

    @property
    def encoder(self) -> pd.DataFrame:
        """What the encoder rests on: `kind` (clause or word), `text`, `weight` (log odds lost without it)."""
        found = (self.grounds.occlusion if self.grounds else None) or Occlusion()
        rows = [("clause", *row) for row in self._stretches(found.clauses)]
        rows += [("word", *row) for row in self._stretches(found.words)]
        return pd.DataFrame(rows, columns=["kind", "text", "weight"])

    @property
    def rules(self) -> pd.DataFrame:
        """Rules that fired: `rule`, `for` (leaf, flag or filing), `name`, `weight`, `text`, `remark`."""
        grounds = self.grounds
        rows = [
            (hit.rule, hit.to, grounds.names.get(hit.to, hit.to), hit.weight, wording(grounds.text, hit),
             grounds.remarks.get(hit.rule, ""))
            for hit in grounds.rules
        ] if grounds else []  # fmt: skip
        return pd.DataFrame(rows, columns=["rule", "for", "name", "weight", "text", "remark"])

    @property
    def similar(self) -> pd.DataFrame:
        """Labelled tickets most like this one, as `Triage.similar` gives them."""
        grounds = self.grounds
        return neighbour_frame(grounds.similar or (), grounds.names) if grounds else neighbour_frame((), {})

    @property
    def why(self) -> tuple[str, ...]:
        """Why the ticket does not go to its desk unread, in sentences; empty where it does."""
        return self.grounds.why if self.grounds else ()

    def _repr_html_(self) -> str:
        """For Jupyter: loads nothing, escapes everything, fits light and dark."""
        from triage.analysis.html import explanation_html

        return explanation_html(self)

    def _stretches(self, reasons: Sequence[Reason]) -> list[tuple[str, float]]:
        text = self.grounds.text if self.grounds else ""
        return [(text[reason.start : reason.end], round(reason.weight, 4)) for reason in reasons]


def wording(text: str, hit: Hit) -> str:
    """What a rule fired on.

    Args:
        text: masked.
        hit: its place.

    Returns:
        Its wordings, with … between them.
    """
    return " … ".join(text[start:end] for start, end in hit.parts or ((hit.start, hit.end),))
