"""What the points of growth curves share: who predicts, texts of a length, medians, the peak of memory."""

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from model.policy import BUILT_IN, load_policy
from training.dataset import read_labelled

CHARACTERS = 90  # of a text, where the length is not what is looked at
_SECONDS = 2.0  # a point is repeated at least so long
Work = Callable[[], object]
Predictor = Callable[[Sequence[str]], object]


def predictor(way: str, bundle: Path) -> Predictor:
    """The whole way of a ticket, by cascade or linear; or the peer's."""
    if way == "peer":
        return _peer()
    from model.ticket import Ticket
    from triage.triage import Triage

    pipeline = Triage.load(bundle).pipeline
    pipeline.warm()
    return lambda texts: pipeline.predict([Ticket(text) for text in texts], most=way)


def _peer() -> Predictor:
    """What anybody would write; leaves only."""
    import jieba
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    samples = _labelled()
    vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, ngram_range=(1, 2))
    matrix = vectorizer.fit_transform([text for text, _ in samples])
    classifier = CalibratedClassifierCV(LinearSVC(), cv=3).fit(matrix, [leaf for _, leaf in samples])
    return lambda texts: classifier.predict_proba(vectorizer.transform(texts))


def _labelled() -> list[tuple[str, str]]:
    return [(t.text, t.category) for t in read_labelled([Path("data/samples")], load_policy(BUILT_IN).taxonomy).tickets]


def texts_of(length: int, count: int) -> list[str]:
    """Texts of just that length: our samples one after the other, cut."""
    whole = "。".join(text for text, _ in _labelled())
    step = max(1, (len(whole) - length) // count)
    return [whole[start : start + length] for start in range(0, step * count, step)][:count]


def at_length(length: int) -> int:
    """How many texts of a length make a batch: about as many characters at any length."""
    return max(2, min(256, 60_000 // length))


def median(work: Work) -> float:
    """Seconds of a run, after one that does not count."""
    work()
    times: list[float] = []
    while sum(times) < _SECONDS or len(times) < 3:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def peak_mb() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
