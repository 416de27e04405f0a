"""What a bundle has to beat, measured on the same tickets in the same run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from model.errors import TriageError
from model.pipeline import Pipeline
from model.ticket import LabelledTicket
from training.bootstrap import intervals, macro_f1_of
from training.evaluated import Evaluated, Table, rounded, run, short_figures
from training.neighbours import masked

Tickets = Sequence[LabelledTicket]
_NOT_ASKED = "耗时数分钟,未要求(--baselines all)"
_NO_DATA = "没有可供学习的已标注工单(--train)"


@dataclass(frozen=True)
class Baselines:
    """Leaves proposed by each baseline, n each, and why others were left out."""

    found: Mapping[str, Sequence[str]]
    skipped: Mapping[str, str]


def baselines(pipeline: Pipeline, data: Evaluated, train: Tickets, *, frozen: bool) -> Baselines:
    """Let each baseline propose leaves for the measured tickets.

    `majority`: always the commonest leaf of these tickets. `rules`: rules alone. `linear`: the linear part of the bundle.
    `char_svm`: character TF-IDF and a linear SVM, the strongest plain peer. `frozen_encoder`: the pretrained encoder as it
    comes, with a logistic regression on its vectors.

    Args:
        pipeline: what is measured.
        data: the measured tickets and its predictions.
        train: labelled tickets for the last two; none of them measured.
        frozen: whether to take the minutes that the encoder needs; it needs the extra `train`.

    Returns:
        Leaves by baseline, and reasons by baseline that is missing.
    """
    found = {"majority": [max(sorted(set(data.gold)), key=data.gold.count)] * len(data.gold)}
    found["rules"] = run(Pipeline(pipeline.policy), data.tickets).found if pipeline.bundle else data.found
    if pipeline.bundle:
        found["linear"] = _linear(pipeline, data)
    skipped: dict[str, str] = {}
    peers: dict[str, Callable[[Tickets, Tickets], list[str]]] = {"char_svm": _char_svm, "frozen_encoder": _frozen}
    for name, propose in peers.items():
        if name == "frozen_encoder" and not frozen:
            skipped[name] = _NOT_ASKED
        elif len({ticket.category for ticket in train}) < 2:
            skipped[name] = _NO_DATA
        else:
            try:
                found[name] = propose(train, data.tickets)
            except TriageError as error:
                skipped[name] = str(error)
    return Baselines(found, skipped)


def baseline_figures(data: Evaluated, found: Mapping[str, Sequence[str]], *, rounds: int, seed: int) -> Table:
    """How each baseline does, and how far the bundle is ahead of it.

    Args:
        data: predictions and labels.
        found: n leaves by baseline.
        rounds: of the bootstrap by author.
        seed: of the bootstrap.

    Returns:
        By baseline `n`, `accuracy`, `macro_f1` with `macro_f1_ci95`, and `lead`, the bundle's macro-F1 less its own, with
        `lead_ci95` over the same draws.
    """
    own = macro_f1_of(data.gold, data.found)
    macros = {name: macro_f1_of(data.gold, leaves) for name, leaves in found.items()}
    leads = {f"{name} lead": lambda draw, m=macro: own(draw) - m(draw) for name, macro in macros.items()}
    bounds = intervals({**macros, **leads}, data.tickets, rounds=rounds, seed=seed)
    reached = short_figures(data.gold, data.found)["macro_f1"]
    figures = {name: short_figures(data.gold, leaves) for name, leaves in found.items()}
    return {
        name: {
            **table,
            "macro_f1_ci95": bounds[name],
            "lead": rounded(reached - table["macro_f1"]),
            "lead_ci95": bounds[f"{name} lead"],
        }
        for name, table in figures.items()
    }


def _linear(pipeline: Pipeline, data: Evaluated) -> list[str]:
    """The bundle without its encoder; the bundle itself where it has none."""
    bundle = pipeline.bundle
    if bundle is None or bundle.second is None:
        return data.found
    return run(Pipeline(pipeline.policy, replace(bundle, second=None, source="linear")), data.tickets).found


def _char_svm(train: Tickets, asked: Tickets) -> list[str]:
    peer = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LinearSVC())
    peer.fit(masked(train), [ticket.category for ticket in train])
    return [str(leaf) for leaf in peer.predict(masked(asked))]


def _frozen(train: Tickets, asked: Tickets) -> list[str]:
    from training.frozen import frozen_leaves  # torch takes seconds to load

    return frozen_leaves(train, asked)
