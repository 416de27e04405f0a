"""Shape of a hotspot analysis: what reports, console and notebooks read. Nothing in it names a person.

Two rules hold in every row. A cell with fewer than `Options.smallest` tickets shows counts only: its shares, changes,
rates and tests are None. What a figure would need and is not known (last year, customers, a finding) is None, never 0.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from model.ticket import CHINA

ROWS_MOST = 2_000  # rows of one list in the answer over HTTP


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar week or month. `label` is 2026-W47 or 2026-11; `until` is exclusive.

    `complete` is False where the time asked for, or the clock, cuts it short: it is shown, but neither compared nor tested.
    """

    label: str
    since: date
    until: date
    complete: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Tickets of one cell. None as `leaf`, `group`, `unit` or `period` stands for all of them.

    `leaf`, `group`: codes; `unit`: the place, such as 城东县 · 河湾供电所; `period`: a label of `Analysis.periods`. `before`
    counts the cell in the time of the same length before, `year_ago` in the same days a year before; `change` (环比) and
    `change_year` (同比) are relative: 0.3 is +30 %. `share` is the part of all tickets of the same unit and period, 0–1;
    `per_10k` (万户投诉率) tickets per 10,000 `customers` in the row's time.
    """

    leaf: str | None
    group: str | None
    unit: str | None
    period: str | None
    tickets: int
    before: int | None = None
    year_ago: int | None = None
    change: float | None = None
    change_year: float | None = None
    share: float | None = None
    customers: int | None = None
    per_10k: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole time at a glance: `all` tickets, `matters` with each incident counted once; then numbers of tickets.

    `review` counts decisions other than auto; `flags` tickets with a raised flag, by its code.
    """

    all: Count
    matters: int
    safety: int
    escalation: int
    review: int
    without_unit: int
    without_text: int
    flags: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rising:
    """A leaf in a place (`unit` None: everywhere) and a complete period, above its baseline.

    `tickets` and `expected` (by calendar, season and its own past) are of the last `span` periods up to this one together,
    as a slow rise shows in several; `ratio` is tickets / expected. `p` of the one-sided conditional test; `q` after
    Benjamini–Hochberg over all cells; `history` counts up to twelve single periods before, in order.
    """

    leaf: str
    unit: str | None
    period: str
    span: int
    tickets: int
    expected: float
    ratio: float
    p: float
    q: float
    history: tuple[int, ...]


class Why(StrEnum):
    """Why tickets are held to be about one thing: a known event, a repeat, the same wording, the same place and time."""

    EVENT = "event"
    REPEAT = "repeat"
    WORDING = "wording"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Incident:
    """Two or more tickets about one thing (事件), counted once; the largest first in `Analysis.incidents`.

    `id` is E1, E2, … within this analysis; `leaf` and `unit` the most frequent ones (`unit` None where unknown), `units`
    how many places; `ticket_ids` in order of arrival; `words` the place that the texts share, empty elsewhere;
    `event_id` and `event` (the utility's own notice) of the register of known events; `safety` tickets with danger.
    """

    id: str
    why: tuple[Why, ...]
    leaf: str
    unit: str | None
    units: int
    first_at: datetime
    last_at: datetime
    ticket_ids: tuple[str, ...]
    words: tuple[str, ...] = ()
    event_id: int | None = None
    event: str | None = None
    safety: int = 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word, or two in a row, that a leaf's tickets use now and hardly did in the time before (新词).

    `tickets` and `before` count tickets that hold it; `weight` is the class-based TF-IDF by which the list is sorted.
    """

    text: str
    leaf: str
    tickets: int
    before: int
    weight: float


@dataclass(frozen=True, slots=True)
class RepeatCaller:
    """A caller with three or more tickets (重复来电). `caller` is the beginning of an HMAC, never a number.

    `leaves` and `units`: the most frequent first; `open` counts tickets that are not closed.
    """

    caller: str
    ticket_ids: tuple[str, ...]
    leaves: tuple[str, ...]
    units: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    open: int


@dataclass(frozen=True, slots=True)
class Breach:
    """One clock in one place (`unit` None: everywhere).

    `clock` is contact (24 h), due (5 working days) or arrive (on site). Of the `decided` tickets the clock has run out or
    was met; `late` ones missed it, `running` ones of these still wait. `share` is late / decided, None under 5. `arrive` ends
    when an arrival is noted; of a ticket without one, when it was contacted or closed.
    """

    clock: str
    unit: str | None
    decided: int
    late: int
    running: int
    share: float | None
    ticket_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upheld:
    """Findings (属实率): of `judged` tickets of a leaf (None: all) in a place (None: everywhere), `upheld` were true."""

    leaf: str | None
    unit: str | None
    judged: int
    upheld: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A rising leaf × place × period with what to do about it (热点).

    `matters`: its tickets with each incident counted once; `incidents`: ids of incidents with tickets in it; `phrases`
    new in its leaf; `causes` (article, section 1) and `measures` (sections 2–3, with `section`) of the policy.
    """

    rising: Rising
    leaf_name: str
    matters: int
    incidents: tuple[str, ...]
    phrases: tuple[str, ...]
    causes: tuple[str, ...]
    measures: tuple[str, ...]
    section: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything found in the tickets that arrived from `since` (aware, Asia/Shanghai) until before `until`.

    `by` is week or month, `as_of` the clock. `leaves`, `groups`, `units` are rows for the whole time, `series` a row for
    each period (all leaves, all units), `cells` leaf × unit × period, only those with tickets. `tested` cells went into
    the test (`rising` holds those above their baseline). `notes` are Chinese sentences that must be shown with the figures.
    """

    since: datetime
    until: datetime
    as_of: datetime
    by: str
    periods: tuple[Period, ...]
    totals: Totals
    leaves: tuple[Count, ...]
    groups: tuple[Count, ...]
    units: tuple[Count, ...]
    series: tuple[Count, ...]
    cells: tuple[Count, ...]
    tested: int
    rising: tuple[Rising, ...]
    hotspots: tuple[Hotspot, ...]
    incidents: tuple[Incident, ...]
    phrases: tuple[Phrase, ...]
    repeat_callers: tuple[RepeatCaller, ...]
    breaches: tuple[Breach, ...]
    upheld: tuple[Upheld, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The form for HTTP.

        Returns:
            The fields by name; times as ISO 8601 in Asia/Shanghai; lists cut to `ROWS_MOST` rows, `left_out` says by how many.
        """
        found: dict[str, Any] = _plain(asdict(self))
        left_out = {name: len(rows) - ROWS_MOST for name, rows in found.items() if isinstance(rows, list)}
        for name in left_out:
            found[name] = found[name][:ROWS_MOST]
        return {**found, "left_out": {name: number for name, number in left_out.items() if number > 0}}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    value = value.astimezone(CHINA) if isinstance(value, datetime) else value
    return value.isoformat() if isinstance(value, date) else value
