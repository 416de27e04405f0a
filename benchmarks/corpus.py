"""What the corpus is made of, shortcuts in it, and what more of it would buy.

`python benchmarks/corpus.py [--data data/samples] [--write docs/corpus.md]`: counts; a shortcut hunt (predict the
leaf from channel, length and punctuation alone; the split and the author from the text); the strongest n-grams of
each leaf and flag; a learning curve by authors.
"""

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from habits import habits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from model.policy import load_policy
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket
from training.dataset import read_labelled
from training.fit import FitSettings, fit_classifier, prepare, truth
from training.split import author_folds

POLICY = load_policy()
SIZES = (6, 12, 24)
Tickets = Sequence[LabelledTicket]


def main() -> None:
    """Study the corpus, print Markdown, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/samples"))
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    tickets = read_labelled([arguments.data], POLICY.taxonomy).tickets
    parts = [
        "# The corpus, measured\n\nMade by `python benchmarks/corpus.py --write docs/corpus.md`.",
        counts(tickets),
        shortcuts(tickets),
        habits(tickets),
        curve(tickets),
        grams(tickets),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


def counts(tickets: Tickets) -> str:
    """How many of everything, by split.

    Args:
        tickets: the corpus.

    Returns:
        A Markdown section.
    """
    sides = ("train", "dev", "test")
    rows: list[tuple[str, list[LabelledTicket]]] = [("all", list(tickets))]
    rows += [(code, [t for t in tickets if t.category == code]) for code in POLICY.taxonomy.codes]
    rows += [(flag, [t for t in tickets if flag in t.flags]) for flag in FLAGS]
    rows += [
        (f"hard negatives for {f}", [t for t in tickets if f in t.extra.get("hard_negative_for", ())]) for f in FLAGS
    ]
    rows += [
        (f"theft role {r}", [t for t in tickets if t.theft_role == r])
        for r in ("admits", "denies", "found", "reports_other")
    ]
    rows += [(f.code, [t for t in tickets if t.filing == f.code]) for f in POLICY.taxonomy.filings]
    rows += [(name, [t for t in tickets if getattr(t, name)]) for name in ("safety", "escalation")]
    rows += [(f"channel {c}", [t for t in tickets if t.channel == c]) for c in ("asr", "agent_note", "online", "relay")]
    rows += [
        (f"difficulty {d}", [t for t in tickets if t.extra.get("difficulty") == d]) for d in ("plain", "none", "hard")
    ]
    rows += [(f"boundary rule {n}", [t for t in tickets if n in t.extra.get("boundary", ())]) for n in range(1, 22)]
    lines = ["## Counts", "", "| what | all | train | dev | test |", "|---|---|---|---|---|"]
    for name, part in rows:
        split = Counter(t.split for t in part)
        lines.append(f"| {name} | {len(part)} | " + " | ".join(str(split[side]) for side in sides) + " |")
    lengths = sorted(len(t.text) for t in tickets)
    shares = [lengths[int(len(lengths) * q)] for q in (0.05, 0.25, 0.5, 0.75, 0.95)]
    authors = {side: len({t.author for t in tickets if t.split == side}) for side in sides}
    lines += ["", f"Authors: {authors}. Characters at 5, 25, 50, 75, 95 %: {shares}, longest {lengths[-1]}."]
    return "\n".join(lines)


def shortcuts(tickets: Tickets) -> str:
    """What can be told without reading, and who can be told by reading.

    Args:
        tickets: the corpus.

    Returns:
        A Markdown section.
    """
    leaves = [t.category for t in tickets]
    surface = np.array([_surface(t) for t in tickets])
    folds = author_folds(tickets, 5)
    blind = cross_val_predict(HistGradientBoostingClassifier(random_state=0), surface, leaves, cv=folds)
    flags = {
        flag: f1_score(y, cross_val_predict(HistGradientBoostingClassifier(random_state=0), surface, y, cv=folds))
        for flag in FLAGS
        for y in [[bool(truth(t, flag)) for t in tickets]]
    }
    texts = [t.text for t in tickets]
    mixed = StratifiedKFold(5, shuffle=True, random_state=0)
    author = cross_val_predict(_characters(), texts, [str(t.author) for t in tickets], cv=mixed)
    split = cross_val_predict(_characters(), texts, [str(t.split) for t in tickets], cv=folds)
    majority = max(Counter(leaves).values()) / len(leaves)
    lines = [
        "## Shortcut hunt",
        "",
        "| predicted | from | by | figure |",
        "|---|---|---|---|",
        f"| leaf | channel, length, punctuation only | boosted trees, 5-fold by author | macro-F1 {_macro(leaves, blind):.3f}, accuracy {_share(leaves, blind):.3f} (always other.misc: {majority:.3f}) |",
        *(
            f"| {flag} | channel, length, punctuation only | boosted trees, 5-fold by author | F1 {value:.3f} |"
            for flag, value in flags.items()
        ),
        f"| author of {len({t.author for t in tickets})} | text | char(1–3) TF-IDF + LinearSVC, mixed folds | accuracy {_share([str(t.author) for t in tickets], author):.3f} |",
        f"| split | text | the same, 5-fold by author | accuracy {_share([str(t.split) for t in tickets], split):.3f} (always train: {np.mean([t.split == 'train' for t in tickets]):.3f}) |",
    ]
    return "\n".join(lines)


def curve(tickets: Tickets) -> str:
    """What more authors buy: linear classifier on 6, 12, 24, all training authors, measured on dev and test.

    Args:
        tickets: the corpus.

    Returns:
        A Markdown section.
    """
    data = prepare(tickets, POLICY)
    authors = sorted({str(t.author) for t in tickets if t.split == "train"})
    held = [n for n, t in enumerate(tickets) if t.split in ("dev", "test")]
    lines = [
        "## Learning curve by authors",
        "",
        "Linear classifier without rules; measured on dev and test together; median of 3 drawings of authors.",
        "",
        "| authors | tickets | leaf macro-F1 | mean F1 of the four flags at value 0 | safety F1 |",
        "|---|---|---|---|---|",
    ]
    for size in (*[s for s in SIZES if s < len(authors)], len(authors)):
        drawn = [
            np.random.default_rng(seed).permutation(authors)[:size] for seed in range(3 if size < len(authors) else 1)
        ]
        found = [_point(data, tickets, set(chosen), held) for chosen in drawn]
        count, *figures = np.median(np.array(found), axis=0)
        lines.append(f"| {size} | {count:.0f} | " + " | ".join(f"{x:.3f}" for x in figures) + " |")
    return "\n".join(lines)


def grams(tickets: Tickets, most: int = 30) -> str:
    """The strongest words and n-grams of each leaf and flag, for the eye.

    Args:
        tickets: the corpus.
        most: how many.

    Returns:
        A Markdown section.
    """
    data = prepare(tickets, POLICY)
    classifier = fit_classifier(data, range(len(tickets)), POLICY, FitSettings())
    names = np.array(classifier.grams_.terms)
    lines = ["## The strongest n-grams", "", "| leaf or cue | words and n-grams |", "|---|---|"]
    for target in (*POLICY.taxonomy.codes, *FLAGS, "safety", "escalation"):
        best = names[np.argsort(-classifier.coefficients(target))[:most]]
        lines.append(f"| {target} | " + " · ".join(g.strip().replace("|", "/").replace("\n", "⏎") for g in best) + " |")
    return "\n".join(lines)


def _point(data, tickets: Tickets, authors: set[str], held: list[int]) -> list[float]:  # type: ignore[no-untyped-def]
    rows = [n for n, t in enumerate(tickets) if t.split == "train" and t.author in authors]
    classifier = fit_classifier(data, rows, POLICY, FitSettings())
    leaves, cues = classifier.logits([data.texts[n] for n in held])
    gold = [tickets[n].category for n in held]
    f1 = {
        name: f1_score([bool(truth(tickets[n], name)) for n in held], cues[:, classifier.cues_.index(name)] > 0)
        for name in (*FLAGS, "safety")
    }
    macro = _macro(gold, np.asarray(classifier.classes_)[leaves.argmax(axis=1)])
    return [len(rows), macro, float(np.mean([f1[flag] for flag in FLAGS])), f1["safety"]]


def _surface(ticket: LabelledTicket) -> list[float]:
    text = ticket.text
    marks = [text.count(mark) / len(text) for mark in ",。!?、:“”()【】\n,…"]
    digits = len(re.findall(r"\d", text)) / len(text)
    channel = ("asr", "agent_note", "online", "relay").index(str(ticket.channel))
    return [len(text), channel, digits, text.count("客服代表"), *marks]


def _characters():  # type: ignore[no-untyped-def]
    return make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, min_df=2), LinearSVC())


def _macro(gold: Sequence[str], found: object) -> float:
    return float(f1_score(gold, found, average="macro"))


def _share(gold: Sequence[str], found: Sequence[str]) -> float:
    return float(np.mean([g == f for g, f in zip(gold, found, strict=True)]))


if __name__ == "__main__":
    main()
