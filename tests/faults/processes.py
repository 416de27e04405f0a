"""Real processes of the program, started, killed and started again; a proxy on the wire that can cut and stall."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2 as httpx

TRIAGE = (str(Path(sys.executable).with_name("triage")),)
_START_SECONDS = 240.0  # on a machine with other work, importing alone took more than one minute
OPEN, AWAY, STALLED = "open", "away", "stalled"


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that must come true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A command that can be killed and started again; what it prints goes to a file.

    Args:
        command: with its arguments.
        settings: the whole `TRIAGE_…` environment.
        log: grows over all starts.
        ready: asked until it says yes.
    """

    def __init__(
        self, command: tuple[str, ...], settings: Mapping[str, str], log: Path, ready: Callable[[], bool] | None = None
    ) -> None:
        self.command, self.log, self._ready = command, log, ready
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
        self._environment = {**outside, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs; an end is given a moment to be noticed."""
        assert self._process is not None
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            return True
        return False

    def start(self, *, wait: bool = True) -> "Process":
        """Start, and wait until it works."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command, env=self._environment, stdout=out, stderr=subprocess.STDOUT, cwd=self.log.parent
            )
        if self._ready and wait:
            until(lambda: self._alive() and self._ready(), _START_SECONDS, " ".join(self.command))  # type: ignore[misc]
        return self

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM; the exit code once it has ended."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float) -> int:
        """Until it ends by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def end(self) -> None:
        """However it is, it is gone afterwards."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _alive(self) -> bool:
        assert self._process is not None
        code = self._process.poll()
        assert code is None, f"{self.command} ended with {code}: {self.log.read_text(errors='replace')[-2000:]}"
        return True


def server(settings: Mapping[str, str], log: Path, command: tuple[str, ...] | None = None) -> tuple[Process, str]:
    """`triage serve` on a free port, or another command that listens on TRIAGE_PORT; not yet started."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    named = {**settings, "TRIAGE_PORT": str(port)}
    return Process(command or (*TRIAGE, "serve"), named, log, lambda: answers(f"{url}/readyz")), url


def answers(url: str) -> bool:
    """Whether a page is there."""
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def running(*processes: Process) -> Iterator[None]:
    """Started together, gone afterwards."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.end()


class Proxy:
    """Passes bytes on to a server, until told otherwise.

    Away: nothing listens and every connection is cut. Stalled: connections are taken and hold, and no byte passes.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target, self.port, self.mode = (host, port), free_port(), OPEN
        self._loop = asyncio.new_event_loop()
        self._pairs: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listening: asyncio.Server | None = None

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self.set(OPEN)
        return self

    def __exit__(self, *_: object) -> None:
        self.set(AWAY)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set(self, mode: str) -> None:
        """Open, away or stalled."""
        asyncio.run_coroutine_threadsafe(self._set(mode), self._loop).result(10)

    @contextmanager
    def trouble(self, mode: str, seconds: float) -> Iterator[None]:
        """Away or stalled for a while; the block runs meanwhile, and the rest of the time is waited for."""
        end = time.monotonic() + seconds
        self.set(mode)
        try:
            yield
            time.sleep(max(0.0, end - time.monotonic()))
        finally:
            self.set(OPEN)

    async def _set(self, mode: str) -> None:
        self.mode = mode
        if mode == STALLED:
            self._passing.clear()
        else:
            self._passing.set()
        if mode == AWAY:
            if self._listening:
                self._listening.close()
                self._listening = None
            for writer in self._pairs:
                writer.transport.abort()
            await asyncio.sleep(0.05)
        elif self._listening is None:
            self._listening = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._pairs.add(writer)
        with suppress(OSError):
            await self._passing.wait()
            back, forth = await asyncio.open_connection(*self.target)
            self._pairs.add(forth)
            await asyncio.gather(self._pump(reader, forth), self._pump(back, writer))
            self._pairs.discard(forth)
        self._pairs.discard(writer)
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
