"""Whether the time of a refusal tells anything of a key: `python benchmarks/key_timing.py [--rounds N] [--write docs/key-timing.md]`.

Wrong keys that share much with a good one, and one that was revoked, beside wrong keys that share nothing; in random order, so that
what else the machine does hits all alike. Both the look-up and the whole request (ASGI, no network, whose noise would hide more).
Exits with 1 where a kind that an attacker could climb by (first, middle or last character) differs by more than the bar.
"""

import argparse
import asyncio
import random
import string
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from page import publish
from scipy.stats import mannwhitneyu

from model.pipeline import Pipeline
from model.policy import load_policy
from serving.api import keys
from serving.api.access import Access
from serving.api.app import create_app
from serving.api.office import Office
from serving.api.roles import Caller, Role
from serving.store.database import Database
from serving.store.upgrade import upgrade

_KEYS = 200  # of an office, good ones
_BAR = 0.02  # of the median: what a climb character by character would have to show over many calls
_ALPHABET = string.ascii_letters + string.digits
_CLIMB = ("first character wrong", "middle character wrong", "last character wrong")
Times = Mapping[str, NDArray[np.float64]]
Ask = Callable[[str], Awaitable[None]]


def main() -> None:
    """Measure, print a table, write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--write", type=Path, help="Markdown file for all figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/store.db")
        upgrade(database)
        good = [_made(database, f"key {number}") for number in range(_KEYS)]
        gone = _made(database, "gone")
        keys.revoke(database, "gone", by="bench", now=datetime.now(UTC))
        measured = {
            "look-up in the store": asyncio.run(_looked_up(database, good, gone, arguments.rounds)),
            "whole request": asyncio.run(_requested(database, good, gone, arguments.rounds)),
        }
        database.close()
    rows = [row for what, times in measured.items() for row in _rows(what, times)]
    over = [row for row in rows if row["kind"] in _CLIMB and row["low"] > _BAR]
    over += [row for row in rows if row["kind"] in _CLIMB and row["high"] < -_BAR]
    publish(_page(rows, arguments.rounds, len(over)), arguments.write)
    sys.exit(1 if over else 0)


def _made(database: Database, name: str) -> str:
    return keys.create(database, Caller(name, Role.INTAKE), by="bench", now=datetime.now(UTC))


def _kinds(good: Sequence[str], gone: str) -> Mapping[str, Callable[[random.Random], str]]:
    """A wrong key of each kind."""

    def other(rng: random.Random, place: Callable[[str], int]) -> str:
        key = rng.choice(good)
        at = place(key)
        return key[:at] + rng.choice([c for c in _ALPHABET if c != key[at]]) + key[at + 1 :]

    return {
        "nothing in common": lambda rng: "tri_" + "".join(rng.choices(_ALPHABET, k=43)),
        "first character wrong": lambda rng: other(rng, lambda _: 4),
        "middle character wrong": lambda rng: other(rng, lambda key: len(key) // 2),
        "last character wrong": lambda rng: other(rng, lambda key: len(key) - 1),
        "revoked": lambda _: gone,
    }


async def _looked_up(database: Database, good: Sequence[str], gone: str, rounds: int) -> Times:
    access = Access(_Book(database))

    async def ask(token: str) -> None:
        if access.look_up(keys.digest_of(token)) is not None:
            raise SystemExit("a wrong key was let in")

    return await _timed(ask, _kinds(good, gone), rounds)


class _Book:
    """The keys of a store, as the service asks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, digest: bytes) -> Caller | None:
        """The holder of a key."""
        return keys.find(self._database, digest)

    def any_made(self) -> bool:
        """Whether a key was ever made."""
        return keys.any_made(self._database)


