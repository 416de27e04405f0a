"""Clients of the load benchmark: processes of their own, each with threads that keep one connection (http.client)."""

import http.client
import itertools
import json
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds for one answer


@dataclass(frozen=True, slots=True)
class Work:
    """What clients send: `bodies` in turn to `path`; with `ids`, each body under a new ticket number beginning so."""

    url: str
    path: str
    bodies: Sequence[dict[str, Any]]
    ids: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers within the seconds asked for: their times in seconds, sorted, and how many had which status."""

    seconds: float
    times: list[float]
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers with a 2xx a second."""
        good = sum(count for status, count in self.statuses.items() if status.startswith("2"))
        return good / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the answers took at most."""
        return self.times[min(len(self.times) - 1, int(len(self.times) * share))] * 1000 if self.times else float("nan")


def closed(work: Work, clients: int, seconds: float, processes: int = 2) -> Measured:
    """Clients that send the next request as soon as the last is answered.

    Args:
        work: what to send.
        clients: at a time, over all processes.
        seconds: how long.
        processes: that the clients are shared among.

    Returns:
        The measurement.
    """
    shares = [clients // processes + (n < clients % processes) for n in range(processes)]
    return _measured([(work, share, seconds, 0.0) for share in shares if share], seconds)


def steady(work: Work, rate: float, seconds: float, processes: int = 2) -> Measured:
    """Requests at fixed times, whether or not earlier ones are answered; a time counts from when it was due.

    Args:
        work: what to send.
        rate: requests a second.
        seconds: how long.
        processes: that share the rate.

    Returns:
        The measurement.
    """
    threads = max(4, min(64, int(rate)))  # each waits for at most one answer
    return _measured([(work, threads, seconds, rate / processes) for _ in range(processes)], seconds)


def once(work: Work) -> str:
    """Send one body.

    Args:
        work: what to send.

    Returns:
        The status, or the name of the error.
    """
    connection = _connection(work.url)
    try:
        return _ask(connection, "POST", work.path, next(_bodies(work, 0)))
    finally:
        connection.close()


@dataclass
class Probe:
    """Asks a page every 20 ms from a process of its own, until ended."""

    url: str
    path: str = "/livez"

    def __enter__(self) -> "Probe":
        self._stop = _SPAWN.Event()
        self._found: Queue[list[float]] = _SPAWN.Queue()
        self._process = _SPAWN.Process(target=_probe, args=(self.url, self.path, self._stop, self._found), daemon=True)
        self._process.start()
        self.times: list[float] = []
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.times = sorted(self._found.get(timeout=2 * PATIENCE))
        self._process.join()


_SPAWN = multiprocessing.get_context("spawn")


def _measured(shares: Sequence[tuple[Work, int, float, float]], seconds: float) -> Measured:
    found: Queue[tuple[list[float], Counter[str]]] = _SPAWN.Queue()
    begin = _SPAWN.Barrier(len(shares))
    processes = [
        _SPAWN.Process(target=_clients, args=(number, share, begin, found), daemon=True)
        for number, share in enumerate(shares)
    ]
    for process in processes:
        process.start()
    parts = [found.get(timeout=seconds + 4 * PATIENCE) for _ in processes]
    for process in processes:
        process.join()
    times = sorted(time for part, _ in parts for time in part)
    return Measured(seconds, times, sum((statuses for _, statuses in parts), Counter()))


def _clients(number: int, share: tuple[Work, int, float, float], begin: Any, found: Any) -> None:
    """One process: threads with a connection each."""
    work, threads, seconds, rate = share
    bodies = _bodies(work, number)
    times: list[float] = []
    statuses: Counter[str] = Counter()
    lock, turn = threading.Lock(), itertools.count()
    begin.wait()
    end = time.perf_counter() + seconds
    start = time.perf_counter()

    def client() -> None:
        connection = _connection(work.url)
        while True:
            with lock:
                body = next(bodies)
                due = start + next(turn) / rate if rate else time.perf_counter()
            if due > end or time.perf_counter() > end:
                break
            time.sleep(max(0.0, due - time.perf_counter()))
            status = _ask(connection, "POST", work.path, body)
            done = time.perf_counter()
            with lock:
                if done <= end or rate:
                    times.append(done - due)
                    statuses[status] += 1
        connection.close()

    workers = [threading.Thread(target=client) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found.put((times, statuses))


def _bodies(work: Work, number: int) -> Iterator[bytes]:
    for place in itertools.count():
        body = work.bodies[(place + number * len(work.bodies) // 2) % len(work.bodies)]
        if work.ids:
            body = {**body, "ticket_id": f"{work.ids}-{number}-{place:07}"}
        yield json.dumps(body).encode()


def _probe(url: str, path: str, stop: Any, found: Any) -> None:
    times, connection = [], _connection(url)
    while not stop.wait(0.02):
        began = time.perf_counter()
        if _ask(connection, "GET", path, None) == "200":
            times.append(time.perf_counter() - began)
        else:
            times.append(PATIENCE)
    connection.close()
    found.put(times)


def _connection(url: str) -> http.client.HTTPConnection:
    parsed = urlsplit(url)
    return http.client.HTTPConnection(parsed.hostname or "127.0.0.1", parsed.port, timeout=PATIENCE)


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None) -> str:
    try:
        connection.request(method, path, body, {"content-type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__
    return str(answer.status)
