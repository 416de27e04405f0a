"""An event as a person enters it, in a form or as a row of a table."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from model.errors import InvalidTicket
from model.policy.cue_schema import EventsFile
from model.privacy import mask
from model.text import lower_ascii, plain_form
from model.ticket import parse_time

_SEPARATORS = re.compile(r"[|、,,;;\n]")
_PLACES_MOST = 200


def _time(value: object) -> datetime:
    try:
        found = parse_time(value)
    except InvalidTicket as error:
        raise PydanticCustomError("time", "时间无法识别;请写成 2026-03-02 08:30 或 RFC 3339") from error
    if found is None:
        raise PydanticCustomError("time", "缺少时间;请写成 2026-03-02 08:30")
    return found


def _split(value: object) -> object:
    """Places of a table stand in one cell."""
    if value is None:
        return ()
    return [part for part in _SEPARATORS.split(value) if part.strip()] if isinstance(value, str) else value


def _place(value: str) -> str:
    """A wording in the form in which texts are stored; one that masking would take away could never be found."""
    found = lower_ascii(plain_form(value).text).strip()
    if len(found) < 2:
        raise PydanticCustomError("place", "地名至少两个字")
    if mask(found).text != found:
        raise PydanticCustomError("place", "地名过细(门牌、楼号或姓名会被脱敏,永远匹配不到);请写到村、路或小区")
    return found


def _blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Area = Annotated[str | None, Field(max_length=100), BeforeValidator(_blank)]
Place = Annotated[str, Field(max_length=50), AfterValidator(_place)]
Time = Annotated[datetime, BeforeValidator(_time)]


class EventEntry(BaseModel):
    """What is entered: kind, area, time window, the utility's own notice; `filing` only where one was registered."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    kind: Annotated[str, Field(min_length=1, max_length=40)]
    starts_at: Time
    ends_at: Time
    text: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(lambda text: mask(text).text)]
    city: Area = None
    county: Area = None
    station: Area = None
    places: Annotated[tuple[Place, ...], Field(max_length=_PLACES_MOST), BeforeValidator(_split)] = ()
    filing: Annotated[str | None, Field(max_length=30), BeforeValidator(_blank)] = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> "EventEntry":
        if self.ends_at <= self.starts_at:
            raise PydanticCustomError("window", "结束时间须晚于开始时间")
        return self


def faults(entry: EventEntry, policy: EventsFile) -> list[str]:
    """What the policy does not allow.

    Args:
        entry: checked in itself.
        policy: kinds of events.

    Returns:
        Messages with the mend; empty where all is well.
    """
    kind = policy.kinds.get(entry.kind)
    if kind is None:
        known = "、".join(f"{code}({known.name})" for code, known in policy.kinds.items())
        return [f"kind:不认识的类型 {entry.kind!r};可用:{known}"]
    found = []
    if not (entry.city or entry.county or entry.station or entry.places or kind.everywhere):
        found.append(f"county:「{kind.name}」须写明地区(city、county、station 或 places)")
    if entry.ends_at - entry.starts_at > timedelta(days=policy.most_days):
        found.append(f"ends_at:时间窗超过 {policy.most_days} 天;请缩短或分段登记")
    if entry.filing is not None and entry.filing != kind.filing:
        wanted = f"只能是 {kind.filing}" if kind.filing else "没有对应的报备,请留空"
        found.append(f"filing:「{kind.name}」的报备{wanted};未报备的请留空")
    return found


def messages(errors: list[Any]) -> list[str]:
    """Pydantic's errors in words.

    Args:
        errors: of a `ValidationError`.

    Returns:
        Field and message, never the value.
    """
    known = {
        "missing": "缺少这一项",
        "extra_forbidden": "没有这个字段,请检查拼写",
        "string_too_short": "不能为空",
        "string_too_long": "太长,请缩短",
        "string_type": "须为文本",
        "too_long": f"至多 {_PLACES_MOST} 个",
    }
    own = ("time", "place", "window")
    return [
        f"{'.'.join(map(str, e['loc'])) or '时间窗'}:{e['msg'] if e['type'] in own else known.get(e['type'], '不符合要求')}"
        for e in errors
    ]
