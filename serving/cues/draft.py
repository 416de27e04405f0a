"""Draft of the paper that a person may hand in once a cue is confirmed: 报备 or 最终答复. It is printed, never sent.

What the store knows is filled in; what it does not know is a gap, 【待补:…】. The item's name always stands in it,
since the lists of filings number their items differently, and so does the mark that it came after the complaint.
Source: 《供电服务投诉热点分析及管控措施》 (胡风华, 2021), sections 3.1 and 3.2.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from model.policy import Policy
from model.ticket import CHINA
from serving.cues.cue import CONFIRMERS, STATE_NAMES, Attached, State
from serving.cues.filings import marked_filing
from serving.cues.records import CueRecord
from serving.store.columns import Json

_FINAL = "unreasonable"  # whose paper is an answer to the customer
NOT_SENT = "本稿由系统按已有记录整理,不会自动报送,也不会自动给客户打标签;须由人核对、补齐、审批后办理。"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the paper: what it is about, and what is known or the gap."""

    label: str
    text: str
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its lines."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """The paper. `item` is the filing's name and code; `marks` are warnings that must be printed with it."""

    title: str
    item: str
    marks: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def gaps(self) -> int:
        """How many lines a person has to fill in."""
        return sum(line.gap for section in self.sections for line in section.lines)

    def to_dict(self) -> Json:
        """What the API answers.

        Returns:
            All fields and the number of `gaps`.
        """
        return {**asdict(self), "gaps": self.gaps}


@dataclass(frozen=True, slots=True)
class Matter:
    """What a paper says of the ticket: when it was accepted (else received), its leaf, its masked text or None."""

    arrived_at: datetime
    leaf: str
    text: str | None


def draft(record: CueRecord, matter: Matter, policy: Policy) -> Draft | None:
    """The paper that goes with a cue.

    Args:
        record: the cue.
        matter: its ticket.
        policy: evidence lists, names of filings and leaves.

    Returns:
        None for a flag that no filing goes with (theft, arrears).
    """
    code = policy.cues.flags[record.cue.flag].filing
    if code is None:
        return None
    filing = policy.taxonomy.filing(code)
    final = record.cue.flag == _FINAL
    return Draft(
        title="最终答复(草稿)" if final else "重要服务事项报备(草稿)",
        item=f"{filing.name}({filing.code})",
        marks=_marks(record, matter, filing.code),
        sections=(
            _about(record, matter, policy),
            Section("客户诉求(已脱敏)", (_line("诉求内容", matter.text, "工单内容已按规定删除,须从原系统调取"),)),
            _evidence(record, policy),
            Section("核查与处理" if not final else "答复", tuple(_to_write(final))),
            _people(record),
        ),
    )


def gap(what: str) -> str:
    """How a gap is marked.

    Args:
        what: is missing.

    Returns:
        【待补:…】.
    """
    return f"【待补:{what}】"


def _marks(record: CueRecord, matter: Matter, code: str) -> tuple[str, ...]:
    state = record.cue.state
    found = []
    marked = marked_filing({"code": code, "name": "", "basis": "suggested"}, matter.arrived_at)
    if marked and marked["after_complaint"]:
        found.append(f"投诉受理之后提出:投诉于 {_time(matter.arrived_at)} 受理,线索于 {_time(record.raised_at)} 出现。")
    if state is not State.ACTIVE:
        found.append(f"线索现为「{STATE_NAMES[state]}」,没有经两人确认生效:本稿只供准备材料,不得报送。")
    return (*found, NOT_SENT)


def _about(record: CueRecord, matter: Matter, policy: Policy) -> Section:
    leaf = policy.taxonomy.leaf(matter.leaf).name if matter.leaf in policy.taxonomy else matter.leaf
    lines = (
        Line("工单编号", record.ticket_id),
        Line("受理时间", _time(matter.arrived_at)),
        Line("诉求类别", leaf),
        _line("被投诉单位", record.cue.unit, "被投诉单位"),
        _line("报送单位", None, "报送单位"),
        _line("报送时间", None, "报送时间"),
    )
    return Section("基本情况", lines)


def _evidence(record: CueRecord, policy: Policy) -> Section:
    items = policy.cues.flags[record.cue.flag].items
    return Section("证据", tuple(_item(item.name, record.cue.evidence.get(item.code)) for item in items))


def _item(name: str, found: Attached | None) -> Line:
    if found is None:
        return _line(name, None, "编号或存放处")
    given = found.attachment
    dated = f",日期 {given.dated.isoformat()}" if given.dated else ""
    return Line(name, f"{given.reference}{dated}")


def _to_write(final: bool) -> list[Line]:
    wanted = (
        ("答复意见", "依据哪一条规定、结论是什么"),
        ("补偿", "按规定应补偿的项目和金额;没有则写明没有"),
        ("救济途径", "已告知 12398、计量检定、法院的方式和日期"),
    ) if final else (
        ("事情经过", "私人纠纷或处罚的起因与经过"),
        ("服务问题核查", "所反映的服务问题怎样核查、结论是什么"),
        ("工单办理", "工单照常办理的情况;报备不停止时限"),
    )  # fmt: skip
    return [_line(label, None, what) for label, what in wanted]


def _people(record: CueRecord) -> Section:
    people = [f"{one.by.name}({one.by.unit or '单位未登记'}),{_time(one.at)}" for one in record.cue.confirmed_by]
    lines = [
        _line(f"确认人{number + 1}", people[number] if number < len(people) else None, "不属于被投诉单位的另一人")
        for number in range(max(CONFIRMERS, len(people)))
    ]
    return Section("确认与审批", (*lines, _line("审批", None, "审批人与日期")))


def _line(label: str, text: str | None, missing: str) -> Line:
    return Line(label, text) if text else Line(label, gap(missing), gap=True)


def _time(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"
