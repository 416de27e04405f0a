"""Around every request: its id, the safe headers, one line in the log, and no error that tells a ticket's text."""

import logging
import random
import re
import time
from collections.abc import Mapping
from types import MappingProxyType

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import unexpected

log = logging.getLogger(__name__)
REQUEST_ID = "X-Request-Id"
# with a letter in it: neither a telephone nor an identity number can come into the log by this way
_USABLE = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    }
)
# the page is static and shows no data of tickets; its one script of its own stands in the page
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGES = ("/docs", "/docs/oauth2-redirect")
_QUIET = ("/livez", "/readyz", "/metrics")


class Context:
    """ASGI middleware, the outermost one.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: of the request.
            receive: its body.
            send: the answer.

        Raises:
            Exception: what went wrong after an answer had begun, so that the server cuts the connection.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, request_id, status = time.perf_counter(), _request_id(scope), 0
        scope["template"] = template(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), scope["path"], request_id)
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except Exception as error:
            log.error("unexpected %s at %s", type(error).__name__, place(error))
            if status:
                raise
            await unexpected()(scope, receive, sent)
        finally:
            _tell(scope, status, time.perf_counter() - began)
            structlog.contextvars.unbind_contextvars("request_id")


def template(scope: Scope) -> str | None:
    """The template of the route that will answer, such as `/v1/tickets/{ticket_id}`.

    Args:
        scope: of a request.

    Returns:
        None where no route answers; the application says 404 or 405 then.
    """
    for route in scope["app"].routes:
        if route.matches(scope)[0] == Match.FULL:
            return str(route.path if isinstance(route, Mount) else route.path_format)
    return None


def place(error: BaseException) -> str:
    """Where an error was raised: file and line, never its message, which may hold a ticket's words.

    Args:
        error: caught.

    Returns:
        Such as `serving/api/app.py:12`.
    """
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return "/".join(trace.tb_frame.f_code.co_filename.split("/")[-3:]) + f":{trace.tb_lineno}" if trace else "?"


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get(REQUEST_ID, "")
    return given if _USABLE.fullmatch(given) else f"{random.getrandbits(128):032x}"


def _add_headers(headers: MutableHeaders, path: str, request_id: str) -> None:
    headers.update(HEADERS)
    headers[REQUEST_ID] = request_id
    if path in _PAGES:
        headers["Content-Security-Policy"] = _PAGE_POLICY


def _tell(scope: Scope, status: int, seconds: float) -> None:
    """One line: the route's template, never the path, in which ids and search words stand."""
    path = scope["template"] or "other"
    caller = scope.get("state", {}).get("caller")
    log.log(
        logging.DEBUG if path in _QUIET else logging.INFO,
        "request",
        extra={
            "method": scope["method"] if scope["method"].isalpha() else "other",
            "route": path,
            "status": status or 499,  # the client left before an answer
            "ms": round(1000 * seconds, 1),
            "key": caller.name if caller else None,
        },
    )
