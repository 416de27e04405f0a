"""Times, shares and codes in the words of users."""

from datetime import datetime, timedelta
from urllib.parse import quote

from model.ticket import CHINA

STATUS = {"open": "待处理", "reviewed": "已复核", "closed": "已办结", "deleted": "已删除"}
DECISION = {"auto": "自动派单", "review": "人工复核", "fallback": "规则兜底"}
REASONS = {
    "low_confidence": "置信度低", "rules_disagree": "规则与模型不一致", "too_short": "内容过短", "too_long": "内容过长,只读首尾",
    "not_a_complaint": "可能不是投诉", "unknown_words": "生词多", "model_unavailable": "模型不可用", "over_time": "超过时间预算",
    "auto_off": "该类别不自动派单",
}  # fmt: skip

FLAG = {"malicious": "恶意诉求", "unreasonable": "不合理诉求", "theft": "窃电或违约用电", "arrears": "拖欠电费"}
CUE_STATE = {
    "candidate": "候选", "evidence_complete": "证据齐全", "active": "已确认", "appealed": "申诉中", "expired": "已到期",
    "removed": "已撤销", "rejected": "已驳回",
}  # fmt: skip
CUE_STEP = {
    "cue.evidence": "补证据", "cue.confirm": "确认", "cue.reject": "驳回", "cue.appeal": "申诉", "cue.remove": "撤销",
    "cue.expire": "到期",
}  # fmt: skip

UPHELD: dict[bool | None, str] = {True: "属实", False: "不属实"}  # None, not judged, has no word of its own


def moment(value: str | None) -> str:
    """A time as people write it.

    Args:
        value: RFC 3339, or None.

    Returns:
        Month, day, hour and minute in China; 「—」 for None.
    """
    return f"{datetime.fromisoformat(value).astimezone(CHINA):%m-%d %H:%M}" if value else "—"


def day(value: str | None) -> str:
    """A day as people write it.

    Args:
        value: RFC 3339, or None.

    Returns:
        Year, month and day in China; 「—」 for None.
    """
    return f"{datetime.fromisoformat(value).astimezone(CHINA):%Y-%m-%d}" if value else "—"


def ticket_url(ticket_id: str) -> str:
    """The page of a ticket.

    Args:
        ticket_id: whatever characters it has.

    Returns:
        Its address in the console.
    """
    return f"/tickets/{quote(ticket_id, safe='')}"


def status(code: str) -> str:
    """How far a ticket has come.

    Args:
        code: open, reviewed, closed or deleted.

    Returns:
        The word for it.
    """
    return STATUS.get(code, code)


def percent(value: float) -> str:
    """A share.

    Args:
        value: from 0 to 1.

    Returns:
        Whole percents.
    """
    return f"{value:.0%}"


def signed(value: float | None) -> str:
    """A change.

    Args:
        value: 0.3 is 30 % more; None where it is not known or not shown.

    Returns:
        Whole percents with their sign; 「—」 for None.
    """
    return f"{value:+.0%}" if value is not None else "—"


def remaining(due: str | None, now: datetime) -> str:
    """How long there is until a time.

    Args:
        due: RFC 3339, or None.
        now: aware.

    Returns:
        「剩 3 小时 20 分」, 「超 2 天 4 小时」, or 「—」 where no clock runs.
    """
    if not due:
        return "—"
    left = datetime.fromisoformat(due) - now
    return f"剩 {_span(left)}" if left >= timedelta(0) else f"超 {_span(-left)}"


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} 天 {hours} 小时" if hours and days < 10 else f"{days} 天"
    return f"{hours} 小时 {minutes % 60} 分" if hours else f"{minutes} 分"
