"""Tickets of a file as rows of the hotspot frame: predicted, masked, counted; nothing of them is stored."""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from model.document import read
from model.errors import InvalidTicket
from model.pipeline import Pipeline
from model.rows import Row
from model.ticket import Org, Ticket, parse_time, ticket_from
from serving.caller import caller_digest
from serving.reports.material import FilingNote, LeftOut
from triage.triage import Triage

_NAMES = {
    "city": ("city", "市", "地市", "市公司"),
    "county": ("county", "县", "区县", "县公司"),
    "station": ("station", "供电所", "单位", "供电单位", "营业厅"),
    "contact": ("contact", "联系电话", "来电号码"),
    "cust_no": ("cust_no", "户号", "客户编号"),
    "closed_at": ("closed_at", "办结时间"),
    "contacted_at": ("contacted_at", "联系时间", "首次联系时间"),
    "arrived_at": ("arrived_at", "到场时间"),
    "upheld": ("upheld", "属实", "是否属实"),
}
_TRUE, _FALSE = ("是", "属实", "true", "1", "y", "yes"), ("否", "不属实", "false", "0", "n", "no")


@dataclass
class FromFile:
    """What a file holds: records for `serving.hotspots.frame.from_records`, filings, rows that cannot be used."""

    records: list[dict[str, Any]] = field(default_factory=list)
    filings: list[FilingNote] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    undated: list[int] = field(default_factory=list)

    def within(self, since: datetime, until: datetime) -> LeftOut:
        """What a report about a time leaves out.

        Args:
            since: from this moment on.
            until: before this moment.

        Returns:
            Rows with errors, rows without a date, and how many lie outside.
        """
        dated = [one["accepted_at"] for one in self.records if one["accepted_at"] is not None]
        outside = sum(not since <= at < until for at in dated)
        return LeftOut(self.errors, tuple(self.undated), outside)

    @property
    def dated(self) -> list[dict[str, Any]]:
        """Records that can be placed in time."""
        return [one for one in self.records if one["accepted_at"] is not None]


def load(rows: Iterable[Row], pipeline: Pipeline) -> FromFile:
    """Predict the tickets of a file for a report.

    Args:
        rows: of the file, in order.
        pipeline: predicts.

    Returns:
        Everything that a report needs; every row stands in exactly one of `records` and `errors`.
    """
    found = FromFile()
    pending: deque[tuple[Ticket, dict[str, Any]]] = deque()
    secret = secrets.token_bytes(32)  # callers are told apart within this file only
    for result in Triage(pipeline).predict_rows(_prepared(rows, pending, secret)):
        number = int(result["row"])
        if "error" in result:
            found.errors[number] = str(result["error"]["code"])
            continue
        ticket, known = pending.popleft()
        _add(found, number, ticket, known, result, pipeline)
    return found


def _add(
    found: FromFile, number: int, ticket: Ticket, known: dict[str, Any], result: dict[str, Any], pipeline: Pipeline
) -> None:
    from serving.hotspots.frame import record

    limits = pipeline.policy.decision
    named = replace(ticket, ticket_id=ticket.ticket_id or f"第{number}行")
    text = read(ticket, limits.max_characters, limits.head_characters).text
    times = {name: _moment(result["route"][name]) for name in ("contact_due_at", "due_at", "arrive_by")}
    result = {**result, "route": {**result["route"], **times}}
    found.records.append(record(named, result, text, **known))
    if ticket.accepted_at is None:
        found.undated.append(number)
    if result["filing"]:
        found.filings.append(
            FilingNote(str(named.ticket_id), result["filing"]["code"], result["filing"]["name"], after=True)
        )


def _prepared(rows: Iterable[Row], pending: "deque[tuple[Ticket, dict[str, Any]]]", secret: bytes) -> Iterator[Row]:
    """Rows as tickets; what stands beside each ticket waits until its prediction comes."""
    for row in rows:
        if row.error is not None:
            yield row
            continue
        try:
            value = row.value if isinstance(row.value, Mapping) else {}
            ticket = _placed(ticket_from(row.value), value)
            pending.append((ticket, _known(value, secret)))
        except InvalidTicket as error:
            yield Row(row.number, error=error)
        else:
            yield Row(row.number, ticket)


def _placed(ticket: Ticket, value: Mapping[str, Any]) -> Ticket:
    """With city, county and station of columns of their own, where `org` does not say them."""
    org = ticket.org or Org()
    parts = {name: getattr(org, name) or _word(value, name) for name in ("city", "county", "station")}
    return replace(ticket, org=Org(**parts, urban=org.urban))


def _known(value: Mapping[str, Any], secret: bytes) -> dict[str, Any]:
    times = {name: parse_time(_given(value, name)) for name in ("closed_at", "contacted_at", "arrived_at")}
    word = (_word(value, "upheld") or "").lower()
    upheld = True if word in _TRUE else False if word in _FALSE else None
    closed = times["closed_at"] is not None
    status = "closed" if closed else "open" if any(name in value for name in _NAMES["closed_at"]) else None
    caller = caller_digest(_word(value, "contact"), _word(value, "cust_no"), secret)
    return {**times, "upheld": upheld, "status": status, "caller": caller}


def _given(value: Mapping[str, Any], name: str) -> Any:
    return next((value[key] for key in _NAMES[name] if value.get(key) not in (None, "")), None)


def _word(value: Mapping[str, Any], name: str) -> str | None:
    found = _given(value, name)
    if isinstance(found, bool):
        return "是" if found else "否"
    return str(found).strip() or None if isinstance(found, str | int | float) and found == found else None


def _moment(value: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
