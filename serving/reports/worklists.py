"""Worklists (工作单): tickets that somebody should go and see, found by leaf, state and wording."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field

from model.document import Document
from model.policy import Policy
from model.policy.schema import RuleEntry, Strict
from model.rules import Hit, RuleBase
from model.text import Aligned
from model.turns import split_turns
from serving.reports.material import tickets_of
from serving.reports.report import Cell, Column, Section, Table, Text

if TYPE_CHECKING:
    import pandas as pd

MISWIRING, _MISWIRED = "miswiring_homes", "metering.miswiring"
_AROUND = 36  # characters shown on either side of what was recognised
_STATES = {"open": "待办", "reviewed": "已审", "closed": "已办结"}
_ESTATE = re.compile(
    r"[\u4e00-\u9fa5]{2,8}?(?:小区|花园|花苑|家园|公寓|新村|新城|家属院|山庄|雅苑|嘉苑|华庭|[一二三四五六七八九十]期)"
)
_NO_NAME = re.compile(r"^(?:.*(?:我们|咱们|这个|那个|本|该|整个|整|全|同|隔壁|附近|住在|家住|位于|是|在|的|住))")
_COLUMNS = (
    Column("工单"), Column("受理时间", "time"), Column("县"), Column("供电所"), Column("类别"), Column("状态"),
    Column("答复截止", "time"), Column("依据(已脱敏)", wide=True), Column("走访日期(填写)"), Column("结果(填写)"),
)  # fmt: skip


class KindEntry(Strict):
    """One worklist of worklists.yaml."""

    name: str
    section: str
    do: str
    leaves: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    rules: tuple[RuleEntry, ...] = ()
    proof: tuple[RuleEntry, ...] = ()


class KindsFile(Strict):
    """worklists.yaml."""

    kinds: dict[str, KindEntry] = Field(min_length=1)


@dataclass(frozen=True)
class Worklists:
    """Finds the tickets of each worklist.

    Args:
        policy: names of leaves; lexicons of the rules.
    """

    policy: Policy

    def sections(self, frame: "pd.DataFrame", kinds: tuple[str, ...]) -> tuple[Section, ...]:
        """The worklists, one section each.

        Args:
            frame: complaints, as `serving.hotspots.frame` makes them; oldest first.
            kinds: of worklists.yaml.

        Returns:
            In the order asked for; a worklist without tickets says so.
        """
        return tuple(self._section(frame, kind) for kind in kinds)

    def _section(self, frame: "pd.DataFrame", kind: str) -> Section:
        entry = entries()[kind]
        do = Text(f"{entry.do}(文章 {entry.section})", "note")
        if kind == MISWIRING:
            return Section(entry.name, (self._homes(frame, entry), do))
        rows = tuple(self._row(one, hit) for one, hit in self._found(frame, kind, entry))
        see = f"共 {len(rows)} 张;依据是正文片段,去之前请先打开工单看全文。" if rows else "这段时间没有符合的工单。"
        return Section(entry.name, (Table("", _COLUMNS, rows, see), do))

    def _found(self, frame: "pd.DataFrame", kind: str, entry: KindEntry) -> Iterator[tuple[Any, Hit | None]]:
        """Tickets with what was recognised. A state that answers the question by itself needs no wording."""
        rules = self._rules(entry.rules)
        conduct = {code for code, route in self.policy.routing.routes.items() if route.never}
        for one in tickets_of(_of(frame, entry.leaves)):
            if one.category in conduct:  # never to those complained of (hard rule 6)
                continue
            by_state = one.status in entry.states if one.status and entry.states else None
            hit = _first(rules, one.text)
            if (kind == "new_connection_callbacks" and by_state) or (hit and by_state is not False):
                yield one, hit

    def _homes(self, frame: "pd.DataFrame", entry: KindEntry) -> Table:
        """Estates with a proven miswiring: the proof first, then tickets from there, whose homes are checked first."""
        near = _of(frame, entry.leaves)
        proof = self._rules(entry.proof)
        proven: dict[str, list[tuple[Any, Hit | None]]] = {}
        for one in tickets_of(near[near["category"] == _MISWIRED]):
            hit = _first(proof, one.text) if one.upheld is None else None
            if one.upheld is True or hit:
                proven.setdefault(_place(one), []).append((one, hit))
        known = {one.ticket_id for found in proven.values() for one, _ in found}
        others: dict[str, list[Any]] = {}
        for one in tickets_of(near):
            if one.ticket_id not in known and (place := _place(one)) in proven and _estate(one):
                others.setdefault(place, []).append(one)
        rows = []
        for place, found in sorted(proven.items(), key=lambda pair: (-len(pair[1]), pair[0])):
            rows += [(place, "已证实接错", *self._row(one, hit)) for one, hit in found]
            rows += [(place, "先查这一户", *self._row(one, None)) for one in others.get(place, ())]
        see = f"{len(proven)} 处有已证实的接错线,整片每户必查。" if proven else "这段时间没有已证实的接错线。"
        return Table("", (Column("小区"), Column("查什么"), *_COLUMNS), tuple(rows), see)

    def _row(self, one: Any, hit: Hit | None) -> tuple[Cell, ...]:
        name = self.policy.taxonomy.leaf(one.category).name if one.category in self.policy.taxonomy else one.category
        state = _STATES.get(one.status, one.status)
        shown = _around(one.text, hit)
        return (one.ticket_id, _moment(one.accepted_at), one.county, one.station, name, state,
                _moment(one.due_at), shown, None, None)  # fmt: skip

    def _rules(self, rules: tuple[RuleEntry, ...]) -> RuleBase:
        return RuleBase(replace(self.policy, rules=rules))


@cache
def entries() -> dict[str, KindEntry]:
    """The worklists that there are.

    Returns:
        Code → what it looks for and what is to be done.
    """
    text = (files("serving.reports") / "worklists.yaml").read_text(encoding="utf-8")
    return KindsFile.model_validate(yaml.safe_load(text)).kinds


def _of(frame: "pd.DataFrame", leaves: tuple[str, ...]) -> "pd.DataFrame":
    return frame[frame["category"].isin(leaves)] if leaves else frame


def _first(rules: RuleBase, text: object) -> Hit | None:
    if not isinstance(text, str) or not text:
        return None
    hits = rules.hits(Document(text, len(text), Aligned(text), split_turns(text), (), clipped=False))
    return max(hits, key=lambda hit: hit.weight, default=None)


def _around(text: object, hit: Hit | None) -> str:
    """The words around what was recognised, else the beginning."""
    if not isinstance(text, str):
        return ""
    start, end = (max(0, hit.start - _AROUND), min(len(text), hit.end + _AROUND)) if hit else (0, 2 * _AROUND)
    cut = text[start:end].replace("\n", " ")
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _place(one: Any) -> str:
    """The estate that the text names, with its station. A whole station is no place to go from door to door."""
    return f"{_estate(one) or '小区见工单'}({one.station or one.county or '单位不详'})"


def _estate(one: Any) -> str:
    found = _ESTATE.search(one.text) if isinstance(one.text, str) else None
    name = _NO_NAME.sub("", found[0]) if found else ""
    return name if len(name) > len("小区") else ""


def _moment(value: Any) -> Any:
    return (
        None if value is None or value != value else value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    )
