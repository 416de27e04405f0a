"""How the classifier does in this office: what it was asked, what people changed, whether its confidence holds."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from serving.events.arrival import arrived
from serving.store.columns import Json
from serving.store.reading import time_word
from serving.store.tables import Review, StoredPrediction, StoredTicket
from serving.store.tickets import DELETED

BINS = 10
SMALL = 5  # a cell of fewer tickets shows counts only
Judged = tuple[str, float, str]  # predicted leaf, its confidence, the leaf that a person decided


def usage(session: Session, until: datetime, days: int) -> Json:
    """Figures of the last days, beside those of as many days before.

    Args:
        session: reads.
        until: the end, exclusive.
        days: how many.

    Returns:
        `tickets` and `before`, each with numbers by leaf and by decision; `reviews`: how often people kept the leaf
        that was predicted, by leaf; `reliability`: the same by confidence, in bins of equal width. People mostly look
        at tickets of low confidence, so the last two say nothing of those that nobody looked at.
    """
    since = until - timedelta(days=days)
    judged = _judged(session, since, until)
    return {
        "since": time_word(since),
        "until": time_word(until),
        "tickets": _mix(session, since, until),
        "before": _mix(session, since - timedelta(days=days), since),
        "reviews": kept_by_leaf(judged),
        "reliability": reliability(judged),
    }


def kept_by_leaf(judged: Iterable[Judged]) -> list[Json]:
    """How often people kept what was predicted.

    Args:
        judged: n reviewed tickets.

    Returns:
        `category` as predicted, `n`, `kept` and the `share`, which is None under five; the largest first.
    """
    seen: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for predicted, _, decided in judged:
        seen[predicted] += 1
        kept[predicted] += predicted == decided
    return [
        {"category": leaf, "n": n, "kept": kept[leaf], "share": kept[leaf] / n if n >= SMALL else None}
        for leaf, n in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def reliability(judged: Iterable[Judged]) -> list[Json]:
    """Whether confidences hold what they promise.

    Args:
        judged: n reviewed tickets.

    Returns:
        `low`, `high`, `n`, mean `confidence` and `accuracy` (None under five) of each bin that holds a ticket.
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for predicted, confidence, decided in judged:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, predicted == decided))
    return [_bin(number, found) for number, found in sorted(bins.items())]


def _bin(number: int, found: list[tuple[float, bool]]) -> Json:
    n, enough = len(found), len(found) >= SMALL
    return {
        "low": number / BINS,
        "high": (number + 1) / BINS,
        "n": n,
        "confidence": sum(confidence for confidence, _ in found) / n if enough else None,
        "accuracy": sum(right for _, right in found) / n if enough else None,
    }


def _mix(session: Session, since: datetime, until: datetime) -> Json:
    wanted = (
        select(StoredTicket.category, StoredTicket.decision, func.count())
        .where(arrived() >= since, arrived() < until, StoredTicket.status != DELETED)
        .group_by(StoredTicket.category, StoredTicket.decision)
    )
    leaves: Counter[str] = Counter()
    decisions: Counter[str] = Counter()
    for leaf, decision, count in session.execute(wanted):
        leaves[leaf] += count
        decisions[decision] += count
    return {"n": leaves.total(), "leaves": dict(leaves.most_common()), "decisions": dict(decisions)}


def _judged(session: Session, since: datetime, until: datetime) -> list[Judged]:
    """Each ticket that was reviewed in the time: its first prediction and its last review."""
    last = select(func.max(Review.id)).where(Review.made_at >= since, Review.made_at < until).group_by(Review.ticket_id)
    first = (
        select(StoredPrediction.ticket_id, func.min(StoredPrediction.id).label("id"))
        .group_by(StoredPrediction.ticket_id)
        .subquery()
    )
    leaf: Any = StoredPrediction.body["category"]
    wanted = (
        select(leaf["code"].as_string(), leaf["confidence"].as_float(), Review.category)
        .join(first, first.c.ticket_id == Review.ticket_id)
        .join(StoredPrediction, StoredPrediction.id == first.c.id)
        .where(Review.id.in_(last))
    )
    return [(code, confidence, decided) for code, confidence, decided in session.execute(wanted)]
