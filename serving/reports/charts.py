"""Charts as ECharts options (HTML) and as pictures (Word)."""

import io
from dataclasses import replace
from typing import Any

from model.fonts import font_file, use_chinese_font
from serving.reports.report import Chart

COLOURS = ("#1f5f99", "#c8772a", "#5a8f5a", "#8a5a9c", "#8595a3")
_SOFT, _LINE = "#5a6b7a", "#d5dde5"
_BAR, _FRAME = 26, 76  # pixels: height of a bar with its gap, and of what stands around
_FAMILY = '"Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif'
MISSING_GLYPH = "□"


def option(chart: Chart) -> dict[str, Any]:
    """The chart as ECharts wants it. Tooltips are drawn, not built as HTML.

    Args:
        chart: bars or lines.

    Returns:
        JSON-ready.
    """
    names = {"type": "category", "data": list(chart.labels), "axisTick": {"show": False}}
    numbers = {"type": "value", "minInterval": 1 if chart.unit == "件" else 0, "name": chart.unit}
    lying = chart.shape == "bar"
    return {
        "color": list(COLOURS),
        "textStyle": {"fontFamily": _FAMILY},
        "animation": False,
        "aria": {"enabled": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "axisPointer": {"type": "shadow" if lying else "line"}},
        "legend": {"show": len(chart.series) > 1, "top": 0},
        "grid": {"left": _label_width(chart) if lying else 48, "right": 56, "top": 34, "bottom": 28},
        "xAxis": numbers if lying else names,
        "yAxis": {**names, "inverse": True} if lying else numbers,
        "series": [
            {"name": one.name, "type": chart.shape, "data": list(one.values), "barMaxWidth": 18,
             "label": {"show": lying, "position": "right"}}
            for one in chart.series
        ],
    }  # fmt: skip


def _label_width(chart: Chart) -> int:
    """Pixels for the longest label: a Chinese letter takes 12, any other 7."""
    widths = [sum(12 if ord(letter) > 0x2E80 else 7 for letter in label) for label in chart.labels]
    return max(widths, default=0) + 16


def height(chart: Chart) -> int:
    """How high the chart is drawn.

    Args:
        chart: bars or lines.

    Returns:
        Pixels.
    """
    rows = len(chart.labels) * max(1, 0.7 * len(chart.series))
    return int(_FRAME + _BAR * rows) if chart.shape == "bar" else 260


def picture(chart: Chart) -> bytes:
    """The chart as a PNG with Chinese letters.

    Args:
        chart: bars or lines.

    Returns:
        The file's bytes, 1,152 pixels wide. A letter that the font lacks is drawn as □.
    """
    use_chinese_font()
    from matplotlib.figure import Figure

    drawn = _drawable(chart)
    figure = Figure(figsize=(7.2, height(chart) / 100), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    (_bars if chart.shape == "bar" else _lines)(axes, drawn)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_LINE)
    axes.tick_params(colors=_SOFT, labelsize=8, length=0)
    axes.grid(axis="x" if chart.shape == "bar" else "y", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    if len(drawn.series) > 1:
        axes.legend(frameon=False, fontsize=8, ncols=len(drawn.series), loc="lower left", bbox_to_anchor=(0, 1))
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _bars(axes: Any, chart: Chart) -> None:
    room = 0.78 / len(chart.series)
    for place, one in enumerate(chart.series):
        at = [row + room * (place - (len(chart.series) - 1) / 2) for row in range(len(chart.labels))]
        values = [value or 0 for value in one.values]
        bars = axes.barh(at, values, height=room * 0.9, color=COLOURS[place % len(COLOURS)], label=one.name)
        axes.bar_label(bars, [_number(value) for value in one.values], padding=3, fontsize=8, color=_SOFT)
    axes.set_yticks(range(len(chart.labels)), chart.labels)
    axes.invert_yaxis()
    axes.set_xlabel(chart.unit, fontsize=8, color=_SOFT)
    axes.margins(x=0.12)


def _lines(axes: Any, chart: Chart) -> None:
    for place, one in enumerate(chart.series):
        values = [float("nan") if value is None else value for value in one.values]
        axes.plot(
            range(len(values)), values, marker="o", markersize=3, color=COLOURS[place % len(COLOURS)], label=one.name
        )
    step = max(1, len(chart.labels) // 12)
    axes.set_xticks(range(0, len(chart.labels), step), chart.labels[::step])
    axes.set_ylabel(chart.unit, fontsize=8, color=_SOFT)
    axes.set_ylim(bottom=0)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _drawable(chart: Chart) -> Chart:
    known = known_letters()
    series = tuple(replace(one, name=_drawn(one.name, known)) for one in chart.series)
    return replace(
        chart,
        labels=tuple(_drawn(label, known) for label in chart.labels),
        series=series,
        unit=_drawn(chart.unit, known),
    )


def _drawn(text: str, known: frozenset[int]) -> str:
    clean = "".join(letter if ord(letter) in known else MISSING_GLYPH for letter in text)
    return clean.replace("$", r"\$")


def known_letters() -> frozenset[int]:
    """Letters that the font has.

    Returns:
        Code points.
    """
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font_file())).get_charmap())
