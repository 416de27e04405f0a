"""What the call of hotspots takes and gives."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from serving.api.schemas import Day


class HotspotQuery(BaseModel):
    """Which time to analyse."""

    since: Day | None = Field(None, description="从这一天起;默认 until 之前四周")
    until: Day | None = Field(None, description="到这一天之前;默认本周一")
    by: Literal["week", "month"] = Field("week", description="按周或按月")


class HotspotsOut(BaseModel):
    """A hotspot analysis; the fields of its rows stand in `serving/hotspots/analysis.py`."""

    since: AwareDatetime
    until: AwareDatetime
    as_of: AwareDatetime
    by: Literal["week", "month"]
    periods: list[dict[str, Any]] = Field(description="周或月;complete 为假的未满,不比较、不检验")
    totals: dict[str, Any] = Field(description="总体")
    leaves: list[dict[str, Any]] = Field(description="各小类;少于 5 件的只有件数")
    groups: list[dict[str, Any]]
    units: list[dict[str, Any]] = Field(description="各单位")
    series: list[dict[str, Any]] = Field(description="各期总数")
    cells: list[dict[str, Any]] = Field(description="小类 × 单位 × 期")
    tested: int = Field(description="检验了多少格子")
    rising: list[dict[str, Any]] = Field(description="高于基线的格子,最有把握的在前")
    hotspots: list[dict[str, Any]] = Field(description="上升的格子,连同事件、新词、成因、措施")
    incidents: list[dict[str, Any]] = Field(description="事件:同一件事的几张工单,只算一次")
    phrases: list[dict[str, Any]] = Field(description="新词")
    repeat_callers: list[dict[str, Any]] = Field(description="三次及以上的来电人,只有散列值的开头")
    breaches: list[dict[str, Any]] = Field(description="超时限")
    upheld: list[dict[str, Any]] = Field(description="属实率;没有核查结果的为空")
    notes: list[str] = Field(description="须与数字一起展示的说明")
    left_out: dict[str, int] = Field(description="各列表略去的行数")


class ReportQuery(BaseModel):
    """Which time to report on, and as what."""

    since: Day = Field(description="从这一天起")
    until: Day = Field(description="到这一天之前")
    by: Literal["week", "month"] = Field("month", description="按周或按月")
    format: Literal["html", "docx", "xlsx"] = Field("docx", description="网页、Word 或 Excel")
