"""The service as the console sees it: calls with the key of whoever signed in, problems as Chinese sentences."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx2

PATIENCE = 15.0  # seconds for a call; a batch of 256 tickets is the longest
SLOW: Mapping[str, float] = MappingProxyType(
    {"/v1/hotspots": 60.0, "/v1/hotspots/report": 180.0}
)  # calls that read much
CONNECT = 3.0  # seconds until a service that does not answer counts as away
_AWAY = "连不上分拣服务({api});请确认 triage serve 正在运行,页面会自动重试"
_SLOW = "分拣服务没有及时应答;请稍后重试"
_SAID: Mapping[int, str] = MappingProxyType(
    {
        401: "密钥不存在或已作废,请重新登录",
        403: "您的密钥不能做这件事",
        404: "没有找到;可能已被删除",
        409: "已被别人更新",
        413: "内容太大;请分批提交",
        429: "操作太频繁;请稍候再试",
        503: "服务暂时不可用;请稍候再试",
    }
)


class ApiProblem(Exception):
    """The service did not do what was asked. The message is a sentence for users; it never tells a key.

    Args:
        status: of HTTP; 0 where no answer came.
        code: machine-readable, as the service gave it.
        message: what is wrong and how to mend it.
        errors: field by field or row by row, where known.
    """

    def __init__(self, status: int, code: str, message: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.errors = status, code, errors or []

    @property
    def away(self) -> bool:
        """Whether the service cannot be reached at all."""
        return self.status == 0


@dataclass(frozen=True, slots=True)
class File:
    """A body that the service answered as it stands: a report or an export."""

    name: str
    media_type: str
    content: bytes


class Service:
    """One pool of connections to the service, for all who are signed in.

    Args:
        address: of the service.
        transport: instead of the network, for tests.
    """

    def __init__(self, address: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.address = address.rstrip("/")
        self.kept: dict[str, tuple[float, Any]] = {}  # what holds for everybody, with the time when it was told
        timeout = httpx2.Timeout(PATIENCE, connect=CONNECT)
        self._client = httpx2.AsyncClient(base_url=self.address, timeout=timeout, transport=transport)

    async def send(
        self,
        key: str | None,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        media_type: str = "application/json",
    ) -> httpx2.Response:
        """Make one call.

        Args:
            key: of the caller; None while the service asks for none.
            method: of HTTP.
            path: with leading slash.
            params: of the query; those that are None are left out.
            content: the body.
            media_type: of the body.

        Returns:
            The answer, below 400.

        Raises:
            ApiProblem: the service refused, or cannot be reached.
        """
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if content is not None:
            headers["Content-Type"] = media_type
        given = {name: value for name, value in (params or {}).items() if value is not None}
        patience = httpx2.Timeout(SLOW.get(path, PATIENCE), connect=CONNECT)
        try:
            answer = await self._client.request(
                method, path, params=given, content=content, headers=headers, timeout=patience
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise ApiProblem(0, "api_away", _AWAY.format(api=self.address)) from error
        except httpx2.HTTPError as error:
            raise ApiProblem(0, "api_slow", _SLOW) from error
        if answer.status_code >= 400:
            raise problem_of(answer)
        return answer

    async def alive(self) -> bool:
        """Whether the service answers.

        Returns:
            False while it cannot be reached.
        """
        try:
            await self.send(None, "GET", "/livez")
        except ApiProblem:
            return False
        return True

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


@dataclass(frozen=True, slots=True)
class Api:
    """The service with the key of one person.

    Args:
        service: the pool.
        key: of the person; None while the service asks for none.
    """

    service: Service
    key: str | None

    def __repr__(self) -> str:
        return f"Api({self.service.address!r})"  # never the key

    async def get(self, path: str, **params: Any) -> Any:
        """Read something.

        Args:
            path: such as `/v1/tickets`.
            **params: of the query; those that are None are left out.

        Returns:
            The JSON of the answer.
        """
        return (await self.service.send(self.key, "GET", path, params=params)).json()

    async def post(self, path: str, body: Any = None) -> Any:
        """Do something.

        Args:
            path: such as `/v1/events`.
            body: sent as JSON.

        Returns:
            The JSON of the answer; None where there is none.
        """
        content = json.dumps({} if body is None else body, ensure_ascii=False).encode("utf-8", "replace")
        answer = await self.service.send(self.key, "POST", path, content=content)
        return answer.json() if answer.content else None

    async def upload(self, path: str, content: bytes, media_type: str) -> Any:
        """Send a file.

        Args:
            path: such as `/v1/events/import`.
            content: of the file.
            media_type: such as `text/csv`.

        Returns:
            The JSON of the answer.
        """
        return (await self.service.send(self.key, "POST", path, content=content, media_type=media_type)).json()

    async def download(self, path: str, **params: Any) -> File:
        """Fetch a file.

        Args:
            path: of the call that answers with one.
            **params: of the query; those that are None are left out.

        Returns:
            The file, by the name that the service gave it.
        """
        answer = await self.service.send(self.key, "GET", path, params=params)
        named = answer.headers.get("Content-Disposition", "").partition("filename=")[2].strip('"')
        return File(named or path.rsplit("/", 1)[-1], answer.headers.get("Content-Type", ""), answer.content)

    async def delete(self, path: str) -> None:
        """Remove something.

        Args:
            path: such as `/v1/events/7`.
        """
        await self.service.send(self.key, "DELETE", path)


def ticket_path(ticket_id: str, *rest: str) -> str:
    """The address of a ticket's calls, whatever characters its id has.

    Args:
        ticket_id: of the ticket.
        *rest: such as `review`.

    Returns:
        A path for `Api`.
    """
    return "/".join(("/v1/tickets", quote(ticket_id, safe=""), *rest))


def problem_of(answer: httpx2.Response) -> ApiProblem:
    """What an answer of 400 and above says.

    Args:
        answer: of the service, or of something between.

    Returns:
        The problem; its sentence is the service's own where it gave one.
    """
    try:
        body = answer.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    status = answer.status_code
    said = _SAID.get(status, "服务没有完成这件事")
    detail = str(body.get("detail") or "")
    message = f"{said}:{detail}" if detail and status in (403, 409) else detail or f"{said}(HTTP {status})"
    return ApiProblem(status, str(body.get("code") or "http_error"), message, list(body.get("errors") or []))
