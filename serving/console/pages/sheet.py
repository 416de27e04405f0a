"""「拖入 Excel → 得到派单表」, for an office without integration: a file in, a worklist out, nothing stored."""

import asyncio
from pathlib import PurePath

from model.errors import UnreadableInput
from serving.console import files, sheet
from serving.console.client import ApiProblem
from serving.console.forms import Part, Sent
from serving.console.layout import View, frame, page
from serving.console.session import SignedIn

ACCEPT = ".xlsx,.csv,.tsv,.jsonl"
_SHOWN = 200  # rows of the preview


def install() -> None:
    """Register the page."""

    @page("/sheet", "派单表")
    async def worklist(person: SignedIn) -> None:
        async with frame(person, "拖入 Excel,得到派单表", path="/sheet") as view:
            _Sheet(view)


class _Sheet:
    """One file at a time on its way."""

    def __init__(self, view: View) -> None:
        self._view, self._busy = view, False
        self._done: list[sheet.Done] = []
        self._name = self._url = ""
        self._area = files.drop_area(view.person, "工单表", ACCEPT, self._take, self._wrong)
        self._progress = Part("sheet_progress.html")
        self._table = Part("sheet.html", self._choose)
        self._show()

    async def _take(self, held: files.Held) -> None:
        if self._busy:
            self._wrong("上一份还没有做完,请稍候")
            return
        self._busy, self._done = True, []
        self._view.clear()
        self._show()
        self._progress.show(text=f"正在读取 {held.name}…", done=0, total=0)
        try:
            rows = await asyncio.to_thread(sheet.read, held.content, held.name)
            done = await sheet.predict(self._view.person.api, rows, self._told)
            await self._ready(held.name, done)
        except UnreadableInput as error:
            self._wrong(str(error))
        except ApiProblem as problem:
            self._view.show(problem)
        finally:
            self._busy = False
            self._progress.show(text="", done=0, total=0)

    async def _ready(self, name: str, done: list[sheet.Done]) -> None:
        content = await asyncio.to_thread(sheet.workbook, done, name)
        made = files.Held(f"派单表-{PurePath(name).stem}.xlsx", content, files.XLSX)
        self._done, self._name, self._url = done, name, files.offer(self._view.person, made)
        self._show()

    def _told(self, done: int, total: int) -> None:
        self._progress.show(text=f"已分拣 {done} / {total} 行", done=done, total=total)

    def _choose(self, sent: Sent) -> None:
        self._show(only=sent.get("only", ""))

    def _show(self, only: str = "") -> None:
        wrong = [one for one in self._done if one.wrong]
        safety = [one for one in self._done if "安全" in one.cues.split("、")]
        rows = {"wrong": wrong, "safety": safety}.get(only, self._done)
        self._table.show(
            columns=sheet.COLUMNS, rows=rows[:_SHOWN], total=len(self._done), wrong=len(wrong), safety=len(safety),
            hidden=max(0, len(rows) - _SHOWN), name=self._name, url=self._url, only=only, most=sheet.ROWS_MOST,
        )  # fmt: skip

    def _wrong(self, message: str) -> None:
        self._view.show(ApiProblem(400, "file", message))
