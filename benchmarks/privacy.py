"""Recall and precision of the masker on a list of invented cases, per kind.

`python benchmarks/privacy.py [--cases FILE] [--write docs/privacy-figures.md] [--show]`; one JSON object a line:
`text`, `personal` as [substring, kind] pairs, `keep` as substrings, `note`, `list`. `--show` prints what went wrong.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model.privacy import KINDS, mask
from model.text import normalise

CASES = Path("tests/unit/privacy_cases.jsonl")


@dataclass(frozen=True, slots=True)
class Case:
    """One text with what must be masked and what must stay."""

    text: str
    personal: tuple[tuple[str, str], ...]
    keep: tuple[str, ...]
    note: str = ""
    source: str = ""  # the list it belongs to


@dataclass(slots=True)
class Figures:
    """Counts over many cases; `misses` and `touched` tell where the masker went wrong."""

    labels: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    other_kind: Counter[str] = field(default_factory=Counter)
    masks: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    misses: list[tuple[str, str, str]] = field(default_factory=list)  # kind, substring, text
    false: list[tuple[str, str, str]] = field(default_factory=list)  # kind, masked characters, text
    touched: list[tuple[str, str]] = field(default_factory=list)  # keep-substring, text

    def recall(self, kind: str | None = None) -> float:
        """Share of the labels that are masked, of one kind or of all; 1 where there is none."""
        return _share(self.found, self.labels, kind)

    def precision(self, kind: str | None = None) -> float:
        """Share of the masks that touch a label, of one kind or of all; 1 where there is none."""
        return _share(self.right, self.masks, kind)


def read_cases(path: Path) -> list[Case]:
    """Read a list of cases.

    Args:
        path: JSON lines.

    Returns:
        The cases, in order.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [
        Case(
            row["text"],
            tuple((s, k) for s, k in row["personal"]),
            tuple(row["keep"]),
            row["note"],
            row.get("list", ""),
        )
        for row in rows
    ]


def measure(cases: Sequence[Case]) -> Figures:
    """Mask every case and count.

    Args:
        cases: texts with labels.

    Returns:
        The counts.
    """
    figures = Figures()
    for case in cases:
        _measure_one(case, figures)
    return figures


def _measure_one(case: Case, figures: Figures) -> None:
    normal = normalise(case.text)
    masks = [(*normal.span(start, end), kind) for start, end, kind in mask(normal.text).kinds]
    kind_at = {i: kind for start, end, kind in masks for i in range(start, end)}
    kept = [place for word in case.keep for place in _occurrences(word, case.text)]
    labelled: set[int] = set()
    for word, kind in sorted(case.personal, key=lambda pair: -len(pair[0])):
        places = [
            (a, b)
            for a, b in _occurrences(word, case.text)
            if not any(c <= a and b <= d for c, d in kept) and not labelled.issuperset(range(a, b))
        ] or list(_occurrences(word, case.text))
        covered = [all(i in kind_at for i in range(a, b) if case.text[i].isalnum()) for a, b in places]
        figures.labels[kind] += 1
        # a surname of one character may stand in other words too: one masked place is enough
        if any(covered) if len(word) == 1 else all(covered):
            figures.found[kind] += 1
            figures.other_kind[kind] += all(kind_at.get(i) != kind for a, b in places for i in range(a, b))
        else:
            figures.misses.append((kind, word, case.text))
        labelled.update(i for a, b in places for i in range(a, b))
    for start, end, kind in masks:
        figures.masks[kind] += 1
        if labelled.isdisjoint(range(start, end)):
            figures.false.append((kind, case.text[start:end], case.text))
        else:
            figures.right[kind] += 1
    for word in case.keep:
        if any(i in kind_at for a, b in _occurrences(word, case.text) for i in range(a, b) if i not in labelled):
            figures.touched.append((word, case.text))


def _occurrences(word: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(word)
    while start >= 0:
        yield start, start + len(word)
        start = text.find(word, start + 1)


def _share(part: Counter[str], whole: Counter[str], kind: str | None) -> float:
    top, bottom = (part[kind], whole[kind]) if kind else (part.total(), whole.total())
    return top / bottom if bottom else 1.0


def table(cases: Sequence[Case]) -> str:
    """The figures of each list and of all cases as Markdown.

    Args:
        cases: texts with labels.

    Returns:
        A sentence for each list and a table.
    """
    names = sorted({case.source for case in cases})
    parts = {f"list {name}": [case for case in cases if case.source == name] for name in names if len(names) > 1}
    figures = {title: measure(part) for title, part in {**parts, "all": cases}.items()}
    lines = [
        f"- {title}: {len(parts.get(title, cases))} texts, {one.labels.total()} labels, {one.masks.total()} masks; "
        f"{len(one.touched)} of the substrings to be kept are touched by a mask, "
        f"{one.other_kind.total()} labels are masked as another kind."
        for title, one in figures.items()
    ]
    heads = [f"{what}, {title}" for title in figures for what in ("labels", "recall", "precision")]
    lines += ["", f"| kind | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for kind in (*KINDS, None):
        cells = (
            f"{one.labels[kind] if kind else one.labels.total()} | {one.recall(kind):.3f} | {one.precision(kind):.3f}"
            for one in figures.values()
        )
        lines.append(f"| {kind or 'all kinds'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write a Markdown file if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--show", action="store_true", help="print misses, false masks and touched words")
    arguments = parser.parse_args()
    cases = read_cases(arguments.cases)
    text = table(cases)
    print(text)
    if arguments.show:
        figures = measure(cases)
        for title, entries in (("missed", figures.misses), ("false", figures.false), ("touched", figures.touched)):
            for *what, source in entries:
                print(f"\n{title}: {' '.join(what)}\n    {source!r}")
    if arguments.write:
        arguments.write.write_text(_page(arguments.cases.as_posix(), text), encoding="utf-8")


def _page(source: str, text: str) -> str:
    return f"""# Figures of the masker

Made by `python benchmarks/privacy.py --write docs/privacy-figures.md` on `{source}`.
All texts are invented. Lists a and b were written by two different authors, neither of whom had seen the masker.

## Held out: list b before it was used

On 23 November 2026 the masker, mended with list a in view, met list b (120 texts, 97 labels) for the first time:
**recall 0.866** (84 of 97; 95 % interval 0.78 to 0.92), **precision 0.978** (87 of 89 masks), 2 kept substrings
touched. Missed were 3 phones, 3 accounts, 2 addresses, 2 names, 1 identity number, 1 chat account and 1 staff number;
the two false masks took 向 and 连 before an office (向所长反映) for surnames. On texts that nobody has seen, expect
figures nearer to these than to those below.

## After mending

The misses of both lists have been mended since, so both are training data now: these figures hold what was reached
and guard against going back, they foretell nothing.

{text}

A label counts as masked when all its letters and digits lie under a placeholder; a mask counts as right when it
touches a label. A label under a placeholder of another kind is no miss and is counted apart. A share of nothing is
shown as 1.
"""


if __name__ == "__main__":
    main()
