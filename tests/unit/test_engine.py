"""The engine: bounded queue, nearest deadline first, a time budget that steps down the ladder, bundles swapped."""

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from model.bundle import Bundle, Second
from model.calibration import Exits
from model.document import Document
from model.errors import BundleMissing, BundleRefused, Overloaded
from model.pipeline import Pipeline
from model.policy import Policy
from model.ticket import Ticket
from serving.engine.engine import Engine, Source
from serving.engine.figures import Figures
from serving.engine.folder import stamp
from serving.engine.options import EngineOptions
from serving.engine.pace import Breaker, Pace
from serving.engine.waiting import Job, Waiting

OUTAGE = Ticket("停电三小时了没人管")


class SlowEncoder:
    """An encoder that takes its time and knows nothing."""

    def __init__(self, classes: Sequence[str], seconds: float) -> None:
        self.classes_, self.cues_, self.seconds = np.array(classes), (), seconds
        self.calls = 0

    def scores(self, documents: Sequence[Document]) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        time.sleep(self.seconds)
        return np.zeros((len(documents), len(self.classes_))), np.zeros((len(documents), 0))


def cascade(bundle: Bundle, seconds: float) -> tuple[Pipeline, SlowEncoder]:
    """A cascade without early exits whose encoder takes so long for each batch."""
    encoder = SlowEncoder([str(code) for code in bundle.classifier.classes_], seconds)
    second = Second(encoder, bundle.calibration, Exits({}, {}))  # type: ignore[arg-type]
    return Pipeline(bundle.policy, replace(bundle, source="cascade", second=second)), encoder


Begin = Callable[..., Engine]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Starts engines, and stops them at the end."""
    running: list[Engine] = []

    def start(pipeline: Pipeline, **changes: object) -> Engine:
        renew = changes.pop("renew", lambda: pipeline)
        folder = changes.pop("folder", None)
        source = Source(lambda: pipeline, renew, lambda: folder)  # type: ignore[arg-type, return-value]
        options = replace(EngineOptions(), **{"budget_ms": 30_000, **changes})  # type: ignore[arg-type]
        engine = Engine(source, options, Figures(CollectorRegistry()))
        engine.start()
        running.append(engine)
        return engine

    yield start
    for engine in running:
        engine.stop()


class Clock:
    """Time that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def _job(deadline: float, *, explain: bool = False, size: int = 100) -> Job:
    return Job(OUTAGE, explain, size, 0.0, deadline)


def test_the_engine_predicts_what_the_pipeline_predicts(begin: Begin, linear_pipeline: Pipeline) -> None:
    tickets = [OUTAGE, Ticket("这个月电费比上个月多了一倍"), Ticket("申请校表一直没人来")] * 20
    found = begin(linear_pipeline).predict(tickets)
    wanted = linear_pipeline.predict(tickets)
    assert [(p.category.code, p.decision) for p in found] == [(p.category.code, p.decision) for p in wanted]
    assert np.allclose([p.category.confidence for p in found], [p.category.confidence for p in wanted])


def test_the_nearest_deadline_is_taken_first_and_manners_are_not_mixed() -> None:
    waiting = Waiting(EngineOptions())
    waiting.put([_job(3), _job(1), _job(2), _job(4, explain=True)])
    assert [job.deadline for job in waiting.take(lambda: 1e9)] == [1, 2, 3]
    assert [job.deadline for job in waiting.take(lambda: 1e9)] == [4]


def test_a_batch_is_bounded_in_tickets_and_in_characters() -> None:
    waiting = Waiting(EngineOptions(batch=3, characters=1000))
    waiting.put([_job(n, size=size) for n, size in enumerate((100, 100, 100, 900, 200, 5000, 100))])
    assert [len(waiting.take(lambda: 1e9)) for _ in range(5)] == [3, 1, 1, 1, 1]


def test_a_full_queue_takes_all_tickets_of_a_request_or_none() -> None:
    waiting = Waiting(EngineOptions(queue=3))
    waiting.put([_job(1), _job(1)])
    with pytest.raises(Overloaded):
        waiting.put([_job(1), _job(1)])
    assert len(waiting) == 2
    waiting.put([_job(1)])


def test_a_slow_encoder_is_given_up_in_time_and_the_linear_classifier_answers(begin: Begin, bundle: Bundle) -> None:
    pipeline, encoder = cascade(bundle, 0.0)
    engine = begin(pipeline)
    assert engine.predict([OUTAGE])[0].answered_by == "encoder"
    encoder.seconds = 3.0
    began = time.monotonic()
    (found,) = engine.predict([OUTAGE], budget_ms=800)
    assert time.monotonic() - began < 2.0
    assert (found.answered_by, found.category.code) == ("linear", "other.outage")
    assert "over_time" in found.reasons


