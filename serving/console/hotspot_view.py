"""A hotspot analysis, as the service gives it, in the shape that its page shows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from model.ticket import CHINA
from serving.console.client import ApiProblem

SMALL = 5  # cells of fewer tickets show their count only
BY = {"week": "按周", "month": "按月"}
CLOCKS = {"contact": "24 小时联系", "due": "5 个工作日答复", "arrive": "到场"}
WHY = {"event": "已知事件", "repeat": "重复来电", "wording": "措辞相同", "place": "同地同时"}
_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Time:
    """The time that is looked at: from `since` until before `until`, by week or month."""

    since: date
    until: date
    by: str

    @classmethod
    def of(cls, since: str, until: str, by: str, today: date) -> "Time":
        """What a form asked for; what it left out is the last four weeks and the one that runs.

        Args:
            since: a day, or "".
            until: a day, or "".
            by: week, month or "".
            today: in China.

        Returns:
            The time.

        Raises:
            ApiProblem: a day that is none, or the end does not come after the beginning.
        """
        try:
            first = date.fromisoformat(since) if since else monday(today) - timedelta(weeks=_WEEKS)
            end = date.fromisoformat(until) if until else today + timedelta(days=1)
        except ValueError as error:
            raise ApiProblem(422, "bad_day", "日期无法识别;请写成 2026-11-01") from error
        if end <= first:
            raise ApiProblem(422, "bad_time", f"截止日 {end} 须晚于开始日 {first}(截止日不含在内)")
        return cls(first, end, by if by in BY else "week")

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the call."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat(), "by": self.by}


def monday(day: date) -> date:
    """The Monday of a day's week.

    Args:
        day: any.

    Returns:
        The same day or one before it.
    """
    return day - timedelta(days=day.weekday())


def presets(today: date) -> list[tuple[str, Time]]:
    """Times that are asked for most.

    Args:
        today: in China.

    Returns:
        Name and time.
    """
    this_month = today.replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    tomorrow = today + timedelta(days=1)
    return [
        ("近 4 周", Time(monday(today) - timedelta(weeks=_WEEKS), tomorrow, "week")),
        ("近 12 周", Time(monday(today) - timedelta(weeks=12), tomorrow, "week")),
        ("本月", Time(this_month, tomorrow, "month")),
        ("上月", Time(last_month, this_month, "month")),
    ]


def matrix(cells: list[dict[str, Any]]) -> tuple[list[str], list[dict[str, Any]]]:
    """Leaf × unit over the whole time; counts only, so that small cells need no hiding.

    Args:
        cells: leaf × unit × period.

    Returns:
        Units, the largest first, and a row for each leaf: `leaf`, `total`, `counts` by unit.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        counts[cell["leaf"], cell["unit"] or "未登记"] += cell["tickets"]
    units, leaves = Counter[str](), Counter[str]()
    for (leaf, unit), count in counts.items():
        units[unit] += count
        leaves[leaf] += count
    ordered = [unit for unit, _ in units.most_common()]
    rows = [
        {"leaf": leaf, "total": total, "counts": [counts[leaf, unit] for unit in ordered]}
        for leaf, total in leaves.most_common()
    ]
    return ordered, rows


def rates(found: Mapping[str, Any]) -> dict[str, str]:
    """万户投诉率 where customers are known.

    Args:
        found: the analysis.

    Returns:
        By unit, under "" that of all; empty where it is known of none.
    """
    known = {row["unit"]: row["per_10k"] for row in found["units"]} | {"": found["totals"]["all"]["per_10k"]}
    return {unit: f"{rate:.2f}" for unit, rate in known.items() if rate is not None}


def everywhere(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that stand for all places.

    Args:
        rows: with `unit`.

    Returns:
        Those whose unit is None.
    """
    return [row for row in rows if row["unit"] is None]


def today() -> date:
    """The day in China.

    Returns:
        Today.
    """
    return datetime.now(CHINA).date()
