"""The console's application: NiceGUI pages behind a sign-in, in a frame of safe headers."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.sessions import SessionMiddleware

from serving.api.context import place
from serving.console import signin
from serving.console.client import Service
from serving.console.headers import SafeHeaders
from serving.console.options import IDLE_HOURS, ConsoleOptions
from serving.console.session import Sessions

log = logging.getLogger(__name__)
TITLE = "投诉工单分拣"
_STATIC = Path(__file__).parent / "static"


def create_console(options: ConsoleOptions, service: Service | None = None) -> FastAPI:
    """Make the console. NiceGUI keeps its pages in one place for each process, so make one only.

    Args:
        options: addresses and the cookie's secret.
        service: instead of the one at `options.api`, for tests.

    Returns:
        The application.
    """
    from nicegui import app as pages_app
    from nicegui import ui

    service, sessions = service or Service(options.api), Sessions()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.close()

    app = FastAPI(title=TITLE, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    for one in (app, pages_app):
        one.state.service, one.state.sessions, one.state.options = service, sessions, options
    pages_app.on_exception(_tell)
    app.add_middleware(
        SessionMiddleware, secret_key=options.secret, session_cookie="triage_console", same_site="lax",
        https_only=options.https, max_age=IDLE_HOURS * 3600,
    )  # fmt: skip
    app.add_middleware(SafeHeaders)
    app.mount("/console-static", StaticFiles(directory=_STATIC))
    signin.install(app)
    _install_pages()
    ui.run_with(
        app, title=TITLE, language="zh-CN", storage_secret=options.secret, tailwind=False, reconnect_timeout=30,
        favicon=_STATIC / "favicon.svg", show_welcome_message=False,
    )  # fmt: skip
    return app


def _tell(error: Exception) -> None:
    """What went wrong in a page: its kind and place, never its message, which may hold a ticket's text."""
    log.error("unexpected %s at %s", type(error).__name__, place(error))


def _install_pages() -> None:
    """Each module registers its own pages; a new page is a line here and one in `layout.ENTRIES`."""
    from serving.console import files
    from serving.console.pages import cue, cues, events, hotspots, model, queue, sheet, ticket

    for module in (files, queue, ticket, cues, cue, events, hotspots, sheet, model):
        module.install()
