"""What comes in and goes out over HTTP. Unknown keys of a ticket are accepted and ignored."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from serving.store.queue import PAGE, PAGE_MOST
from serving.store.urgency import Urgency

MAX_BATCH = 256
ID_MOST = 2**31 - 1  # of numbers that databases give


def _of_our_time(value: date) -> Any:
    if not 2000 <= value.year <= 2100:
        raise PydanticCustomError("year", "年份须在 2000 与 2100 之间")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Day = Annotated[date, AfterValidator(_of_our_time)]


class TurnIn(BaseModel):
    """One utterance of a call."""

    speaker: Literal["agent", "customer"]
    text: str


class OrgIn(BaseModel):
    """Where a ticket belongs."""

    city: str | None = None
    county: str | None = None
    station: str | None = None
    urban: bool | None = None


class TicketIn(BaseModel):
    """A complaint ticket; only its text is required."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"text": "我家电表冒烟了,快来人"}]})

    ticket_id: str | int | None = None
    content: str | None = Field(None, description="诉求正文(别名 text)")
    text: str | None = Field(None, description="诉求正文")
    accepted_at: str | None = Field(None, description="受理时间,RFC 3339", examples=["2026-11-23T08:30:00+08:00"])
    channel: str | None = None
    biz_type: str | None = None
    org: str | OrgIn | None = None
    cust_no: str | None = None
    contact: str | None = None
    address: str | None = None
    transcript: list[TurnIn] | None = None
    reply: str | None = None
    repeat_of: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_unreadable_keys(cls, value: Any) -> Any:
        """A key with a lone surrogate is no field of ours; pydantic would refuse the ticket for it."""
        if not isinstance(value, dict):
            return value
        return {key: item for key, item in value.items() if key == key.encode("utf-8", "ignore").decode("utf-8")}


class BatchIn(BaseModel):
    """Up to 256 tickets; one that is no ticket gives an error in its place."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={"examples": [{"tickets": ["停电三小时了没人管", {"text": "这个月电费翻倍"}]}]},
    )

    tickets: list[Any] = Field(max_length=MAX_BATCH)


class ModelOut(BaseModel):
    """The bundle in use."""

    bundle: str | None
    level: str = Field(description="应答层级:cascade、linear 或 rules")
    reason: str | None = Field(description="为什么没有用模型;正常时为空")
    source: str
    created: str | None
    versions: dict[str, str | None]
    leaves: list[str]
    metrics: dict[str, Any]


class ReadyOut(BaseModel):
    """Whether and on which rung of the ladder the service answers."""

    status: Literal["ready"]
    level: str
    reason: str | None


class MeOut(BaseModel):
    """The holder of a key."""

    name: str
    role: str
    role_name: str
    unit: str | None


class NewTicketIn(TicketIn):
    """A ticket to be stored; its id makes retries safe."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"ticket_id": "2026112300001", "content": "停电三小时了没人管"}]}
    )

    ticket_id: str | int = Field(description="工单编号,1–200 个字符;重试时不变")


class TicketQuery(BaseModel):
    """What to list; all that is given must hold."""

    status: str | None = Field(None, max_length=20, description="open、reviewed、closed 或 deleted")
    desk: str | None = Field(None, max_length=100, description="主办班组")
    queue: str | None = Field(None, max_length=100, description="现在握有工单的队列")
    category: str | None = Field(None, max_length=60)
    decision: str | None = Field(None, max_length=20, description="auto、review 或 fallback")
    flag: str | None = Field(None, max_length=20, description="有这条线索的")
    event_id: int | None = Field(None, ge=1, le=ID_MOST, description="可能属于这个已知事件的")
    incident: str | None = Field(None, max_length=220, description="疑似同一事件的:列表里 incident 的值")
    urgency: Urgency | None = Field(None, description="安全、超期、将到期、升级风险、未自动派单")
    fold: bool = Field(False, description="同一已知事件、疑似同一事件只列最急的一张,folded 为件数;有安全风险的不折叠")
    glance: bool = Field(False, description="带上脱敏正文的开头")
    cursor: str | None = Field(None, max_length=2000, description="上一页返回的 cursor")
    limit: int = Field(PAGE, ge=1, le=PAGE_MOST, description="至多几条")


