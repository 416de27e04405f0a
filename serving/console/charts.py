"""Charts of the console: ECharts from the console itself, each with a table beside it that says the same."""

from collections.abc import Sequence
from typing import Any

from nicegui import ui

INK, DIM, LINE = "#1b2423", "#55615f", "#d5dbd8"
ACCENT, BAD = "#0b5a57", "#9c1620"
_TEXT = {"fontSize": 12, "color": DIM}


def chart(options: dict[str, Any], label: str) -> ui.echart:
    """A chart that a screen reader names.

    Args:
        options: of ECharts.
        label: what it shows, in one sentence.

    Returns:
        The element.
    """
    common = {"animation": False, "textStyle": {"fontFamily": "inherit"}, "aria": {"enabled": False}}
    return ui.echart({**common, **options}).classes("chart").props(f'role="img" aria-label="{label}"')


def reliability_chart(bins: Sequence[dict[str, Any]]) -> ui.echart:
    """Confidence against how often people kept the leaf.

    Args:
        bins: with `confidence`, `accuracy` and `n`.

    Returns:
        The element.
    """
    points = [{"value": [one["confidence"], one["accuracy"]], "symbolSize": _size(one["n"])} for one in bins]
    axis = {"type": "value", "min": 0, "max": 1, "axisLabel": _TEXT, "splitLine": {"lineStyle": {"color": LINE}}}
    middle = {"nameLocation": "middle", "nameTextStyle": _TEXT}
    ideal = {"type": "line", "data": [[0, 0], [1, 1]], "symbol": "none", "lineStyle": {"color": DIM, "type": "dashed"}}
    return chart(
        {
            "grid": {"left": 48, "right": 16, "top": 12, "bottom": 40},
            "xAxis": {**axis, **middle, "name": "模型给出的置信度", "nameGap": 26},
            "yAxis": {**axis, **middle, "name": "人认可的比例", "nameGap": 34},
            "series": [ideal, {"type": "scatter", "data": points, "itemStyle": {"color": ACCENT}}],
        },
        "置信度可靠图:点在虚线上为相符,点越大工单越多;数字见旁边的表",
    )


def columns_chart(labels: Sequence[str], values: Sequence[int], unfinished: Sequence[bool], label: str) -> ui.echart:
    """Counts by period; those of unfinished periods are hollow.

    Args:
        labels: of the periods.
        values: tickets.
        unfinished: whether a period is cut short.
        label: what it shows.

    Returns:
        The element.
    """
    hollow = {"color": "#fff", "borderColor": ACCENT, "borderWidth": 1, "borderType": "dashed"}
    data = [
        {"value": value, "itemStyle": hollow if cut else {"color": ACCENT}}
        for value, cut in zip(values, unfinished, strict=True)
    ]
    return chart(
        {
            "grid": {"left": 44, "right": 12, "top": 16, "bottom": 28},
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "category", "data": list(labels), "axisLabel": _TEXT},
            "yAxis": {
                "type": "value",
                "minInterval": 1,
                "axisLabel": _TEXT,
                "splitLine": {"lineStyle": {"color": LINE}},
            },
            "series": [{"type": "bar", "data": data, "barMaxWidth": 36}],
        },
        label,
    )


def _size(n: int) -> int:
    return min(26, 6 + int(n**0.5))
