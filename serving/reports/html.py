"""A report as one HTML page that loads nothing: styles, figures and the drawing library lie inside."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from serving.reports.charts import height, option
from serving.reports.report import Bullets, Chart, Figures, Report, Table, Text, shown, typeset

_LIBRARY = "echarts-6.1.0.common.min.js"
_KINDS = {Table: "table", Chart: "chart", Text: "text", Bullets: "bullets", Figures: "figures"}


def page(report: Report) -> str:
    """Write a report as HTML.

    Args:
        report: any.

    Returns:
        The page. Without JavaScript its tables still say everything that its charts show.
    """
    environment = Environment(
        loader=PackageLoader("serving.reports", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    charts = [block for section in report.sections for block in section.blocks if isinstance(block, Chart)]
    return environment.get_template("report.html").render(
        report=report,
        kind=lambda block: _KINDS[type(block)],
        shown=shown,
        typeset=typeset,
        number=charts.index,
        height=height,
        options=[option(chart) for chart in charts],
        library=_library() if charts else None,
    )


def _library() -> Markup:
    text = (files("serving.reports") / "static" / _LIBRARY).read_text(encoding="utf-8")
    return Markup(text.replace("</script", r"<\/script"))  # noqa: S704 - a file of our own  # nosec B704
