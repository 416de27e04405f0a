"""Wordings that dodge a classifier: quality on attacked tickets, without and with the defence in the same run.

`python benchmarks/attacks.py [--data data/samples] [--split test dev] [--messages FILE] [--write docs/attacks.md]`;
attacks are seeded. Outside messages (`--messages` or `TRIAGE_BENCH_DATA`) only count how much clean text is changed.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from attackers import ATTACKERS, Attacker, tables
from outside import outside_texts

from model.bundle import load_bundle
from model.pipeline import Pipeline
from model.policy import load_policy
from model.taxonomy import FLAGS
from model.text import Aligned, normalise
from model.ticket import LabelledTicket
from training.dataset import read_labelled
from training.evaluate import report_of, run
from training.fit import FitSettings, fit_bundle

POLICY = load_policy()
Tickets = Sequence[LabelledTicket]
Figures = dict[str, Any]
CLEAN = "none (clean text)"
LEVELS = ("linear", "rules alone")
DEFENCES = ("without", "with")


def main() -> None:
    """Measure, print the tables, write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/samples"))
    parser.add_argument("--split", nargs="+", default=["test"], choices=["train", "dev", "test"])
    parser.add_argument("--messages", type=Path, help="outside texts; the samples themselves where there are none")
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    tickets = read_labelled([arguments.data], POLICY.taxonomy).tickets
    splits = {split: attacked([t for t in tickets if t.split == split]) for split in arguments.split}
    measured = {defence: measure(tickets, splits, defence) for defence in DEFENCES}
    text = report(splits, measured, _clean_text(*outside_texts(arguments.messages)))
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


def attacked(tickets: Tickets) -> dict[str, list[LabelledTicket]]:
    """The same tickets under each attack.

    Args:
        tickets: labelled.

    Returns:
        Tickets by name of the attack, the clean ones first.
    """
    return {CLEAN: list(tickets)} | {
        name: [replace(ticket, text=_attack(name, attacker, ticket)) for ticket in tickets]
        for name, attacker in ATTACKERS.items()
    }


def _attack(name: str, attacker: Attacker, ticket: LabelledTicket) -> str:
    return attacker(ticket.text, random.Random(f"{name} {ticket.id}"), ticket.category)  # noqa: S311 - no secret


def measure(tickets: Tickets, splits: dict[str, dict[str, list[LabelledTicket]]], defence: str) -> Figures:
    """Fit once on the training side and look at every attack.

    Args:
        tickets: the whole corpus.
        splits: attacked tickets by split and attack.
        defence: `with`, or `without`: disguises and bare word lists are left as they are, in fitting too.

    Returns:
        Figures by (split, level, attack).
    """
    with ExitStack() as off:
        if defence == "without":
            off.enter_context(patch("model.text.undisguise", Aligned))
            off.enter_context(patch("model.turns._bare_lists", lambda _: []))
        levels = {"linear": _fit([t for t in tickets if t.split == "train"]), "rules alone": Pipeline(POLICY)}
        return {
            (split, level, name): _figures(pipeline, part)
            for split, attacks in splits.items()
            for level, pipeline in levels.items()
            for name, part in attacks.items()
        }


def _fit(train: Tickets) -> Pipeline:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        fit_bundle(train, POLICY, path, FitSettings(), progress=lambda _: None)
        bundle = load_bundle(path, POLICY)
        bundle.classifier.dictionary = POLICY.dictionary
        return Pipeline(POLICY, bundle)


def _figures(pipeline: Pipeline, tickets: Tickets) -> dict[str, float]:
    found = report_of(run(pipeline, tickets), rounds=1)
    flags = [found["flags"][flag] for flag in FLAGS]
    return {
        "f1": found["category"]["macro_f1"],
        "flag_r": sum(flag["r"] for flag in flags) / len(flags),
        "flag_p": sum(flag["p"] for flag in flags) / len(flags),
        "safety_r": found["safety"]["r"],
        "safety_p": found["safety"]["p"],
        "auto": found["selective"]["auto_rate"],
        "wrong": 1 - found["selective"]["auto_precision"] if found["selective"]["auto_rate"] else 0.0,
    }


def report(splits: dict[str, dict[str, list[LabelledTicket]]], measured: Figures, clean_text: str) -> str:
    """The Markdown page.

    Args:
        splits: attacked tickets by split and attack.
        measured: figures by defence.
        clean_text: what the defence does to texts without disguise.

    Returns:
        Text with one table for each split and level.
    """
    parts = [_HEAD.format(repaired=_repaired(), clean_text=clean_text)]
    for split, attacks in splits.items():
        for level in LEVELS:
            clean = attacks[CLEAN]
            parts.append(f"## {split}, {level} ({len(clean)} tickets by {len({t.author for t in clean})} authors)")
            parts.append(_table(split, level, attacks, measured))
    return "\n\n".join([*parts, _TAIL]) + "\n"


