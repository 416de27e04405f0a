"""A real service and a real console as processes of their own, a store with tickets in it, and a browser."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from model.ticket import CHINA
from serving.api import keys
from serving.api.roles import Caller, Role
from serving.store.database import Database
from serving.store.upgrade import upgrade

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
DESKTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
PEOPLE = {
    "李工": (Role.REVIEWER, "客户服务中心"),
    "王工": (Role.REVIEWER, "市公司营销部"),
    "赵分析": (Role.ANALYST, None),
    "管理员": (Role.ADMIN, "市公司营销部"),
}
_START_SECONDS = 90


@dataclass
class Office:
    """A running service with a console before it.

    Args:
        api: address of the service.
        console: address of the console.
        tokens: a key for each of `PEOPLE`.
    """

    api: str
    console: str
    tokens: dict[str, str]
    _browser: Browser
    _pages: list[Page] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, who: str = "管理员") -> Any:
        """Call the service; an answer of 400 and above is an error."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        answer = httpx2.request(method, self.api + path, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def send(self, ticket_id: str, content: str, *, hours: float = 2.0, **fields: Any) -> None:
        """Take a ticket in that was accepted some hours ago."""
        accepted = (datetime.now(CHINA) - timedelta(hours=hours)).isoformat(timespec="seconds")
        body = {"ticket_id": ticket_id, "content": content, "accepted_at": accepted, **fields}
        self.call("POST", "/v1/tickets", body)

    def page(self, size: dict[str, int] | None = None) -> Page:
        """A fresh browser window with cookies of its own; anything asked of another host is an error."""
        context = self._browser.new_context(viewport=size or DESKTOP, locale="zh-CN", reduced_motion="reduce")  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda request: _own(request.url, self.console))
        self._pages.append(page)
        return page

    def sign_in(self, who: str, path: str = "/", size: dict[str, int] | None = None) -> Page:
        """Somebody's window, signed in, at a page."""
        page = self.page(size)
        page.goto(self.console + path)
        page.get_by_label("访问密钥").fill(self.tokens[who])
        page.get_by_role("button", name="登录").click()
        expect(page.locator("header.bar")).to_contain_text(who)
        page.wait_for_function("window.did_handshake ?? window.mounted_app !== undefined")
        return page

    def close_windows(self) -> None:
        """Close what a test opened."""
        while self._pages:
            self._pages.pop().context.close()


def _own(url: str, console: str) -> None:
    assert url.startswith((console, console.replace("http", "ws"), "data:", "blob:")), f"asked another host: {url}"


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people out.

    Args:
        page: as it stands.

    Returns:
        Rule and place of each violation of impact serious or critical.
    """
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@contextmanager
def running(folder: Path, browser: Browser) -> Iterator[Office]:
    """A service that answers by rules, and a console, until the block ends.

    Args:
        folder: empty; holds store and logs.
        browser: to open windows with.

    Yields:
        The office; its store holds keys, and no tickets.
    """
    url = f"sqlite:///{folder / 'store.db'}"
    database = Database(url)
    upgrade(database)
    tokens = {
        name: keys.create(database, Caller(name, role, unit), by="test", now=datetime.now(CHINA))
        for name, (role, unit) in PEOPLE.items()
    }
    database.close()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    customers = folder / "customers.csv"
    customers.write_text("county,station,customers\n临江县,城东供电所,10000\n", encoding="utf-8")
    ours = {"TRIAGE_DATABASE_URL": url, "TRIAGE_CUSTOMERS": str(customers), "PYTHONPATH": str(ROOT)}
    environment = {**kept, **ours}
    ports = _free(2)
    api, console = (f"http://127.0.0.1:{port}" for port in ports)
    commands = (["serve", "--port", str(ports[0])], ["console", "--port", str(ports[1]), "--api", api])
    processes = [_start(command, folder, environment) for command in commands]
    try:
        for process, address in zip(processes, (api, console), strict=True):
            _wait(process, address, folder)
        yield Office(api, console, tokens, browser)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


def _start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    triage = Path(sys.executable).parent / "triage"
    with (folder / f"{command[0]}.log").open("wb") as log:
        return subprocess.Popen([str(triage), *command], cwd=folder, env=environment, stdout=log, stderr=log)


def _wait(process: subprocess.Popen[bytes], address: str, folder: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, [log.read_text(encoding="utf-8") for log in folder.glob("*.log")]
        try:
            if httpx2.get(f"{address}/livez", timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"nothing answers at {re.sub(r'[0-9]+$', '…', address)}")


def _free(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
