"""Webhooks go to named hosts only, are signed, and count as taken for a 2xx alone: against a real server with faults."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from typer.testing import CliRunner

from model.errors import UnusableSettings
from model.pipeline import Pipeline
from model.policy import Policy
from serving.delivery.claims import Pace
from serving.delivery.deliverer import Deliverer
from serving.delivery.destination import DeliveryFailed, Envelope
from serving.delivery.webhook import AddressTable, Webhooks, allowed_origins, read_addresses
from serving.intake import Intake, incoming_from
from serving.store.database import Database
from serving.store.tables import OutboxMessage
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from tests.service.conftest import Clock, Take
from triage.cli.main import WRONG_USAGE, app, exit_code

SECRET = "whsec_" + base64.b64encode(b"a key of the tests, 32 bytes long").decode()
DESK = "计量班"
_LONG = 200_000_000


class Receiver(ThreadingHTTPServer):
    """A receiver whose next answers are scripted: a status, `drop`, `slow`, `long` or `redirect`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[int | str] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.asked = 0
        self.poured = 0
        self.done_pouring = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        self.server.asked += 1
        body = self.rfile.read(int(self.headers["content-length"]))
        act = self.server.script.pop(0) if self.server.script else 204
        if act == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if act == "slow":
            time.sleep(2)
        if act == "redirect":
            self._answer(307, b"", location=self.server.url)
            return
        if act == "long":
            self._pour()
            return
        if act in (204, "slow"):
            self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
        self._answer(act if isinstance(act, int) else 204, b"")

    def _pour(self) -> None:
        """A body of 200 MB, as far as the other side reads it."""
        self.send_response(200)
        self.send_header("Content-Length", str(_LONG))
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            while self.server.poured < _LONG:
                self.server.poured += self.request.send(b"x" * 65_536)
        self.server.done_pouring.set()

    def do_GET(self) -> None:
        self.server.asked += 1
        self._answer(200, b"")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def an_envelope(desk: str = DESK) -> Envelope:
    body = json.dumps({"key": "T1/1/routed", "text": "表不准"}, ensure_ascii=False).encode()
    return Envelope(1, "T1/1/routed/计量班", "T1", desk, "routed", False, 0, datetime.now(UTC), body)


def send(receiver: Receiver, envelope: Envelope | None = None, addresses: AddressTable | None = None) -> None:
    async def one() -> None:
        hooks = Webhooks(addresses or AddressTable(default=receiver.url), SECRET, lambda: datetime.now(UTC))
        try:
            async with asyncio.timeout(1):
                await hooks.send(envelope or an_envelope())
        finally:
            await hooks.close()

    asyncio.run(one())


def test_a_message_is_signed_as_standard_webhooks_says(receiver: Receiver) -> None:
    envelope = an_envelope()
    send(receiver, envelope)
    headers, body = receiver.got[0]
    assert Webhook(SECRET).verify(body, headers)["text"] == "表不准"
    assert headers["webhook-id"] == envelope.message_id
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace("不准".encode(), "准了".encode()), headers)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 408, 410, 429, 500, 503])
def test_any_other_answer_than_2xx_is_a_failure(receiver: Receiver, status: int) -> None:
    receiver.script = [status]
    with pytest.raises(DeliveryFailed, match=f"status_{status}"):
        send(receiver)


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.script = ["redirect"]
    with pytest.raises(DeliveryFailed, match="status_307"):
        send(receiver)
    assert receiver.asked == 1


def test_a_dropped_connection_is_a_failure(receiver: Receiver) -> None:
    receiver.script = ["drop"]
    with pytest.raises(DeliveryFailed, match="connection"):
        send(receiver)


def test_a_server_that_is_away_is_a_failure() -> None:
    server = Receiver()
    server.server_close()
    with pytest.raises(DeliveryFailed, match="connection"):
        send(server)


def test_a_slow_server_is_given_up(receiver: Receiver) -> None:
    receiver.script = ["slow"]
    with pytest.raises(TimeoutError):
        send(receiver)


def test_a_long_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.script = ["long"]
    send(receiver)
    assert receiver.done_pouring.wait(10), "the connection was kept open"
    assert 0 < receiver.poured < _LONG / 10  # what lay in buffers


def test_a_desk_without_an_address_is_a_failure(receiver: Receiver) -> None:
    with pytest.raises(DeliveryFailed, match="no_address"):
        send(receiver, an_envelope("财务"), AddressTable(desks={DESK: receiver.url}))
    assert receiver.asked == 0


def test_no_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    send(receiver)
    assert len(receiver.got) == 1


Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def call(text: str) -> Path:
        path = tmp_path / "webhooks.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return call


