"""Each clock of a ticket is told once before its end and once after it, whatever the machine's clock does."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from model.policy import Policy
from serving.delivery.claims import Pace
from serving.delivery.clock_watch import _LOCK, ClockWatch, overdue
from serving.delivery.deliverer import Deliverer
from serving.delivery.destination import Envelope
from serving.delivery.service import Watches, run
from serving.store.database import Database
from serving.store.handling import ARRIVED, CONTACTED, Closing, close, report_first
from serving.store.retention import delete_ticket, purge_expired
from serving.store.reviews import Verdict, review
from serving.store.tables import OutboxMessage, StoredCue, StoredTicket
from tests.service.conftest import Clock, Take

OUTAGE = "城南小区停电三个小时了,没有人来修"
DANGER = "电线断了掉在路上还在冒火花,有小孩在旁边,快来人"
BILL = "这个月电费比上个月多了一倍,请核对抄表示数"
LEADS = timedelta(hours=4), timedelta(minutes=15)


@pytest.fixture
def watch(database: Database, clock: Clock) -> ClockWatch:
    return ClockWatch(database, *LEADS, now=clock)


def told(database: Database) -> list[tuple[str, str]]:
    """Kind and clock of each event, in order."""
    wanted = select(OutboxMessage).where(OutboxMessage.kind.in_(["due_soon", "overdue"])).order_by(OutboxMessage.id)
    with database.read() as session:
        return [(message.kind, message.body["clock"]) for message in session.scalars(wanted)]


def test_nothing_is_told_of_a_ticket_that_has_time(take: Take, watch: ClockWatch, database: Database) -> None:
    take("T1", BILL)
    assert watch.look() == 0
    assert told(database) == []


def test_a_clock_warns_once_and_ends_once(take: Take, watch: ClockWatch, clock: Clock, database: Database) -> None:
    take("T1", BILL)
    clock.goes_on(hours=20, minutes=1)
    assert [watch.look(), watch.look()] == [1, 0]
    clock.goes_on(hours=4)
    assert [watch.look(), watch.look()] == [1, 0]
    assert told(database) == [("due_soon", "contact_due_at"), ("overdue", "contact_due_at")]
    clock.goes_on(days=10)
    watch.look()
    assert told(database)[2:] == [("overdue", "due_at")]  # first seen after its end: it was never due soon


def test_the_crews_clock_has_a_warning_of_its_own(
    take: Take, watch: ClockWatch, clock: Clock, database: Database
) -> None:
    answer = take("T1", DANGER)
    queues = answer["route"]["deliver_to"]  # type: ignore[index]
    assert watch.look() == 0
    clock.goes_on(minutes=31)
    assert watch.look() == len(queues)  # each queue that holds it hears of it
    with database.read() as session:
        found = list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "due_soon")))
        assert [message.desk for message in found] == queues
        assert all(message.urgent and message.body["clock"] == "arrive_by" for message in found)


def test_no_jump_of_the_clock_tells_twice(take: Take, watch: ClockWatch, clock: Clock, database: Database) -> None:
    take("T1", BILL)
    take("T2", OUTAGE)
    start = clock.time
    for hours in (21, -500, 30, 21, 24 * 12, 0, 22, 24 * 40, 24 * 12):
        clock.time = start + timedelta(hours=hours)
        watch.look()
    with database.read() as session:
        keys = list(session.scalars(select(OutboxMessage.key).where(OutboxMessage.kind.in_(["due_soon", "overdue"]))))
    assert len(keys) == len(set(keys))
    assert Counter(told(database)).most_common(1)[0][1] <= 2  # two tickets, each clock and kind once


@pytest.mark.parametrize("status", ["closed", "deleted"])
def test_a_ticket_that_is_done_is_not_told_of(
    take: Take, watch: ClockWatch, clock: Clock, database: Database, status: str
) -> None:
    take("T1", BILL)
    with database.write() as session:
        session.execute(update(StoredTicket).values(status=status))
    clock.goes_on(days=20)
    assert watch.look() == 0


def test_a_reviewed_tickets_clock_runs_on(take: Take, watch: ClockWatch, clock: Clock, database: Database) -> None:
    take("T1", BILL)
    with database.write() as session:
        session.execute(update(StoredTicket).values(status="reviewed"))
    clock.goes_on(hours=25)
    assert watch.look() == 1


def test_a_purge_leaves_what_a_running_ticket_was_told_of_so_that_nothing_is_told_again(
    take: Take, watch: ClockWatch, clock: Clock, database: Database
) -> None:
    take("T1", BILL)
    clock.goes_on(days=8)
    assert watch.look() == 2
    with database.write() as session:
        session.execute(update(OutboxMessage).values(delivered_at=clock()))
    for _ in range(40):
        clock.goes_on(days=1)
        purge_expired(database, actor="clock", now=clock())
        assert watch.look() == 0
    assert told(database) == [("overdue", "contact_due_at"), ("overdue", "due_at")]
    close(database, "T1", closing=Closing(1), by="reviewer", now=clock())
    purge_expired(database, actor="clock", now=clock())
    assert told(database) == []


def test_an_old_ticket_that_comes_in_late_is_told_of(take: Take, watch: ClockWatch, clock: Clock) -> None:
    take("T1", BILL, accepted_at=(clock() - timedelta(days=60)).isoformat())
    assert watch.look() == 2


def test_the_clock_of_the_contact_ends_with_the_first_contact_and_the_others_run_on(
    take: Take, watch: ClockWatch, clock: Clock, database: Database
) -> None:
    take("T1", BILL)
    clock.goes_on(hours=3)
    report_first(database, "T1", CONTACTED, at=clock() - timedelta(hours=1), by="reviewer", now=clock())
    clock.goes_on(days=20)
    assert watch.look() == 1
    assert told(database) == [("overdue", "due_at")]


def test_the_crews_clock_ends_with_the_first_arrival_and_the_others_run_on(
    take: Take, watch: ClockWatch, clock: Clock, database: Database
) -> None:
    take("T1", DANGER)
    take("T2", DANGER)
    clock.goes_on(minutes=5)
    report_first(database, "T1", ARRIVED, at=None, by="reviewer", now=clock())
    clock.goes_on(hours=30)
    watch.look()
    with database.read() as session:
        wanted = select(OutboxMessage.ticket_id, OutboxMessage.body).where(OutboxMessage.kind == "overdue")
        late = {(ticket_id, body["clock"]) for ticket_id, body in session.execute(wanted)}
        assert overdue(session, clock()) == {"arrive_by": 1, "contact_due_at": 2, "due_at": 0}
    assert late == {("T1", "contact_due_at"), ("T2", "contact_due_at"), ("T2", "arrive_by")}


def test_closing_stops_every_clock_and_a_review_lets_them_run_again(
    take: Take, watch: ClockWatch, clock: Clock, database: Database, policy: Policy
) -> None:
    take("T1", DANGER)
    close(database, "T1", closing=Closing(1), by="reviewer", now=clock())
    clock.goes_on(days=20)
    assert watch.look() == 0
    review(database, "T1", verdict=Verdict(2, "other.outage"), policy=policy, reviewer="reviewer", now=clock())
    assert watch.look() > 0


def test_the_watch_of_a_delivery_process_lets_cues_expire(
    take: Take, watch: ClockWatch, clock: Clock, database: Database, policy: Policy
) -> None:
    take("T1", "说我窃电,我根本没有窃电,罚我三千块凭什么", org={"station": "城东供电所"})
    people = {"people": [{"name": name, "unit": "合规部", "at": clock().isoformat()} for name in ("li", "wang")]}
    ends = clock() + timedelta(days=300)
    with database.write() as session:
        session.execute(update(StoredCue).values(state="active", confirmed_by=people, expires_at=ends))

    def state_after_a_round() -> str:
        deliverer = Deliverer(database, Nowhere(), policy.routing, Pace(park_after=3), clock)
        asyncio.run(run(deliverer, Watches(watch, policy.cues), asyncio.Event(), once=True))
        with database.read() as session:
            return session.scalars(select(StoredCue.state)).one()

    assert state_after_a_round() == "active"
    clock.goes_on(days=301)
    assert state_after_a_round() == "expired"


class Nowhere:
    """A destination that takes everything."""

    async def send(self, envelope: Envelope) -> None:
        assert envelope.body

    async def close(self) -> None:
        """Nothing is held."""


def test_a_deleted_ticket_is_told_no_more(take: Take, watch: ClockWatch, clock: Clock, database: Database) -> None:
    take("T1", BILL)
    clock.goes_on(hours=21)
    watch.look()
    delete_ticket(database, "T1", actor="admin", now=clock())
    assert told(database) == []
    clock.goes_on(days=9)
    assert watch.look() == 0


@contextmanager
def another_watch_at_work(database: Database) -> Iterator[None]:
    with database.write() as session:
        session.scalar(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield


def test_of_two_watches_one_acts(take: Take, watch: ClockWatch, clock: Clock, database: Database) -> None:
    take("T1", BILL)
    clock.goes_on(hours=25)
    if not database.is_sqlite:  # SQLite's write lock lets them act in turn
        with another_watch_at_work(database):
            assert watch.look() == 0
    assert [watch.look(), ClockWatch(database, *LEADS, now=clock).look()] == [1, 0]


def test_more_tickets_than_one_transaction_takes_are_all_told(
    take: Take, watch: ClockWatch, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.delivery.clock_watch._AT_ONCE", 2)
    for number in range(5):
        take(f"T{number}", BILL)
    clock.goes_on(hours=25)
    assert watch.look() == 5


def test_the_time_told_is_the_tickets(take: Take, watch: ClockWatch, clock: Clock, database: Database) -> None:
    answer = take("T1", BILL)
    clock.goes_on(hours=25)
    watch.look()
    with database.read() as session:
        message = last(session)
    assert datetime.fromisoformat(message.body["at"]) == datetime.fromisoformat(answer["route"]["contact_due_at"])  # type: ignore[index]


def last(session: Session) -> OutboxMessage:
    return session.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()  # type: ignore[return-value]
