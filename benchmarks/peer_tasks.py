"""What peers are compared on: our samples, and texts from outside with their own fixed split, read and never copied."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from outside import SAMPLES, outside_path

from model.labels import text_hash
from model.policy import load_policy
from model.ticket import LabelledTicket
from training.dataset import read_labelled
from training.split import author_of

OURS = "samples"
OUTSIDE = ("benchmark_raw", "benchmark_segmented")
_SEED = 0


@dataclass(frozen=True)
class Side:
    """One side of a split. `groups`: who wrote a row; `tickets` only of our samples, whose rows have flags."""

    texts: tuple[str, ...]
    leaves: tuple[str, ...]
    groups: tuple[str, ...]
    tickets: tuple[LabelledTicket, ...] = ()

    def flag(self, name: str) -> list[bool]:
        """Who carries a flag.

        Args:
            name: of the flag.

        Returns:
            One truth value a ticket.
        """
        return [name in ticket.flags for ticket in self.tickets]

    def some(self, most: int | None) -> "Side":
        """A random part, the same at every call.

        Args:
            most: at most so many rows; all where None.

        Returns:
            That part, in the same order.
        """
        rows = sorted(np.random.default_rng(_SEED).permutation(len(self.texts))[:most].tolist())
        parts = (self.texts, self.leaves, self.groups, self.tickets)
        return Side(*(tuple(part[row] for row in rows) if part else () for part in parts))


@dataclass(frozen=True)
class Task:
    """Learn `train`, predict `test`. `cut`: the texts are words with blanks between them."""

    name: str
    train: Side
    test: Side
    cut: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of all rows and labels, so that a kept result is not read as one of other rows."""
        rows = [[*map(text_hash, side.texts), *side.leaves] for side in (self.train, self.test)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def names(messages: Path | None) -> list[str]:
    """The tasks that can be run.

    Args:
        messages: outside texts as named on the command line; the benchmarks lie beside them.

    Returns:
        Our samples, and each benchmark that is there.
    """
    return [OURS, *(name for name in OUTSIDE if (file := _file(name, messages)) and file.is_file())]


def open_task(name: str, messages: Path | None, rows: int | None, held: int | None = None) -> Task:
    """Read a task.

    Args:
        name: one of `names`.
        messages: as for `names`.
        rows: at most so many training rows.
        held: at most so many rows to predict.

    Returns:
        The task.

    Raises:
        FileNotFoundError: the benchmark is not there.
    """
    if name == OURS:
        tickets = read_labelled([SAMPLES], load_policy().taxonomy).tickets
        sides = {split: _ours([ticket for ticket in tickets if ticket.split == split]) for split in ("train", "test")}
        return Task(name, sides["train"].some(rows), sides["test"].some(held))
    file = _file(name, messages)
    if file is None:
        raise FileNotFoundError(name)
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    cut = "words" in table.columns
    sides = {split: _theirs(part, "words" if cut else "text") for split, part in table.groupby("split")}
    return Task(name, sides["train"].some(rows), sides["test"].some(held), cut)


def _file(name: str, messages: Path | None) -> Path | None:
    path = outside_path(messages)
    return path.parent / f"{name}.csv.gz" if path else None


def _ours(tickets: Sequence[LabelledTicket]) -> Side:
    texts, leaves = [ticket.text for ticket in tickets], [ticket.category for ticket in tickets]
    return Side(tuple(texts), tuple(leaves), tuple(map(author_of, tickets)), tuple(tickets))


def _theirs(table: pd.DataFrame, column: str) -> Side:
    return Side(tuple(table[column]), tuple(table["label"]), tuple(table["id"]))
