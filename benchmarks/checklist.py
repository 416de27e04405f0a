"""Behaviour tests (CheckList, Ribeiro et al. 2020): minimum function by boundary rule, direction, invariance.

`python benchmarks/checklist.py [--bundle artifacts/champion] [--write docs/checklist.md]`; the cases stand in
tests/data/checklist/, written by hand and never trained on. Rules alone stand beside the bundle.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from checklist_cases import (
    ACCUSED,
    BOUNDARY,
    NEGATION,
    UNSEEN,
    Group,
    Outcome,
    Side,
    Variant,
    judge_groups,
    judge_variants,
    read_groups,
    read_invariance,
)
from page import publish

from model.bundle import load_bundle
from model.pipeline import Pipeline
from model.policy import load_policy

_TITLES = {
    BOUNDARY: "Minimum function: the boundary rules of the guideline",
    NEGATION: "Direction: said and denied",
    ACCUSED: "Direction: who is accused",
    UNSEEN: "Direction, unseen: written before rules were widened for the worst rows, looked at only afterwards",
}


def main() -> None:
    """Measure, print, write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("artifacts/champion"))
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    pipelines = Pipeline(bundle.policy, bundle), Pipeline(load_policy())
    groups = read_groups()
    bases, variants, _ = read_invariance()
    answers, by_rules = (judge_groups(pipeline, groups) for pipeline in pipelines)
    lines = [_HEAD.format(source=bundle.source, pairs=sum(len(g.pairs) for g in groups), variants=len(variants))]
    for kind, title in _TITLES.items():
        lines += ["", f"## {title}", "", *_pairs_table(kind, groups, answers, by_rules)]
    changed = [judge_variants(pipeline, variants) for pipeline in pipelines]
    lines += ["", "## Invariance", "", *_variants_table(variants, changed), "", _bases(pipelines[0], bases)]
    lines += ["", "## What fails (bundle)", "", *_failures(groups, answers), *_changes(variants, changed[0])]
    publish([*lines, _TAIL], arguments.write)


def _pairs_table(
    kind: str, groups: Sequence[Group], answers: Sequence[list[Outcome]], by_rules: Sequence[list[Outcome]]
) -> Iterator[str]:
    yield "| | what | pairs | both leaves right | everything right | moves the right way | rules alone: leaves | rules alone: everything |"
    yield "|---|---|---|---|---|---|---|---|"
    chosen = [row for row in zip(groups, answers, by_rules, strict=True) if row[0].kind == kind]
    for group, *outcomes in chosen:
        yield _row(group.name, group.title, *outcomes)
    yield _row("**all**", "", [o for row in chosen for o in row[1]], [o for row in chosen for o in row[2]])


def _row(name: str, title: str, answers: Sequence[Outcome], by_rules: Sequence[Outcome]) -> str:
    counts = (
        sum(o.leaves for o in answers),
        sum(o.holds for o in answers),
        sum(o.moves for o in answers),
        sum(o.leaves for o in by_rules),
        sum(o.holds for o in by_rules),
    )
    cells = [f"{count / len(answers):.2f} ({count})" for count in counts]
    return f"| {name} | {title} | {len(answers)} | {' | '.join(cells)} |"


