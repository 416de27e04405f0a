"""The door: who calls, whether they may, and how often; before a byte of the body is read."""

import ipaddress
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from anyio import CapacityLimiter, move_on_after, to_thread
from prometheus_client import CollectorRegistry, Counter
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from model.errors import StoreUnavailable
from serving.api.access import Access
from serving.api.keys import digest_of
from serving.api.problems import of_error, problem
from serving.api.rates import RateLimited, Rates
from serving.api.roles import LOCAL, OPEN, ROLE_NAMES, Caller, may

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_LONGEST_KEY = 200
_ASKING = 8  # look-ups at a time
_PATIENCE = 1.0  # seconds for a look-up; a store that hangs must not hold up predictions
T = TypeVar("T")


class Guard:
    """ASGI middleware: 401, 403 and 429. Puts the caller into `request.state`.

    Args:
        app: what to protect.
        access: finds callers.
        rates: counts calls.
        registry: of the metrics.
    """

    def __init__(self, app: ASGIApp, access: Access, rates: Rates, registry: CollectorRegistry) -> None:
        self.app = app
        self._access, self._rates = access, rates
        self._threads = CapacityLimiter(_ASKING)  # its own: threads of calls that wait for the store are not in the way
        self._refused = Counter("triage_key_failures", "Calls refused at the door", ("reason",), registry=registry)
        self._limited = Counter("triage_rate_limited", "Calls over the limit", ("of",), registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: of the request.
            receive: its body.
            send: the answer.
        """
        path = scope["template"] if scope["type"] == "http" else None
        answer = None if path is None or path in OPEN else await self._refusal(scope, path)
        await (answer or self.app)(scope, receive, send)

    async def _refusal(self, scope: Scope, path: str) -> Response | None:
        """Why a call is not let in; a caller who is let in is put into the state."""
        headers = Headers(scope=scope)
        try:
            found = await (self._local(scope, headers) if await self._keyless() else self._by_key(scope, headers))
            if isinstance(found, Response):
                return found
            if not may(found, scope["method"], path):
                return self._no(403, "forbidden", f"{ROLE_NAMES[found.role]}({found.role})的密钥不能做这件事;见 /docs")
            scope.setdefault("state", {}).update(caller=found, rates=self._rates)
            self._rates.charge(found.name)
        except RateLimited as error:
            self._limited.labels("key" if "caller" in scope.get("state", {}) else "address").inc()
            return of_error(error)
        except StoreUnavailable as error:
            return of_error(error)
        return None

    async def _keyless(self) -> bool:
        known = self._access.keyless()
        return await self._ask(self._access.look_for_keys, self._access.was_keyless) if known is None else known

    async def _local(self, scope: Scope, headers: Headers) -> Caller | Response:
        """While no key was ever made, this machine is let in; a page of another site in its browser is not."""
        host = headers.get("host", "")
        origin = headers.get("origin")
        if not _is_local(scope) or _name(host) not in _LOCAL_NAMES:
            return self._no(403, "local_only", "还没有访问密钥,服务只应答本机;请先用 triage keys create 建密钥")
        if origin is not None and _netloc(origin) != host:
            return self._no(403, "foreign_page", "拒绝来自其他网页的调用")
        return LOCAL

    async def _by_key(self, scope: Scope, headers: Headers) -> Caller | Response:
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            return self._no(401, "key_missing", "请带访问密钥:Authorization: Bearer tri_…")
        digest = digest_of(token.strip()[:_LONGEST_KEY])
        if fresh := self._access.fresh(digest):
            return fresh
        address = scope["client"][0] if scope.get("client") else "local"
        if not self._access.known(digest):  # a good key goes on where others of its address fail
            self._rates.check(address)
        if caller := await self._ask(lambda: self._access.look_up(digest), lambda: self._access.stale(digest)):
            return caller
        self._rates.failed(address)
        return self._no(401, "key_refused", "密钥不存在或已作废;请向管理员索取新密钥")

    async def _ask(self, question: Callable[[], T], otherwise: Callable[[], T | None]) -> T:
        """Ask the store; where it does not answer in time, what it said before."""
        with move_on_after(_PATIENCE):
            return await to_thread.run_sync(question, limiter=self._threads, abandon_on_cancel=True)
        known = otherwise()
        if known is None:
            raise StoreUnavailable("存储没有及时应答;请稍后重试")
        return known

    def _no(self, status: int, code: str, detail: str) -> Response:
        self._refused.labels(code).inc()
        answer = problem(status, code, detail)
        if status == 401:
            error = ', error="invalid_token"' if code == "key_refused" else ""
            answer.headers["WWW-Authenticate"] = f'Bearer realm="complaint-triage"{error}'
        return answer


def _is_local(scope: Scope) -> bool:
    """Whether the other end is this machine; a socket file has no address."""
    if not scope.get("client"):
        return True
    try:
        return ipaddress.ip_address(scope["client"][0]).is_loopback
    except ValueError:
        return False


def _netloc(origin: str) -> str | None:
    """Host and port of an Origin header; None for one that is no address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _name(host: str) -> str:
    """The host of a Host header, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
