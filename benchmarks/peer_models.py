"""Peers without an encoder, and what all peers share.

They read the raw text; the leaf and each flag have one classifier each, on the same features.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import joblib
from peer_tasks import Side, Task
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from model.taxonomy import FLAGS

FLAG_BALANCE = {"class_weight": "balanced"}  # a flag is rare: without it the peers' flag F1 is far lower


@dataclass(frozen=True)
class Effort:
    """How long encoders learn; the defaults are meant to end within 20 minutes on 2 cores and 1,500 rows."""

    layers: int = 12
    epochs: int = 4
    setfit_steps: int = 100
    own_layers: int = 6
    own_epochs: int = 5
    folds: int = 3


SMOKE = Effort(layers=2, epochs=1, setfit_steps=2, own_layers=2, own_epochs=1, folds=2)


@dataclass(frozen=True)
class Found:
    """Predicted leaves, and truth values for each flag; no flags where none were learned."""

    leaves: list[str]
    flags: dict[str, list[bool]] = field(default_factory=dict)


class Peer(Protocol):
    """A way to classify tickets."""

    def prepare(self, train: Side, work: Path) -> None:
        """What would be downloaded beforehand; not timed."""

    def fit(self, train: Side) -> None:
        """Learn; timed."""

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaf and flags; timed."""

    def save(self, folder: Path) -> None:
        """Write all that predicting needs; its size is measured."""


class Heads:
    """One classifier for the leaf and one for each flag on the same features.

    Args:
        make: makes an unfitted classifier; called with `class_weight` for a flag.
    """

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make

    def fit(self, rows: Any, train: Side, leaf: Any = None) -> None:
        """Learn.

        Args:
            rows: features.
            train: labels.
            leaf: a leaf classifier that is fitted already.
        """
        self.leaf = leaf or self.make().fit(rows, list(train.leaves))
        truths = {name: train.flag(name) for name in FLAGS if any(train.flag(name))}
        self.flags = {name: self.make(**FLAG_BALANCE).fit(rows, truth) for name, truth in truths.items()}
        self.known = bool(train.tickets)

    def predict(self, rows: Any) -> Found:
        """Leaf and flags.

        Args:
            rows: features.

        Returns:
            What was found; a flag without a training example is never raised.
        """
        leaves = [str(leaf) for leaf in self.leaf.predict(rows)]
        none = [False] * len(leaves)
        flags = {name: self.flags[name].predict(rows).tolist() if name in self.flags else none for name in FLAGS}
        return Found(leaves, flags if self.known else {})


class Tfidf:
    """TF-IDF and a linear support vector machine.

    Args:
        task: says whether texts are cut into words already.
        effort: not needed.
        vectorizer: characters or words.
        words: cut texts into words first.
    """

    def __init__(self, task: Task, effort: Effort, *, vectorizer: dict[str, Any], words: bool) -> None:  # noqa: ARG002
        self.cut: Callable[[Sequence[str]], Sequence[str]] = cutter(task) if words else lambda texts: texts
        self.vectorizer = TfidfVectorizer(sublinear_tf=True, **vectorizer)
        self.heads = Heads(LinearSVC)

    def prepare(self, train: Side, work: Path) -> None:
        """Nothing to get."""

    def fit(self, train: Side) -> None:
        """Learn."""
        self.heads.fit(self.vectorizer.fit_transform(self.cut(train.texts)), train)

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaf and flags."""
        return self.heads.predict(self.vectorizer.transform(self.cut(texts)))

    def save(self, folder: Path) -> None:
        """One joblib file."""
        joblib.dump((self.vectorizer, self.heads.leaf, self.heads.flags), folder / "tfidf.joblib")


class FastText:
    """fastText on words and their inner n-grams, one classifier for the leaf and one for each flag.

    Args:
        task: says whether texts are cut into words already.
        effort: not needed.
    """

    def __init__(self, task: Task, effort: Effort) -> None:  # noqa: ARG002
        self.cut = cutter(task)

    def prepare(self, train: Side, work: Path) -> None:
        """Nothing to get."""

    def fit(self, train: Side) -> None:
        """Learn."""
        lines = self.cut(train.texts)
        self.codes = sorted(set(train.leaves))
        self.leaf = _fasttext(lines, [self.codes.index(leaf) for leaf in train.leaves])
        self.flags = {name: _fasttext(lines, list(map(int, train.flag(name)))) for name in FLAGS if train.tickets}

    def predict(self, texts: Sequence[str]) -> Found:
        """Leaf and flags."""
        lines = self.cut(texts)
        leaves = [self.codes[number] for number in _labels(self.leaf, lines)]
        return Found(leaves, {n: [bool(label) for label in _labels(flag, lines)] for n, flag in self.flags.items()})

    def save(self, folder: Path) -> None:
        """A file for each classifier."""
        (folder / "codes.json").write_text(json.dumps(self.codes), encoding="utf-8")
        for name, classifier in {"leaf": self.leaf, **self.flags}.items():
            classifier.save_model(str(folder / f"{name}.bin"))


def cutter(task: Task) -> Callable[[Sequence[str]], list[str]]:
    """How texts become words with blanks between them.

    Args:
        task: says whether they are cut already.

    Returns:
        jieba with its own dictionary, or nothing but clean blanks.
    """
    if task.cut:
        return lambda texts: [" ".join(text.split()) for text in texts]
    import jieba

    jieba.setLogLevel(logging.ERROR)
    jieba.initialize()
    return lambda texts: [" ".join(" ".join(jieba.lcut(text)).split()) for text in texts]


def _fasttext(lines: Sequence[str], labels: Sequence[int]) -> Any:
    import fasttext

    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:  # it learns from a file only; gone at once
        file.writelines(f"__label__{label} {line}\n" for label, line in zip(labels, lines, strict=True))
        file.flush()
        return fasttext.train_supervised(
            file.name, lr=1.0, epoch=50, dim=50, minn=1, maxn=2, bucket=200_000, thread=1, verbose=0
        )


def _labels(classifier: Any, lines: Sequence[str]) -> list[int]:
    return [int(label[0].removeprefix("__label__")) for label in classifier.predict(list(lines))[0]]
