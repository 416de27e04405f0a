"""The running service: time until it is ready, latency at a steady rate, resident memory."""

import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2 as httpx

_RATE = 100  # requests a second
_SECONDS = 15


def served(bundle: Path | None, texts: Sequence[str]) -> list[tuple[str, str]]:
    """Start `triage serve` and send tickets at a steady rate, whether or not earlier ones are answered.

    Args:
        bundle: folder of a bundle, or None for the champion.
        texts: tickets' texts.

    Returns:
        Rows of name and value.
    """
    waits = []
    for _ in range(3):
        with _server(bundle) as (url, process, ready):
            waits.append(ready)
    with _server(bundle) as (url, process, ready):
        asyncio.run(_load(url, texts, 2))  # connections and caches, as on any day but the first second
        times = sorted(asyncio.run(_load(url, texts, _SECONDS)))
        resident, peak = _memory(process.pid, "VmRSS"), _memory(process.pid, "VmHWM")
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    return [
        ("`triage serve`: ready after, s (median of 3)", f"{sorted(waits)[1]:.1f}"),
        (f"HTTP at {_RATE} requests/s: p50 / p99 ms", f"{p50 * 1000:.1f} / {p99 * 1000:.1f}"),
        ("resident / peak of the server, MB", f"{resident} / {peak}"),
    ]


@contextmanager
def _server(bundle: Path | None) -> Iterator[tuple[str, "subprocess.Popen[bytes]", float]]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("triage")), "serve", "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen([*command, *(["--bundle", str(bundle)] if bundle else [])], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None and not _ready(url):
            time.sleep(0.02)
        yield url, process, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=1) as answer:  # noqa: S310 - our own server
            return bool(json.load(answer)["status"] == "ready")
    except OSError:
        return False


async def _load(url: str, texts: Sequence[str], seconds: int) -> list[float]:
    times: list[float] = []

    async def send(client: httpx.AsyncClient, text: str, due: float) -> None:
        answer = await client.post("/v1/predict", json={"text": text})
        answer.raise_for_status()
        times.append(time.perf_counter() - due)

    async with httpx.AsyncClient(base_url=url, timeout=30) as client, asyncio.TaskGroup() as group:
        began = time.perf_counter()
        for number in range(_RATE * seconds):
            due = began + number / _RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send(client, texts[number % len(texts)], due))
    return times


def _memory(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) // 1024
