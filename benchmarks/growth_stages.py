"""Where the time goes at one point of a growth curve: the share of each stage, so that the next bottleneck has a name."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from growth_stored import SECRET, Linear, filled_store
from growth_words import words_and_labels
from growth_work import CHARACTERS, Work, at_length, median, texts_of

from model.cascade import second_opinions
from model.document import read
from model.features import features
from model.grams import Grams
from model.linear import LinearClassifier
from model.opinion import linear_opinions
from model.pipeline import Pipeline
from model.policy import BUILT_IN
from model.rule_classifier import judge
from model.ticket import Ticket
from serving.intake import Intake, incoming_from
from serving.store.tickets import add
from serving.store.writer import TicketWriter
from triage.triage import Triage

Shares = dict[str, float]
_TOGETHER = 16  # tickets that one transaction of the intake writes, about as many as under load


def of(curve: str, way: str, size: int, bundle: Path) -> Shares:
    """Shares of wall time by stage, at a size of a curve: `length`, `batch`, `stored`, `trained`."""
    if curve == "stored":
        return _of_intake(size, bundle)
    if curve == "trained":
        return _of_fit(size)
    length, count = (size, at_length(size)) if curve == "length" else (CHARACTERS, size)
    return _of_prediction(way, bundle, count=count, length=length)


def _of_prediction(way: str, bundle: Path, *, count: int, length: int) -> Shares:
    """Stages of batches on one core, run one after the other as the pipeline does."""
    os.sched_setaffinity(0, {0})
    pipeline = Triage.load(bundle).pipeline
    pipeline.warm()
    tickets = [Ticket(text) for text in texts_of(length, max(count, 64))]
    batches = [_Batch(pipeline, tickets[start : start + count], way) for start in range(0, len(tickets), count)]
    times = dict.fromkeys(batches[0].stages, 0.0)
    for name in times:
        times[name] = median(lambda name=name: [batch.stages[name]() for batch in batches])  # type: ignore[misc]
    times["n-grams and linear values"] = max(0.0, times["n-grams and linear values"] - times["cut into words"])
    whole = median(lambda: [pipeline.predict(batch.tickets, most=way) for batch in batches])
    times["decision, evidence, route"] = max(0.0, whole - sum(times.values()))
    return _shares(times)


class _Batch:
    """What each stage of one batch does, with what the stages before it leave."""

    def __init__(self, pipeline: Pipeline, tickets: list[Ticket], way: str) -> None:
        bundle, rules = pipeline.bundle, pipeline.rules
        assert bundle  # noqa: S101 - a bundle was named
        self.tickets = tickets
        documents = [read(ticket) for ticket in tickets]
        verdicts = [judge(rules.hits(document), pipeline.policy.taxonomy) for document in documents]
        found = linear_opinions(bundle, documents, verdicts)
        self.stages: dict[str, Work] = {
            "normalise and mask": lambda: [read(ticket) for ticket in tickets],
            "rules": lambda: [judge(rules.hits(d), pipeline.policy.taxonomy) for d in documents],
            "cut into words": lambda: [features(d.text, bundle.classifier.segmenter) for d in documents],
            "n-grams and linear values": lambda: linear_opinions(bundle, documents, verdicts),
        }
        second = bundle.second
        if way == "cascade" and second:
            late = [n for n, o in enumerate(found) if not second.exits.passes(o.leaves, o.cues)]
            chosen = ([documents[n] for n in late], [verdicts[n] for n in late], [found[n] for n in late])
            self.stages["encoder"] = lambda: second_opinions(second, *chosen) if late else None


def _of_intake(size: int, bundle: Path) -> Shares:
    """Stages of a transaction of the intake, on a store that holds so many tickets."""
    pipeline = Linear(bundle)
    times = {"predict and mask": 0.0, "known events": 0.0, "rows, outbox and audit": 0.0, "commit": 0.0}
    texts = texts_of(CHARACTERS, 50 * _TOGETHER)
    with filled_store(size) as database:
        intake = Intake(TicketWriter(database), pipeline, SECRET, 1, lambda: datetime.now(UTC))
        for start in range(0, len(texts), _TOGETHER):
            bodies = [{"ticket_id": f"g{start + n}", "content": t} for n, t in enumerate(texts[start:][:_TOGETHER])]
            moments = [time.perf_counter()]
            new = intake.make([intake._arrival(incoming_from(body), "benchmark") for body in bodies])
            moments.append(time.perf_counter())
            with database.write() as session:
                new = intake.complete(session, new)
                moments.append(time.perf_counter())
                add(session, new)
                session.flush()
                moments.append(time.perf_counter())
            moments.append(time.perf_counter())
            for place, name in enumerate(times):
                times[name] += moments[place + 1] - moments[place]
    return _shares(times)


def _of_fit(size: int) -> Shares:
    """Stages of fitting the linear classifier on so many tickets."""
    texts, labels, _, _ = words_and_labels(size)
    ours = LinearClassifier(BUILT_IN / "dictionary.txt")
    ours.warm()
    moments = [time.perf_counter()]
    prepared = ours.prepare(texts)
    moments.append(time.perf_counter())
    grams = Grams.learn(prepared, ours.max_ngram)
    moments.append(time.perf_counter())
    rows = grams.rows(prepared)
    moments.append(time.perf_counter())
    ours._separator().fit(rows, labels)
    moments.append(time.perf_counter())
    names = ("cut into words", "learn n-grams", "count n-grams", "LinearSVC (liblinear)")
    return _shares({name: moments[n + 1] - moments[n] for n, name in enumerate(names)})


def _shares(times: dict[str, float]) -> Shares:
    total = sum(times.values())
    return {name: seconds / total for name, seconds in times.items()}
