"""The bundle in use: what it is, how it was measured, how it does in this office."""

from typing import Any

from nicegui import ui

from serving.console.charts import reliability_chart
from serving.console.forms import Part, Sent
from serving.console.layout import View, frame, page
from serving.console.names import leaf_names
from serving.console.session import SignedIn

DAYS = (7, 30, 90, 365)
_LEVEL = {"cascade": "级联(编码器与线性)", "encoder": "编码器", "linear": "线性", "rules": "只用规则"}
_WHY = {
    "no_bundle": "没有模型包", "bundle_missing": "模型包不在原处", "bundle_refused": "模型包被拒绝(哈希、签名或版本不符)",
    "over_time": "来不及", "encoder_failed": "编码器出错",
}  # fmt: skip
_METRICS = {
    "leaf_macro_f1": "类别 macro-F1", "ece": "置信度误差(ECE)", "auto_rate": "可自动派单的比例",
    "cascade_leaf_macro_f1": "级联 · 类别 macro-F1", "cascade_ece": "级联 · ECE", "cascade_auto_rate": "级联 · 可自动派单的比例",
}  # fmt: skip
_SHARES = ("auto_rate", "cascade_auto_rate")


def install() -> None:
    """Register the page."""

    @page("/model", "模型")
    async def model(person: SignedIn, days: int = 30) -> None:
        async with frame(person, "在用模型", path="/model") as view:
            await _Model(view, min(max(days, 1), max(DAYS))).read()


class _Model:
    """The page's parts."""

    def __init__(self, view: View, days: int) -> None:
        self._view, self._days = view, days
        self._about = Part("model.html", self._reload)
        self._use = Part("model_use.html")
        self._chart = ui.element("div").classes("panel narrow")

    async def read(self, done: str = "") -> None:
        """Show the bundle and its use.

        Args:
            done: what was just done.
        """
        api = self._view.person.api
        found = await self._view.attempt(api.get("/v1/model"))
        if found is None:
            return
        admin = self._view.person.role == "admin"
        self._about.show(
            model=found, done=done, admin=admin, level=_LEVEL.get(found["level"], found["level"]),
            why=_WHY.get(found["reason"], found["reason"]), metrics=measured(found["metrics"]),
        )  # fmt: skip
        use = await self._view.attempt(api.get("/v1/model/use", days=self._days))
        if use is None:
            return
        self._use.show(use=use, mix=mix(use), leaves=await leaf_names(api), days=self._days, choices=DAYS)
        self._chart.clear()
        bins = [one for one in use["reliability"] if one["accuracy"] is not None]
        if bins:
            with self._chart:
                reliability_chart(bins)

    async def _reload(self, _: Sent) -> None:
        if await self._view.attempt(self._view.person.api.post("/v1/model/reload")):
            await self.read("模型包已重新读取,服务没有中断")


def measured(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Figures of the manifest as people read them.

    Args:
        metrics: of the manifest; its out-of-fold figures are used.

    Returns:
        Name and value.
    """
    found = metrics.get("out_of_fold", {})
    return [
        (_METRICS.get(name, name), f"{value:.0%}" if name in _SHARES else f"{value:.3f}")
        for name, value in found.items()
        if isinstance(value, int | float)
    ]


def mix(use: dict[str, Any]) -> list[dict[str, Any]]:
    """Leaves of this time beside those of the time before.

    Args:
        use: of `GET /v1/model/use`.

    Returns:
        `code`, `tickets`, `before` and the shares of both, which are None where the leaf has fewer than five tickets.
    """
    now, before = use["tickets"], use["before"]
    codes = sorted({*now["leaves"], *before["leaves"]}, key=lambda code: (-now["leaves"].get(code, 0), code))
    return [
        {
            "code": code,
            "tickets": now["leaves"].get(code, 0),
            "before": before["leaves"].get(code, 0),
            "share": _share(now, code),
            "share_before": _share(before, code),
        }
        for code in codes
    ]


def _share(part: dict[str, Any], code: str) -> float | None:
    count = part["leaves"].get(code, 0)
    return count / part["n"] if count >= 5 else None