def test_a_table_of_allowed_addresses_is_read(write: Write, policy: Policy) -> None:
    path = write("desks:\n  计量班: https://desk.example/a\ndefault: http://localhost:9/b\n")
    table = read_addresses(path, "desk.example, localhost:9", policy.routing.desks)
    assert table.desks == {"计量班": "https://desk.example/a"}
    assert table.default == "http://localhost:9/b"


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/",
        "https://desk.example:8443/",
        "http://desk.example/",
        "https://desk.example@other.example/",
        "https://user:word@desk.example/",
        "https://desk.example.other.example/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.5/",
        "file:///etc/passwd",
        "//desk.example/",
        "desk.example",
        "https://",
    ],
)
def test_an_address_that_is_not_allowed_is_refused(write: Write, policy: Policy, url: str) -> None:
    path = write(f"desks:\n  计量班: {json.dumps(url)}\n")
    with pytest.raises(UnusableSettings, match="TRIAGE_WEBHOOK_HOSTS"):
        read_addresses(path, "desk.example", policy.routing.desks)


@pytest.mark.parametrize("text", ["desks: [1]", "other: 1", ": :", "- a", ""])
def test_a_table_that_is_none_is_refused(write: Write, policy: Policy, text: str) -> None:
    with pytest.raises(UnusableSettings, match="无法读取"):
        read_addresses(write(text), "desk.example", policy.routing.desks)


def test_an_unknown_desk_is_refused(write: Write, policy: Policy) -> None:
    with pytest.raises(UnusableSettings, match="不在策略的 desks 名单中"):
        read_addresses(write("desks:\n  计量斑: https://desk.example/\n"), "desk.example", policy.routing.desks)


def test_plain_http_is_for_this_machine_or_where_it_is_written_out() -> None:
    assert ("http", "desk.example", 80) not in allowed_origins("desk.example")
    assert ("http", "10.0.0.5", 8080) in allowed_origins("http://10.0.0.5:8080")
    assert ("http", "localhost", 9) in allowed_origins("localhost:9")
    with pytest.raises(UnusableSettings):
        allowed_origins("ftp://desk.example")


@pytest.mark.parametrize("secret", ["", "whsec_", "ä"])
def test_an_unusable_secret_is_refused(secret: str) -> None:
    with pytest.raises(UnusableSettings, match="TRIAGE_WEBHOOK_SECRET"):
        Webhooks(AddressTable(), secret, lambda: datetime.now(UTC))


def test_a_ticket_arrives_after_faults_with_one_id(
    database: Database, take: Take, clock: Clock, policy: Policy, receiver: Receiver
) -> None:
    take("T1", "电表走得太快,怀疑不准,要求校验")
    receiver.script = [503, "drop", 429]

    async def until_through() -> None:
        hooks = Webhooks(AddressTable(default=receiver.url), SECRET, lambda: datetime.now(UTC))
        deliverer = Deliverer(database, hooks, policy.routing, Pace(park_after=10), clock)
        for _ in range(6):
            await deliverer.run(asyncio.Event(), once=True)
            clock.goes_on(minutes=10)
        await hooks.close()

    asyncio.run(until_through())
    assert [json.loads(body)["ticket_id"] for _, body in receiver.got] == ["T1"]
    with database.read() as session:
        message = session.scalars(select(OutboxMessage)).one()
        assert message.delivered_at
        assert message.tries == 4
        assert message.delivered_at - message.made_at < timedelta(hours=2)


@pytest.fixture
def configured(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of an office that delivers to the receiver; gives the store's file."""
    (tmp_path / "webhooks.yaml").write_text(f"default: {receiver.url}\n", encoding="utf-8")
    monkeypatch.setenv("TRIAGE_WEBHOOKS", str(tmp_path / "webhooks.yaml"))
    monkeypatch.setenv("TRIAGE_WEBHOOK_HOSTS", f"127.0.0.1:{receiver.server_address[1]}")
    monkeypatch.setenv("TRIAGE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'store.db'}")
    return tmp_path / "store.db"


def test_the_command_delivers_what_is_due_and_says_nothing_of_it(
    configured: Path, receiver: Receiver, rules_pipeline: Pipeline
) -> None:
    database = Database(f"sqlite:///{configured}")
    upgrade(database)
    intake = Intake(TicketWriter(database), rules_pipeline, b"x" * 20, 365, lambda: datetime.now(UTC))
    intake.take_in(incoming_from({"ticket_id": "T1", "content": "电表走得太快,要求校验"}), "test")
    database.close()
    done = CliRunner().invoke(app, ["deliver", "--once", "--release-parked"])
    assert done.exit_code == 0, done.output
    assert [json.loads(body)["ticket_id"] for _, body in receiver.got] == ["T1"]
    assert "校验" not in done.output
    assert receiver.url not in done.output


def test_without_a_destination_the_command_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'store.db'}")
    done = CliRunner().invoke(app, ["deliver", "--once"])
    assert isinstance(done.exception, UnusableSettings)
    assert "TRIAGE_WEBHOOKS" in str(done.exception)
    assert exit_code(done.exception) == WRONG_USAGE