def _variants_table(variants: Sequence[Variant], changed: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| change | texts | same leaf, flags, safety, escalation | rules alone |"
    yield "|---|---|---|---|"
    for change in (*dict.fromkeys(v.change for v in variants), "**all**"):
        chosen = [n for n, v in enumerate(variants) if v.change == change or change == "**all**"]
        shares = [sum(not told[n] for n in chosen) / len(chosen) for told in changed]
        yield f"| {change} | {len(chosen)} | {shares[0]:.3f} | {shares[1]:.3f} |"


def _bases(pipeline: Pipeline, bases: Sequence[Side]) -> str:
    (outcomes,) = judge_groups(pipeline, [Group("", "", "", None, tuple((base, base) for base in bases))])
    right = sum(o.holds for o in outcomes)
    wrong = "; ".join(f"{o.pair[0].text}: {', '.join(o.wrong[0])}" for o in outcomes if not o.holds)
    return f"{right} of {len(bases)} base texts are right themselves{': wrong are ' + wrong if wrong else ''}."


def _failures(groups: Sequence[Group], answers: Sequence[list[Outcome]]) -> Iterator[str]:
    for group, outcomes in zip(groups, answers, strict=True):
        failed = [o for o in outcomes if not o.holds]
        if failed:
            yield f"**{group.kind} {group.name}** {group.title}"
            yield ""
        for outcome in failed:
            sides = zip(outcome.pair, outcome.wrong, strict=True)
            yield "- " + " / ".join(f"{_line(s.text)} {'✗ ' + ', '.join(w) if w else '✓'}" for s, w in sides)
        if failed:
            yield ""


def _changes(variants: Sequence[Variant], changed: Sequence[str]) -> Iterator[str]:
    yield "**invariance**"
    yield ""
    for variant, told in zip(variants, changed, strict=True):
        if told:
            yield f"- {variant.change}: {_line(variant.text)} ✗ {told}"


def _line(text: str) -> str:
    return text.replace("\n", " ⏎ ")


_HEAD = """# Behaviour tests

Made by `python benchmarks/checklist.py --write docs/checklist.md` ({source} bundle). Kinds of test after CheckList (Ribeiro et
al. 2020): {pairs} pairs of texts and {variants} changed texts in `tests/data/checklist/`, written by hand for these tests,
none of them in the samples. The two texts of a pair differ little but stand on the two sides of a rule of
`annotation-guideline.md`; a pair counts only where both sides are right. **Both leaves** looks at the leaf alone;
**everything** also at what else the rule is about (second leaf, flags, role of theft, safety, escalation); **moves the right
way** asks only that whatever must differ between the sides does so in probability, whether or not a threshold is crossed.
These texts were made to be hard: the figures are no accuracy on real flow. The hand that wrote them has read the guideline,
not the samples. `tests/behaviour/test_checklist.py` holds the linear bundle to a bar for each row, set below these figures."""
_TAIL = """
## The worst three, and what was done

Looked at one by one before anything was changed; figures are shares of pairs of which everything is right. Rules were widened by
general expressions only: words that stood in a case alone were taken out again. The unseen rows were written just before by the same
hand, so they flatter a little.

1. **Who steals** (first run: rule 16 0.10, own or reported theft 0.00). Somebody else's theft without the word 举报 (「得罚他」, 「没人管」) had no
   rule, and the classifier's separator for `reports_other` is cut at 0, where it finds a quarter of the reports of dev and test
   authors (6 of 24, none falsely). Rules now read another person, a deed and a wish to see it punished as a report: rules alone
   0.12 → 0.38 on unseen pairs. The linear bundle gains nothing, since rules have no say in its role of theft; a cut at -0.3 would find
   13 of the 24 by itself, still none falsely.
2. **Owed or stolen, denied** (first run: arrears 0.00, theft 0.50; rules alone 0.50 and 0.00). 「三个月都按时交的」 fired the rule for three unpaid
   months, 「没有人说我窃电」 the rule for an accusation. Both now stop at words of nothing owed and nobody accusing: rules alone 0.25 → 0.75 on
   the two rows together. The classifier still hears 欠费 and a number of months, however they are denied: tickets that deny a debt
   are rare in training.
3. **The second leaf** (first run: rules 15 and 21 0.20). Not mended. No rule speaks of second leaves, and two demands in one ticket
   that need two desks hardly occur in training but for theft with a check of the meter: it wants tickets, not a lower threshold
   (at -0.1 precision falls from 0.53 to 0.40, recall rises from 0.52 to 0.60).

Conduct against other matters (rules 10 and 14) was widened too: rules alone 0.25 → 0.38 on unseen pairs. Rules weigh 0.28 beside the
classifier, so what they learn shows in rules alone first; no figure of the test authors changed, but rules alone 0.700 → 0.702 leaf
macro-F1. What remains of the leaf is phrasing that training lacks: praise at the counter (rule 12), an employee who is also a relative
(14), two matters told of which one is settled (13, 10).
"""

if __name__ == "__main__":
    main()
