"""Speed of the linear way beside a plain jieba + TF-IDF + predict_proba script, in the same run.

`python benchmarks/speed.py [--messages FILE] [--bundle DIR]`; without outside texts (`--messages` or
`TRIAGE_BENCH_DATA`) our own samples are used. Medians over repeats; ratios, since machines are noisy.
"""

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jieba
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from model.policy import load_policy
from model.rows import read_rows
from model.ticket import Ticket, ticket_from
from training.dataset import read_labelled
from triage.triage import Triage

SAMPLES = Path("data/samples")


def main() -> None:
    """Measure and print one table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=Path, default=_outside())
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    arguments = parser.parse_args()
    texts, origin = _texts(arguments.messages, arguments.limit)
    triage = Triage.load(arguments.bundle)
    triage.pipeline.warm()
    tickets = [Ticket(text) for text in texts]
    ours = _batch(lambda: triage.pipeline.predict(tickets))
    peer = _batch(_peer(texts))
    single = _single(lambda ticket: triage.pipeline.predict([ticket]), tickets[:300])
    lengths = sorted(map(len, texts))
    figures = {
        "texts": origin,
        "n": len(texts),
        "median_characters": lengths[len(lengths) // 2],
        "level": triage.pipeline.level,
        "tickets_per_s": round(len(texts) / ours),
        "peer_tickets_per_s": round(len(texts) / peer),
        "ratio": round(peer / ours, 2),
        "one_ticket_ms_p50": round(single[0], 2),
        "one_ticket_ms_p99": round(single[1], 2),
        "resident_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    for name, value in figures.items():
        print(f"{name:>22}  {value}")
    print(json.dumps(figures, ensure_ascii=False))


def _outside() -> Path | None:
    folder = os.environ.get("TRIAGE_BENCH_DATA")
    if not folder:
        print("没有 --messages 或 TRIAGE_BENCH_DATA:用本项目的样例测速")
        return None
    path = Path(folder)
    return path / "messages_unlabelled.jsonl.gz" if path.is_dir() else path


def _texts(path: Path | None, limit: int) -> tuple[list[str], str]:
    if path is None:
        return [t.text for t in read_labelled([SAMPLES], load_policy().taxonomy).tickets][:limit], "data/samples"
    rows = [row.value for row in read_rows(path) if not row.error]
    return [ticket_from(value).content for value in rows[:: max(1, len(rows) // limit)]][:limit], "--messages"


def _peer(texts: Sequence[str]) -> Callable[[], object]:
    """The script anybody would write: jieba words, TF-IDF, calibrated linear model, leaves only."""
    labelled = read_labelled([SAMPLES], load_policy().taxonomy).tickets
    vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, ngram_range=(1, 2))
    matrix = vectorizer.fit_transform([ticket.text for ticket in labelled])
    classifier = CalibratedClassifierCV(LinearSVC(), cv=3).fit(matrix, [ticket.category for ticket in labelled])
    return lambda: classifier.predict_proba(vectorizer.transform(texts))


def _batch(work: Callable[[], object], repeats: int = 5) -> float:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _single(work: Callable[[Ticket], object], tickets: Sequence[Ticket]) -> tuple[float, float]:
    milliseconds = []
    for ticket in tickets:
        began = time.perf_counter()
        work(ticket)
        milliseconds.append((time.perf_counter() - began) * 1000)
    ordered = sorted(milliseconds)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


if __name__ == "__main__":
    main()
