"""The handover note for a new 服务专责: what is open, what waits for people, what comes, where everything stands."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from model.policy import Policy
from model.ticket import CHINA
from serving.cues.cue import STATE_NAMES, State
from serving.events.match import Event
from serving.hotspots.analysis import Analysis
from serving.reports.material import OpenTicket, Post, WaitingCue
from serving.reports.monthly.events import period
from serving.reports.report import Bullets, Cell, Column, Figures, Report, Section, Table, Text, typeset

SOON = timedelta(days=2)
_EXPIRING = timedelta(days=30)
_WAITING = (State.CANDIDATE, State.COMPLETE, State.APPEALED)
_MOST = 30
_TODO = {
    State.CANDIDATE: "补齐证据,或驳回", State.COMPLETE: "请两人确认(不得是被反映单位的人)", State.APPEALED: "复核申诉,确认或撤销",
}  # fmt: skip


@dataclass(frozen=True)
class Handover:
    """Everything that the note tells."""

    tickets: Sequence[OpenTicket]
    cues: Sequence[WaitingCue]
    events: Sequence[Event]
    analysis: Analysis
    policy: Policy
    post: Post
    now: datetime

    def report(self) -> Report:
        """The note.

        Returns:
            Open tickets, cues, known events, hotspots, the console, rules.
        """
        sections = (
            Section("未办结工单", (self._figures(), self._desks(), self._urgent())),
            Section("待处理的线索", (self._cues(), Text("线索不影响派单与时限;报备只能由人办理,投诉后补的会标明。", "note"))),
            Section("已知事件", (self._events(),)),
            Section("正在升高的类别", (self._rising(),)),
            Section("控制台与命令", (self._keys(), *self._console())),
            Section("规则在哪里", (self._rules(), Text("改规则:复制到 TRIAGE_POLICY 指向的目录再改,改后运行 triage routes check 与 triage rules report。", "note"))),
        )  # fmt: skip
        return Report("服务专责交接说明", f"截至 {self.now.astimezone(CHINA):%Y-%m-%d %H:%M}", self.now, sections)

    def _figures(self) -> Figures:
        late = sum(_late(one, self.now) for one in self.tickets)
        return Figures(
            (
                ("未办结", f"{len(self.tickets):,}", "含待审与已审"),
                ("待审", f"{sum(one.status == 'open' for one in self.tickets):,}", "还没有人看过"),
                ("已超时", f"{late:,}", "先办"),
                ("涉及人身安全", f"{sum(one.safety for one in self.tickets):,}", "未办结中"),
            )
        )

    def _desks(self) -> Table:
        """By desk and clock."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for one in self.tickets:
            counts[one.desk][self._when(one)] += 1
        kinds = ("已超时", "今天到期", "两天内", "以后", "没有时限")
        rows = sorted(counts.items(), key=lambda pair: (-pair[1]["已超时"], -pair[1].total(), pair[0]))
        cells: tuple[tuple[Cell, ...], ...] = tuple(
            (desk, *(found[kind] for kind in kinds), found.total()) for desk, found in rows
        )
        columns = (Column("班组"), *(Column(kind, "count") for kind in kinds), Column("合计", "count"))
        return Table(
            "按班组与时限",
            columns,
            cells,
            "时限取还在走的最早一个(到场、联系、答复)。" if cells else "没有未办结的工单。",
        )

    def _when(self, one: OpenTicket) -> str:
        if one.due is None:
            return "没有时限"
        if one.due <= self.now:
            return "已超时"
        if one.due.astimezone(CHINA).date() == self.now.astimezone(CHINA).date():
            return "今天到期"
        return "两天内" if one.due <= self.now + SOON else "以后"

    def _urgent(self) -> Table:
        order = sorted(
            (one for one in self.tickets if one.due is not None),
            key=lambda one: (not one.safety, one.due, one.ticket_id),
        )
        rows = tuple(
            (one.ticket_id, one.desk, "是" if one.safety else "", self._when(one), one.due) for one in order[:_MOST]
        )
        columns = (Column("工单"), Column("班组"), Column("涉安全"), Column("时限"), Column("截止", "time"))
        return Table("最急的工单", columns, rows, f"最急的 {len(rows)} 张,其余见控制台队列。" if rows else "没有。")

    def _cues(self) -> Table:
        flags = self.policy.taxonomy.flags
        rows: list[tuple[Cell, ...]] = []
        for one in sorted(self.cues, key=lambda cue: cue.raised_at):
            soon = one.state is State.ACTIVE and one.expires_at is not None and one.expires_at <= self.now + _EXPIRING
            if one.state in _WAITING or soon:
                todo = _TODO.get(one.state, "30 天内到期,不自动延长")
                if one.flag == "arrears":
                    todo = "只作差异化服务提示,不确认、不打标签"
                rows.append(
                    (one.ticket_id, flags[one.flag], STATE_NAMES[one.state], one.unit, one.raised_at, typeset(todo))
                )
        columns = (
            Column("工单"),
            Column("线索"),
            Column("状态"),
            Column("被反映单位"),
            Column("提出", "time"),
            Column("要做什么", wide=True),
        )
        left = len(rows) - _MOST
        see = (
            f"共 {len(rows)} 条,提出最早的在前{f',另有 {left} 条未列' if left > 0 else ''}。"
            if rows
            else "没有待处理的线索。"
        )
        return Table("", columns, tuple(rows[:_MOST]), see)

    def _events(self) -> Table:
        kinds, filings = self.policy.events.kinds, self.policy.taxonomy
        rows = tuple(
            (kinds[one.kind].name if one.kind in kinds else one.kind, "、".join(p for p in (one.county, one.station, *one.places) if p) or "全区域",
             one.starts_at, one.ends_at, filings.filing(one.filing).name if one.filing else None, one.text)
            for one in sorted(self.events, key=lambda event: event.starts_at)[:_MOST]
        )  # fmt: skip
        columns = (
            Column("事件"),
            Column("范围"),
            Column("开始", "time"),
            Column("结束", "time"),
            Column("报备事项"),
            Column("公告", wide=True),
        )
        return Table(
            "",
            columns,
            rows,
            "正在进行或将要开始;有新的停电、升级、换表计划要事先登记。"
            if rows
            else "登记簿里没有正在进行或将要开始的事件。",
        )

    def _rising(self) -> Table:
        rows = tuple(
            (
                spot.leaf_name,
                spot.rising.unit or "全部单位",
                period(spot.rising),
                spot.rising.tickets,
                spot.rising.ratio,
                typeset(typeset(spot.measures[0])),
            )
            for spot in self.analysis.hotspots[:_MOST]
        )
        columns = (
            Column("小类"),
            Column("单位"),
            Column("期间"),
            Column("件数", "count"),
            Column("平常的", "times"),
            Column("措施", wide=True),
        )
        return Table(
            "",
            columns,
            rows,
            "近八周里高出平常波动的;详见 triage report hotspots。" if rows else "近八周没有高出平常波动的类别。",
        )

    def _keys(self) -> Table:
        rows = tuple((role, number) for role, number in self.post.keys)
        see = "密钥只在建立时显示一次;接任者用自己的新密钥(triage keys create --role reviewer),离任者的请停用。"
        return Table("控制台的密钥", (Column("角色"), Column("在用", "count")), rows, see)

    def _console(self) -> tuple[Bullets, ...]:
        return (
            Bullets(
                (
                    "triage console 打开网页控制台,用密钥登录",
                    "队列:J 下一张,K 上一张,Enter 接受建议,1–3 选候选类别后 Enter 改判",
                    "triage report briefing --date 日期 --org 单位:晨会简报",
                    "triage report worklists --kind 名称:走访、回访、稽查用的工作单",
                    "triage report hotspots --since 日期 --until 日期 --output 月报.docx:月度报告",
                    "triage serve、triage deliver 是常驻服务,状态见 /readyz",
                ),
                "常用",
            ),
        )

    def _rules(self) -> Table:
        policy = self.policy
        rows: tuple[tuple[Cell, ...], ...] = (
            ("类别与成因", "taxonomy.yaml", policy.taxonomy.version),
            ("班组、时限、承诺", "routing.yaml", policy.routing.version),
            ("措施与首次联系卡", "measures.yaml", policy.measures.version),
            ("识别规则", "rules/*.yaml", policy.rules_version),
            ("线索的证据清单", "cues.yaml", policy.cues.version),
            ("已知事件的种类", "events.yaml", policy.events.version),
        )
        own = (
            f"本单位自己的文件:{'、'.join(self.post.own_files)};其余用内置。" if self.post.own_files else "都用内置的。"
        )
        return Table(
            "",
            (Column("内容"), Column("文件"), Column("版本")),
            rows,
            f"{own}在用模型包:{self.post.bundle or '无,只用规则'}。",
        )


def _late(one: OpenTicket, now: datetime) -> bool:
    return one.due is not None and one.due <= now
