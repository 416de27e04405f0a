"""Tickets of the store that may be labelled next: the newest that nobody reviewed, masked, and never a deleted one."""

from collections.abc import Callable
from typing import Any

from model.policy import Policy
from serving.store import audit
from serving.store.database import Database
from serving.store.retention import delete_ticket
from serving.store.reviews import Verdict, review
from serving.store.unreviewed import unreviewed

Take = Callable[..., dict]


def _ids(database: Database, clock: Any, **more: int) -> list[str | None]:
    return [ticket.ticket_id for ticket in unreviewed(database, actor="command line", now=clock(), **more)]


def test_the_newest_come_first_and_reviewed_and_deleted_ones_are_left_out(
    take: Take, database: Database, policy: Policy, clock: Any
) -> None:
    for name in ("T1", "T2", "T3", "T4"):
        take(name, f"{name}停电三小时了没人管,电话13812345678")
        clock.goes_on(minutes=1)
    review(database, "T2", verdict=Verdict(1, "other.outage"), policy=policy, reviewer="r", now=clock())
    delete_ticket(database, "T3", actor="r", now=clock())
    assert _ids(database, clock) == ["T4", "T1"]
    assert _ids(database, clock, most=1) == ["T4"]
    assert all("13812345678" not in t.content for t in unreviewed(database, actor="a", now=clock()))


def test_whoever_reads_them_stands_in_the_audit_log(take: Take, database: Database, clock: Any) -> None:
    take("T1", "停电三小时了没人管")
    assert _ids(database, clock) == ["T1"]
    with database.read() as session:
        (entry,) = audit.entries(session, "labels:next")
    assert (entry["actor"], entry["detail"]) == ("command line", {"tickets": 1})
