"""The frame of every page: header, navigation, banner while the service is away; empty and error states.

No Tailwind here: elements get the classes of `static/console.css`. How a page is made:

    def install() -> None:
        @page("/events", "已知事件")
        async def events(person: SignedIn) -> None:
            async with frame(person, "已知事件") as view:
                found = await view.attempt(person.api.get("/v1/events"))
                if found is None:
                    return  # the banner or the error stands on the page already
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from nicegui import ui

from serving.console.client import ApiProblem
from serving.console.session import Person
from serving.console.templating import render

_BROKEN = "控制台内部错误,已记录;请刷新页面,仍不行请告诉管理员"
RETRY_SECONDS = 5.0  # between two looks whether the service is back
_BUILD_SECONDS = 20.0  # a page whose data comes slowly is still shown
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation; shown to the roles that may use the page."""

    path: str
    name: str
    roles: tuple[str, ...] = ("reviewer", "admin")


_READERS = ("analyst", "reviewer", "admin")
ENTRIES = (
    Entry("/", "工单队列"),
    Entry("/cues", "线索"),
    Entry("/events", "已知事件"),
    Entry("/hotspots", "热点", _READERS),
    Entry("/sheet", "派单表", _READERS),
    Entry("/model", "模型", _READERS),
)


@dataclass
class View:
    """A page being shown, with its places for what goes wrong.

    Args:
        person: who looks.
        banner: shown while the service is away.
        error: shows the last problem.
    """

    person: Person
    banner: ui.html
    error: ui.html

    async def attempt(self, work: Awaitable[T]) -> T | None:
        """Wait for a call; a problem is shown on the page instead of raised.

        Args:
            work: of `person.api`.

        Returns:
            What it gave; None where it failed.
        """
        try:
            found = await work
        except ApiProblem as problem:
            self.show(problem)
            return None
        self.clear()
        return found

    def show(self, problem: ApiProblem) -> None:
        """Show a problem: as the banner where the service is away, else above the page.

        Args:
            problem: what went wrong.
        """
        if problem.status == 401:
            ui.navigate.to("/sign-in")
        place = self.banner if problem.away else self.error
        place.set_content(render("problem.html", message=str(problem), errors=problem.errors, away=problem.away))
        place.client.run_javascript("document.querySelector('.note.bad')?.scrollIntoView({block: 'nearest'})")

    def clear(self) -> None:
        """Take away what was shown."""
        for place in (self.banner, self.error):
            if place.content:
                place.set_content("")

    async def _look(self, again: Callable[[], Any] | None) -> None:
        """While the banner stands: see whether the service is back."""
        if self.banner.content and await self.person.api.service.alive():
            self.clear()
            ui.navigate.reload() if again is None else await again()


def page(path: str, title: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a page; put `person: SignedIn` among its parameters.

    Args:
        path: of the page.
        title: of the browser's tab.
        **settings: as for `nicegui.ui.page`.

    Returns:
        A decorator.
    """
    return ui.page(path, title=f"{title} · 投诉工单分拣", response_timeout=_BUILD_SECONDS, **settings)


@asynccontextmanager
async def frame(
    person: Person, title: str, *, path: str = "", again: Callable[[], Any] | None = None
) -> AsyncIterator[View]:
    """Header and navigation around a page.

    Args:
        person: who looks.
        title: of the page, its first heading.
        path: of the navigation's entry; "" where the page is in none.
        again: called when the service is back; the page is loaded anew without it.

    Yields:
        The view, inside the page's main part.
    """
    for style in ("console.css", "office.css"):
        ui.add_head_html(f'<link rel="stylesheet" href="/console-static/{style}">')
    ui.add_head_html('<script src="/console-static/console.js" defer></script>')
    entries = [entry for entry in ENTRIES if person.role in entry.roles]
    ui.html(render("header.html", person=person, entries=entries, path=path), sanitize=False).classes("top")
    with ui.element("main").classes("page").props('id="main"'):
        banner = ui.html("", sanitize=False).props('role="alert"').classes("notes")
        error = ui.html("", sanitize=False).props('role="alert"').classes("notes")
        ui.html(render("title.html", title=title), sanitize=False).classes("title")
        view = View(person, banner, error)
        ui.timer(RETRY_SECONDS, lambda: view._look(again))
        ui.context.client.on_exception(lambda: view.show(ApiProblem(500, "console_error", _BROKEN)))
        yield view


def empty(text: str, hint: str = "") -> ui.html:
    """Says that there is nothing to show, and what to do.

    Args:
        text: what there is none of.
        hint: what one may do.

    Returns:
        The element.
    """
    return ui.html(render("empty.html", text=text, hint=hint), sanitize=False)


def loading(text: str = "正在读取…") -> ui.html:
    """Says that something is under way.

    Args:
        text: what.

    Returns:
        The element, to be deleted when it is there.
    """
    return ui.html(render("loading.html", text=text), sanitize=False)
