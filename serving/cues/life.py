"""The life of a cue as a pure state machine. It knows nothing of desks, clocks or queues, so no step can move a ticket.

candidate → evidence_complete → active (two people) → expired | appealed | removed; candidate, evidence_complete → rejected.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from model.policy.cue_schema import CueEntry, CuesFile, EvidenceItem
from model.ticket import CHINA
from serving.cues.cue import (
    CONFIRMERS,
    STATE_NAMES,
    STEP_NAMES,
    Attached,
    Attachment,
    Confirmation,
    Cue,
    State,
    Step,
    StepName,
)
from serving.cues.errors import CueConflict, CueForbidden, CueInvalid
from serving.cues.people import Person, same_name, within

_FROM: dict[StepName, tuple[State, ...]] = {
    "evidence": (State.CANDIDATE, State.COMPLETE),
    "confirm": (State.COMPLETE, State.APPEALED),
    "reject": (State.CANDIDATE, State.COMPLETE),
    "appeal": (State.ACTIVE,),
    "remove": (State.ACTIVE, State.APPEALED),
    "expire": (State.ACTIVE, State.APPEALED),
}
UNIT = "@unit"  # beside the items of the list: who named the unit complained of, or corrected it
_BEFORE_CONFIRMATION: tuple[StepName, ...] = ("evidence", "reject")


def take(cue: Cue, step: Step, rules: CuesFile) -> Cue:
    """Take one step.

    Args:
        cue: as it stands.
        step: what a person, or the clock, wants.
        rules: evidence lists and the longest life.

    Returns:
        The cue after the step.

    Raises:
        CueConflict: the step does not fit the state.
    """
    entry = rules.flags[cue.flag]
    if not entry.confirmable and step.name not in _BEFORE_CONFIRMATION:
        message = f"这种线索不确认、不打标签({entry.allows});不能「{STEP_NAMES[step.name]}」,只能补证据或驳回"
        raise CueConflict("no_confirmation", message)
    if cue.state not in _FROM[step.name]:
        allowed = "、".join(STEP_NAMES[name] for name, states in _FROM.items() if cue.state in states) or "无,已经了结"
        message = f"线索现为「{STATE_NAMES[cue.state]}」,不能「{STEP_NAMES[step.name]}」;现在可以:{allowed}"
        raise CueConflict("illegal_step", message)
    if step.name == "evidence":
        return _attach(cue, step, entry)
    if step.name == "confirm":
        return _confirm(cue, step, rules)
    if step.name == "appeal":
        return replace(cue, state=State.APPEALED)
    if step.name == "expire":
        return _expire(cue, step)
    return _end(cue, step, rules)


def missing(cue: Cue, entry: CueEntry) -> tuple[EvidenceItem, ...]:
    """Items of the evidence list that are not yet attached, or not as the list asks.

    Args:
        cue: as it stands.
        entry: the list of its flag.

    Returns:
        In the order of the list.
    """
    return tuple(item for item in entry.items if not _stands(cue, item))


def _stands(cue: Cue, item: EvidenceItem) -> bool:
    found = cue.evidence.get(item.code)
    return found is not None and _fault(cue, item, found.attachment, found.at) is None


def _fault(cue: Cue, item: EvidenceItem, given: Attachment, at: datetime) -> str | None:
    """Why an attachment is not what the list asks for."""
    if not given.reference.strip():
        return f"「{item.name}」缺少编号或存放处(reference)"
    if item.date == "none":
        return None
    if given.dated is None:
        return f"「{item.name}」须注明日期(date,如 2026-03-02)"
    if given.dated > at.astimezone(CHINA).date():
        return f"「{item.name}」的日期晚于今天,请核对"
    called = cue.called_at.astimezone(CHINA).date()
    if item.date == "before_call" and given.dated >= called:
        return f"「{item.name}」的日期须早于来电受理日 {called.isoformat()};来电当日或之后形成的不能作为依据"
    return None


def _attach(cue: Cue, step: Step, entry: CueEntry) -> Cue:
    """New evidence voids a first confirmation: that person has not seen it."""
    items = {item.code: item for item in entry.items}
    if not step.attachments and not step.unit:
        raise CueInvalid("nothing_attached", f"没有证据;可补:{_listed(entry.items)}")
    for given in step.attachments:
        if given.item not in items:
            raise CueInvalid("unknown_item", f"清单里没有 {given.item!r};可补:{_listed(entry.items)}")
        fault = _fault(cue, items[given.item], given, step.at)
        if fault:
            raise CueInvalid("bad_evidence", fault)
    named = (Attachment(UNIT, step.unit),) if step.unit else ()
    more = {given.item: Attached(given, step.who.name, step.at) for given in (*step.attachments, *named)}
    evidence = MappingProxyType({**cue.evidence, **more})
    cue = replace(cue, evidence=evidence, unit=step.unit or cue.unit, confirmed_by=())
    return replace(cue, state=State.CANDIDATE if missing(cue, entry) else State.COMPLETE)


def _listed(items: tuple[EvidenceItem, ...]) -> str:
    return "、".join(f"{item.name}({item.code})" for item in items)


def _confirm(cue: Cue, step: Step, rules: CuesFile) -> Cue:
    """The second person makes it active; after an appeal one more, who did not confirm before."""
    lacking = missing(cue, rules.flags[cue.flag])
    if lacking:
        raise CueConflict("evidence_incomplete", f"证据不全,还缺:{_listed(lacking)}")
    _must_stand_apart(cue, step.who)
    if cue.expires_at is not None and step.at >= cue.expires_at:
        raise CueConflict("expired", "这条线索已经到期,不能再确认;请按「到期」了结")
    confirmed = (*cue.confirmed_by, Confirmation(step.who, step.at))
    if len(confirmed) < CONFIRMERS:
        return replace(cue, confirmed_by=confirmed)
    ends = cue.expires_at or step.at + timedelta(days=rules.active_days)
    return replace(cue, state=State.ACTIVE, confirmed_by=confirmed, expires_at=ends)


def _must_stand_apart(cue: Cue, who: Person) -> None:
    """Refuse those who confirmed before, who belong to the unit complained of, or of whom that is unknown."""
    if any(same_name(one.by.name) == same_name(who.name) for one in cue.confirmed_by):
        raise CueForbidden("same_reviewer", "您已经确认过这条线索;须由另一个人决定")
    if not who.unit or not who.unit.strip():
        message = "您的密钥没有登记所在单位,不能确认线索;请管理员为您新建带单位的密钥"
        raise CueForbidden("unit_unknown", message)
    if not cue.unit:
        message = "还不知道被投诉的是哪个单位,不能确认;请先在「补证据」中填写被投诉单位(unit)"
        raise CueConflict("complained_unit_unknown", message)
    named = cue.evidence.get(UNIT)
    if named and same_name(named.by) == same_name(who.name):  # nobody becomes eligible by naming another unit
        raise CueForbidden("named_unit", "被投诉单位是您填写的,不能再由您确认;须由另外的人决定")
    if within(who.unit, cue.unit):
        raise CueForbidden("own_unit", f"您属于被投诉单位「{cue.unit}」,不能确认;须由其他单位的人决定")


def _expire(cue: Cue, step: Step) -> Cue:
    due = cue.expires_at is not None and step.at >= cue.expires_at
    if cue.state is State.APPEALED and not due:
        raise CueConflict("appeal_open", "申诉还没有决定,不能提前了结;请由未确认过的人「确认」或「撤销」")
    return replace(cue, state=State.EXPIRED)


def _end(cue: Cue, step: Step, rules: CuesFile) -> Cue:
    """Rejected or removed, always with a reason; an appeal is decided by somebody who did not confirm."""
    if step.reason not in rules.reasons:
        known = "、".join(f"{code}({name})" for code, name in rules.reasons.items())
        raise CueInvalid("unknown_reason", f"「{STEP_NAMES[step.name]}」须说明理由(reason),可用:{known}")
    if cue.state is State.APPEALED:
        _must_stand_apart(cue, step.who)
    return replace(cue, state=State.REJECTED if step.name == "reject" else State.REMOVED)
