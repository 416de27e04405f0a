"""Refuse bodies that are too large or no JSON before anything reads them."""

from anyio import fail_after
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.problems import problem

BODY_MOST = 1_000_000
BATCH_BODY_MOST = 4_000_000
TABLES = "/v1/events/import"  # takes CSV
BODY_SECONDS = 30.0
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
        empty = headers.get(b"content-length", "0") == "0" and b"transfer-encoding" not in headers
        wanted = "text/csv" if scope["path"] == TABLES else "application/json"
        fits = kind == wanted or (wanted == "application/json" and kind.endswith("+json")) or (empty and not kind)
        if not fits:
            answer = problem(415, "unsupported_media_type", f"请求体的类型不对:请加 Content-Type: {wanted}")
            await answer(scope, receive, send)
            return
        await self._counted(scope, receive, send, most)

    async def _counted(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        """Read the whole body first, keep at most `most` bytes, then hand it on.

        A body that is too large is read to its end (within reason), so that the client sees the answer.
        """
        try:
            with fail_after(BODY_SECONDS):
                body = await _read(receive, most)
        except TimeoutError:
            late = problem(408, "too_slow", f"请求体在 {BODY_SECONDS:.0f} 秒内没有到齐;请检查网络后重试")
            await late(scope, receive, send)
            return
        if body is None:
            return
        if len(body) > most:
            await _too_large(most)(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)


async def _read(receive: Receive, most: int) -> bytes | None:
    """The whole body, or a little more than `most` bytes of it, or None where the client left."""
    total, more = 0, True
    chunks: list[bytes] = []
    while more and total <= _DRAIN_MOST:
        message = await receive()
        if message["type"] != "http.request":
            return None
        if total <= most:
            chunks.append(message.get("body", b""))
        total += len(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(most: int) -> Response:
    return problem(413, "too_large", f"请求体超过 {most // 1_000_000} MB;请分批发送")
