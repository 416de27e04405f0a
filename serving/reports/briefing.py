"""The morning briefing (晨会简报) of section 2.1 for one hall or station, on one page."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from model.ticket import CHINA
from serving.reports.material import Material, tickets_of
from serving.reports.places import belongs
from serving.reports.report import Block, Bullets, Cell, Column, Figures, Report, Section, Table, Text

if TYPE_CHECKING:
    import pandas as pd

LOOK_BACK = timedelta(days=366)  # tickets that are older and still open are a matter for the office, not for a briefing
_CALLS_IN, _CALLS = timedelta(days=30), 3
_MOST, _GIST = 7, 60
_DEFAULT_LEAF = "hall.staff_attitude"  # what the briefing of section 2.1 is for, where there was no ticket
_CLOCKS = {"arrive_by": "抢修到场", "contact_due_at": "24 小时联系", "due_at": "答复"}


@dataclass(frozen=True)
class Briefing:
    """Writes the briefing of one day.

    Args:
        material: tickets of the year before; texts are needed for the day before only.
        day: of the briefing, in Asia/Shanghai.
        org: a hall, station, county or city, as people write it.
    """

    material: Material
    day: date
    org: str

    @property
    def start(self) -> datetime:
        """When the day begins."""
        return datetime.combine(self.day, time(), CHINA)

    @property
    def names(self) -> list[str]:
        """Counties and stations that there are."""
        return sorted({str(name) for part in ("county", "station") for name in self.material.frame[part].dropna()})

    @property
    def unknown(self) -> bool:
        """Whether no ticket is of this unit."""
        return len(self._mine()) == 0

    def report(self) -> Report:
        """The page.

        Returns:
            Yesterday's tickets, clocks, danger, repeat callers, one measure, what to say and what not.
        """
        mine = self._mine()
        before = mine[(mine["accepted_at"] >= self.start - timedelta(days=1)) & (mine["accepted_at"] < self.start)]
        clocks = self._clocks(mine)
        sections = (
            Section("昨天", (self._figures(mine, before, clocks), *self._leaves(before))),
            Section("今天要办", (self._due(clocks), *self._danger(before))),
            Section("重复来电", (self._callers(mine),)),
            Section("今天讲一条", self._measure(before, mine)),
        )
        marks = (*self._several(mine), *self.material.left_out.sentences())
        return Report("晨会简报", f"{self.org} · {self.day:%Y-%m-%d}", self.material.made, sections, marks)

    def _several(self, mine: "pd.DataFrame") -> tuple[str, ...]:
        """Told where stations of the same name lie in several counties."""
        places = mine[["county", "station"]].dropna().drop_duplicates()
        if not places["station"].duplicated().any():
            return ()
        return (f"{'、'.join(sorted(set(places['county'])))} 都有「{self.org}」,这里合在一起;请写成县名加所名",)

    def _mine(self) -> "pd.DataFrame":
        frame = self.material.frame
        places = frame[["city", "county", "station"]].drop_duplicates()
        known = {place: belongs(self.org, place) for place in places.itertuples(index=False, name=None)}
        wanted = [known[place] for place in zip(frame["city"], frame["county"], frame["station"], strict=True)]
        return frame[wanted] if len(frame) else frame

    def _clocks(self, mine: "pd.DataFrame") -> list[tuple[datetime, str, Any]]:
        """Clocks that run and end before tomorrow, the earliest first."""
        end = self.start + timedelta(days=1)
        found = []
        for one in tickets_of(mine):
            done = one.status == "deleted" or (one.status == "closed" and not _known(one.closed_at))
            if done or _before(one.closed_at, self.start):
                continue
            for column, name in _CLOCKS.items():
                due = getattr(one, column)
                met = _before(_met_at(one, column), self.start)
                if _known(due) and due < end and not met:
                    found.append((due.to_pydatetime(), name, one))
        return sorted(found, key=lambda clock: (clock[0], clock[2].ticket_id))

    def _figures(
        self, mine: "pd.DataFrame", before: "pd.DataFrame", clocks: list[tuple[datetime, str, Any]]
    ) -> Figures:
        overdue = {one.ticket_id for due, _, one in clocks if due < self.start}
        today = {one.ticket_id for due, _, one in clocks if due >= self.start}
        week = mine[(mine["accepted_at"] >= self.start - timedelta(days=7)) & (mine["accepted_at"] < self.start)]
        return Figures(
            (
                ("昨天来单", str(len(before)), f"近七天平均每天 {len(week) / 7:.1f}"),
                ("今天到期", str(len(today)), "下班前答复"),
                ("已经超时", str(len(overdue)), "先办这些"),
                ("涉及人身安全", str(int(before["safety"].sum())), "昨天来单中"),
            )
        )

    def _leaves(self, before: "pd.DataFrame") -> tuple[Block, ...]:
        counts = Counter(before["category"]).most_common(5)
        if not counts:
            return (Text("昨天没有本单位的工单。"),)
        said = "、".join(f"{self.material.leaf_name(code)} {number} 件" for code, number in counts)
        own = sum(number for code, number in Counter(before["category"]).items() if code in _conduct(self.material))
        kept = f"其中反映服务行为的 {own} 件由县公司核查,这里只列件数。" if own else ""
        return (Text(f"{said}。{kept}"),)

    def _due(self, clocks: list[tuple[datetime, str, Any]]) -> Table:
        """Tickets about conduct are left out: they never go to those complained of (hard rule 6)."""
        hidden = _conduct(self.material)
        late: dict[str, tuple[Cell, ...]] = {}
        today: dict[str, tuple[Cell, ...]] = {}
        for due, name, one in clocks:  # the earliest clock of a ticket stands for it
            chosen, state = (late, "已超时") if due < self.start else (today, "今天到期")
            if one.category not in hidden and one.ticket_id not in late:
                chosen.setdefault(
                    one.ticket_id, (one.ticket_id, self.material.leaf_name(one.category), name, due, state)
                )
        rows = (*list(late.values())[:_MOST], *list(today.values())[:_MOST])
        left = len(late) + len(today) - len(rows)
        more = f"另有 {left} 张未列,见队列。" if left else "办完在系统里登记联系与办结。"
        columns = (Column("工单"), Column("小类"), Column("时限"), Column("截止", "time"), Column("状态"))
        return Table("到期与超时", columns, rows, f"先办超时的;{more}" if rows else "今天没有到期或超时的工单。")

    def _danger(self, before: "pd.DataFrame") -> tuple[Block, ...]:
        hidden = _conduct(self.material)
        items = [
            f"{one.ticket_id}:{(one.text or '')[:_GIST]}"
            for one in tickets_of(before[before["safety"]])
            if one.category not in hidden
        ]
        return (Bullets(tuple(items[:_MOST]), "涉及人身安全:确认已到场、已处置"),) if items else ()

    def _callers(self, mine: "pd.DataFrame") -> Block:
        near = mine[
            (mine["accepted_at"] >= self.start - _CALLS_IN)
            & (mine["accepted_at"] < self.start)
            & mine["caller"].notna()
        ]
        rows = []
        for _, calls in near.groupby("caller", sort=False):
            waiting = calls[calls["status"] != "closed"]
            open_ = waiting[~waiting["category"].isin(_conduct(self.material))]
            if len(calls) >= _CALLS and len(waiting):
                rows.append(
                    (
                        len(calls),
                        len(waiting),
                        calls["accepted_at"].max().to_pydatetime(),
                        "、".join(open_["ticket_id"][:5]),
                    )
                )
        rows.sort(key=lambda row: (-row[0], row[2]))
        columns = (
            Column("30 天内来电", "count"),
            Column("未办结", "count"),
            Column("最近一次", "time"),
            Column("未办结工单", wide=True),
        )
        if not rows:
            return Text("没有 30 天内来电三次以上且未办结的客户。")
        return Table("", columns, tuple(rows[:_MOST]), "今天由负责人联系:先问清上次为什么没有解决。")

    def _measure(self, before: "pd.DataFrame", mine: "pd.DataFrame") -> tuple[Block, ...]:
        """Of the leaf most complained of yesterday, else in the week; another measure every day."""
        policy = self.material.policy.measures.leaves
        week = mine[mine["accepted_at"] >= self.start - timedelta(days=7)]
        counts = Counter(before["category"]) or Counter(week["category"])
        leaf = next((code for code, _ in counts.most_common() if code in policy), _DEFAULT_LEAF)
        entry, turn = policy[leaf], self.day.toordinal()
        return (
            Text(f"措施({self.material.leaf_name(leaf)},文章 {entry.section}):{_turn(entry.measures, turn)}"),
            Bullets((f"可以说:{_turn(entry.card.promise, turn)}", f"不能说、不能做:{_turn(entry.card.never, turn)}")),
        )


def _conduct(material: Material) -> frozenset[str]:
    """Leaves that complain of a unit's own people."""
    return frozenset(code for code, route in material.policy.routing.routes.items() if route.never)


def _met_at(one: Any, column: str) -> Any:
    """When a clock was met before the ticket was closed; an arrival that was noted decides, else a contact stands for it."""
    if column == "arrive_by" and _known(one.arrived_at):
        return one.arrived_at
    return None if column == "due_at" else one.contacted_at


def _turn(items: tuple[str, ...], turn: int) -> str:
    return items[turn % len(items)]


def _known(value: Any) -> bool:
    return value is not None and value == value


def _before(value: Any, moment: datetime) -> bool:
    return bool(_known(value) and value < moment)
