"""Clients that bring tickets until each is acknowledged. The tickets come from a slot filler: for stress only."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

import httpx2 as httpx

PLANTED = "悠然里"  # stands in every text, and must stand in no log
_FRAMES = (
    "{who}来电反映{place}{when}停电,至今没有送电,{wish}",
    "{who}说{place}的电表黑屏不走字,要求更换,{wish}",
    "{who}反映{when}电费比上月多了{amount}元,怀疑多收,{wish}",
    "{who}在营业厅办理过户,窗口人员态度生硬,推诿不办,要求道歉",
    "{place}配电箱冒烟起火,电线掉在路上有人触电,{wish}",
    "{who}对{when}申请的校表结果不认可,要求复检,{wish}",
    "换表师傅{when}来{place}换表,没有通知,底数也没让看,{wish}",
    "{place}与邻居家的线接反了,邻居用电走我家的表,{wish}",
    "{who}被查窃电罚了{amount}元,说自己没有偷电,要求退款",
    "{place}峰谷电价{when}就申请了,一直没有执行,{wish}",
    "{who}欠费停电后已交{amount}元,{when}还没有复电,{wish}",
    "{place}电压低,空调带不动,灯一直闪,{wish}",
    "{who}的充电桩{when}报装,受理后一直没人来,{wish}",
    "{place}变压器离窗户太近,噪音大,{wish}",
    "{who}投诉抄表员上门催费时骂人,{wish}",
    "再不处理就打12398和市长热线,{place}{when}已经反映过三次停电",
)
_SLOTS = {
    "who": ("客户", "一位先生", "一位女士", "村民", "租户"),
    "when": ("昨天", "上周", "三天前", "本月初", "今早六点"),
    "wish": ("请尽快处理", "要求回复", "希望有人上门", "请核实"),
    "amount": ("120", "356.8", "2000", "88"),
}
LEAVES = ("billing.charge", "billing.tariff", "metering.device", "other.outage", "other.misc")
CLIENTS = 8
_PATIENCE = 900.0  # seconds until a client gives up, and the test with it


def ticket(number: int, run: str) -> dict[str, Any]:
    """A ticket with its body; the same number gives the same body."""
    dice = random.Random(number)  # noqa: S311 - the same again, no secret
    slots = {name: dice.choice(words) for name, words in _SLOTS.items()}
    text = _FRAMES[number % len(_FRAMES)].format(place=f"{PLANTED}{dice.randrange(1, 400)}号", **slots)
    body: dict[str, Any] = {
        "ticket_id": f"{run}-{number:05}",
        "content": text,
        "contact": f"139{number:08}",
        "org": {"county": dice.choice(("安平县", "清河县")), "station": dice.choice(("城关供电所", "河口供电所"))},
    }
    if number % 7 == 0:  # its clock has run out already: the clock watch has something to tell
        old = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
        body["accepted_at"] = old.isoformat()
    return body


@dataclass
class Tally:
    """What the clients were told."""

    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)  # how often a ticket was answered 201
    reviewed: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def acknowledged(self) -> int:
        """Tickets that the program has said it holds."""
        return len(self.answers)

    def took(self, ticket_id: str, answer: dict[str, Any], status: int) -> None:
        """Note an acknowledgement."""
        with self.lock:
            self.answers.setdefault(ticket_id, []).append(answer)
            self.made[ticket_id] += status == 201
            self.counts[f"HTTP {status}"] += 1

    def count(self, what: str) -> None:
        """Note anything else."""
        with self.lock:
            self.counts[what] += 1


def bring(url: str | Sequence[str], bodies: Sequence[dict[str, Any]], tally: Tally, reviews_every: int = 0) -> None:
    """Eight clients bring tickets, each until it is acknowledged; some come twice at the same time. Of several addresses each call takes the next."""
    twice = [body for number, body in enumerate(bodies) for _ in range(2 if number % 25 == 0 else 1)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for work in [pool.submit(_client, url, twice[n::CLIENTS], tally, reviews_every) for n in range(CLIENTS)]:
            work.result()


class Addresses:
    """Clients of several servers behind one name: each call goes to the next, as a balancer without health checks does."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._clients = [httpx.Client(base_url=url, timeout=60, trust_env=False) for url in urls]
        self._turns = cycle(self._clients)

    def __enter__(self) -> "Addresses":
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.close()

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Post to the next server."""
        return next(self._turns).post(path, **more)


def _client(url: str | Sequence[str], bodies: Sequence[dict[str, Any]], tally: Tally, reviews_every: int) -> None:
    with Addresses([url] if isinstance(url, str) else url) as client:
        for number, body in enumerate(bodies):
            answer = call(client, "/v1/tickets", body, tally)
            assert answer.status_code in (200, 201), answer.text
            tally.took(body["ticket_id"], answer.json(), answer.status_code)
            if reviews_every and number % reviews_every == 0:
                _review(client, answer.json(), tally)


def _review(client: Addresses, answer: dict[str, Any], tally: Tally) -> None:
    """Another leaf, so that the ticket goes to another desk."""
    ticket_id, leaf = answer["ticket_id"], answer["category"]["code"]
    other = LEAVES[(LEAVES.index(leaf) + 1) % len(LEAVES)] if leaf in LEAVES else LEAVES[0]
    body = {"version": 1, "category": other}
    done = call(client, f"/v1/tickets/{ticket_id}/review", body, tally)
    assert done.status_code in (200, 409), done.text  # 409: it was written, and the answer was lost
    with tally.lock:
        tally.reviewed.add(ticket_id)


def call(client: "httpx.Client | Addresses", path: str, body: dict[str, Any], tally: Tally) -> httpx.Response:
    """Post until there is an answer that stands."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            answer = client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
        except httpx.HTTPError as error:
            tally.count(type(error).__name__)
            time.sleep(0.2)
            continue
        finally:
            tally.slowest = max(tally.slowest, time.monotonic() - began)
        if answer.status_code not in (429, 503):
            return answer
        assert "retry-after" in answer.headers
        tally.count(f"HTTP {answer.status_code}")
        time.sleep(0.3)
    raise AssertionError(f"no answer from {path} in {_PATIENCE:.0f} s")
