"""Habits of our writing that a classifier learnt, before and after authors who wrote against them (see corpus.py)."""

from collections.abc import Sequence

import numpy as np

from model.policy import load_policy
from model.ticket import LabelledTicket
from training.fit import FitSettings, fit_classifier, prepare

POLICY = load_policy()
Tickets = Sequence[LabelledTicket]
_AGAINST_HABITS = ("a40", "a41")


def habits(tickets: Tickets) -> str:
    """What the classifier made of habits of our writing, before and after authors who wrote against them.

    Args:
        tickets: the corpus.

    Returns:
        A Markdown section.
    """
    watched = (
        ("hall.staff_attitude", "她"), ("other.field_conduct", "他"), ("other.misc", "谢谢"), ("safety", "快点"), ("safety", "!"),
    )  # fmt: skip
    weights = []
    for part in ([t for t in tickets if t.author not in _AGAINST_HABITS], tickets):
        data = prepare(part, POLICY)
        classifier = fit_classifier(data, range(len(part)), POLICY, FitSettings())
        names = list(classifier.grams_.words)
        rank = {t: np.argsort(np.argsort(-classifier.coefficients(t)[: len(names)])) for t, _ in watched}
        weights.append([int(rank[target][names.index(word)]) + 1 if word in names else 0 for target, word in watched])
    flips = [
        _flips([t for t in tickets if t.split == "train" and t.author not in left_out], tickets)
        for left_out in (_AGAINST_HABITS, ())
    ]
    lines = [
        "## Habits of our writing",
        "",
        f"Rank of a word among all words that speak for a target, before and after {' and '.join(_AGAINST_HABITS)} wrote "
        "against the habit (clerks were women and field staff men; non-complaints thanked; dangers shouted).",
        "",
        "| target | word | before | after |",
        "|---|---|---|---|",
        *(f"| {t} | {w} | {a} | {b} |" for (t, w), a, b in zip(watched, *weights, strict=True)),
        "",
        f"Conduct tickets of dev and test whose leaf changes when every 他 becomes 她 and the other way round: {flips[0]} before, {flips[1]} after.",
    ]
    return "\n".join(lines)


def _flips(train: Tickets, tickets: Tickets) -> str:
    """How many conduct tickets of dev and test change their leaf when pronouns are exchanged."""
    data = prepare(train, POLICY)
    classifier = fit_classifier(data, range(len(train)), POLICY, FitSettings())
    conduct = ("hall.staff_attitude", "other.field_conduct")
    texts = prepare([t for t in tickets if t.split != "train" and t.category in conduct], POLICY).texts
    swapped = [text.translate(str.maketrans("他她", "她他")) for text in texts]
    changed = classifier.predict(texts) != classifier.predict(swapped)
    return f"{int(changed.sum())} of {len(texts)}"
