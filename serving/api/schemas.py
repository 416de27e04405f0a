"""What comes in and goes out over HTTP. Unknown keys of a ticket are accepted and ignored."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_BATCH = 256


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
    level: str = Field(description="应答层级:linear 或 rules")
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
