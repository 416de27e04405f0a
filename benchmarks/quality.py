"""Quality on authors never met: fixed test split and 5-fold by author, beside rules alone and a plain peer.

`python benchmarks/quality.py [--data data/samples] [--cascade DIR] [--write docs/quality.md]`; DIR is a cascade that
`make train` fitted on the training side, by default the champion where that is one.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from model.bundle import load_bundle
from model.pipeline import Pipeline
from model.policy import load_policy
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket
from training.dataset import read_labelled
from training.evaluate import evaluate, report_of
from training.evaluated import Evaluated
from training.fit import FitSettings, fit_bundle
from training.split import author_folds

POLICY = load_policy()
SETTINGS = FitSettings()
Tickets = Sequence[LabelledTicket]


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/samples"))
    parser.add_argument("--cascade", type=Path, default=Path("artifacts/champion"), help="bundle of a cascade")
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    parser.add_argument("--readme", type=Path, nargs="*", default=(), help="files whose table of figures is renewed")
    arguments = parser.parse_args()
    tickets = read_labelled([arguments.data], POLICY.taxonomy).tickets
    fixed, fixed_peer = _fixed(tickets)
    cascade = _cascade(tickets, arguments.cascade)
    fixed |= {"cascade": cascade} if cascade else {}
    folds, folds_peer = _folds(tickets)
    parts = [
        _head(tickets),
        "## Fixed test split",
        _table(fixed, fixed_peer),
        "## 5-fold by author",
        _table(folds, folds_peer),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")
    columns = {
        **({"fixed test, cascade": cascade} if cascade else {}),
        "fixed test, linear": fixed["linear"],
        "fixed test, rules alone": fixed["rules alone"],
        "5-fold, linear": folds["linear"],
    }
    for readme in arguments.readme:
        _renew(readme, _table(columns, fixed_peer, short=True))


def _renew(readme: Path, table: str) -> None:
    text = readme.read_text(encoding="utf-8")
    before, after = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    readme.write_text(f"{text[:before]}\n{table}\n{text[after:]}", encoding="utf-8")


def _head(tickets: Tickets) -> str:
    sides = {side: [t for t in tickets if t.split == side] for side in ("train", "dev", "test")}
    counts = ", ".join(
        f"{side} {len(part)} tickets by {len({t.author for t in part})} authors" for side, part in sides.items()
    )
    return (
        "# Quality on authors never met\n\nMade by `python benchmarks/quality.py --write docs/quality.md`. "
        f"{len(tickets)} written tickets: {counts}. All authors are language models of one kind and the tickets were "
        "written for this project, so every figure is optimistic; intervals are 95 % bootstrap by author. "
        f"The rule writer has read {', '.join(SETTINGS.read.cues)}; none of them is in dev or test."
    )


def _fixed(tickets: Tickets) -> tuple[dict[str, Any], float]:
    train = [t for t in tickets if t.split == "train"]
    test = [t for t in tickets if t.split == "test"]
    linear, rules = evaluate(_fit(train), test)[0], evaluate(Pipeline(POLICY), test)[0]
    return {"linear": linear, "rules alone": rules}, _peer(train, test)


def _cascade(tickets: Tickets, folder: Path) -> dict[str, Any] | None:
    """The cascade of `make train`; None where there is none, said on stderr."""
    bundle = load_bundle(folder) if folder.is_dir() else None
    if bundle is None or bundle.second is None:
        print(f"{folder} is no cascade: its column is left out; run `make train` first", file=sys.stderr)
        return None
    seen = {t.author for t in tickets if t.id in bundle.manifest["data"]["rows"]}
    test = [t for t in tickets if t.split == "test"]
    if seen & {t.author for t in test}:
        raise SystemExit(f"{folder} was trained on authors of the test side")
    return evaluate(Pipeline(bundle.policy, bundle), test)[0]


def _folds(tickets: Tickets) -> tuple[dict[str, Any], float]:
    everyone = list(tickets)
    parts: list[Evaluated] = []
    ruled: list[Evaluated] = []
    peers: list[tuple[list[str], list[str]]] = []
    for train, held in author_folds(everyone, 5):
        fitted, rest = [everyone[i] for i in train], [everyone[i] for i in held]
        parts.append(evaluate(_fit(fitted), rest, rounds=1)[1])
        unread = [t for t in rest if t.author not in SETTINGS.read.cues]
        ruled.append(evaluate(Pipeline(POLICY), unread, rounds=1)[1])
        peers.append(([t.category for t in rest], _peer_predictions(fitted, rest)))
    peer = f1_score([g for gold, _ in peers for g in gold], [f for _, found in peers for f in found], average="macro")
    rules = report_of(_joined(ruled))
    return {"linear": report_of(_joined(parts)), "rules alone (authors unread by the rule writer)": rules}, float(peer)


def _joined(parts: Sequence[Evaluated]) -> Evaluated:
    return Evaluated(tuple(t for p in parts for t in p.tickets), tuple(x for p in parts for x in p.predictions))


def _fit(train: Tickets) -> Pipeline:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        fit_bundle(train, POLICY, path, SETTINGS, progress=lambda _: None)
        bundle = load_bundle(path, POLICY)
        bundle.classifier.dictionary = POLICY.dictionary
        return Pipeline(POLICY, bundle)


def _peer_predictions(train: Tickets, held: Tickets) -> list[str]:
    """Character TF-IDF + LinearSVC on the raw text, the strongest plain peer."""
    peer = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LinearSVC())
    return [
        str(leaf)
        for leaf in peer.fit([t.text for t in train], [t.category for t in train]).predict([t.text for t in held])
    ]


def _peer(train: Tickets, test: Tickets) -> float:
    return float(f1_score([t.category for t in test], _peer_predictions(train, test), average="macro"))


def _table(reports: dict[str, dict[str, Any]], peer: float, *, short: bool = False) -> str:
    lines = ["| figure | " + " | ".join(reports) + " |", "|---|" + "---|" * len(reports)]
    for name, read in _FIGURES.items():
        if short and name in _LONG:
            continue
        lines.append(f"| {name} | " + " | ".join(read(report) for report in reports.values()) + " |")
    lines.append(f"| peer: char(1–3) TF-IDF + LinearSVC, leaf macro-F1 | {peer:.3f} |" + " |" * (len(reports) - 1))
    return "\n".join(lines)


def _interval(report: dict[str, Any], name: str) -> str:
    low, high = report["ci95"][name]
    return f" ({low:.3f}–{high:.3f})"


def _cue(report: dict[str, Any]) -> str:
    return f"P {report['p']:.2f} R {report['r']:.2f} (n {report['n']})"


_FIGURES = {
    "tickets": lambda r: str(r["n"]),
    "leaf macro-F1": lambda r: f"{r['category']['macro_f1']:.3f}" + _interval(r, "category.macro_f1"),
    "leaf accuracy": lambda r: f"{r['category']['accuracy']:.3f}" + _interval(r, "category.accuracy"),
    "group macro-F1": lambda r: f"{r['group_macro_f1']:.3f}",
    "right leaf among the first three": lambda r: f"{r['category']['top3']:.3f}",
    "sent out unread (auto), and right": lambda r: (
        f"{r['selective']['auto_rate']:.2f}, {r['selective']['auto_precision']:.3f}"
    ),
    "coverage at precision 0.95": lambda r: f"{r['selective']['coverage_at_precision_95']:.2f}",
    "ECE": lambda r: f"{r['calibration']['ece']:.3f}",
    "safety": lambda r: _cue(r["safety"]) + f", missed {round(r['safety']['n'] * (1 - r['safety']['r']))}",
    "escalation": lambda r: _cue(r["escalation"]),
    **{
        flag: lambda r, flag=flag: (
            _cue(r["flags"][flag])
            + f" F1 {r['flags'][flag]['f1']:.2f}, false alarms per 1,000: {r['flags'][flag]['false_alarms_per_1000']:.1f}"
        )
        for flag in FLAGS
    },
    "theft role (accuracy where told)": lambda r: f"{r['theft_role']['accuracy']:.2f}",
    "filing": lambda r: f"P {r['filing']['p']:.2f} R {r['filing']['r']:.2f}",
    "secondary": lambda r: f"P {r['secondary']['p']:.2f} R {r['secondary']['r']:.2f}",
}
_LONG = ("leaf accuracy", "theft role (accuracy where told)", "filing", "secondary")
_BEGIN, _END = "<!-- figures -->", "<!-- end -->"

if __name__ == "__main__":
    main()
