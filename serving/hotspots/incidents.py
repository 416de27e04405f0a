"""Incidents (事件): tickets about one thing, found by known events, repeats, near-equal wording, place and time.

Tickets are joined where any of four links holds; an incident is what hangs together. Every link is short in time, so a
long chain of different matters cannot form, and every step is near-linear in the number of tickets.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import poisson

from model.text import CLOSE, OPEN
from serving.hotspots.alike import LEAST_CHARACTERS, pairs_alike, signatures
from serving.hotspots.analysis import Incident, Why

ALIKE, ALIKE_HOURS = 0.45, 24.0 * 14  # texts of one county: shared runs of characters, and how far apart
PLACE_LEAVES = frozenset({"other.outage", "other.power_quality"})  # one fault, many callers
PLACE_HOURS = 24.0  # between tickets of one station that name the same village or estate
BURST_HOURS, BURST_CHANCE = 2.0, 1e-5  # a run of calls that the station's usual pace would hardly ever bring
UNITS_OF_A_PLACE = 2  # a word that more stations' tickets hold names no place
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{2}(?:小区|社区|花园|家园|新村|大厦|公寓|村|镇|乡|庄|屯|寨|湾|街|路|巷|苑|台区|组)"
)
_NO_LETTERS = re.compile(rf"{OPEN}[^{CLOSE}]*{CLOSE}|客服代表|客户|[\W\d_]+")
Link = tuple[int, int]


def find_incidents(tickets: pd.DataFrame, events: Mapping[int, str] | None = None) -> tuple[Incident, ...]:
    """Incidents of two or more tickets.

    Args:
        tickets: a frame of `serving.hotspots.frame` in order of arrival; texts may be None.
        events: notices of the register of known events by id.

    Returns:
        The largest first; every ticket is in at most one.
    """
    if len(tickets) < 2:
        return ()
    tickets = tickets.reset_index(drop=True)
    hours = tickets["accepted_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy() / 3.6e9
    links: dict[Why, list[Link]] = {
        Why.EVENT: _by_event(tickets),
        Why.REPEAT: _by_repeat(tickets),
        Why.WORDING: _by_wording(tickets, hours),
        Why.PLACE: [*_by_place(tickets, hours), *_by_burst(tickets, hours)],
    }
    joined = np.array([link for found in links.values() for link in found], dtype=np.int64).reshape(-1, 2)
    if not len(joined):
        return ()
    shape = (len(tickets), len(tickets))
    number = connected_components(coo_matrix((np.ones(len(joined)), joined.T), shape), directed=False)[1]
    why: defaultdict[int, set[Why]] = defaultdict(set)
    for reason, found in links.items():
        for one, _ in found:
            why[int(number[one])].add(reason)
    members = pd.Series(np.arange(len(tickets))).groupby(number).indices
    groups = sorted((rows for group, rows in members.items() if group in why), key=lambda rows: (-len(rows), rows[0]))
    return tuple(
        _incident(f"E{place}", tickets.iloc[rows], why[int(number[rows[0]])], events or {})
        for place, rows in enumerate(groups, 1)
    )


def _incident(name: str, rows: pd.DataFrame, why: set[Why], events: Mapping[int, str]) -> Incident:
    units = Counter(unit for unit in rows["unit"] if unit is not None)
    known = Counter(int(one) for one in rows["event_id"] if one is not None)
    event = known.most_common(1)[0][0] if known else None
    shared = Counter(word for text in rows["text"] for word in set(_places(text))) if Why.PLACE in why else Counter()
    return Incident(
        id=name,
        why=tuple(reason for reason in Why if reason in why),
        leaf=Counter(rows["category"]).most_common(1)[0][0],
        unit=units.most_common(1)[0][0] if units else None,
        units=len(units),
        first_at=rows["accepted_at"].iloc[0].to_pydatetime(),
        last_at=rows["accepted_at"].iloc[-1].to_pydatetime(),
        ticket_ids=tuple(rows["ticket_id"]),
        words=tuple(word for word, number in shared.most_common(3) if number >= max(2, len(rows) // 2)),
        event_id=event,
        event=events.get(event) if event is not None else None,
        safety=int(rows["safety"].sum()),
    )


def _by_event(tickets: pd.DataFrame) -> list[Link]:
    return [link for rows in tickets.groupby("event_id").indices.values() for link in _chain(rows)]


def _by_repeat(tickets: pd.DataFrame) -> list[Link]:
    place = {ticket_id: row for row, ticket_id in enumerate(tickets["ticket_id"])}
    told = enumerate(tickets["repeat_of"])
    return [(place[before], row) for row, before in told if before in place and place[before] != row]


def _by_wording(tickets: pd.DataFrame, hours: npt.NDArray[np.float64]) -> list[Link]:
    letters = [_NO_LETTERS.sub("", text) if text else "" for text in tickets["text"]]
    rows = np.flatnonzero([len(text) >= LEAST_CHARACTERS for text in letters])
    if len(rows) < 2:
        return []
    county = tickets["county"].where(tickets["county"].notna(), tickets["unit"])
    areas = pd.factorize(county)[0][rows]
    found = signatures([letters[row] for row in rows])
    first, second = pairs_alike(found, hours[rows], areas, within=ALIKE_HOURS, least=ALIKE)
    return list(zip(rows[first].tolist(), rows[second].tolist(), strict=True))


def _by_place(tickets: pd.DataFrame, hours: npt.NDArray[np.float64]) -> list[Link]:
    seen: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    units: defaultdict[str, set[str]] = defaultdict(set)
    wanted = tickets["category"].isin(PLACE_LEAVES) & tickets["unit"].notna() & tickets["text"].notna()
    some = tickets[wanted]
    for row, unit, text in zip(
        np.flatnonzero(wanted).tolist(), some["unit"].tolist(), some["text"].tolist(), strict=True
    ):
        for word in set(_places(text)):
            seen[word, unit].append(row)
            units[word].add(unit)
    named = (rows for (word, _), rows in seen.items() if len(units[word]) <= UNITS_OF_A_PLACE)
    return [(one, two) for rows in named for one, two in _chain(rows) if hours[two] - hours[one] <= PLACE_HOURS]


def _by_burst(tickets: pd.DataFrame, hours: npt.NDArray[np.float64]) -> list[Link]:
    """Runs of calls about one station that come too fast to be by chance."""
    wanted = tickets[tickets["category"].isin(PLACE_LEAVES) & tickets["unit"].notna()]
    whole = max(24.0, float(hours.max() - hours.min()))
    found: list[Link] = []
    for rows in wanted.groupby("unit").indices.values():
        places = wanted.index.to_numpy()[rows]
        for run in np.split(places, np.flatnonzero(np.diff(hours[places]) > BURST_HOURS) + 1):
            span = float(hours[run[-1]] - hours[run[0]]) + BURST_HOURS
            pace = max(1.0, len(places) - len(run)) / whole
            if len(run) > 2 and poisson.sf(len(run) - 2, pace * span) < BURST_CHANCE:
                found += _chain(run)
    return found


def _chain(rows: Iterable[int]) -> Iterator[Link]:
    """Each with the next one."""
    return pairwise(int(row) for row in rows)


def _places(text: str | None) -> list[str]:
    return _PLACE.findall(text) if text else []
