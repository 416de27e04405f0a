"""From a frame of complaints to a hotspot analysis. A pure function but for the clock, which can be given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from model.policy import Policy
from model.segmenter import Segmenter
from model.ticket import CHINA
from serving.hotspots.analysis import Analysis, Incident, Period, Phrase
from serving.hotspots.clocks import breaches, repeat_callers, upheld
from serving.hotspots.counting import Counter, Span, of_periods
from serving.hotspots.daily import daily_of
from serving.hotspots.findings import hotspot, notes, totals, with_groups
from serving.hotspots.incidents import find_incidents
from serving.hotspots.options import By, Options
from serving.hotspots.periods import begin, midnight, periods
from serving.hotspots.phrases import find_phrases
from serving.hotspots.rising import find_rising

_YEARS_BACK = 2


@dataclass(frozen=True)
class Background:
    """What an analysis may know beside the tickets.

    Args:
        daily: counts that go further back than the frame; None: counted from the frame.
        customers: by unit, for 万户投诉率.
        events: notices of the register of known events by id.
        as_of: the clock; None: now.
    """

    daily: pd.DataFrame | None = None
    customers: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[int, str] = field(default_factory=dict)
    as_of: datetime | None = None


def history_since(since: datetime, by: By) -> datetime:
    """From when on tickets are worth counting: two years for the season, and the periods of the baseline.

    Args:
        since: beginning of the time that is analysed.
        by: week or month.

    Returns:
        Midnight, Asia/Shanghai, at the beginning of a week or month.
    """
    day = since.astimezone(CHINA).date() - timedelta(days=366 * _YEARS_BACK)
    return midnight(begin(day, by))


def texts_since(since: datetime, until: datetime) -> datetime:
    """From when on the tickets themselves are needed: the time before is compared with.

    Args:
        since: beginning of the time that is analysed.
        until: its end.

    Returns:
        Midnight, Asia/Shanghai.
    """
    return midnight(Span.of(since, until, until).before().since)


def analyse(
    frame: pd.DataFrame,
    *,
    since: datetime,
    until: datetime,
    policy: Policy,
    options: Options | None = None,
    background: Background | None = None,
) -> Analysis:
    """Analyse the tickets of a time against those before it.

    Args:
        frame: of `serving.hotspots.frame`, from `texts_since` on; from `history_since` on without a background.
        since: aware; usually midnight.
        until: exclusive.
        policy: names, causes, measures, dictionary.
        options: what to do otherwise.
        background: what is known beside.

    Returns:
        The analysis.

    Raises:
        ValueError: `until` is not after `since`.
    """
    if until <= since:
        raise ValueError(f"until must be after since, got {since} and {until}")
    options, background = options or Options(), background or Background()
    moments = (since, until, background.as_of or datetime.now(CHINA))
    return _analysed(frame, [moment.astimezone(CHINA) for moment in moments], policy, options, background)


def _analysed(
    frame: pd.DataFrame, moments: list[datetime], policy: Policy, options: Options, background: Background
) -> Analysis:
    """`moments`: since, until, now; in China."""
    since, until, as_of = moments
    asked, span = periods(since, until, as_of, options.by), Span.of(since, until, as_of)
    tickets = _between(frame, since, until)
    daily = with_groups(daily_of(frame) if background.daily is None else background.daily, policy)
    incidents, phrases = _read(frame, tickets, span, policy, options, background)
    rising, tested = find_rising(daily, asked, options)
    counted = _counted(daily, span, asked, options, background)
    return Analysis(
        since=since,
        until=until,
        as_of=as_of,
        by=options.by,
        periods=asked,
        totals=totals(tickets, counted.pop("all")[0], incidents),
        tested=tested,
        rising=rising,
        hotspots=tuple(hotspot(one, tickets, asked, incidents, phrases, policy) for one in rising),
        incidents=incidents,
        phrases=phrases,
        repeat_callers=repeat_callers(tickets, options),
        breaches=breaches(tickets, pd.Timestamp(as_of), options),
        upheld=upheld(tickets, options),
        notes=notes(tickets, daily, asked, tested, options),
        **counted,
    )


def _counted(
    daily: pd.DataFrame, span: Span, asked: tuple[Period, ...], options: Options, background: Background
) -> dict[str, Any]:
    """The tables of `Analysis` by name, and `all`."""
    counter = Counter(daily[daily["day"] < pd.Timestamp(span.until)], options, background.customers)
    return {
        "all": counter.rows(span, ()),
        "leaves": counter.rows(span, ("leaf", "group")),
        "groups": counter.rows(span, ("group",)),
        "units": counter.rows(span, ("unit",)),
        "series": of_periods(counter, asked, ()),
        "cells": of_periods(counter, asked, ("leaf", "group", "unit")),
    }


def _read(
    frame: pd.DataFrame, tickets: pd.DataFrame, span: Span, policy: Policy, options: Options, background: Background
) -> tuple[tuple[Incident, ...], tuple[Phrase, ...]]:
    """What the texts say: incidents, and phrases in which each incident speaks once."""
    latest = tickets.tail(options.texts_most)
    incidents = find_incidents(latest, background.events)
    told = {ticket_id for one in incidents for ticket_id in one.ticket_ids[1:]}
    once = latest[~latest["ticket_id"].isin(told)]
    before = _between(frame, midnight(span.before().since), midnight(span.since)).tail(options.texts_most)
    return incidents, find_phrases(once, before, Segmenter(policy.dictionary).cut, options)


def _between(frame: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    mine = frame[(frame["accepted_at"] >= since) & (frame["accepted_at"] < until)]
    return mine.reset_index(drop=True)
