"""Counts of the fault tests as a page: `python benchmarks/faults.py LOG … [--write docs/faults.md]`.

The logs are what `TRIAGE_FAULT_TICKETS=5000 .venv/bin/python -m pytest tests/faults -q -s` prints, in one piece or several.
"""

import argparse
import json
import os
import re
from pathlib import Path

from page import publish

_LINE = re.compile(r"^FAULT (.+?): (\{.*\})$", re.MULTILINE)
_FIRST = ("acknowledged", "stored", "messages", "arrived", "repeated")  # columns; the rest stands in the last one


def main() -> None:
    """Read the logs, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=Path, nargs="+", metavar="LOG")
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    texts = [log.read_text(encoding="utf-8") for log in arguments.logs]
    found = [match.groups() for text in texts for match in _LINE.finditer(text)]
    if not found:
        raise SystemExit("no FAULT line in these logs: run pytest with -s")
    lines = [
        "# What is left after a fault",
        "",
        f"Real processes on {os.cpu_count()} cores, killed, cut off, starved; after each",
    ]
    lines += [
        "fault the tests assert that every acknowledged ticket is stored once, every message arrived at least once, in"
    ]
    lines += [
        "order, at its own desk, and that no log holds a word of a ticket. `acknowledged` is the number of tickets. Made by",
        "",
        "```",
    ]
    lines += ["TRIAGE_FAULT_TICKETS=5000 .venv/bin/python -m pytest tests/faults -q -s | tee LOG"]
    lines += ["python benchmarks/faults.py LOG --write docs/faults.md", "```", ""]
    lines += [f"| fault | {' | '.join(_FIRST)} | further |", f"|---{'|---' * len(_FIRST)}|---|"]
    publish([*lines, *(_row(name, json.loads(counts)) for name, counts in found)], arguments.write)


def _row(name: str, counts: dict[str, object]) -> str:
    rest = ", ".join(f"{key} {_short(value)}" for key, value in counts.items() if key not in _FIRST)
    return f"| {name} | {' | '.join(str(counts.get(key, '–')) for key in _FIRST)} | {rest} |"


def _short(value: object) -> str:
    return ", ".join(f"{key} {_short(item)}" for key, item in value.items()) if isinstance(value, dict) else str(value)


if __name__ == "__main__":
    main()
