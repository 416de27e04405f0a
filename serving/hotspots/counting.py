"""Counts, shares, 环比, 同比 and 万户投诉率 from daily counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import pandas as pd

from model.ticket import CHINA
from serving.hotspots.analysis import Count, Period
from serving.hotspots.options import Options
from serving.hotspots.periods import begin, midnight, year_before


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `since` until before `until`; `whole` where all of it has happened, so that it may be compared."""

    since: date
    until: date
    whole: bool = True

    @classmethod
    def of(cls, since: datetime, until: datetime, as_of: datetime) -> "Span":
        """The days of a time.

        Args:
            since: aware.
            until: exclusive; a day that it cuts counts, but then nothing is compared.
            as_of: the clock.

        Returns:
            The days in China.
        """
        first, last = since.astimezone(CHINA), until.astimezone(CHINA)
        clean = first.time() == last.time() == datetime.min.time()
        end = last.date() if last.time() == datetime.min.time() else last.date() + timedelta(days=1)
        return cls(first.date(), end, clean and until <= as_of)

    def before(self) -> "Span":
        """As many days before; for whole months as many months."""
        if self.since.day == self.until.day == 1:
            months, start = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month, self.since
            for _ in range(months):
                start = begin(start - timedelta(days=1), "month")
            return Span(start, self.since)
        return Span(self.since - (self.until - self.since), self.since)

    def year_ago(self) -> "Span":
        """The same days a year before."""
        first, last = (year_before(midnight(day)).date() for day in (self.since, self.until))
        return Span(first, last)


@dataclass(frozen=True)
class Counter:
    """Counts tickets of a span by any of leaf, group, unit.

    Args:
        daily: as `serving.hotspots.daily` gives it, with a column `group`.
        options: the smallest cell.
        customers: by unit.
    """

    daily: pd.DataFrame
    options: Options
    customers: Mapping[str, int]

    def rows(self, span: Span, keys: Sequence[str], *, period: str | None = None) -> tuple[Count, ...]:
        """One row for each cell with tickets.

        Args:
            span: the days.
            keys: of leaf, group, unit; none for one row of all.
            period: its label.

        Returns:
            The largest first.
        """
        now = self._sums(span, keys)
        before = self._sums(span.before(), keys) if span.whole and self._reaches(span.before()) else None
        year = self._sums(span.year_ago(), keys) if span.whole and self._reaches(span.year_ago()) else None
        per_unit = self._sums(span, [key for key in keys if key == "unit"])
        found = []
        for cell, tickets in now.items():
            values: dict[str, Any] = dict(zip(keys, cell, strict=True))
            whole = per_unit[tuple(value for key, value in values.items() if key == "unit")]
            old, older = (side.get(cell, 0) if side is not None else None for side in (before, year))
            found.append(self._count(values, period, tickets, old, older, whole))
        return tuple(sorted(found, key=lambda one: (-one.tickets, one.leaf or "", one.unit or "")))

    def _count(self, values: dict[str, Any], period: str | None, tickets: int, *others: int | None) -> Count:
        before, year_ago, whole = others
        unit = values.get("unit")
        shown = tickets >= self.options.smallest
        customers = self.customers.get(unit) if unit else self._everyone
        return Count(
            leaf=values.get("leaf"),
            group=values.get("group"),
            unit=unit,
            period=period,
            tickets=tickets,
            before=before,
            year_ago=year_ago,
            change=self._change(tickets, before),
            change_year=self._change(tickets, year_ago),
            share=tickets / whole if shown and whole else None,
            customers=customers,
            per_10k=10_000 * tickets / customers if shown and customers else None,
        )

    @cached_property
    def _everyone(self) -> int | None:
        """All customers, where those of every place are known."""
        units = set(self.daily["unit"].dropna())
        return sum(self.customers.values()) if self.customers and units <= set(self.customers) else None

    def _change(self, now: int, then: int | None) -> float | None:
        return (now - then) / then if then is not None and min(now, then) >= self.options.smallest else None

    def _sums(self, span: Span, keys: Sequence[str]) -> dict[tuple[Any, ...], int]:
        day = self.daily["day"]
        mine = self.daily[(day >= pd.Timestamp(span.since)) & (day < pd.Timestamp(span.until))]
        if not keys:
            return {(): int(mine["tickets"].sum())}
        sums = mine.groupby(list(keys), observed=True)["tickets"].sum()
        return {cell if isinstance(cell, tuple) else (cell,): int(number) for cell, number in sums.items()}

    def _reaches(self, span: Span) -> bool:
        """Whether the counts go back so far."""
        return not self.daily.empty and self.daily["day"].min() <= pd.Timestamp(span.since)


def of_periods(counter: Counter, periods: Iterable[Period], keys: Sequence[str]) -> tuple[Count, ...]:
    """Rows of every period.

    Args:
        counter: over the counts.
        periods: in order; those not complete are counted and not compared.
        keys: of leaf, group, unit.

    Returns:
        In the order of the periods, in each the largest first.
    """
    spans = ((period.label, Span(period.since, period.until, period.complete)) for period in periods)
    return tuple(row for label, span in spans for row in counter.rows(span, keys, period=label))
