"""Each expression of rules, masking, turns and disguises on 20,000 characters made to hurt it.

`python benchmarks/adversarial.py [--write docs/adversarial.md]`. Exits with 1 where one expression takes over 5 ms.
"""

import argparse
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from page import publish

from model import addresses, disguises, names, number_shapes, privacy, private_numbers, text, turns
from model.document import Document, read
from model.needles import needles
from model.policy import Policy, load_policy
from model.policy.schema import RuleEntry
from model.rules import RuleBase
from model.sentences import Scene
from model.ticket import Ticket

_LENGTH = 20_000
_BAR = 5.0  # ms
_LETTERS = re.compile(r"[\u4e00-\u9fff\w]")


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    policy = load_policy()
    rules = [(_worst_rule(policy, rule), f"rule {rule.id}") for rule in policy.rules if rule.regex]
    others = [(_worst_pattern(pattern), name) for name, pattern in _expressions()]
    found = sorted([*rules, *others], reverse=True)
    over = [name for milliseconds, name in found if milliseconds > _BAR]
    lines = [
        "# Expressions on hostile text",
        "",
        "Made by `python benchmarks/adversarial.py --write docs/adversarial.md`: the worst of some hundred texts of "
        f"{_LENGTH:,} characters built from each expression's own letters. Bar: {_BAR:.0f} ms. Over it: {len(over)} of {len(found)}.",
        "",
        "| expression | worst ms |",
        "|---|---|",
        *(f"| {name} | {milliseconds:.2f} |" for milliseconds, name in found[:15]),
    ]
    publish(lines, arguments.write)
    sys.exit(1 if over else 0)


def _worst_rule(policy: Policy, rule: RuleEntry) -> float:
    """The expression alone, around its needles, as rules run it."""
    base = RuleBase(replace(policy, rules=(rule,)))
    compiled = base._rules[0]
    worst = 0.0
    for attack in _attacks(rule.regex or "", sorted(needles(rule.regex or ""))):
        scene = Scene(_document(attack), policy.context)
        groups = base._by_group(base._wordings(attack)).get(0, {})
        if groups or not compiled.groups[0]:
            worst = max(worst, _ms(lambda s=scene, g=groups: list(islice(base._places(compiled, s, g), 100))))  # type: ignore[misc]
    return worst


def _worst_pattern(pattern: "re.Pattern[str]") -> float:
    return max(_ms(lambda t=text: list(pattern.finditer(t))) for text in _attacks(pattern.pattern, ["1", "138", "号"]))  # type: ignore[misc]


def _expressions() -> Iterator[tuple[str, "re.Pattern[str]"]]:
    """Every other expression that reads a text: of masking, turns, disguises."""
    for module in (addresses, disguises, number_shapes, private_numbers, privacy, text, turns):
        source = Path(module.__file__ or "").read_text(encoding="utf-8")
        for name, value in vars(module).items():
            if f"{name}.match(" in source:  # tried in one place only, never along the text
                continue
            parts = [part for row in value for part in row] if name == "_LETTERED" else [value]
            for number, part in enumerate(parts):
                if isinstance(part, re.Pattern):
                    yield f"{module.__name__} {name} {number or ''}".strip(), part
    for number, pattern in enumerate(names._patterns()):
        yield f"model.names {number}", pattern.expression
    yield "model.names titles", names._titles()


def _attacks(pattern: str, wanted: list[str]) -> list[str]:
    """Runs of each letter of the pattern, with and without what a match needs, and random mixtures of all."""
    rng = random.Random(len(pattern))  # noqa: S311 - repeatable, no secret
    letters = sorted(set(_LETTERS.findall(pattern)))
    letters = rng.sample(letters, min(len(letters), 60))
    needle = wanted[:1] or [""]
    texts = [letter * _LENGTH for letter in letters]
    texts += [(letter * 150 + needle[0]) * (_LENGTH // 150) for letter in letters]
    texts += [(letter + other) * _LENGTH for letter in letters[:8] for other in (needle[0], "1", " ")]
    texts += ["".join(rng.choices([*letters, *wanted[:20]], k=_LENGTH)) for _ in range(5) if letters]
    texts += [mark * _LENGTH for mark in (" ", "\n", "1", ",", "停 ", "a1", "王")]
    return [text[:_LENGTH] for text in texts]


def _document(text: str) -> Document:
    """The text as it stands: masking and turns are measured elsewhere."""
    return replace(read(Ticket("停电")), sent=text, aligned=replace(read(Ticket("停电")).aligned, text=text, index=None),
                   segments=(replace(read(Ticket("停电")).segments[0], start=0, end=len(text)),))  # fmt: skip


def _ms(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
