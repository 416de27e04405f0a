"""Servers of the load benchmark, each a process of its own: ours, and peers that serve the same encoder naively."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PEERS = {
    kind: Path(__file__).with_name(name)
    for kind, name in (
        ("transformers", "load_transformers.py"),
        ("fastapi", "load_peer.py"),
        ("litserve", "load_litserve.py"),
    )
}
_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    url: str
    pid: int

    def resident(self) -> float:
        """Resident memory of the process and its children, in MB."""
        children = _children()
        todo, total = [self.pid], 0
        while todo:
            pid = todo.pop()
            total += _resident(pid)
            todo += children.get(pid, [])
        return total / 2**20


@contextmanager
def ours(bundle: Path | None, store: str, **settings: str) -> Iterator[Server]:
    """`triage serve` with a store.

    Args:
        bundle: folder, or None for the champion.
        store: database URL.
        **settings: further `TRIAGE_…` settings.

    Yields:
        The server.
    """
    port = _free_port()
    command = [str(Path(sys.executable).with_name("triage")), "serve", "--port", str(port)]
    environment = {"TRIAGE_DATABASE_URL": store, "TRIAGE_SECRET": "of the load benchmark", **settings}
    environment["TRIAGE_RATE_PER_MINUTE"] = "10000000"
    if bundle:
        command += ["--bundle", str(bundle)]
    with _running(command, port, "/readyz", environment) as server:
        yield server


@contextmanager
def peer(kind: str, bundle: Path, python: Path) -> Iterator[Server]:
    """A peer that serves the bundle's encoder.

    Args:
        kind: `transformers`, `fastapi` or `litserve`.
        bundle: holds the encoder's files; for `transformers`, the trained weights.
        python: interpreter with the peer's library.

    Yields:
        The server.
    """
    port = _free_port()
    command = [str(python), str(_PEERS[kind]), str(bundle), str(port)]
    with _running(command, port, "/health" if kind == "litserve" else "/livez", {}) as server:
        yield server


@contextmanager
def _running(command: Sequence[str], port: int, page: str, settings: Mapping[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + _READY_SECONDS
        while not _answers(url + page):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"did not start: {Path(command[1]).name}")
            time.sleep(0.1)
        yield Server(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):  # LitServe leaves its workers behind
            os.killpg(process.pid, signal.SIGKILL)


def has_encoder(bundle: Path | None) -> bool:
    """Whether a bundle holds an encoder.

    Args:
        bundle: the folder.

    Returns:
        True for a cascade.
    """
    return bundle is not None and "encoder" in json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
        found.setdefault(parent, []).append(int(stat.parent.name))
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
