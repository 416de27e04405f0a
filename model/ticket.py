"""A complaint ticket as received, and the same ticket with what a person decided."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from model.errors import InvalidTicket

CHINA = ZoneInfo("Asia/Shanghai")
_TIME_FORMS = tuple(
    f"{day} {time}".strip()
    for day in ("%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y-%m-%d")
    for time in ("%H:%M", "%H:%M:%S", "%H时%M分", "")
)
_YEARS = range(2000, 2101)
TEXT_KEYS = ("content", "text", "受理内容", "诉求内容", "工单内容")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TYPE_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "空值"), (bool, "真假值"), ((int, float), "数字"), (str, "文本"), ((list, tuple), "列表"),
    (Mapping, "对象"), (bytes, "二进制数据"), (datetime, "时间"),
)  # fmt: skip
ID_KEYS = ("ticket_id", "id", "工单编号", "工单号")


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of a call. `speaker` is `customer` or `agent`."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Org:
    """Where a ticket belongs: city, county, station (供电所). `urban` is None where unknown."""

    city: str | None = None
    county: str | None = None
    station: str | None = None
    urban: bool | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One complaint (工单) as received.

    `content` is the text as sent, never empty. `accepted_at` carries a time zone; a time without
    one is taken as Asia/Shanghai. `transcript` holds the turns of the call where the channel delivers them.
    """

    content: str
    ticket_id: str | None = None
    accepted_at: datetime | None = None
    channel: str | None = None
    biz_type: str | None = None
    org: Org | None = None
    transcript: tuple[Turn, ...] = ()
    repeat_of: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.content, str) or not (self.content.strip() or self.transcript):
            raise InvalidTicket("empty_text", "工单没有正文:请在 content 字段填写诉求内容")


@dataclass(frozen=True, slots=True)
class LabelledTicket:
    """A ticket and what a person decided (annotation guideline, section 5)."""

    id: str
    text: str
    category: str
    secondary: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    theft_role: str | None = None
    filing: str | None = None
    safety: bool = False
    escalation: bool = False
    channel: str | None = None
    author: str | None = None
    voice: str | None = None
    split: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)


def type_word(value: object) -> str:
    """What kind of value came, for messages; never the value itself.

    Args:
        value: as read from JSON or a table.

    Returns:
        A Chinese word such as 列表.
    """
    return next((word for kinds, word in _TYPE_WORDS if isinstance(value, kinds)), type(value).__name__)


def ticket_from(value: object) -> Ticket:
    """Read a ticket from a bare string or a mapping with the contract's field names.

    Args:
        value: the text itself, or a mapping with `content` (or `text`, `受理内容`, `诉求内容`, `工单内容`).

    Returns:
        The ticket; unknown keys are ignored.

    Raises:
        InvalidTicket: `empty_text` without a text, `bad_row` for another type or an unreadable field.
    """
    if isinstance(value, Ticket):
        return value
    if isinstance(value, str):
        return Ticket(content=readable(value))
    if not isinstance(value, Mapping):
        raise InvalidTicket("bad_row", f"工单须为文本或对象,收到{type_word(value)};请写成 {{\"content\": \"诉求正文\"}}")
    return Ticket(
        content=_text(value),
        ticket_id=_optional_text(_first(value, ID_KEYS), "ticket_id"),
        accepted_at=parse_time(value.get("accepted_at") or value.get("受理时间")),
        channel=_optional_text(value.get("channel"), "channel"),
        biz_type=_optional_text(value.get("biz_type"), "biz_type"),
        org=_org(value.get("org")),
        transcript=_turns(value.get("transcript")),
        repeat_of=_optional_text(value.get("repeat_of"), "repeat_of"),
    )


def parse_time(value: object) -> datetime | None:
    """Read RFC 3339 (or `YYYY-MM-DD HH:MM`); a time without zone is Asia/Shanghai.

    Args:
        value: None, an empty string, a `datetime` or a string.

    Returns:
        An aware time, or None where nothing was given.

    Raises:
        InvalidTicket: `bad_row` where the value is no time.
    """
    if value is None or value == "" or value != value:  # NaN from a table cell
        return None
    try:
        time = value if isinstance(value, datetime) else _read_time(str(value).strip())
        time = time if time.tzinfo else time.replace(tzinfo=CHINA)
        if time.year not in _YEARS:
            raise ValueError
        return time.astimezone(CHINA)
    except (ValueError, OverflowError) as error:
        raise InvalidTicket("bad_row", "受理时间(accepted_at)无法识别;请写成 2026-03-02 08:30 或 RFC 3339") from error


def _read_time(text: str) -> datetime:
    """RFC 3339, or one of the forms that Chinese tables hold."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        for form in _TIME_FORMS:
            with suppress(ValueError):
                return datetime.strptime(text, form)
        raise


def _text(value: Mapping[str, Any]) -> str:
    given = [value[key] for key in TEXT_KEYS if value.get(key) is not None]
    found = next((item for item in given if not isinstance(item, str) or item.strip()), given[0] if given else None)
    if found is None or found != found:
        return ""
    if isinstance(found, str):
        return readable(found)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return str(found)
    raise InvalidTicket("bad_row", f"content 须为文本,收到{type_word(found)};请写成一段诉求正文")


def _first(value: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _optional_text(value: object, name: str) -> str | None:
    if value is None or value != value or str(value).strip() == "":
        return None
    if isinstance(value, Mapping | list | tuple):
        raise InvalidTicket("bad_row", f"{name} 须为文本,收到{type_word(value)};请改成文本或去掉这个字段")
    return readable(str(value))


def readable(text: str) -> str:
    """Lone surrogates become U+FFFD, one for one, so that offsets stay and the text can be written.

    Args:
        text: any text.

    Returns:
        The text as UTF-8 can hold it.
    """
    return _SURROGATE.sub("\ufffd", text)


def _org(value: object) -> Org | None:
    if isinstance(value, Mapping):
        parts = {key: _optional_text(value.get(key), f"org.{key}") for key in ("city", "county", "station")}
        urban = value.get("urban")
        return Org(**parts, urban=urban if isinstance(urban, bool) else None)
    text = _optional_text(value, "org")
    return Org(station=text) if text else None


def _turns(value: object) -> tuple[Turn, ...]:
    if value is None or value == "" or value != value:
        return ()
    if not isinstance(value, list | tuple):
        raise InvalidTicket("bad_row", f"transcript 须为列表 [{{speaker, text}}],收到{type_word(value)};没有通话记录请去掉这个字段")
    turns = []
    for item in value:
        if not isinstance(item, Mapping) or item.get("speaker") not in ("agent", "customer"):
            raise InvalidTicket("bad_row", "transcript 的每一项须为 {speaker: agent|customer, text: 文本}")
        turns.append(Turn(str(item["speaker"]), readable(str(item.get("text") or ""))))
    return tuple(turns)
