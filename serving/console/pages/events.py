"""The register of known events: entered by form or as a CSV table, removed, with the tickets that may belong to each."""

from datetime import datetime, timedelta
from typing import Any

from model.ticket import CHINA
from serving.console import files
from serving.console.client import ApiProblem
from serving.console.forms import Part, Sent
from serving.console.layout import View, frame, page
from serving.console.names import names_of
from serving.console.session import SignedIn

_FIELDS = ("kind", "starts_at", "ends_at", "text", "city", "county", "station", "places", "filing")
_TABLE = "text/csv"
_PAST_DAYS = 30  # events that ended longer ago are shown only when asked for


def install() -> None:
    """Register the page."""

    @page("/events", "已知事件")
    async def events(person: SignedIn, past: bool = False) -> None:
        async with frame(person, "已知事件", path="/events") as view:
            await _Register(view, past=past).read()


class _Register:
    """The register being read and added to."""

    def __init__(self, view: View, *, past: bool) -> None:
        self._view, self._past = view, past
        self._open: dict[int, list[dict[str, Any]]] = {}
        self._said = Part("said.html")
        self._list = Part("events.html", self._sent)
        self._form = Part("event_form.html", self._enter)
        files.drop_area(view.person, "按 CSV 表登记", ".csv", self._import, self._wrong)
        self._told = Part("event_table.html")
        self._told.show()
        self._drawn = False

    async def read(self, done: str = "") -> None:
        """Show the register as it stands.

        Args:
            done: what was just done.
        """
        api = self._view.person.api
        since = None if self._past else (datetime.now(CHINA) - timedelta(days=_PAST_DAYS)).isoformat()
        found = await self._view.attempt(api.get("/v1/events", since=since))
        if found is None:
            return
        self._said.show(done=done)
        names = await names_of(api)
        now = datetime.now(CHINA).isoformat()
        self._list.show(
            events=found["events"], tickets=self._open, now=now,
            past=self._past, leaves=names.leaves, filings=names.filings,
        )  # fmt: skip
        if not self._drawn:  # what somebody is typing is not drawn over
            self._form.show(kinds=found["kinds"], filings=names.filings)
            self._drawn = True

    async def _sent(self, sent: Sent) -> None:
        number = int(sent["event"])
        api = self._view.person.api
        if sent["do"] == "tickets":
            if self._open.pop(number, None) is None:
                found = await self._view.attempt(api.get("/v1/tickets", event_id=number, limit=200))
                if found is None:
                    return
                self._open[number] = found["tickets"]
            await self.read()
        elif await self._worked(api.delete(f"/v1/events/{number}")):
            await self.read(f"事件 {number} 已从登记簿移除;有关工单照常办理")

    async def _enter(self, sent: Sent) -> None:
        body = {name: sent[name].strip() for name in _FIELDS if sent.get(name, "").strip()}
        if await self._worked(self._view.person.api.post("/v1/events", body)):
            self._drawn = False
            await self.read("事件已登记")

    async def _import(self, held: files.Held) -> None:
        found = await self._view.attempt(self._view.person.api.upload("/v1/events/import", held.content, _TABLE))
        if found is not None:
            await self.read(f"{held.name}:{len(found['events'])} 个事件已在登记簿")

    async def _worked(self, work: Any) -> bool:
        """Whether a call went through; many answer nothing."""
        try:
            await work
        except ApiProblem as problem:
            self._view.show(problem)
            return False
        self._view.clear()
        return True

    def _wrong(self, message: str) -> None:
        self._view.show(ApiProblem(400, "file", message))
