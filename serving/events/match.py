"""Which known event a ticket may belong to: by area, time and topic. A pure function; it shows and moves nothing."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from model.policy.cue_schema import EventKind, EventsFile
from model.text import lower_ascii
from model.ticket import CHINA, Org

_COMPANY = re.compile(r"\s|国网|供电分?公司")
_ENDING = re.compile("[县市区旗]$")


@dataclass(frozen=True, slots=True)
class Event:
    """A known event as entered. Without any area it is everywhere."""

    id: int
    kind: str
    starts_at: datetime
    ends_at: datetime
    text: str
    entered_at: datetime
    city: str | None = None
    county: str | None = None
    station: str | None = None
    places: tuple[str, ...] = ()
    filing: str | None = None

    def entered_after(self, arrived_at: datetime) -> bool:
        """Whether it was entered only after a complaint had arrived (hard rule 4).

        Args:
            arrived_at: when the complaint was accepted, else received.

        Returns:
            True also for the same moment: it was not there beforehand.
        """
        return self.entered_at >= arrived_at


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is looked at of a ticket: when it was accepted, its leaves, its area, its masked text."""

    at: datetime
    leaves: tuple[str, ...]
    text: str
    org: Org | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An event that a ticket may belong to, and why. A smaller `closeness` is closer."""

    event: Event
    kind_name: str
    reason: str
    closeness: int

    def to_dict(self, arrived_at: datetime) -> dict[str, Any]:
        """What is shown with the ticket.

        Args:
            arrived_at: when the complaint was accepted, else received.

        Returns:
            `id`, `text` that begins with 可能属于, whether it was `entered_after` the complaint, `reason` and `filing`.
        """
        shown = f"可能属于:{self.kind_name}({_window(self.event)}){self.event.text}"
        return {
            "id": self.event.id,
            "text": shown,
            "entered_after": self.event.entered_after(arrived_at),
            "reason": self.reason,
            "filing": self.event.filing,
        }


def match(sighting: Sighting, events: Iterable[Event], policy: EventsFile) -> tuple[Match, ...]:
    """Events that a ticket may belong to.

    Args:
        sighting: of the ticket.
        events: that were not removed.
        policy: leaves and hours of each kind.

    Returns:
        The closest first: by area, then the one that began last.
    """
    sighting = replace(sighting, text=lower_ascii(sighting.text))  # once, not for every event
    found = [one for event in events if (one := _match(sighting, event, policy.kinds))]
    return tuple(sorted(found, key=lambda one: (one.closeness, -one.event.starts_at.timestamp(), one.event.id)))


def _match(sighting: Sighting, event: Event, kinds: Mapping[str, EventKind]) -> Match | None:
    kind = kinds.get(event.kind)
    if kind is None or not set(sighting.leaves) & set(kind.leaves):
        return None
    if not event.starts_at <= sighting.at <= event.ends_at + timedelta(hours=kind.margin_hours):
        return None
    area = _area(event, sighting.org or Org(), sighting.text)
    if area is None:
        return None
    closeness, where = area
    when = (
        "受理时间在事件时段内" if sighting.at <= event.ends_at else f"受理时间在事件结束后 {kind.margin_hours} 小时内"
    )
    return Match(event, kind.name, f"{where};{when};诉求类别相符", closeness)


def _area(event: Event, org: Org, text: str) -> tuple[int, str] | None:
    """How close, and the reason. A city or county known to be another one speaks against everything else."""
    if _differs(event.city, org.city) or _differs(event.county, org.county):
        return None
    if event.station and _same_station(event.station, org.station):
        return 0, f"同属{event.station}"
    place = next((place for place in event.places if place in text), None)
    if place:
        return 1, f"正文提到「{place}」"
    if event.station or not (event.county or event.city or event.places):
        return None if event.station else (4, "全区域事件")
    if event.county:
        return (2, f"同属{event.county}") if _lies_in(event.county, org) else None
    return (3, f"同属{event.city}") if event.city and org.city and _stem(event.city) == _stem(org.city) else None


def _stem(area: str) -> str:
    """兴隆县, 兴隆 and 国网兴隆县供电公司 are one."""
    return _ENDING.sub("", _COMPANY.sub("", area))


def _differs(mine: str | None, other: str | None) -> bool:
    return bool(mine and other and _stem(mine) != _stem(other))


def _same_station(mine: str, other: str | None) -> bool:
    """Equal, or one is written with the county before it."""
    a, b = _COMPANY.sub("", mine), _COMPANY.sub("", other or "")
    return min(len(a), len(b)) > len("供电所") and (a.endswith(b) or b.endswith(a))


def _lies_in(county: str, org: Org) -> bool:
    stem = _stem(county)
    if org.county:
        return _stem(org.county) == stem
    return len(stem) > 1 and stem in (org.station or "")


def _window(event: Event) -> str:
    start, end = event.starts_at.astimezone(CHINA), event.ends_at.astimezone(CHINA)
    shown = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} 至 {shown}"
