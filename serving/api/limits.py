"""Refuse bodies that are too large or no JSON before anything reads them."""

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import problem

BODY_MOST = 1_000_000
BATCH_BODY_MOST = 4_000_000
_DRAIN_MOST = 64_000_000


class BodyLimits:
    """ASGI middleware: 413 over the limit (also without Content-Length), 415 for a body that is not JSON.

    Args:
        app: what to protect.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: of the request.
            receive: its body.
            send: the answer.
        """
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, send)
            return
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        most = BATCH_BODY_MOST if scope["path"].endswith("/batch") else BODY_MOST
        kind = headers.get(b"content-type", "").split(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            answer = problem(415, "unsupported_media_type", "请求体须为 JSON:请加 Content-Type: application/json")
            await answer(scope, receive, send)
            return
        await self._counted(scope, receive, send, most)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        """Read the whole body first, keep at most `most` bytes, then hand it on.

        A body that is too large is read to its end (within reason), so that the client sees the answer.
        """
        chunks: list[bytes] = []
        total = 0
        more = True
        while more and total <= _DRAIN_MOST:
            message = await receive()
            if message["type"] != "http.request":
                return
            total += len(message.get("body", b""))
            more = message.get("more_body", False)
            if total <= most:
                chunks.append(message.get("body", b""))
        if total > most:
            await _too_large(most)(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": b"".join(chunks), "more_body": False}

        await self.app(scope, replay, send)


def _too_large(most: int) -> Response:
    return problem(413, "too_large", f"请求体超过 {most // 1_000_000} MB;请分批发送")
