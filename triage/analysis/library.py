"""The labelled tickets an analyst compares with: read and indexed once, then asked as often as needed."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd

from model.errors import NotFitted, UnreadableInput
from model.pipeline import Pipeline
from model.ticket import LabelledTicket
from training.dataset import read_labelled
from training.neighbours import Neighbour, Neighbourhood
from training.seen import learned_from

COLUMNS = ("id", "category", "category_name", "similarity", "text")


class Library:
    """Labelled tickets beside a bundle.

    Args:
        pipeline: its classifier tells what is alike.
        folder: a labelled file, or a folder of them.
    """

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline, self.folder = pipeline, folder

    @property
    def there(self) -> bool:
        """Whether there are tickets, and a bundle to compare them by."""
        return self.pipeline.bundle is not None and self.folder.exists()

    @cached_property
    def tickets(self) -> tuple[LabelledTicket, ...]:
        """All labelled tickets; rows that cannot be read are left out."""
        if not self.folder.exists():
            raise UnreadableInput(f"找不到已标注工单 {self.folder};请用 labelled= 给出标注文件或目录")
        return read_labelled([self.folder], self.pipeline.policy.taxonomy, skip_bad_rows=True).tickets

    @cached_property
    def _index(self) -> Neighbourhood:
        if self.pipeline.bundle is None:
            raise NotFitted("只有规则时不能找相似工单:请先训练模型包(triage train),或用 Triage.load(目录) 打开一个")
        return Neighbourhood(self.pipeline.bundle.classifier, self.tickets)

    def near(self, text: str, count: int) -> tuple[Neighbour, ...]:
        """Labelled tickets like a text.

        Args:
            text: as sent.
            count: how many, at least one.

        Returns:
            The nearest first; never the text itself.

        Raises:
            NotFitted: there is no bundle.
            UnreadableInput: there are no labelled tickets.
        """
        return self._index.near([text], count=count)[0]

    def learned(self, measured: Sequence[LabelledTicket]) -> tuple[LabelledTicket, ...]:
        """What the bundle learned from.

        Args:
            measured: left out.

        Returns:
            Its own tickets where they are here, else all; none where there is no folder.
        """
        return learned_from(self.pipeline, self.tickets, measured) if self.there else ()


def neighbour_frame(near: Sequence[Neighbour], names: Mapping[str, str]) -> pd.DataFrame:
    """Neighbours as a table.

    Args:
        near: nearest first.
        names: of leaves, by code.

    Returns:
        The columns `COLUMNS`; texts are masked, similarity is a cosine in [0, 1].
    """
    rows = [(n.id, n.category, names[n.category], round(n.similarity, 3), n.text) for n in near]
    return pd.DataFrame(rows, columns=list(COLUMNS))
