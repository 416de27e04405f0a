"""Suspect labels: what a person should look at again. Shown, never dropped; no label is changed. Reads top to bottom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.svm import LinearSVC

from model.grams import Grams
from model.linear import LinearClassifier
from model.policy import Policy
from model.taxonomy import Taxonomy
from model.ticket import LabelledTicket
from training.calibrate import fit_temperature
from training.confident import Confident, confident
from training.fit import FitSettings, check
from training.neighbours import Neighbour, masked
from training.split import author_folds, author_of

Matrix = NDArray[np.float64]
Columns = NDArray[np.int_]
Near = tuple[tuple[int, float], ...]  # rows of similar tickets with their cosine, nearest first
_NEAR = 30  # neighbours that vote
_SHOWN = 3  # neighbours that are shown
_NEAR_SHARE = 0.2  # weight of their vote beside the classifier, chosen in benchmarks/suspects.py
_PRIOR = 1e-3  # vote of nobody
_UNSEEN = -2.0  # decision value of a leaf that a fold's training side does not have
_AT_ONCE = 4_000_000  # similarities held in memory


@dataclass(frozen=True)
class Suspect:
    """A label to look at again.

    `confidence` is that of `proposed`, `given_confidence` that of the given leaf, from classifiers that never saw the
    ticket's author. `likely`: confident learning holds the label for wrong. `near`: the most similar tickets of others.
    """

    ticket: LabelledTicket
    text: str
    proposed: str
    confidence: float
    given_confidence: float
    doubt: float
    likely: bool
    near: tuple[Neighbour, ...]

    def why(self, taxonomy: Taxonomy) -> str:
        """The reason in one Chinese sentence.

        Args:
            taxonomy: gives the names.

        Returns:
            For the person who looks again.
        """
        given, other = taxonomy.leaf(self.ticket.category).name, taxonomy.leaf(self.proposed).name
        alike = sum(one.category == self.ticket.category for one in self.near)
        says = f"标为「{given}」({self.given_confidence:.2f}),没学过这位作者的分类器认为是「{other}」({self.confidence:.2f})"
        if not self.near:
            return f"{says}。"
        return f"{says};最相似的 {len(self.near)} 条他人工单中 {alike} 条标为「{given}」。"


@dataclass(frozen=True)
class Found:
    """All labels, the most doubtful first, and how many are estimated to be wrong."""

    suspects: tuple[Suspect, ...]
    errors: float


@dataclass(frozen=True)
class Data:
    """n labelled tickets as classifiers see them: masked `texts`, TF-IDF `rows` (n, terms), `given` (n,) columns of `codes`."""

    tickets: tuple[LabelledTicket, ...]
    codes: tuple[str, ...]
    texts: tuple[str, ...]
    rows: csr_matrix
    given: Columns = field(repr=False)


def find_suspects(
    asked: Sequence[LabelledTicket],
    beside: Sequence[LabelledTicket],
    policy: Policy,
    settings: FitSettings = FitSettings(),
    *,
    judged: Mapping[int, Mapping[str, float]] | None = None,
) -> Found:
    """Rank labels by how doubtful they are.

    Args:
        asked: tickets whose labels are looked at.
        beside: further labelled tickets to learn from, none of them among `asked`.
        policy: taxonomy and dictionary.
        settings: folds, strength, seed.
        judged: confidences by leaf, for rows of `asked` that a bundle judged which never learned from them.

    Returns:
        All of `asked`, the most doubtful first.

    Raises:
        InvalidLabels: fewer than two leaves or two authors.
    """
    tickets = (*asked, *beside)
    check(tickets)
    data = prepared(tickets, policy, settings)
    votes, near = neighbour_votes(data)
    proba = out_of_fold(data, settings)
    for row, leaves in (judged or {}).items():
        proba[row] = [leaves.get(code, 0.0) for code in data.codes]
    proba = joined(proba, votes)
    return _found(data, proba, confident(proba, data.given), near, len(asked))


def prepared(tickets: Sequence[LabelledTicket], policy: Policy, settings: FitSettings) -> Data:
    """Mask and cut the texts and count their words and characters, once for all folds: no label is looked at for that.

    Args:
        tickets: n labelled tickets.
        policy: taxonomy and dictionary.
        settings: longest n-gram.

    Returns:
        The data.
    """
    texts, codes = masked(tickets), policy.taxonomy.codes
    features = LinearClassifier(policy.dictionary).prepare(texts)
    rows = Grams.learn(features, settings.max_ngram).rows(features)
    given = np.array([codes.index(ticket.category) for ticket in tickets])
    return Data(tuple(tickets), tuple(codes), tuple(texts), rows, given)


def out_of_fold(data: Data, settings: FitSettings) -> Matrix:
    """Probabilities from classifiers that never saw a ticket's author.

    Args:
        data: n tickets.
        settings: folds, strength, seed.

    Returns:
        (n, k), rows sum to 1; the temperature is fitted on the given labels.
    """
    values: Matrix = np.full((len(data.tickets), len(data.codes)), _UNSEEN)
    for train, held in author_folds(data.tickets, settings.folds, settings.seed):
        known = np.unique(data.given[train])
        if len(known) > 1:
            separator = LinearSVC(C=settings.regularisation, class_weight="balanced", random_state=settings.seed)
            found = separator.fit(data.rows[train], data.given[train]).decision_function(data.rows[held])
            values[np.ix_(np.array(held), known)] = found if found.ndim > 1 else np.column_stack([-found, found])
    return np.asarray(softmax(values / fit_temperature(values, data.given), axis=1))


def neighbour_votes(data: Data) -> tuple[Matrix, list[Near]]:
    """What the most similar tickets of other authors are labelled.

    Args:
        data: n tickets.

    Returns:
        (n, k) shares of the votes, each weighing its squared cosine, rows sum to 1; and for each ticket the rows of the
        tickets nearest to it with their cosine, nearest first.
    """
    authors = np.unique([author_of(ticket) for ticket in data.tickets], return_inverse=True)[1]
    votes = np.full((len(data.tickets), len(data.codes)), _PRIOR)
    shown: list[Near] = []
    step = max(1, _AT_ONCE // len(data.tickets))
    for start in range(0, len(data.tickets), step):
        alike = similarities(data.rows[start : start + step], data.rows)
        alike[authors[start : start + step, None] == authors] = 0.0
        best = np.argsort(-alike, axis=1, kind="stable")[:, :_NEAR]
        weight = np.take_along_axis(alike, best, axis=1)
        rows = np.broadcast_to(np.arange(start, start + len(best))[:, None], best.shape)
        np.add.at(votes, (rows, data.given[best]), weight**2)
        shown += [_shown(*pair) for pair in zip(best, weight, strict=True)]
    return votes / votes.sum(axis=1, keepdims=True), shown


def similarities(asked: csr_matrix, known: csr_matrix) -> Matrix:
    """Cosine of TF-IDF rows, in which words and characters have length 1 each.

    Args:
        asked: (n, terms).
        known: (m, terms).

    Returns:
        (n, m) in [0, 1].
    """
    return np.asarray((asked @ known.T).toarray() / 2)


def joined(proba: Matrix, votes: Matrix, share: float = _NEAR_SHARE) -> Matrix:
    """Classifier and neighbours as a weighted geometric mean.

    Args:
        proba: (n, k) of the classifier.
        votes: (n, k) of the neighbours.
        share: weight of the neighbours, 0 to 1.

    Returns:
        (n, k), rows sum to 1.
    """
    logits = (1 - share) * np.log(np.maximum(proba, 1e-9)) + share * np.log(votes)
    return np.asarray(softmax(logits, axis=1))


def _shown(rows: Columns, weight: Matrix) -> Near:
    pairs = zip(rows.tolist(), weight.tolist(), strict=True)
    return tuple(pair for pair in pairs if pair[1] > 0)[:_SHOWN]


def _found(data: Data, proba: Matrix, doubts: Confident, near: list[Near], asked: int) -> Found:
    rows = sorted(range(asked), key=lambda row: -doubts.doubt[row])
    share = float(
        doubts.likely[:asked].sum() / max(1, doubts.likely.sum())
    )  # of the errors among all that was learned from
    return Found(tuple(_suspect(data, proba[row], doubts, near[row], row) for row in rows), share * doubts.errors)


def _suspect(data: Data, proba: Matrix, doubts: Confident, near: Near, row: int) -> Suspect:
    other = int(doubts.other[row])
    around = tuple(Neighbour(data.tickets[n].id, data.tickets[n].category, alike, data.texts[n]) for n, alike in near)
    sure = float(proba[other]), float(proba[data.given[row]])
    doubt, likely = float(doubts.doubt[row]), bool(doubts.likely[row])
    return Suspect(data.tickets[row], data.texts[row], data.codes[other], *sure, doubt, likely, around)