def test_a_rung_that_is_out_of_time_twice_is_closed_and_tried_again_after_a_rest(begin: Begin, bundle: Bundle) -> None:
    pipeline, encoder = cascade(bundle, 0.0)
    engine = begin(pipeline, rest_seconds=0.5)
    encoder.seconds = 0.6
    for _ in range(2):
        engine.predict([OUTAGE], budget_ms=400)
    assert (engine.level, engine.reason) == ("linear", "over_time")
    calls = encoder.calls
    assert engine.predict([OUTAGE])[0].answered_by == "linear"
    assert encoder.calls == calls
    encoder.seconds = 0.0
    time.sleep(0.7)
    assert engine.predict([OUTAGE])[0].answered_by == "encoder"
    assert (engine.level, engine.reason) == ("cascade", None)


def test_calls_out_of_time_are_bounded(begin: Begin, bundle: Bundle) -> None:
    pipeline, encoder = cascade(bundle, 0.0)
    engine = begin(pipeline, workers=1, stuck=1, rest_seconds=0.0)
    before, encoder.calls, encoder.seconds = threading.active_count(), 0, 5.0
    found = [engine.predict([OUTAGE], budget_ms=300)[0] for _ in range(6)]
    assert {p.answered_by for p in found} == {"linear"}
    assert encoder.calls <= 2
    assert threading.active_count() <= before + 2


def test_rules_answer_where_there_is_time_for_nothing_else(begin: Begin, linear_pipeline: Pipeline) -> None:
    engine = begin(linear_pipeline)
    engine.predict([OUTAGE])
    engine._ladder._paces["linear"].note(1, 10.0)  # ten seconds a character: a machine that is very busy
    (found,) = engine.predict([OUTAGE], budget_ms=500)
    assert (found.answered_by, found.decision) == ("rules", "fallback")
    assert "over_time" in found.reasons
    assert "model_unavailable" not in found.reasons


def test_a_ticket_whose_caller_has_gone_is_not_predicted(begin: Begin, bundle: Bundle) -> None:
    pipeline, encoder = cascade(bundle, 0.5)
    engine = begin(pipeline, workers=1)
    first = engine.submit([OUTAGE], explain=False, budget_ms=None)[0]
    while not first.running():
        time.sleep(0.01)
    gone = engine.submit([OUTAGE], explain=False, budget_ms=None)[0]
    assert gone.cancel()
    first.result()
    engine.stop()
    assert encoder.calls == 2  # warming and the first


def test_stopping_answers_what_waits_and_takes_in_nothing_more(begin: Begin, bundle: Bundle) -> None:
    pipeline, _ = cascade(bundle, 0.1)
    engine = begin(pipeline, workers=1, batch=1)
    futures = engine.submit([OUTAGE] * 5, explain=False, budget_ms=None)
    engine.stop()
    assert all(future.done() for future in futures)
    assert {future.result().answered_by for future in futures} == {"encoder"}
    with pytest.raises(Overloaded):
        engine.predict([OUTAGE])


def test_a_former_pipeline_is_freed_when_its_batches_are_done(begin: Begin, bundle: Bundle, policy: Policy) -> None:
    former = Pipeline(bundle.policy, bundle)
    gone = weakref.ref(former)
    engine = begin(Pipeline(policy))
    engine.swap(former)
    del former
    assert engine.predict([OUTAGE])[0].answered_by == "linear"
    engine.swap(Pipeline(policy))
    assert engine.predict([OUTAGE])[0].answered_by == "rules"
    until = time.monotonic() + 5
    while gone() is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert gone() is None


def test_a_refused_bundle_keeps_the_one_in_use(begin: Begin, linear_pipeline: Pipeline, policy: Policy) -> None:
    def refuse() -> Pipeline:
        raise BundleRefused("damaged")

    engine = begin(linear_pipeline, renew=refuse)
    with pytest.raises(BundleRefused):
        engine.reload()
    assert engine.refused
    assert engine.pipeline is linear_pipeline
    with pytest.raises(BundleMissing):
        begin(linear_pipeline, renew=lambda: Pipeline(policy)).reload()


def test_a_folder_looks_different_when_a_file_of_it_was_written(tmp_path: Path) -> None:
    assert stamp(None) is stamp(tmp_path) is stamp(tmp_path / "nothing") is None
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    first = stamp(tmp_path)
    assert first == stamp(tmp_path) is not None
    (tmp_path / "manifest.json").write_text("{ }", encoding="utf-8")
    assert stamp(tmp_path) != first


def test_a_pace_follows_measurements_and_forgets_a_wrong_one() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert (pace.expect(100), pace.most(1)) == (0, float("inf"))
    pace.note(100, 2.0)
    assert pace.expect(200) == pytest.approx(4.0)
    assert pace.most(1.0) == pytest.approx(50)
    clock.now += 10
    assert pace.expect(100) == pytest.approx(1.0)
    pace.note(100, 1.0)
    assert pace.expect(100) == pytest.approx(1.0)


def test_a_breaker_lets_one_trial_through_for_each_rest() -> None:
    clock = Clock()
    breaker = Breaker(10, clock)
    breaker.note(in_time=False)
    assert breaker.admits()
    breaker.note(in_time=False)
    assert breaker.closed
    assert not breaker.admits()
    clock.now += 11
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.note(in_time=True)
    assert not breaker.closed