async def _requested(database: Database, good: Sequence[str], gone: str, rounds: int) -> Times:
    office = Office(database, b"secret of the benchmark", 365, 10_000_000, lambda: datetime.now(UTC))
    pipeline = Pipeline(load_policy())
    app = create_app(lambda: pipeline, "bench", office=office)
    asked = 0

    async def ask(token: str) -> None:
        nonlocal asked
        asked += 1
        status = await _call(
            app, token, f"10.{asked >> 16 & 255}.{asked >> 8 & 255}.{asked & 255}"
        )  # no limit by address
        if status != 401:
            raise SystemExit(f"a wrong key got {status}")

    async with app.router.lifespan_context(app):
        return await _timed(ask, _kinds(good, gone), rounds)


async def _call(app: Any, token: str, address: str) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"host", b"bench"), (b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/v1/me",
        "raw_path": b"/v1/me", "root_path": "", "query_string": b"", "headers": headers, "client": (address, 1),
        "server": ("bench", 80), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return status


async def _timed(ask: Ask, kinds: Mapping[str, Callable[[random.Random], str]], rounds: int) -> Times:
    rng = random.Random(0)  # noqa: S311 - repeatable, no secret of anybody
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    names = list(kinds)
    plan = [[(kind, kinds[kind](rng)) for kind in rng.sample(names, len(names))] for _ in range(rounds + rounds // 20)]
    for number, tokens in enumerate(plan):  # made before: how a key is made would warm caches in its own way
        for kind, token in tokens:
            began = time.perf_counter_ns()
            await ask(token)
            passed = (time.perf_counter_ns() - began) / 1000
            if number >= rounds // 20:  # the first ones warm up
                found[kind].append(passed)
    return {kind: np.array(times) for kind, times in found.items()}


def _rows(what: str, times: Times) -> list[dict[str, Any]]:
    base = times["nothing in common"]
    rng = np.random.default_rng(0)
    middle = float(np.median(base))
    rows = []
    for kind, own in times.items():
        draws = rng.integers(0, len(own), (2, 1000, len(own)), dtype=np.int32)
        change = (np.median(own[draws[0]], axis=1) - np.median(base[draws[1]], axis=1)) / middle
        low, high = np.percentile(change, [2.5, 97.5])
        p = 1.0 if kind == "nothing in common" else float(mannwhitneyu(own, base).pvalue)
        rows.append({"what": what, "kind": kind, "median": float(np.median(own)), "low": low, "high": high, "p": p,
                     "p95": float(np.percentile(own, 95))})  # fmt: skip
    return rows


def _page(rows: Sequence[Mapping[str, Any]], rounds: int, over: int) -> list[str]:
    return [
        "# Does the time of a refusal tell anything of a key?",
        "",
        f"Made by `python benchmarks/key_timing.py --write docs/key-timing.md`: {rounds:,} wrong keys of each kind in random order, a "
        f"store (SQLite) with {_KEYS} good keys. The interval is that of the difference of medians against keys with nothing in common "
        "(bootstrap, 95 %), as a share of their median; p is Mann–Whitney's, two-sided, not corrected for eight comparisons. Bar: no "
        f"interval of the first three kinds lies wholly beyond ±{_BAR:.0%}. Beyond it: {over}.",
        "",
        "| | wrong key | median µs | 95 % µs | difference | p |",
        "|---|---|---|---|---|---|",
        *(
            f"| {r['what']} | {r['kind']} | {r['median']:.0f} | {r['p95']:.0f} | "
            + ("– | – |" if r["kind"] == "nothing in common" else f"{r['low']:+.1%} … {r['high']:+.1%} | {r['p']:.2f} |")
            for r in rows
        ),
        "",
        "Why there is nothing to find: a key is hashed before anything looks at it, the store is asked for the hash, and what it finds is "
        "compared by `hmac.compare_digest`. Two keys that differ in one character have hashes that share nothing, so no order of guesses "
        "comes nearer to a key (`tests/service/test_key_timing.py`). A revoked key may take a little longer, since its row is found before it is seen to be revoked: whoever can send it has it already.",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
