"""Delivery by webhook: a signed POST to the address of the desk, to hosts that the office has named and no others."""

import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx2
from pydantic import BaseModel, ConfigDict, Field
from standardwebhooks.webhooks import Webhook

from model.errors import UnusableSettings
from model.yaml_text import parse_yaml
from serving.delivery.destination import DeliveryFailed, Envelope

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"https": 443, "http": 80}
_ANSWER_MOST = 64 * 1024  # bytes of an answer that are read, only to use the connection again
_TAKEN = range(200, 300)
Url = Annotated[str, Field(min_length=1, max_length=2000)]


class AddressTable(BaseModel):
    """The file behind `TRIAGE_WEBHOOKS`: the address of each desk, and one for all others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    desks: dict[str, Url] = {}
    default: Url | None = None


Origin = tuple[str, str, int]  # scheme, host, port


def read_addresses(path: Path, hosts: str, desks: tuple[str, ...]) -> AddressTable:
    """Read and check the table of addresses.

    Args:
        path: YAML.
        hosts: allowed hosts, with commas: `host` or `host:port` over https, `http://host:port` to allow plain HTTP.
        desks: the policy's.

    Returns:
        The table; every address in it is of an allowed host.

    Raises:
        UnusableSettings: not readable, an unknown desk, an address that is not allowed.
    """
    try:
        table = AddressTable.model_validate(parse_yaml(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UnusableSettings(
            f"投递地址表 {path} 无法读取;请写成 desks: {{班组: 网址}} 与可选的 default: 网址"
        ) from error
    if unknown := sorted(set(table.desks) - set(desks)):
        raise UnusableSettings(f"投递地址表 {path}:班组「{'」「'.join(unknown)}」不在策略的 desks 名单中;请改正名称")
    allowed = allowed_origins(hosts)
    for desk, url in {**table.desks, **({"default": table.default} if table.default else {})}.items():
        if _origin(url) not in allowed:
            raise UnusableSettings(
                f"投递地址表 {path}:「{desk}」的网址不在 TRIAGE_WEBHOOK_HOSTS 名单中,或不是 https,或带有账号;请补进名单或改正"
            )
    return table


def allowed_origins(hosts: str) -> frozenset[Origin]:
    """What the list of allowed hosts allows.

    Args:
        hosts: as `TRIAGE_WEBHOOK_HOSTS` has it.

    Returns:
        Origins; a loopback host may be called over plain HTTP too.

    Raises:
        UnusableSettings: an entry that is no host.
    """
    found: set[Origin] = set()
    for entry in (item.strip() for item in hosts.split(",") if item.strip()):
        origin = _origin(entry if "://" in entry else f"https://{entry}")
        if origin is None:
            raise UnusableSettings(
                f"TRIAGE_WEBHOOK_HOSTS:{entry!r} 不是主机;请写成 host、host:port 或 http://host:port"
            )
        found.add(origin)
        if origin[1] in _LOOPBACK:
            found.add(("http", *origin[1:]))
    return frozenset(found)


def _origin(url: str) -> Origin | None:
    """Scheme, host and port of an address; None for one that carries an account or is no web address."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        return None
    if parsed.scheme not in _PORTS or not parsed.host or parsed.userinfo:
        return None
    return parsed.scheme, parsed.host.lower(), parsed.port or _PORTS[parsed.scheme]


class Webhooks:
    """Posts messages. Redirects are not followed, no proxy of the environment is used, answers are not kept.

    Requests carry `webhook-id`, `webhook-timestamp` and `webhook-signature` (https://www.standardwebhooks.com).

    Args:
        addresses: checked by `read_addresses`.
        secret: of the signature: base64, or `whsec_` and base64.
        now: the clock.
    """

    def __init__(self, addresses: AddressTable, secret: str, now: Callable[[], datetime]) -> None:
        try:
            self._signer = Webhook(secret)
        except Exception as error:
            raise UnusableSettings("TRIAGE_WEBHOOK_SECRET 须为 base64(可带前缀 whsec_),不能为空") from error
        self._addresses = addresses
        self._now = now
        self._client = httpx2.AsyncClient(  # without timeouts of its own: the deliverer bounds the whole call
            verify=ssl.create_default_context(), trust_env=False, follow_redirects=False, timeout=None
        )

    async def send(self, envelope: Envelope) -> None:
        """Post a message; any 2xx says that it was taken.

        Args:
            envelope: the message.

        Raises:
            DeliveryFailed: no address, no connection, or another answer.
        """
        url = self._addresses.desks.get(envelope.desk, self._addresses.default)
        if url is None:
            raise DeliveryFailed("no_address")
        try:
            async with self._client.stream(
                "POST", url, content=envelope.body, headers=self._headers(envelope)
            ) as answer:
                await _skim(answer)
        except httpx2.HTTPError as error:
            raise DeliveryFailed("connection") from error
        if answer.status_code not in _TAKEN:
            raise DeliveryFailed(f"status_{answer.status_code}")

    def _headers(self, envelope: Envelope) -> Mapping[str, str]:
        at = self._now().astimezone(UTC)
        return {
            "content-type": "application/json; charset=utf-8",
            "webhook-id": envelope.message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(envelope.message_id, at, envelope.body.decode()),
        }

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


async def _skim(answer: httpx2.Response) -> None:
    """Read a short answer to its end, so that the connection can be used again; leave a long one."""
    read = 0
    async for piece in answer.aiter_raw():
        read += len(piece)
        if read > _ANSWER_MOST:
            return
