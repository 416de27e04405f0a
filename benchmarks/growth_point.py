"""One point of a growth curve, in a process of its own: `growth.py` starts it and reads the last line, a JSON object."""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

_CHARACTERS = 90
_SECONDS = 2.0  # a point is repeated at least so long
Work = Callable[[], object]


def main() -> None:
    """Measure the point that the command line names."""
    what, way, size, bundle = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    point = {
        "length": _length,
        "batch": _batch,
        "cores": _cores,
        "stored": _stored,
        "trained": _trained,
        "kernels": _kernels,
    }
    print(json.dumps(point[what](way, size, bundle)))


def _length(way: str, size: int, bundle: Path) -> dict[str, float]:
    os.sched_setaffinity(0, {0})
    count = max(2, min(256, 60_000 // size))
    work = _predictor(way, bundle)
    texts = _texts(count, size)
    return {"tickets/s": count / _median(lambda: work(texts)), "MB": _peak()}


def _batch(way: str, size: int, bundle: Path) -> dict[str, float]:
    os.sched_setaffinity(0, {0})
    work = _predictor(way, bundle)
    texts = _texts(max(256, size), _CHARACTERS)  # the same ones in batches of any size
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    return {"tickets/s": len(texts) / _median(lambda: [work(batch) for batch in batches]), "MB": _peak()}


def _cores(way: str, size: int, bundle: Path) -> dict[str, float]:
    """So many processes, each on a core of its own, as `triage serve --workers` or actors do it."""
    import multiprocessing

    cores = sorted(os.sched_getaffinity(0))[:size]
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(size), context.Queue()
    workers = [context.Process(target=_on_core, args=(way, str(bundle), core, barrier, queue)) for core in cores]
    for worker in workers:
        worker.start()
    rates = [queue.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    return {"tickets/s": sum(rates)}


def _on_core(way: str, bundle: str, core: int, barrier: "object", queue: "object") -> None:
    os.sched_setaffinity(0, {core})
    work, texts = _predictor(way, Path(bundle)), _texts(256, _CHARACTERS)
    work(texts)
    barrier.wait()  # type: ignore[attr-defined]
    queue.put(256 / _median(lambda: work(texts)))  # type: ignore[attr-defined]


def _stored(_way: str, size: int, bundle: Path) -> dict[str, float]:
    """Intake and the first page of the queue on SQLite, after so many tickets."""
    from concurrent.futures import ThreadPoolExecutor

    from report import fill

    from model.pipeline import Pipeline
    from serving.intake import Intake, incoming_from
    from serving.store.queue import Filters, Slice, page
    from serving.store.writer import TicketWriter
    from triage.compose import build_pipeline, build_store
    from triage.settings import Settings

    pipeline: Pipeline = build_pipeline(Settings(), bundle)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIAGE_DATABASE_URL"] = f"sqlite:///{folder}/triage.db"
        fill(size)
        database = build_store(Settings())
        intake = Intake(TicketWriter(database), pipeline, b"benchmark-secret", 1, lambda: datetime.now(UTC))
        bodies = [{"ticket_id": f"g{n}", "content": text} for n, text in enumerate(_texts(500, _CHARACTERS))]
        began = time.perf_counter()
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda body: intake.take_in(incoming_from(body), "benchmark"), bodies))
        rate = len(bodies) / (time.perf_counter() - began)
        now = datetime.now(UTC)
        with database.read() as session:
            first = _median(lambda: page(session, Filters(status="open"), Slice(), now))
        size_mb = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        database.close()
    return {"intake/s": rate, "first page of the queue, ms": 1000 * first, "file, MB": size_mb, "MB": _peak()}


def _trained(way: str, size: int, _bundle: Path) -> dict[str, float]:
    import pandas as pd
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score
    from sklearn.svm import LinearSVC

    from model.linear import LinearClassifier
    from model.policy import BUILT_IN

    frame = pd.read_csv(Path(os.environ["TRIAGE_BENCH_DATA"]) / "benchmark_segmented.csv.gz")
    train, test = (
        frame[frame["split"] == "train"].sample(frac=1, random_state=0)[:size],
        frame[frame["split"] == "test"],
    )
    began = time.perf_counter()
    if way == "peer":
        vectorizer = TfidfVectorizer(analyzer=str.split, sublinear_tf=True)
        classifier = LinearSVC().fit(vectorizer.fit_transform(train["words"]), train["label"])
        seconds = time.perf_counter() - began
        found = classifier.predict(vectorizer.transform(test["words"]))
    else:
        ours = LinearClassifier(BUILT_IN / "dictionary.txt").fit(list(train["words"]), list(train["label"]))
        seconds = time.perf_counter() - began
        found = ours.predict(list(test["words"]))
    return {"fit, s": seconds, "macro-F1": float(f1_score(test["label"], found, average="macro")), "MB": _peak()}


def _kernels(way: str, size: int, bundle: Path) -> dict[str, float]:
    """Share of each stage of one batch. Stages are run one after the other, as the pipeline does."""
    from model.cascade import second_opinions
    from model.document import read
    from model.features import features
    from model.opinion import linear_opinions
    from model.rule_classifier import judge
    from model.ticket import Ticket
    from triage.triage import Triage

    os.sched_setaffinity(0, {0})
    pipeline = Triage.load(bundle).pipeline
    pipeline.warm()
    tickets = [Ticket(text) for text in _texts(size, _CHARACTERS)]
    documents = [read(ticket) for ticket in tickets]
    verdicts = [judge(pipeline.rules.hits(document), pipeline.policy.taxonomy) for document in documents]
    assert pipeline.bundle  # noqa: S101 - a bundle was named
    classifier, found = pipeline.bundle.classifier, linear_opinions(pipeline.bundle, documents, verdicts)
    stages: dict[str, Work] = {
        "normalise and mask": lambda: [read(ticket) for ticket in tickets],
        "rules": lambda: [judge(pipeline.rules.hits(d), pipeline.policy.taxonomy) for d in documents],
        "cut into words": lambda: [features(d.text, classifier.segmenter) for d in documents],
    }
    cut = _median(stages["cut into words"])
    times = {name: _median(work) for name, work in stages.items()}
    times["n-grams and linear values"] = max(
        0.0, _median(lambda: linear_opinions(pipeline.bundle, documents, verdicts)) - cut
    )
    second = pipeline.bundle.second
    if way == "cascade" and second:
        late = [n for n, o in enumerate(found) if not second.exits.passes(o.leaves, o.cues)]
        chosen = ([documents[n] for n in late], [verdicts[n] for n in late], [found[n] for n in late])
        times["encoder"] = _median(lambda: second_opinions(second, *chosen))
    whole = _median(lambda: pipeline.predict(tickets, most=way))
    times["decision, evidence, route"] = max(0.0, whole - sum(times.values()))
    total = sum(times.values())
    return {name: seconds / total for name, seconds in times.items()}


def _predictor(way: str, bundle: Path) -> Callable[[Sequence[str]], object]:
    if way == "peer":
        return _peer()
    from model.ticket import Ticket
    from triage.triage import Triage

    pipeline = Triage.load(bundle).pipeline
    pipeline.warm()
    return lambda texts: pipeline.predict([Ticket(text) for text in texts], most=way)


def _peer() -> Callable[[Sequence[str]], object]:
    import jieba
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    labelled = _labelled()
    vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, ngram_range=(1, 2))
    matrix = vectorizer.fit_transform([text for text, _ in labelled])
    classifier = CalibratedClassifierCV(LinearSVC(), cv=3).fit(matrix, [leaf for _, leaf in labelled])
    return lambda texts: classifier.predict_proba(vectorizer.transform(texts))


def _labelled() -> list[tuple[str, str]]:
    from model.policy import load_policy
    from training.dataset import read_labelled

    return [(t.text, t.category) for t in read_labelled([Path("data/samples")], load_policy().taxonomy).tickets]


def _texts(count: int, length: int) -> list[str]:
    """Texts of just that length: our samples one after the other, cut."""
    whole = "。".join(text for text, _ in _labelled())
    step = max(1, (len(whole) - length) // count)
    return [whole[start : start + length] for start in range(0, step * count, step)][:count]


def _median(work: Work) -> float:
    work()
    times: list[float] = []
    while sum(times) < _SECONDS or len(times) < 3:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
