"""What to label next: uncertain tickets, unlike each other, first of all those where rules and classifier disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.cascade import opinions
from model.document import read
from model.policy import Policy
from model.rule_classifier import judge
from model.rules import RuleBase
from model.taxonomy import Taxonomy
from model.ticket import Ticket

Matrix = NDArray[np.float64]
DISAGREE = 0.5  # how much more a ticket counts where rules and classifier disagree; twice that chose the same tickets
_CANDIDATES = 20  # for each ticket wanted, the most useful ones that are compared with each other


@dataclass(frozen=True)
class Judged:
    """n tickets as rules and classifier see them: masked `texts`, `codes`, `proba` (n, k), leaf of the rules or None."""

    tickets: tuple[Ticket, ...]
    texts: tuple[str, ...]
    codes: tuple[str, ...]
    proba: Matrix
    ruled: tuple[str | None, ...]

    @property
    def first(self) -> list[str]:
        """The leaf of each ticket, as the classifier sees it."""
        return [self.codes[column] for column in self.proba.argmax(axis=1)]

    @property
    def disagree(self) -> NDArray[np.bool_]:
        """Where rules fired for another leaf."""
        return np.array([rule not in (None, leaf) for rule, leaf in zip(self.ruled, self.first, strict=True)], bool)


@dataclass(frozen=True)
class Choice:
    """A ticket to label, with the two leaves between which the classifier wavers and what the rules say."""

    ticket: Ticket
    text: str
    first: tuple[str, float]
    second: tuple[str, float]
    ruled: str | None

    def why(self, taxonomy: Taxonomy) -> str:
        """The reason in one Chinese sentence.

        Args:
            taxonomy: gives the names.

        Returns:
            For the person who labels.
        """
        (one, sure), (other, less) = self.first, self.second
        told = f"分类器在「{taxonomy.leaf(one).name}」({sure:.2f})与「{taxonomy.leaf(other).name}」({less:.2f})之间"
        rules = f";规则认为是「{taxonomy.leaf(self.ruled).name}」" if self.ruled not in (None, one) else ""
        return f"{told}{rules}。"


def judge_tickets(tickets: Sequence[Ticket], policy: Policy, bundle: Bundle) -> Judged:
    """Let rules and classifier look at tickets.

    Args:
        tickets: n unlabelled tickets.
        policy: taxonomy and rules.
        bundle: the classifier.

    Returns:
        What they say.
    """
    limits, rules, codes = policy.decision, RuleBase(policy), policy.taxonomy.codes
    documents = [read(ticket, limits.max_characters, limits.head_characters) for ticket in tickets]
    verdicts = [judge(rules.hits(document), policy.taxonomy) for document in documents]
    found = opinions(bundle, documents, verdicts) if documents else []
    proba = np.array([[opinion.leaves.get(code, 0.0) for code in codes] for opinion in found]).reshape(-1, len(codes))
    ruled = tuple(verdict.first if verdict.fired_leaf else None for verdict in verdicts)
    return Judged(tuple(tickets), tuple(d.text for d in documents), tuple(codes), proba, ruled)


def choose(judged: Judged, matrix: Any, count: int) -> tuple[Choice, ...]:
    """Choose what to label.

    Args:
        judged: n tickets.
        matrix: sparse (n, terms), TF-IDF rows as the linear classifier makes them.
        count: how many are wanted.

    Returns:
        At most `count` choices, the most useful first.
    """
    rows = diverse(usefulness(judged.proba, judged.disagree), matrix, count)
    return tuple(_choice(judged, row) for row in rows)


def usefulness(proba: Matrix, disagree: NDArray[np.bool_], weight: float = DISAGREE) -> Matrix:
    """Uncertainty (1 - distance of the first two confidences), more where rules and classifier disagree.

    Args:
        proba: (n, k) confidences.
        disagree: (n,) truth values.
        weight: what disagreement adds, as a share.

    Returns:
        (n,) values, the higher the more useful.
    """
    best = np.sort(proba, axis=1)[:, -2:]
    return np.asarray((1 - (best[:, 1] - best[:, 0])) * (1 + weight * disagree))


def diverse(useful: Matrix, matrix: Any, count: int) -> list[int]:
    """Take one after the other; each makes those like it less useful by its cosine.

    Args:
        useful: (n,) values.
        matrix: sparse (n, terms); words and characters have length 1 each.
        count: how many.

    Returns:
        At most `count` rows in the order in which they were taken; of equal texts only one.
    """
    rows = np.argsort(-useful, kind="stable")[: count * _CANDIDATES]
    features, left = matrix[rows], useful[rows].copy()
    far = np.ones(len(rows))
    taken: list[int] = []
    while len(taken) < min(count, len(rows)):
        at = int((left * far).argmax())
        if left[at] * far[at] <= 0:
            break
        taken.append(int(rows[at]))
        alike = np.asarray((features @ features[[at]].T).todense()).ravel() / 2
        far = np.minimum(far, np.where(alike > 1 - 1e-6, 0.0, 1 - alike))
        far[at] = 0.0
    return taken


def _choice(judged: Judged, row: int) -> Choice:
    second, first = np.argsort(judged.proba[row], kind="stable")[-2:].tolist()
    sure = [(judged.codes[column], float(judged.proba[row, column])) for column in (first, second)]
    return Choice(judged.tickets[row], judged.texts[row], sure[0], sure[1], judged.ruled[row])