class TicketPage(BaseModel):
    """One page; `cursor` leads to the next."""

    tickets: list[dict[str, Any]]
    cursor: str | None


class Strict(BaseModel):
    """What people decide: a misspelt field must not be lost in silence."""

    model_config = ConfigDict(extra="forbid")


class ReviewIn(Strict):
    """A person's decision about a ticket."""

    version: int = Field(ge=1, le=ID_MOST, description="所看到的工单版本")
    category: str = Field(max_length=60)
    secondary: list[str] = Field([], max_length=2)
    flags: list[str] = Field([], max_length=4)
    note: str | None = Field(None, max_length=2000, description="说明;保存前脱敏")


class UndoIn(Strict):
    """Take back one's own last review."""

    version: int = Field(ge=1, le=ID_MOST, description="复核之后的工单版本")


class CloseIn(Strict):
    """A ticket is done."""

    version: int = Field(ge=1, le=ID_MOST, description="所看到的工单版本")
    note: str | None = Field(None, max_length=2000, description="办理结果;保存前脱敏")
    upheld: bool | None = Field(None, strict=True, description="查清的结论:true 属实,false 不属实;不写则为未核定")


class ContactIn(Strict):
    """The customer was contacted."""

    at: Moment | None = Field(None, description="联系的时间,RFC 3339;不写则为现在")


class ArriveIn(Strict):
    """Somebody is on the spot."""

    at: Moment | None = Field(None, description="到场的时间,RFC 3339;不写则为现在")


class AttachmentIn(Strict):
    """One item of the evidence list."""

    item: str = Field(max_length=60, description="证据清单中的代码")
    reference: str = Field(max_length=200, description="编号或存放处,不要抄录内容")
    date: Day | None = Field(None, description="材料上的日期")


class CueStepIn(Strict):
    """A step of a cue's life."""

    version: int = Field(ge=1, le=ID_MOST, description="所看到的线索版本")
    evidence: list[AttachmentIn] = Field([], max_length=20, description="补证据时")
    unit: str | None = Field(None, max_length=200, description="被投诉单位;补证据时,线索尚无单位的")
    reason: str | None = Field(None, max_length=60, description="驳回或撤销的理由代码")


class CueQuery(BaseModel):
    """Which cues to list."""

    state: str | None = Field(None, max_length=20, description="candidate、evidence_complete、active、appealed ……")
    flag: str | None = Field(None, max_length=20, description="malicious、unreasonable、theft 或 arrears")
    cursor: int | None = Field(None, ge=1, le=ID_MOST, description="上一页返回的 cursor")
    limit: int = Field(PAGE, ge=1, le=PAGE_MOST, description="至多几条")


class CuePage(BaseModel):
    """One page of cues; `counts` of all of them by state and flag."""

    cues: list[dict[str, Any]]
    cursor: int | None
    counts: dict[str, dict[str, int]]


class LedgerQuery(BaseModel):
    """Which cues to count."""

    since: Moment | None = Field(None, description="此时或以后出现的线索")
    until: Moment | None = Field(None, description="此时以前出现的线索")


class EventQuery(BaseModel):
    """Which events to list."""

    since: Moment | None = Field(None, description="此时或以后结束的")
    until: Moment | None = Field(None, description="此时以前开始的")


class EventList(BaseModel):
    """Events of the register, each with the number of its tickets; `kinds` that may be entered."""

    events: list[dict[str, Any]]
    kinds: list[dict[str, Any]] = Field([], description="可登记的类型:代码、名称、报备、是否可以不写地区")
