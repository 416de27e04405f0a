"""What rises, where, and what belongs together: the figures behind the monthly report."""

from typing import Any

from nicegui import ui

from serving.console import files, hotspot_view
from serving.console.charts import columns_chart
from serving.console.client import ApiProblem
from serving.console.forms import Part, Sent
from serving.console.hotspot_view import Time
from serving.console.layout import View, frame, loading, page
from serving.console.names import leaf_names
from serving.console.session import SignedIn

_KINDS = {"docx": "Word", "html": "网页", "xlsx": "Excel"}


def install() -> None:
    """Register the page."""

    @page("/hotspots", "热点")
    async def hotspots(person: SignedIn, since: str = "", until: str = "", by: str = "") -> None:
        async with frame(person, "投诉热点", path="/hotspots") as view:
            day = hotspot_view.today()
            try:
                time = Time.of(since, until, by, day)
            except ApiProblem as problem:
                view.show(problem)
                time = Time.of("", "", "", day)
            shown = _Hotspots(view, time)
            ui.timer(0, shown.read, once=True)  # the page stands at once, its figures come


class _Hotspots:
    """The page's parts."""

    def __init__(self, view: View, time: Time) -> None:
        self._view, self._time = view, time
        chosen = hotspot_view.presets(hotspot_view.today())
        Part("hotspot_time.html").show(time=time, presets=chosen, by=hotspot_view.BY)
        self._wait = loading("正在计算…")
        self._top = Part("hotspot_top.html", self._report)
        self._chart = ui.element("div").classes("panel narrow-top")
        self._rest = Part("hotspots.html")

    async def read(self) -> None:
        """Show the figures."""
        api = self._view.person.api
        found = await self._view.attempt(api.get("/v1/hotspots", **self._time.query))
        self._wait.delete()
        if found is None:
            return
        leaves = await leaf_names(api)
        self._top.show(found=found, kinds=_KINDS, url="", asked=self._time)
        if found["totals"]["all"]["tickets"]:
            self._draw(found)
            self._rest.show(**_shown(found), leaves=leaves, opens=self._view.person.decides)

    def _draw(self, found: dict[str, Any]) -> None:
        cut = {one["label"]: not one["complete"] for one in found["periods"]}
        series = [row for row in found["series"] if row["leaf"] is None and row["unit"] is None]
        labels = [row["period"] for row in series]
        with self._chart:
            ui.html("<h2>各期件数(空心为未满的一期)</h2>", sanitize=False)
            columns_chart(
                labels, [row["tickets"] for row in series], [cut.get(label, False) for label in labels],
                "各期件数;同样的数字见「全部」一行",
            )  # fmt: skip

    async def _report(self, sent: Sent) -> None:
        kind = sent["kind"]
        ui.notify("正在生成报告…", type="ongoing", timeout=3000)
        path = "/v1/hotspots/report"
        made = await self._view.attempt(self._view.person.api.download(path, **self._time.query, format=kind))
        if made is not None:
            name = f"投诉热点分析-{self._time.since}-{self._time.until}.{kind}"
            ui.navigate.to(files.offer(self._view.person, files.Held(name, made.content, made.media_type)))


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    units, rows = hotspot_view.matrix(found["cells"])
    return {
        "found": found,
        "units": units,
        "rows": rows,
        "rates": hotspot_view.rates(found),
        "late": hotspot_view.everywhere(found["breaches"]),
        "late_units": [row for row in found["breaches"] if row["unit"] is not None and row["late"]],
        "clocks": hotspot_view.CLOCKS,
        "why": hotspot_view.WHY,
        "small": hotspot_view.SMALL,
    }
