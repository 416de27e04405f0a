"""Agreement of the blind second annotation with the authors' labels: Cohen's κ per leaf, flag and cue.

`python benchmarks/agreement.py [--write docs/agreement.md]`
"""

import argparse
import json
from pathlib import Path
from typing import Any

from sklearn.metrics import cohen_kappa_score

from model.policy import load_policy
from model.taxonomy import FLAGS

FILE = Path("data/agreement/second_annotation.jsonl")
FIELDS = ("category", "flags", "theft_role", "filing", "safety", "escalation")


def main() -> None:
    """Print Markdown, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    text = "\n".join([*_table(rows), "", *_differences(rows)]) + "\n"
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")


def _table(rows: list[dict[str, Any]]) -> list[str]:
    same = sum(row["first"]["category"] == row["second"]["category"] for row in rows)
    lines = [
        "# Second annotation\n\nMade by `python benchmarks/agreement.py --write docs/agreement.md`.",
        f"{len(rows)} tickets drawn evenly over authors, labelled blind by {len({row['annotator'] for row in rows})} annotators "
        f"who wrote none of them; the leaf is the same in {same / len(rows):.1%}.\n",
        "| what | Cohen's κ | first | second |",
        "|---|---|---|---|",
        _line("leaf, all", [[row[side]["category"] for row in rows] for side in ("first", "second")], counted=False),
    ]
    sides = ("first", "second")
    lines += [
        _line(c, [[row[s]["category"] == c for row in rows] for s in sides]) for c in load_policy().taxonomy.codes
    ]
    lines += [_line(flag, [[flag in row[s]["flags"] for row in rows] for s in sides]) for flag in FLAGS]
    lines += [_line(cue, [[bool(row[s][cue]) for row in rows] for s in sides]) for cue in ("safety", "escalation")]
    fields = ("filing", "theft_role")
    lines += [_line(f, [[str(row[s][f]) for row in rows] for s in sides], counted=False) for f in fields]
    return lines


def _line(name: str, sides: list[list[Any]], *, counted: bool = True) -> str:
    counts = [str(sum(side)) for side in sides] if counted else ["", ""]
    return f"| {name} | {cohen_kappa_score(*sides):.3f} | {counts[0]} | {counts[1]} |"


def _differences(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| ticket | field | first | second | settled |", "|---|---|---|---|---|"]
    for row in rows:
        for field in FIELDS:
            first, second = row["first"][field], row["second"][field]
            if (sorted(first) != sorted(second)) if isinstance(first, list) else first != second:
                lines.append(f"| {row['id']} | {field} | {first} | {second} | {row['settled'][field]} |")
    return lines


if __name__ == "__main__":
    main()
