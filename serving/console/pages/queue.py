"""The queue of tickets, most urgent first: figures, filters, one line for each known event and incident."""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import Request
from nicegui import events, ui

from model.ticket import CHINA
from serving.console import catalogue
from serving.console.client import ApiProblem
from serving.console.forms import Part, Sent
from serving.console.layout import View, frame, page
from serving.console.queue_view import STATUSES, URGENCIES, Wanted, row_of
from serving.console.session import SignedIn
from serving.console.templating import render
from serving.console.walk import Walk
from serving.console.words import DECISION, ticket_url

LIVE_SECONDS = 15.0  # between two looks at the figures


def install() -> None:
    """Register the page."""

    @page("/", "工单队列")
    async def queue(person: SignedIn, request: Request) -> None:
        if not person.decides:
            ui.navigate.to("/sheet")  # analysts read no tickets
            return
        async with frame(person, "工单队列", path="/") as view:
            await _Queue(view, Wanted.of(request.query_params)).open()


class _Queue:
    """The queue being read."""

    def __init__(self, view: View, wanted: Wanted) -> None:
        self._view, self._api, self._wanted = view, view.person.api, wanted
        self._rows: list[dict[str, Any]] = []
        self._unfolded: dict[str, list[dict[str, Any]]] = {}
        self._newest: list[str] = []
        with ui.element("div").classes("desk"):
            self._figures = Part("queue_figures.html", self._filter)
            self._filters = Part("queue_filters.html", self._filter)
            self._list = Part("queue_rows.html", self._listed)
        self._list.element.set_content(render("loading.html", text="正在读取…"))
        ui.on("console_refresh", self._again)
        ui.timer(LIVE_SECONDS, self._live, immediate=False)

    async def open(self) -> None:
        """Show the queue."""
        found = await self._view.attempt(catalogue.read(self._api))
        if found is None:
            self._list.element.set_content("")
            return
        self._known = found
        self._filters.show(wanted=self._wanted, statuses=STATUSES, decisions=DECISION, known=found)
        await self._read()

    async def _read(self) -> None:
        """List anew, from the most urgent on."""
        walk = Walk(self._wanted)
        counts = self._api.get("/v1/counts")
        found = await self._view.attempt(asyncio.gather(walk.extend(self._api, glance=True), counts))
        if found is None:
            return
        self._view.person.memory["walk"] = self._walk = walk
        self._rows, self._unfolded, self._newest = found[0], {}, [one["ticket_id"] for one in found[0]]
        self._show_figures(found[1], changed=False)
        self._show_rows()

    def _show_figures(self, counts: dict[str, Any], *, changed: bool) -> None:
        self._figures.show(
            counts=counts, urgencies=URGENCIES, wanted=self._wanted, changed=changed, at=datetime.now(CHINA)
        )

    def _show_rows(self) -> None:
        now, leaves = datetime.now(CHINA), self._known.names
        rows = []
        for ticket in self._rows:
            row = row_of(ticket, leaves, now)
            inner = self._unfolded.get(row["matter"]) if row["count"] > 1 else None
            rows.append({**row, "unfolded": inner is not None})
            others = [one for one in inner or [] if one["ticket_id"] != ticket["ticket_id"] and not one["safety"]]
            rows += [{**row_of(one, leaves, now), "inside": True, "count": 1} for one in others]
        self._list.show(rows=rows, more=self._walk.cursor is not None, wanted=self._wanted)

    async def _filter(self, sent: Sent) -> None:
        """A figure was pressed, a filter was chosen, or a ticket's number was typed."""
        if sent["form"] == "goto":
            if sent.get("ticket_id", "").strip():
                ui.navigate.to(ticket_url(sent["ticket_id"].strip()))
            return
        if "refresh" in sent:
            await self._read()
            return
        if sent["form"] == "filters":
            self._wanted = Wanted() if "clear" in sent else Wanted.of(sent)
        elif "status" in sent:
            self._wanted = Wanted(status=sent["status"])
        else:
            self._wanted = self._wanted.with_urgency(sent["urgency"])
        ui.navigate.history.replace(f"/{self._wanted.query}")
        self._filters.show(wanted=self._wanted, statuses=STATUSES, decisions=DECISION, known=self._known)
        await self._read()

    async def _listed(self, sent: Sent) -> None:
        """More was asked for, or an event or incident was folded or unfolded."""
        if "matter" in sent:
            await self._fold(sent["matter"])
        elif found := await self._view.attempt(self._walk.extend(self._api, glance=True)):
            self._rows += found
        self._show_rows()

    async def _fold(self, matter: str) -> None:
        if self._unfolded.pop(matter, None) is None:
            name, _, value = matter.partition("=")
            asked = {**self._wanted.params, name: value, "glance": True, "limit": 200}
            if found := await self._view.attempt(self._api.get("/v1/tickets", **asked)):
                self._unfolded[matter] = found["tickets"]

    async def _again(self, _: events.GenericEventArguments) -> None:
        await self._read()

    async def _live(self) -> None:
        """The figures change by themselves; the list only says that it has changed, so that no row runs away."""
        first = Walk(self._wanted)
        try:
            counts, newest = await asyncio.gather(self._api.get("/v1/counts"), first.extend(self._api))
        except ApiProblem as problem:
            self._view.show(problem)
            return
        changed = [one["ticket_id"] for one in newest] != self._newest
        self._show_figures(counts, changed=changed)
