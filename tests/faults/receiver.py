"""A desk's program: takes signed webhooks, checks them without our code, writes down every one, and is out of sorts now and then."""

import base64
import hashlib
import hmac
import json
import random
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

KEY = b"a key of the fault tests, 32 byte"
SECRET = base64.b64encode(KEY).decode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it arrived; `desk` is whose address it came to."""

    desk: str
    body: dict[str, Any]
    message_id: str


class Receiver(ThreadingHTTPServer):
    """Listens on a free port of this machine.

    Args:
        refuses: share of calls that are answered 503, unread.
        hangs_up: share of calls that are written down and never answered.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, refuses: float = 0.0, hangs_up: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refuses, self.hangs_up, self.slow = refuses, hangs_up, 0.0
        self.got: list[Delivery] = []
        self.forged = self.refused = self.unanswered = 0
        self.random = random.Random(6)  # noqa: S311 - the same again, no secret
        self.lock = threading.Lock()

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def url(self, desk: str) -> str:
        """The address of a desk."""
        return f"http://127.0.0.1:{self.server_address[1]}/{quote(desk)}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A deliverer that was killed hangs up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if len(body) < int(self.headers["content-length"]):
            self.close_connection = True
            return
        status = self._take(body)
        if status is None:
            self.close_connection = True
            return
        time.sleep(self.server.slow)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def _take(self, body: bytes) -> int | None:
        server = self.server
        with server.lock:
            if not self._signed(body):
                server.forged += 1
                return 401
            chance = server.random.random()
            if chance < server.refuses:
                server.refused += 1
                return 503
            server.got.append(Delivery(unquote(self.path[1:]), json.loads(body), self.headers["webhook-id"]))
            if chance < server.refuses + server.hangs_up:
                server.unanswered += 1
                return None
            return 204

    def _signed(self, body: bytes) -> bool:
        """As standardwebhooks.com says: HMAC-SHA256 over id, time and body."""
        stamp = self.headers["webhook-timestamp"]
        signed = f"{self.headers['webhook-id']}.{stamp}.".encode() + body
        right = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(stamp)) < 300
        return fresh and hmac.compare_digest(right, self.headers["webhook-signature"])

    def log_message(self, *_: object) -> None:
        """Quiet."""
