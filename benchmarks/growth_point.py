"""One point of a growth curve, in a process of its own: `growth.py` starts it and reads the last line, a JSON object."""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from growth_words import words_and_labels
from growth_work import CHARACTERS, at_length, median, peak_mb, predictor, texts_of

Point = dict[str, float]


def main() -> None:
    """Measure the point that the command line names."""
    what, way, size, bundle = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    print(json.dumps(_measure(what, way, size, bundle)))


def _measure(what: str, way: str, size: int, bundle: Path) -> Point:
    if what == "stored":
        from growth_stored import stored  # here: each point's memory is its own

        return stored(way, size, bundle)
    if what.endswith(" stages"):
        import growth_stages

        return growth_stages.of(what.removesuffix(" stages"), way, size, bundle)
    points: dict[str, Callable[[str, int, Path], Point]] = {
        "length": _length,
        "batch": _batch,
        "cores": _cores,
        "trained": _trained,
    }
    return points[what](way, size, bundle)


def _length(way: str, size: int, bundle: Path) -> Point:
    os.sched_setaffinity(0, {0})
    count = at_length(size)
    work, texts = predictor(way, bundle), texts_of(size, count)
    return {"tickets/s": count / median(lambda: work(texts)), "MB": peak_mb()}


def _batch(way: str, size: int, bundle: Path) -> Point:
    os.sched_setaffinity(0, {0})
    work, texts = predictor(way, bundle), texts_of(CHARACTERS, max(256, size))  # the same ones in batches of any size
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    return {"tickets/s": len(texts) / median(lambda: [work(batch) for batch in batches]), "MB": peak_mb()}


def _cores(way: str, size: int, bundle: Path) -> Point:
    """So many processes, each on a core of its own, as `triage serve --workers` or actors do it; MB: of all together."""
    cores = sorted(os.sched_getaffinity(0))[:size]
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(size), context.Queue()
    workers = [context.Process(target=_on_core, args=(way, str(bundle), core, barrier, queue)) for core in cores]
    for worker in workers:
        worker.start()
    told = [queue.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    return {"tickets/s": sum(rate for rate, _ in told), "MB": sum(mb for _, mb in told)}


def _on_core(way: str, bundle: str, core: int, barrier: Any, queue: Any) -> None:
    os.sched_setaffinity(0, {core})
    work, texts = predictor(way, Path(bundle)), texts_of(CHARACTERS, 256)
    work(texts)
    barrier.wait()
    queue.put((256 / median(lambda: work(texts)), peak_mb()))


def _trained(way: str, size: int, _bundle: Path) -> Point:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score
    from sklearn.svm import LinearSVC

    from model.linear import LinearClassifier
    from model.policy import BUILT_IN

    texts, labels, test_texts, truth = words_and_labels(size)
    began = time.perf_counter()
    if way == "peer":
        vectorizer = TfidfVectorizer(analyzer=str.split, sublinear_tf=True)
        classifier = LinearSVC().fit(vectorizer.fit_transform(texts), labels)
        seconds = time.perf_counter() - began
        found = classifier.predict(vectorizer.transform(test_texts))
    else:
        ours = LinearClassifier(BUILT_IN / "dictionary.txt").fit(texts, labels)
        seconds = time.perf_counter() - began
        found = ours.predict(test_texts)
    return {"fit, s": seconds, "macro-F1": float(f1_score(truth, found, average="macro")), "MB": peak_mb()}


if __name__ == "__main__":
    main()
