"""Fit the linear classifier and write its bundle. Reads from top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.bundle import Contents, save_bundle
from model.calibration import ALSO, CUES, ROLES, Calibration
from model.document import Document, read
from model.errors import InvalidLabels
from model.linear import LinearClassifier
from model.policy import Policy
from model.rule_classifier import RuleVerdict, judge
from model.rules import RuleBase
from model.taxonomy import FLAGS, THEFT_ROLES
from model.ticket import LabelledTicket, Ticket
from training.calibrate import Held, RulesRead, calibrate
from training.card import about, model_card
from training.split import author_folds, author_of

Progress = Callable[[str], None]
READ_FOR_LEAVES = ("a01", "a02", "a03", "a04", "a05", "a06", "a09")
READ_FOR_CUES = (
    *(*READ_FOR_LEAVES, "a10", "a11", "a12", "a13", "a17", "a18", "a19", "a20", "a21", "a25"),
    *("a26", "a27", "a28", "a29", "a31"),
)
_SEEDS = 2**32  # that scikit-learn takes
READ = RulesRead(leaves=READ_FOR_LEAVES, cues=READ_FOR_CUES)


@dataclass(frozen=True)
class FitSettings:
    """How a linear classifier is fitted. `read`: authors whose tickets the rule writer has read."""

    folds: int = 5
    regularisation: float = 0.5
    max_ngram: int = 3
    seed: int = 0
    read: RulesRead = READ

    def __post_init__(self) -> None:
        if self.folds < 2 or self.max_ngram < 1 or not 0 <= self.seed < _SEEDS or not 0 < self.regularisation < inf:
            raise ValueError("folds 至少 2,max_ngram 至少 1,regularisation 须大于 0,seed 须在 0 与 4294967295 之间")


@dataclass(frozen=True)
class Prepared:
    """Labelled tickets with their documents and what the rules say of them."""

    tickets: tuple[LabelledTicket, ...]
    documents: tuple[Document, ...]
    verdicts: tuple[RuleVerdict, ...]

    @property
    def texts(self) -> list[str]:
        """The masked texts."""
        return [document.text for document in self.documents]

    @property
    def leaves(self) -> list[str]:
        """The labelled leaves."""
        return [ticket.category for ticket in self.tickets]


def fit_bundle(
    tickets: Sequence[LabelledTicket],
    policy: Policy,
    output: Path,
    settings: FitSettings,
    *,
    key: str | None = None,
    progress: Progress = print,
) -> str:
    """Fit on labelled tickets and save the bundle.

    Args:
        tickets: the training side, at least two authors and two leaves.
        policy: taxonomy, rules, thresholds.
        output: folder of the bundle.
        settings: folds, strength, seed.
        key: signs the manifest where given.
        progress: told what goes on.

    Returns:
        The bundle's id.

    Raises:
        InvalidLabels: fewer than two leaves or two tickets.
    """
    part = fit_linear(tickets, policy, settings, progress=progress)
    description = about(tickets, asdict(settings), part.metrics)
    card = model_card(tickets, part.metrics, policy)
    contents = Contents("linear", part.classifier, part.calibration, policy, description, card)
    return save_bundle(contents, output, key)


@dataclass(frozen=True)
class LinearPart:
    """A fitted and calibrated linear classifier, with the out-of-fold values that calibrated it."""

    data: Prepared
    held: Held
    classifier: LinearClassifier
    calibration: Calibration
    metrics: dict[str, float]


def fit_linear(
    tickets: Sequence[LabelledTicket], policy: Policy, settings: FitSettings, *, progress: Progress = print
) -> LinearPart:
    """Fit and calibrate the linear classifier.

    Args:
        tickets: the training side.
        policy: taxonomy, rules, thresholds.
        settings: folds, strength, seed.
        progress: told what goes on.

    Returns:
        The classifier and what its calibration rests on.

    Raises:
        InvalidLabels: fewer than two leaves or two authors.
    """
    check(tickets)
    progress(f"读取 {len(tickets)} 条工单,{len({author_of(t) for t in tickets})} 位作者")
    data = prepare(tickets, policy)
    progress(f"线性分类器:按作者 {settings.folds} 折训练,用于校准")
    held = out_of_fold(data, policy, settings)
    temperature, calibration, metrics = calibrate(held, policy, settings.read)
    progress("线性分类器:训练最终分类器")
    classifier = fit_classifier(data, range(len(tickets)), policy, settings)
    classifier.temperature_ = temperature
    return LinearPart(data, held, classifier, calibration, metrics)


def check(tickets: Sequence[LabelledTicket]) -> None:
    """Whether there is enough to learn from.

    Args:
        tickets: the training side.

    Raises:
        InvalidLabels: fewer than two leaves or two authors.
    """
    if len({ticket.category for ticket in tickets}) < 2 or len({author_of(ticket) for ticket in tickets}) < 2:
        raise InvalidLabels(f"训练部分只有 {len(tickets)} 条工单,至少要有两个类别、两条工单;请检查 split 与 --data", [])


def prepare(tickets: Sequence[LabelledTicket], policy: Policy) -> Prepared:
    """Mask the texts and let the rules look at them.

    Args:
        tickets: labelled tickets.
        policy: gives the rules.

    Returns:
        Tickets, documents and verdicts, row by row.
    """
    rules = RuleBase(policy)
    documents = tuple(
        read(Ticket(ticket.text), policy.decision.max_characters, policy.decision.head_characters) for ticket in tickets
    )
    return Prepared(
        tuple(tickets), documents, tuple(judge(rules.hits(document), policy.taxonomy) for document in documents)
    )


def fit_classifier(
    data: Prepared, rows: Sequence[int] | range, policy: Policy, settings: FitSettings
) -> LinearClassifier:
    """Fit on some rows.

    Args:
        data: everything.
        rows: which rows to learn from.
        policy: gives the dictionary.
        settings: strength, n-grams, seed.

    Returns:
        The classifier, not yet calibrated.
    """
    classifier = LinearClassifier(
        policy.dictionary, regularisation=settings.regularisation, max_ngram=settings.max_ngram, seed=settings.seed
    )
    tickets = [data.tickets[row] for row in rows]
    texts = [data.documents[row].text for row in rows]
    names = (*CUES, *(ROLES + role for role in THEFT_ROLES), *(ALSO + code for code in policy.taxonomy.codes))
    cues = {name: [truth(ticket, name) for ticket in tickets] for name in names}
    return classifier.fit(texts, [ticket.category for ticket in tickets], cues)


def out_of_fold(data: Prepared, policy: Policy, settings: FitSettings) -> Held:
    """Decision values for each ticket from a classifier that never saw its author.

    Args:
        data: everything.
        policy: gives the dictionary and the leaves.
        settings: folds and the rest.

    Returns:
        Values, labels and verdicts, row by row.
    """
    codes = [code for code in policy.taxonomy.codes if code in set(data.leaves)]
    leaves: NDArray[np.float64] = np.full((len(data.tickets), len(codes)), -2.0)
    cues: NDArray[np.float64] = np.full((len(data.tickets), len(CUES)), -1.0)
    for train, held in author_folds(data.tickets, settings.folds, settings.seed):
        classifier = fit_classifier(data, train, policy, settings)
        leaf_values, cue_values = classifier.logits([data.documents[row].text for row in held])
        leaves[np.ix_(held, [codes.index(str(code)) for code in classifier.classes_])] = leaf_values
        known = [name for name in CUES if name in classifier.cues_]
        columns = [classifier.cues_.index(name) for name in known]
        cues[np.ix_(held, [CUES.index(name) for name in known])] = cue_values[:, columns]
    labels = {name: np.array([truth(ticket, name) for ticket in data.tickets]) for name in CUES}
    authors = tuple(author_of(ticket) for ticket in data.tickets)
    return Held(tuple(codes), leaves, cues, tuple(data.leaves), labels, data.verdicts, authors)


def truth(ticket: LabelledTicket, cue: str) -> bool | None:
    """Whether a ticket carries a cue.

    Args:
        ticket: labelled.
        cue: a flag, `safety`, `escalation`, `role:…` of theft, or `also:…` for a first or second leaf.

    Returns:
        The label; None for the role of a caller in a ticket that has no theft.
    """
    if cue in FLAGS:
        return cue in ticket.flags
    if cue.startswith(ALSO):
        return cue.removeprefix(ALSO) in (ticket.category, *ticket.secondary)
    if cue.startswith(ROLES):
        told = ticket.theft_role is not None or cue.endswith("reports_other")
        return ticket.theft_role == cue.removeprefix(ROLES) if told else None
    return bool(getattr(ticket, cue))
