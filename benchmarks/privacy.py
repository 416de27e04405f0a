"""Recall and precision of the masker on a list of invented cases, per kind.

`python benchmarks/privacy.py [--cases FILE] [--write docs/privacy-figures.md] [--show]`; one JSON object a line:
`text`, `personal` as [substring, kind] pairs, `keep` as substrings, `note`. `--show` prints what went wrong.
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
        Case(row["text"], tuple((s, k) for s, k in row["personal"]), tuple(row["keep"]), row["note"]) for row in rows
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


def table(figures: Figures, cases: int) -> str:
    """The figures as Markdown.

    Args:
        figures: the counts.
        cases: how many texts they come from.

    Returns:
        A paragraph and a table.
    """
    kinds = [kind for kind in KINDS if figures.labels[kind] or figures.masks[kind]]
    rows = [*((kind, kind) for kind in kinds), ("all", None)]
    lines = [
        f"{cases} texts, {figures.labels.total()} labels, {figures.masks.total()} masks; "
        f"{len(figures.touched)} of the substrings to be kept are touched by a mask.",
        "",
        "| kind | labels | recall | masked as another kind | masks | precision |",
        "|---|---|---|---|---|---|",
    ]
    for name, kind in rows:
        labels, other, masks = (
            counts[kind] if kind else counts.total() for counts in (figures.labels, figures.other_kind, figures.masks)
        )
        lines.append(
            f"| {name} | {labels} | {figures.recall(kind):.3f} | {other} | {masks} | {figures.precision(kind):.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write a Markdown file if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=CASES)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--show", action="store_true", help="print misses, false masks and touched words")
    arguments = parser.parse_args()
    cases = read_cases(arguments.cases)
    figures = measure(cases)
    text = table(figures, len(cases))
    print(text)
    if arguments.show:
        for title, entries in (("missed", figures.misses), ("false", figures.false), ("touched", figures.touched)):
            for *what, source in entries:
                print(f"\n{title}: {' '.join(what)}\n    {source!r}")
    if arguments.write:
        arguments.write.write_text(_page(arguments.cases.as_posix(), text), encoding="utf-8")


def _page(source: str, text: str) -> str:
    return f"""# Figures of the masker

Made by `python benchmarks/privacy.py --write docs/privacy-figures.md` on `{source}`. All texts are invented; the list
was written by an author who had not seen the masker. The masker was mended with this list in view: these figures hold
what was reached, they do not foretell a list nobody has seen.

{text}

A label counts as masked when all its letters and digits lie under a placeholder; a mask counts as right when it
touches a label. A label under a placeholder of another kind is no miss and is counted apart.
"""


if __name__ == "__main__":
    main()
