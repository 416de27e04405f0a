"""Tickets with planted incidents: texts of data/samples, edited as people, agents and relays edit, in simulated time.

The background never uses a text twice within one area, so every pair that belongs together was planted. What is planted:
one complaint that comes again in other words (a relay, a repeat, neighbours who copy a message), a village that calls
about its outage within a day, and a fault after which a station's phones ring. The engine sees no label.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from hotspot_world import LEAVES

from model.policy import load_policy
from model.ticket import CHINA, LabelledTicket
from serving.hotspots.frame import from_records

_Row = tuple[float, str, LabelledTicket, str, str | None]  # hour, station, sample, text, incident
SORTS = ("wording", "place", "burst")
OUTAGES_A_DAY = 0.2  # of a station, that belong to nothing
START = datetime(2026, 9, 7, tzinfo=CHINA)
_VILLAGES = [f"{a}{b}村" for a in "青白黄赤乌紫碧" for b in "石塘坪坝岭溪沙"]
_OPENINGS = ("客户来电反映,", "用户称", "市民来信:", "转办单:", "您好,", "再次来电,", "")
_CLOSINGS = ("请尽快处理。", "望核实回复。", "要求今天给说法。", "谢谢。", "已是第二次反映。", "")
_SWAPS = (("电费", "电钱"), ("电表", "表"), ("停电", "没电"), ("处理", "解决"), ("没有", "没"), ("我家", "家里"), ("今天", "今日"),
          ("为什么", "为啥"), ("什么", "啥"), ("营业厅", "供电营业厅"), ("师傅", "工作人员"))  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A frame, and the planted incident of each ticket (None for the background)."""

    frame: pd.DataFrame
    incident: dict[str, str | None]


def edited(text: str, dice: random.Random, strength: float = 0.06) -> str:
    """The same complaint as another hand writes it down.

    Args:
        text: of a ticket.
        dice: draws.
        strength: part of the letters lost or doubled.

    Returns:
        With another opening and ending, some words swapped, a sentence perhaps left out.
    """
    for old, new in _SWAPS:
        if dice.random() < 0.5:
            text = text.replace(old, new)
    sentences = [part for part in text.replace("\n", "。").split("。") if part]
    if len(sentences) > 4 and dice.random() < 0.5:
        sentences.pop(dice.randrange(len(sentences)))
    letters = (letter for letter in "。".join(sentences) if dice.random() > strength)
    return dice.choice(_OPENINGS) + "".join(letters) + "。" + dice.choice(_CLOSINGS)


def plant_incidents(samples: list[LabelledTicket], *, stations: int, days: int, incidents: int, seed: int) -> Planted:
    """Background and incidents.

    Args:
        samples: texts with their leaves.
        stations: ten to a county.
        days: of the time.
        incidents: planted, a third of each sort.
        seed: of the draws.

    Returns:
        Tickets in order of arrival.
    """
    dice = random.Random(seed)  # noqa: S311 - a simulation
    samples = dice.sample(samples, len(samples))
    outages = [one for one in samples if one.category == "other.outage"]
    others = [one for one in samples if one.category != "other.outage"]
    copied, rest = others[:incidents], others[incidents:]
    rows: list[_Row] = [(dice.uniform(0, 24 * days), _station(dice, stations), one, one.text, None) for one in rest]
    for _ in range(round(OUTAGES_A_DAY * stations * days)):
        rows.append((dice.uniform(0, 24 * days), _station(dice, stations), *_mixture(outages, dice), None))  # noqa: PERF401
    unused: dict[str, list[LabelledTicket]] = {}  # by county: the same words there would be the same matter
    for number in range(incidents):
        at, station = dice.uniform(0, 24 * (days - 3)), _station(dice, stations)
        pool = unused.setdefault(station[:-1], dice.sample(outages, len(outages)))
        for hours, one, text in _matter(SORTS[number % 3], copied[number], pool, dice):
            rows.append((at + hours, station, one, text, f"incident{number}"))
    return _frame(sorted(rows, key=lambda row: row[0]))


def _matter(
    sort: str, source: LabelledTicket, pool: list[LabelledTicket], dice: random.Random
) -> Iterator[tuple[float, LabelledTicket, str]]:
    """Tickets of one incident: hours after its beginning, the sample that each was made of, its text."""
    if sort == "wording":
        for _ in range(dice.randint(2, 8)):
            yield dice.uniform(0, 72), source, edited(source.text, dice)
        return
    village, hours = dice.choice(_VILLAGES), 18 if sort == "place" else 3
    for _ in range(min(len(pool), dice.randint(3, 9) if sort == "place" else dice.randint(6, 25))):
        one = pool.pop()
        text = edited(one.text, dice)
        yield dice.uniform(0, hours), one, f"{village}这边{text}" if sort == "place" else text


def _mixture(samples: list[LabelledTicket], dice: random.Random) -> tuple[LabelledTicket, str]:
    """A sample, and the first half of its text with the second half of another's."""
    one, two = dice.choices(samples, k=2)
    return one, edited(one.text[: len(one.text) // 2] + two.text[len(two.text) // 2 :], dice, 0.15)


def many(samples: list[LabelledTicket], number: int, *, stations: int, days: int, seed: int) -> pd.DataFrame:
    """Very many tickets: sentences of two samples of one leaf put together, so that hardly two are alike.

    Args:
        samples: texts with their leaves.
        number: of tickets.
        stations: ten to a county.
        days: of the time.
        seed: of the draws.

    Returns:
        In order of arrival.
    """
    dice = random.Random(seed)  # noqa: S311 - a simulation
    by_leaf = {leaf: [one for one in samples if one.category == leaf] for leaf in LEAVES}
    leaves = dice.choices(list(LEAVES), [share[0] for share in LEAVES.values()], k=number)
    times = sorted(dice.uniform(0, 24 * days) for _ in range(number))
    rows: list[_Row] = [
        (at, _station(dice, stations), *_mixture(by_leaf[leaf], dice), None)
        for at, leaf in zip(times, leaves, strict=True)
    ]
    return _frame(rows).frame


def _station(dice: random.Random, stations: int) -> str:
    return f"{dice.randrange(stations):03d}"


def _frame(rows: list[_Row]) -> Planted:
    records, incident = [], {}
    for place, (at, station, one, text, name) in enumerate(rows):
        ticket_id = f"T{place:06d}"
        incident[ticket_id] = name
        records.append({
            "ticket_id": ticket_id, "accepted_at": START + timedelta(hours=at), "category": one.category, "text": text,
            "county": f"第{int(station) // 10 + 1}县", "station": f"供电所{station}", "decision": "auto", "status": "open",
        })  # fmt: skip
    return Planted(from_records(records, load_policy().taxonomy), incident)
