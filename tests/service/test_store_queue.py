"""Lists of tickets: order, filters, pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from model.errors import InvalidField
from serving.store.database import Database
from serving.store.handling import ARRIVED, CONTACTED, report_first
from serving.store.queue import Filters, Slice, page
from serving.store.urgency import counts

Take = Callable[..., dict]
LATE, SOON, NOW = "2026-11-23T08:30:00+08:00", "2026-11-20T08:30:00+08:00", "2026-11-10T08:30:00+08:00"
HERE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def _ids(database: Database, **filters: str) -> list[str]:
    with database.read() as session:
        return [ticket["ticket_id"] for ticket in page(session, Filters(**filters), Slice(), HERE).tickets]


@pytest.fixture
def filled(database: Database, take: Take) -> Database:
    take("late", "电费多扣了两百块", accepted_at=LATE)
    take("late-loud", "电费多扣了两百块,再不退我就打12398", accepted_at=LATE)
    take("soon", "换表没通知我,底数也没让看", accepted_at=SOON)
    take("overdue", "换表没通知我,底数也没让看", accepted_at=NOW)
    take("danger", "电线断了掉在地上冒火花,快来人", accepted_at=LATE)
    take("theft", "说我窃电,我根本没有窃电,罚我三千块凭什么", accepted_at=LATE)
    return database


def test_danger_comes_first_then_what_is_overdue_then_the_nearest_then_escalation(filled: Database) -> None:
    assert [name for name in _ids(filled) if name != "theft"] == ["danger", "overdue", "soon", "late-loud", "late"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"category": "metering.replacement"}, {"soon", "overdue"}),
        ({"flag": "theft"}, {"theft"}),
        ({"decision": "auto"}, set()),
        ({"status": "reviewed"}, set()),
        ({"desk": "供电服务指挥中心"}, {"danger"}),
        ({"queue": "供电服务指挥中心"}, {"danger"}),
        ({"queue": "供电服务"}, set()),
        ({"queue": "%"}, set()),
        ({"category": "metering.replacement", "status": "open", "desk": "计量班"}, {"soon", "overdue"}),
    ],
)
def test_filters_hold_together(filled: Database, filters: dict[str, str], expected: set[str]) -> None:
    assert set(_ids(filled, **filters)) == expected


def test_a_ticket_where_somebody_has_arrived_waits_for_its_answer_only(filled: Database, take: Take) -> None:
    later = HERE + timedelta(hours=4)  # every crew is late, every contact has time
    for name in ("here", "nobody"):
        take(name, "停电三小时了没人管", accepted_at=LATE)
    for name in ("overdue", "soon"):
        report_first(filled, name, CONTACTED, at=None, by="reviewer", now=later)
    report_first(filled, "here", ARRIVED, at=None, by="reviewer", now=later)
    with filled.read() as session:
        late = page(session, Filters(urgency="overdue"), Slice(), later).tickets
        assert [one["ticket_id"] for one in late] == ["danger", "overdue", "nobody"]
        shown = [one["ticket_id"] for one in page(session, Filters(), Slice(), later).tickets]
        assert counts(session, later)["overdue"] == 3
    assert shown.index("nobody") < shown.index("soon") < shown.index("here")


def test_the_queue_and_its_figures_are_read_from_an_index_alone(filled: Database) -> None:
    """As they are over 100,000 tickets: SQLite names the index that holds every column they ask for."""
    if not filled.is_sqlite:
        pytest.skip("PostgreSQL chooses by the number of rows")
    said: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        said.append((statement, parameters))

    event.listen(filled.engine, "before_cursor_execute", note)
    with filled.read() as session:
        page(session, Filters(status="open", urgency="overdue"), Slice(fold=True), HERE)
        counts(session, HERE)
    event.remove(filled.engine, "before_cursor_execute", note)
    asked = [one for one in said if "tickets.status" in one[0] and "tickets.desk" not in one[0]]  # not the rows shown
    assert len(asked) == 4  # leaders of events, the page, two counts
    with filled.engine.connect() as connection:
        for statement, parameters in asked:
            steps = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert any("tickets USING COVERING INDEX" in step for step in steps), steps


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_give_every_ticket_once_in_order(filled: Database, limit: int) -> None:
    cursor, seen = None, []
    with filled.read() as session:
        while True:
            found = page(session, Filters(), Slice(cursor, limit), HERE)
            seen += [ticket["ticket_id"] for ticket in found.tickets]
            if not (cursor := found.cursor):
                break
    assert seen == _ids(filled)


@pytest.mark.parametrize(
    "cursor", ["", "x", "e30", "W10", "!!!!", "WzEsMiwzXQ", "\ud800", "Ｗ", "null", "WzAsIngiLDAsMC41LCJ5IiwieiJd"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(InvalidField, match="cursor"), database.read() as session:
        page(session, Filters(), Slice(cursor), HERE)
