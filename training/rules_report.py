"""How each rule does on labelled tickets: what it fires on, how often rightly, and which rules are dead or shadowed."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from model.document import read
from model.policy import Policy
from model.policy.schema import RuleEntry
from model.rules import Hit, RuleBase
from model.taxonomy import FLAGS
from model.ticket import LabelledTicket, Ticket

_WIDTH = 120
_Test = Callable[[LabelledTicket], bool]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule on the labelled tickets.

    `precision` and `coverage` are None where nothing can be said: it never fired, the target never occurs,
    or the label is not kept in the data (`not_a_complaint`). `last_hit` is the id of the last ticket it fired on.
    """

    rule: str
    to: str
    fired: int
    correct: int | None
    precision: float | None
    coverage: float | None
    last_hit: str | None


@dataclass(frozen=True, slots=True)
class RulesReport:
    """Rows in the order of the rule files; `dead` rules never fire, `shadowed` ones never add anything."""

    rows: tuple[RuleRow, ...]
    dead: tuple[str, ...]
    shadowed: tuple[str, ...]
    tickets: int


@dataclass(slots=True)
class _Tally:
    fired: int = 0
    correct: int = 0
    alone: bool = False
    last_hit: str | None = None


@dataclass(slots=True)
class _Counts:
    rules: dict[str, _Tally] = field(default_factory=dict)
    targets: dict[str, int] = field(default_factory=dict)


def rules_report(labelled: Sequence[LabelledTicket], policy: Policy) -> RulesReport:
    """Run all rules on labelled tickets and count.

    Args:
        labelled: tickets with what a person decided, oldest first.
        policy: the rules.

    Returns:
        One row a rule, and the dead and the shadowed rules.
    """
    base = RuleBase(policy)
    tests = {rule.id: _truth(rule, policy) for rule in policy.rules}
    counts = _Counts({rule.id: _Tally() for rule in policy.rules})
    for ticket in labelled:
        hits = base.hits(read(Ticket(ticket.text)))
        for hit in hits:
            _count(counts.rules[hit.rule], hit, hits, ticket, tests[hit.rule])
    for rule in policy.rules:
        test = tests[rule.id]
        counts.targets[rule.id] = sum(test(ticket) for ticket in labelled) if test else 0
    rows = tuple(_row(rule, counts, known=tests[rule.id] is not None) for rule in policy.rules)
    tallies = counts.rules.items()
    return RulesReport(
        rows=rows,
        dead=tuple(name for name, tally in tallies if not tally.fired),
        shadowed=tuple(name for name, tally in tallies if tally.fired and not tally.alone),
        tickets=len(labelled),
    )


def to_text(report: RulesReport) -> str:
    """Render a report for the terminal.

    Args:
        report: what `rules_report` counted.

    Returns:
        A table with Chinese headings, then the dead and the shadowed rules.
    """
    table = Table(title=f"规则体检({report.tickets} 张工单)")
    table.add_column("规则")
    table.add_column("指向")
    for heading in ("命中", "准确率", "覆盖率"):
        table.add_column(heading, justify="right")
    table.add_column("最近命中")
    for row in report.rows:
        shares = (_percent(row.precision), _percent(row.coverage))
        table.add_row(row.rule, row.to, str(row.fired), *shares, row.last_hit or "—")
    page = io.StringIO()
    console = Console(file=page, width=_WIDTH, color_system=None)
    console.print(table)
    for title, names in (("从未命中", report.dead), ("被遮蔽", report.shadowed)):
        console.print(f"{title}({len(names)}):{'、'.join(names) or '无'}", markup=False, highlight=False)
    return page.getvalue()


def _truth(rule: RuleEntry, policy: Policy) -> _Test | None:
    """What a ticket must be labelled with for a rule to be right; None where no label tells."""
    if rule.to in policy.taxonomy.codes:
        return lambda ticket: ticket.category == rule.to or rule.to in ticket.secondary
    if rule.to in FLAGS:
        return lambda ticket: rule.to in ticket.flags
    if rule.to == "theft_role":
        return lambda ticket: ticket.theft_role == rule.role
    if rule.to in {"safety", "escalation"}:
        return lambda ticket: bool(getattr(ticket, rule.to))
    if any(filing.code == rule.to for filing in policy.taxonomy.filings):
        return lambda ticket: ticket.filing == rule.to
    return None


def _count(tally: _Tally, hit: Hit, hits: Sequence[Hit], ticket: LabelledTicket, test: _Test | None) -> None:
    tally.fired += 1
    tally.correct += bool(test and test(ticket))
    tally.last_hit = ticket.id
    tally.alone = tally.alone or not any(_covers(other, hit) for other in hits)


def _covers(other: Hit, hit: Hit) -> bool:
    """Whether another rule of the same target says at least as much at an overlapping place."""
    same = other.to == hit.to and other.rule != hit.rule
    return same and other.weight >= hit.weight and other.start < hit.end and hit.start < other.end


def _row(rule: RuleEntry, counts: _Counts, *, known: bool) -> RuleRow:
    tally, wanted = counts.rules[rule.id], counts.targets[rule.id]
    return RuleRow(
        rule=rule.id,
        to=rule.to,
        fired=tally.fired,
        correct=tally.correct if known else None,
        precision=tally.correct / tally.fired if known and tally.fired else None,
        coverage=tally.correct / wanted if known and wanted else None,
        last_hit=tally.last_hit,
    )


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"
