"""One ticket: read, accept with one key, correct with two, take back, go on to the next."""

import asyncio
from datetime import datetime
from typing import Any

from nicegui import background_tasks, events, ui

from model.ticket import CHINA
from serving.console import catalogue
from serving.console.client import ApiProblem, ticket_path
from serving.console.forms import Part, Sent
from serving.console.layout import View, frame, page
from serving.console.queue_view import clocks
from serving.console.session import SignedIn
from serving.console.ticket_view import closing_of, decision_of, others_decision, values_of
from serving.console.walk import Walk
from serving.console.words import ticket_url

_CLOCK_SECONDS = 30.0  # between two looks at what remains


def install() -> None:
    """Register the page."""

    @page("/tickets/{ticket_id:path}", "工单")
    async def ticket(person: SignedIn, ticket_id: str) -> None:
        async with frame(person, "工单", path="/") as view:
            desk = _Desk(view)
            await desk.open(ticket_id)
            desk.settle()


class _Desk:
    """One ticket on the desk, and the way to its neighbours."""

    def __init__(self, view: View) -> None:
        self._view, self._person, self._api = view, view.person, view.person.api
        self._ticket: dict[str, Any] | None = None
        self._next: dict[str, dict[str, Any]] = {}  # read before it is asked for
        with ui.element("div").classes("ticket").props("data-ticket-desk"):
            self._strip = Part("ticket_strip.html", self._pressed)
            self._said = Part("ticket_said.html", self._pressed)
            with ui.element("div").classes("cols"):
                with ui.element("div").classes("reading"):
                    self._text = Part("ticket_text.html")
                    self._card = Part("ticket_card.html")
                    self._alike = Part("ticket_alike.html")
                    self._past = Part("ticket_past.html")
                with ui.element("div").classes("deciding"):
                    self._choice = Part("ticket_choice.html", self._decide)
                    self._clocks = Part("ticket_clocks.html")
                    self._handling = Part("ticket_handling.html", self._handle)
        self._said.show(said={"kind": "", "text": "正在读取…", "undo": False})
        ui.on("console_key", self._key)
        ui.timer(_CLOCK_SECONDS, self._tick, immediate=False)

    async def open(self, ticket_id: str) -> None:
        """Show the first ticket.

        Args:
            ticket_id: from the address.
        """
        walk: Walk | None = self._person.memory.get("walk")
        if walk is None or ticket_id not in walk.ids:
            walk = self._person.memory["walk"] = Walk()
            if await self._view.attempt(walk.extend(self._api)) is None:
                return
        self._walk = walk
        known = await self._view.attempt(catalogue.read(self._api))
        if known is not None:
            self._known = known
            await self._go(ticket_id)

    def settle(self) -> None:
        """Nothing is being read any more; why there is no ticket stands above."""
        if self._ticket is None:
            self._said.show(said=None)

    async def _go(self, ticket_id: str, said: dict[str, Any] | None = None) -> None:
        """Put a ticket on the desk; the next one is read meanwhile."""
        found = self._next.pop(ticket_id, None) or await self._view.attempt(self._api.get(ticket_path(ticket_id)))
        if found is None:
            return
        self._show(found, said)
        ui.navigate.history.replace(ticket_url(ticket_id))
        ui.run_javascript("document.querySelector('.reading')?.scrollIntoView({block:'nearest'});scrollTo(0,0)")
        background_tasks.create(self._look_ahead(ticket_id), name="look ahead")

    def _show(self, ticket: dict[str, Any], said: dict[str, Any] | None) -> None:
        values = values_of(ticket, self._known, datetime.now(CHINA))
        place, listed = self._walk.place(ticket["ticket_id"]), len(self._walk.ids)
        self._strip.show(**values, place=place + 1, listed=listed, more=self._walk.cursor is not None)
        self._said.show(said=said)
        self._text.show(**values)
        self._choice.show(**values, decides=self._person.decides)
        self._clocks.show(clocks=values["clocks"], ticket=ticket)
        self._handling.show(**values, decides=self._person.decides)
        self._card.show(**values)
        self._past.show(**values)
        self._alike.show(tickets=None, names=self._known.names)
        self._ticket = ticket  # last: what is decided is what was shown

    async def _look_ahead(self, ticket_id: str) -> None:
        """Read the next ticket, then what is like this one; neither is waited for."""
        try:
            following = await self._walk.step(self._api, ticket_id, 1)
            if following:
                self._next = {following: await self._api.get(ticket_path(following))}
            alike = await self._api.get(ticket_path(ticket_id, "similar"))
        except ApiProblem:
            return  # whoever asks for it sees the problem then
        if self._ticket and self._ticket["ticket_id"] == ticket_id:
            self._alike.show(tickets=alike["tickets"], names=self._known.names)

    async def _step(self, by: int, said: dict[str, Any] | None = None) -> bool:
        """Go to a neighbour; False where there is none."""
        if self._ticket is None:
            return False
        here = self._ticket["ticket_id"]
        there = await self._view.attempt(asyncio.ensure_future(self._walk.step(self._api, here, by)))
        if there is not None:
            await self._go(there, said)
            return True
        end = "已到队列末尾" if by > 0 else "已是第一张"
        self._said.show(said=said or {"kind": "", "text": end, "undo": False})
        return False

    async def _decide(self, sent: Sent) -> None:
        """Accepted or corrected; then the next ticket. A form of a ticket that is no longer on the desk decides nothing."""
        if self._ticket is None or sent.get("ticket_id") != self._ticket["ticket_id"]:
            return
        body = decision_of(self._ticket, sent)
        done = await self._post("review", body)
        if done is None:
            return
        self._person.memory["undo"] = {"ticket_id": done["ticket_id"], "version": done["version"]}
        name = self._known.names.get(done["category"], done["category"])
        word = "已认可" if body["category"] == self._ticket["category"] else "已改判为"
        said = {
            "kind": "done",
            "text": f"{done['ticket_id']} {word}「{name}」,送 {'、'.join(done['queues'])}",
            "undo": True,
        }
        self._ticket = done
        if not await self._step(1, said):
            self._show(done, said)

    async def _post(self, call: str, body: dict[str, Any], ticket_id: str | None = None) -> dict[str, Any] | None:
        """Change a ticket; where another person was quicker, what they did is shown, and nothing is overwritten."""
        assert self._ticket is not None  # noqa: S101 - callers have looked
        named = ticket_id or self._ticket["ticket_id"]
        try:
            done: dict[str, Any] = await self._api.post(ticket_path(named, call), body)
        except ApiProblem as problem:
            if problem.status == 409 and ticket_id is None:
                await self._conflict(problem)
            else:
                self._view.show(problem)
            return None
        self._view.clear()
        return done

    async def _conflict(self, problem: ApiProblem) -> None:
        assert self._ticket is not None  # noqa: S101 - callers have looked
        latest = await self._view.attempt(self._api.get(ticket_path(self._ticket["ticket_id"])))
        if latest is None:
            return
        if latest["version"] == self._ticket["version"]:
            self._view.show(problem)
            return
        told = others_decision(latest, self._known.names)
        text = f"您的决定没有保存:{told}。下面是最新的内容,请看后再定"
        self._show(latest, {"kind": "bad", "text": text, "undo": False})

    async def _undo(self) -> None:
        last = self._person.memory.pop("undo", None)
        if last is None or self._ticket is None:
            self._said.show(said={"kind": "", "text": "没有可以撤销的复核", "undo": False})
            return
        done = await self._post("undo", {"version": last["version"]}, last["ticket_id"])
        if done is not None:
            self._next = {done["ticket_id"]: done}
            await self._go(done["ticket_id"], {"kind": "done", "text": "已撤销,恢复为复核之前", "undo": False})

    async def _handle(self, sent: Sent) -> None:
        """The customer was contacted, somebody is on the spot, or the matter is done."""
        if self._ticket is None:
            return
        if "contact" in sent:
            done, text = await self._post("contact", {}), "已记下首次联系的时间"
        elif "arrive" in sent:
            done, text = await self._post("arrive", {}), "已记下到场的时间"
        else:  # the form of closing
            done, text = await self._post("close", closing_of(self._ticket, sent)), "已办结,时限停止"
        if done is not None:
            self._show(done, {"kind": "done", "text": text, "undo": False})

    async def _pressed(self, sent: Sent) -> None:
        await self._do(sent.get("do", ""))

    async def _key(self, event: events.GenericEventArguments) -> None:
        keys = {"j": "next", "k": "back", "u": "undo", "c": "contact", "d": "arrive", "q": "queue"}
        await self._do(keys.get(str(event.args.get("key")), ""))

    async def _do(self, what: str) -> None:
        if what in ("next", "back"):
            await self._step(1 if what == "next" else -1)
        elif what == "undo":
            await self._undo()
        elif what == "contact" and self._ticket and not self._ticket["contacted_at"]:
            await self._handle({"contact": "1"})
        elif what == "arrive" and self._ticket and self._ticket["arrive_by"] and not self._ticket["arrived_at"]:
            await self._handle({"arrive": "1"})
        elif what == "queue":
            ui.navigate.to(f"/{self._walk.wanted.query}")

    def _tick(self) -> None:
        if self._ticket is not None:
            self._clocks.show(clocks=clocks(self._ticket, datetime.now(CHINA)), ticket=self._ticket)
