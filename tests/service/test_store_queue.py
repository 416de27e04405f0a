"""Lists of tickets: order, filters, pages."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from model.errors import InvalidField
from serving.store.database import Database
from serving.store.queue import Filters, Slice, page

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
