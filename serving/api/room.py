"""Room for calls that wait for the store: a call that would have to wait for too many others is told to come again."""

from starlette.types import ASGIApp, Receive, Scope, Send

from model.errors import Overloaded
from serving.api.problems import of_error
from serving.api.roles import OPEN

MOST = 80  # calls at a time: as many again as there are threads for them
_BOUNDED = (("POST", "/v1/predict"), ("POST", "/v1/predict/batch"), ("POST", "/v1/tickets"))  # have queues of their own


class Room:
    """ASGI middleware: 503 at once instead of a place in an endless line.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: of the request.
            receive: its body.
            send: the answer.
        """
        path = scope["template"] if scope["type"] == "http" else None
        if path is None or path in OPEN or (scope["method"], path) in _BOUNDED:
            await self.app(scope, receive, send)
        elif self._inside >= MOST:
            await of_error(Overloaded("等待存储的请求已满,请稍后重试"))(scope, receive, send)
        else:
            self._inside += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._inside -= 1
