"""Speed of the linear way beside a plain jieba + TF-IDF + predict_proba script, in the same run.

`python benchmarks/speed.py [--messages FILE] [--bundle DIR] [--write docs/speed.md]`; without outside texts
(`--messages` or `TRIAGE_BENCH_DATA`) our own samples are used. Medians over repeats; ratios, since machines are noisy.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jieba
from outside import outside_texts
from page import publish
from served import served
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from model.document import read
from model.features import features
from model.policy import BUILT_IN, load_policy
from model.segmenter import Segmenter
from model.ticket import Ticket
from training.dataset import read_labelled
from triage.triage import BATCH, Triage

SAMPLES = Path("data/samples")
_LENGTHS = (500, 2_000, 8_000, 20_000)


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    texts, origin = outside_texts(arguments.messages, arguments.limit)
    triage = Triage.load(arguments.bundle)
    triage.pipeline.warm()
    rows = [
        ("texts", f"{len(texts)} from {origin}, median {statistics.median(map(len, texts)):.0f} characters"),
        ("answered by", triage.pipeline.level),
        *_batches(triage, texts),
        *_one(triage, texts),
        *_by_length(triage, texts),
        *_stages(triage, texts),
        ("texts that rjieba and jieba cut alike", _cuts(outside_texts(arguments.messages)[0])),
        *served(arguments.bundle, texts),
    ]
    lines = ["# Speed", "", "Made by `python benchmarks/speed.py --write docs/speed.md` on 2 cores.", ""]
    lines += ["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    publish(lines, arguments.write)


def _batches(triage: Triage, texts: Sequence[str]) -> list[tuple[str, str]]:
    tickets = [Ticket(text) for text in texts]
    chunks = [tickets[start : start + BATCH] for start in range(0, len(tickets), BATCH)]
    peer_work = _peer(texts)
    ours, peer = _in_turns(lambda: [triage.pipeline.predict(chunk) for chunk in chunks], peer_work)
    return [
        ("batch, one core: tickets/s (leaf, flags, safety, masking, evidence, route)", f"{len(texts) / ours:.0f}"),
        ("peer `jieba + TfidfVectorizer + predict_proba`: tickets/s (leaf only)", f"{len(texts) / peer:.0f}"),
        ("ratio", f"{peer / ours:.2f}"),
    ]


def _peer(texts: Sequence[str]) -> Callable[[], object]:
    """The script anybody would write: jieba words, TF-IDF, calibrated linear model, leaves only."""
    labelled = read_labelled([SAMPLES], load_policy().taxonomy).tickets
    vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, ngram_range=(1, 2))
    matrix = vectorizer.fit_transform([ticket.text for ticket in labelled])
    classifier = CalibratedClassifierCV(LinearSVC(), cv=3).fit(matrix, [ticket.category for ticket in labelled])
    return lambda: classifier.predict_proba(vectorizer.transform(texts))


def _in_turns(*works: Callable[[], object], repeats: int = 7) -> list[float]:
    """Median seconds of each, run in turns so that a busy moment of the machine meets all alike."""
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for number, work in enumerate(works):
            seconds[number].append(_seconds(work))
    return [statistics.median(times) for times in seconds]


def _one(triage: Triage, texts: Sequence[str]) -> list[tuple[str, str]]:
    times = sorted(_seconds(lambda text=text: triage.pipeline.predict([Ticket(text)])) * 1000 for text in texts)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    return [("one ticket in process: p50 / p99 ms", f"{p50:.2f} / {p99:.2f}")]


def _by_length(triage: Triage, texts: Sequence[str]) -> list[tuple[str, str]]:
    long = "。".join(texts)
    per_thousand = []
    for length in _LENGTHS:
        ticket = Ticket(long[:length])
        median = statistics.median(_seconds(lambda t=ticket: triage.pipeline.predict([t])) for _ in range(15))
        per_thousand.append(f"{median * 1000 / (length / 1000):.2f}")
    return [(f"ms for 1,000 characters at {' / '.join(map(str, _LENGTHS))} characters", " / ".join(per_thousand))]


def _stages(triage: Triage, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Which part of the way costs most."""
    tickets = [Ticket(text) for text in texts]
    documents = [read(ticket) for ticket in tickets]
    segmenter = Segmenter(BUILT_IN / "dictionary.txt")
    segmenter.warm()
    prepared = [features(document.text, segmenter) for document in documents]
    stages: dict[str, Callable[[], object]] = {
        "normalise and mask": lambda: [read(ticket) for ticket in tickets],
        "rules": lambda: [triage.pipeline.rules.hits(document) for document in documents],
        "cut": lambda: [features(document.text, segmenter) for document in documents],
    }
    if triage.pipeline.bundle:
        classifier = triage.pipeline.bundle.classifier
        stages["n-grams"] = lambda: classifier.matrix(prepared)
    times = zip(stages, _in_turns(*stages.values(), repeats=5), strict=True)
    return [(f"stage: {name}, ms a ticket", f"{seconds * 1000 / len(texts):.3f}") for name, seconds in times]


def _cuts(texts: Sequence[str]) -> str:
    ours, fallback = Segmenter(BUILT_IN / "dictionary.txt"), Segmenter(BUILT_IN / "dictionary.txt", fallback=True)
    masked = [read(Ticket(text)).text for text in texts]
    return f"{sum(ours.pieces(text) == fallback.pieces(text) for text in masked)} of {len(masked)}"


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
