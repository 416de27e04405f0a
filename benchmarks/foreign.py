"""Real messages to other offices: how many would be sent to a power desk unread, or accused.

`python benchmarks/foreign.py [--messages FILE] [--bundle DIR] [--write docs/foreign.md]`; without outside texts
(`--messages` or `TRIAGE_BENCH_DATA`) there is nothing to measure. Prints counts only, never a text.
"""

import argparse
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from outside import outside_path
from page import publish

from model.policy import load_policy
from model.rows import read_rows
from model.ticket import TEXT_KEYS
from triage.triage import Triage

# compounds of 电 that have nothing to do with the supply of electricity
_OTHER = re.compile(r"电[话视梯脑影信商瓶器池邮]|电动|电子|(?:家|机|邮|致|来|弱|发)电|手电筒")


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    path = outside_path(arguments.messages)
    if path is None:
        print("没有 --messages 或 TRIAGE_BENCH_DATA:跳过(没有外部文本可测)")
        return
    triage = Triage.load(arguments.bundle)
    began = time.perf_counter()
    rows = list(read_rows(path))
    results = list(triage.predict_rows(rows))
    seconds = time.perf_counter() - began
    foreign = [result for row, result in zip(rows, results, strict=True) if _is_foreign(row.value)]
    lines = [
        "# Foreign texts",
        "",
        "Made by `python benchmarks/foreign.py --write docs/foreign.md` on real messages of citizens to other offices "
        "(not in this repository).",
        "",
        f"{len(rows)} messages, as many results in the same order: "
        f"{[r['row'] for r in results] == [row.number for row in rows]}; "
        f"{sum('error' in r for r in results)} errors; {seconds:.0f} s.",
        "",
        f"{len(foreign)} of them do not speak of power at all:",
        "",
        "| figure | value | bar |",
        "|---|---|---|",
        *(f"| {name} | {value} | {bar} |" for name, value, bar in _figures(foreign)),
    ]
    publish(lines, arguments.write)


def _is_foreign(value: Any) -> bool:
    text = value if isinstance(value, str) else next((str(value[key]) for key in TEXT_KEYS if value.get(key)), "")
    return not re.search("电|国网", _OTHER.sub("", text))


def _figures(results: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    answered = [result for result in results if "error" not in result]
    seven = [leaf.code for leaf in load_policy().taxonomy.leaves if leaf.group != "other"]  # those of the article
    auto = Counter(r["category"]["code"] for r in answered if r["decision"] == "auto")

    def share(number: int) -> str:
        return f"{number} ({number / len(answered):.2%})"

    raised = {flag: sum(r["flags"][flag]["raised"] for r in answered) for flag in answered[0]["flags"]}
    return [
        ("sent out unread into the seven leaves of the article", share(sum(auto[leaf] for leaf in seven)), "≤ 2 %"),
        ("sent out unread into any leaf but other.misc", share(sum(auto.values()) - auto["other.misc"]), ""),
        ("sent out unread as other.misc", share(auto["other.misc"]), ""),
        *((f"{flag} raised", share(n), "≤ 0.2 %" if flag == "malicious" else "") for flag, n in raised.items()),
        ("safety raised", share(sum(r["safety"]["raised"] for r in answered)), ""),
    ]


if __name__ == "__main__":
    main()