def _table(split: str, level: str, attacks: dict[str, list[LabelledTicket]], measured: Figures) -> str:
    rows = []
    for name, part in attacks.items():
        pairs = [measured[defence][split, level, name] for defence in DEFENCES]
        drops = [measured[d][split, level, CLEAN]["f1"] - f["f1"] for d, f in zip(DEFENCES, pairs, strict=True)]
        changed = sum(a.text != b.text for a, b in zip(part, attacks[CLEAN], strict=True)) / len(part)
        cells = [
            name,
            f"{changed:.2f}",
            " → ".join(f"{f['f1']:.3f}" for f in pairs),
            " → ".join(f"{max(drop, 0.0):.3f}" for drop in drops),
            *(" → ".join(f"{f[key]:.2f}" for f in pairs) for key in ("flag_r", "flag_p", "safety_r", "safety_p")),
        ]
        if level == "linear":
            cells += [" → ".join(f"{f['auto']:.2f}" for f in pairs), " → ".join(f"{f['wrong']:.3f}" for f in pairs)]
        rows.append("| " + " | ".join(cells) + " |")
    columns = _COLUMNS if level == "linear" else _COLUMNS[:-2]
    return "\n".join(["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", *rows])


def _repaired() -> str:
    """How many homophones of the attack table the defence turns back, standing between commas."""
    pairs = [(word, wrong) for word, forms in tables()["homophones"].items() for wrong in forms]
    back = sum(normalise(f"我家,{wrong},请处理").text == f"我家,{word},请处理" for word, wrong in pairs)
    return f"{back} of {len(pairs)}"


def _clean_text(texts: Sequence[str], origin: str) -> str:
    """How many texts without attack are changed, and what normalising costs."""
    normalise("warm")
    began = time.process_time()
    plain = [normalise(text).text for text in texts]
    spent = time.process_time() - began
    with patch("model.text.undisguise", Aligned):
        changed = sum(normalise(text).text != after for text, after in zip(texts, plain, strict=True))
    per = 220 * 1000 * spent / max(1, sum(map(len, texts)))
    return f"{changed} of {len(texts)} texts ({origin}) are changed; normalising takes {per:.2f} ms for 220 characters"


_COLUMNS = (
    "attack", "tickets changed", "leaf macro-F1", "drop", "flags R", "flags P", "safety R", "safety P", "auto", "wrong among auto",
)  # fmt: skip
_HEAD = """# Wordings that dodge

Made by `python benchmarks/attacks.py --split test dev --write docs/attacks.md`. Each attack is seeded by ticket, so a run can
be repeated; `tickets changed` is the share whose text the attack touches. Every pair of figures is **without → with** the
defence (`undisguise` in `model/text.py`, bare word lists in `model/turns.py`), measured in one run: two classifiers fitted on the training side, one that never
saw a disguise taken off. Invisible characters, traditional characters and other letters and digits are put right in both.
`drop` is the loss of leaf macro-F1 against clean text under the same defence. Flags are means over the four; `wrong among auto` is
the share of tickets sent out unread that have a wrong leaf (rules alone send nothing out unread).

**Two tables, not one.** What the attacks write stands in `benchmarks/attacks.yaml`, by hand: what speech recognition and pinyin
input write for words of the trade, look-alikes, split characters, emoji. It was written first and nothing under `model/`
reads it. The defence has no list of wrong wordings: it knows words of the trade, the order of GB 2312 (which is the order of
sounds), groups of shapes and radicals, and puts one wrong character right only where the wording is no word and its
neighbours do not explain it (`model/lookalikes.*`, `model/disguises.py`). Both were written by the same hand, so the figures
flatter all the same. It turns back {repaired} homophones of the attack table; the others are words themselves (保修, 剂量, 抱负),
have two wrong characters, or use characters too common to doubt. The lists were completed on dev; look-alikes of test are
slightly flattered, since entries were added after a first run there.

**Clean text.** {clean_text}."""
_TAIL = """## What is left

- **Stuffing** with key words of another leaf is not a disguise: every word is meant as it stands, so normalising cannot take it
  off, and a text is never cut silently. A reader of whole sentences would have to leave bare lists of words aside.
- **Initials**: only those in use (td, df, gds, …) are read; two letters stand for too many things.
- **Look-alikes** of a character that stands alone (衷 for 表), two wrong characters in one word, and wrong words that are words.
- **Talking away** costs little: danger said elsewhere in the ticket still counts. Who says unasked that he steals nothing
  raises the cue for theft in rules alone (the role is `denies`), which costs precision there."""

if __name__ == "__main__":
    main()
