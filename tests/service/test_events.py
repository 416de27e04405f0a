"""The register of known events, on both databases; and that an event shows but never closes, delays or reroutes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from model.errors import NotFound
from model.policy import Policy
from model.ticket import Org
from serving.events.entry import EventEntry
from serving.events.errors import InvalidEvents
from serving.events.fold import Incident, incidents
from serving.events.links import known_event_of
from serving.events.match import Sighting
from serving.events.records import find_events, listed, to_dict
from serving.events.register import Entered, enter, import_table, remove
from serving.store import audit
from serving.store.database import Database
from serving.store.tables import StoredTicket

START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
ORG = {"county": "兴隆县", "station": "城东供电所"}
OUTAGE = "我们这片停电三小时了,到现在也没来电"
HEAD = "类型,区县,供电所,开始时间,结束时间,内容,报备\n"
Enter = Callable[..., Entered]


def _entry(**fields: object) -> EventEntry:
    usual = {"kind": "storm_warning", "county": "兴隆县", "text": "暴雪橙色预警"}
    times = {"starts_at": "2026-11-23 08:00", "ends_at": "2026-11-23 20:00"}
    return EventEntry.model_validate({**usual, **times, **fields})


@pytest.fixture
def entered(database: Database, policy: Policy, clock: Any) -> Enter:
    return lambda **fields: enter(database, _entry(**fields), policy.events, by="wang", at=clock())


def test_an_event_is_entered_listed_and_removed_with_its_audit_entries(
    database: Database, policy: Policy, entered: Enter, clock: Any
) -> None:
    event = entered(filing="R3_DISASTER", places="李家庄、新华路").event
    with database.read() as session:
        shown = [to_dict(one, policy.events) for one in listed(session)]
    assert shown == [
        {
            "id": event.id, "kind": "storm_warning", "kind_name": "灾害或预警恶劣天气", "city": None, "county": "兴隆县",
            "station": None, "places": ["李家庄", "新华路"], "text": "暴雪橙色预警", "filing": "R3_DISASTER",
            "starts_at": "2026-11-23T08:00:00+08:00", "ends_at": "2026-11-23T20:00:00+08:00",
            "entered_at": "2026-11-23T09:00:00+08:00",
        }
    ]  # fmt: skip
    remove(database, event.id, by="li", at=clock())
    with database.read() as session:
        assert listed(session) == []
        told = audit.entries(session, f"event:{event.id}")
    assert [(one["actor"], one["action"]) for one in told] == [("wang", "event.entered"), ("li", "event.removed")]


def test_what_is_not_there_cannot_be_removed(database: Database, entered: Enter, clock: Any) -> None:
    event = entered().event
    remove(database, event.id, by="li", at=clock())
    for event_id in (event.id, 999):
        with pytest.raises(NotFound) as caught:
            remove(database, event_id, by="li", at=clock())
        assert caught.value.code == "event_not_found"


def test_the_same_entry_again_is_not_entered_twice(database: Database, entered: Enter, clock: Any) -> None:
    first, again, other = entered(), entered(), entered(station="城东供电所")
    assert (first.new, again.new, other.new) == (True, False, True)
    assert again.event == first.event
    remove(database, first.event.id, by="li", at=clock())
    assert entered().new


def test_what_the_policy_does_not_allow_is_not_entered(database: Database, entered: Enter) -> None:
    with pytest.raises(InvalidEvents, match="须写明地区"):
        entered(county=None)
    with database.read() as session:
        assert listed(session) == []


def test_a_table_is_entered_whole_or_not_at_all(database: Database, policy: Policy, clock: Any) -> None:
    good = "系统升级,,,2026-11-23 20:00,2026-11-24 06:00,营销系统升级,R2_SYSTEM\n计划停电,兴隆县,城东供电所,2026-11-24 08:00,2026-11-24 18:00,检修,\n"
    with pytest.raises(InvalidEvents) as caught:
        import_table(database, (HEAD + good + "计划停电,,,x,y,z,\n").encode(), policy.events, by="wang", at=clock())
    assert {problem["row"] for problem in caught.value.problems} == {3}
    for new in (True, False):
        found = import_table(database, (HEAD + good).encode("gb18030"), policy.events, by="wang", at=clock())
        assert [one.new for one in found] == [new, new]
    with database.read() as session:
        assert [one.kind for one in listed(session)] == ["planned_outage", "system_upgrade"]
        assert [one.kind for one in listed(session, since=START + timedelta(hours=30))] == ["planned_outage"]
        assert [one.kind for one in listed(session, until=START + timedelta(hours=20))] == ["system_upgrade"]


def test_a_ticket_finds_its_event(database: Database, policy: Policy, entered: Enter) -> None:
    event = entered().event
    gone = [entered(ends_at="2026-11-23 08:01").event, entered(kind="new_business").event]
    with database.read() as session:
        for hours, there in ((1, True), (12, True), (60, True), (61, False), (-1, False)):
            seen = Sighting(START + timedelta(hours=hours), ("other.outage",), "停电", Org(county="兴隆县"))
            ids = [one.event.id for one in find_events(session, [seen], policy.events)[0]]
            assert (event.id in ids) is there
            assert gone[1].id not in ids


def test_events_show_and_never_close_delay_or_reroute_a_ticket(
    database: Database, policy: Policy, take: Callable[..., Any], clock: Any
) -> None:
    """The answer and the rows of a ticket are the same with and without an event, but for the link."""
    first = take("T1", OUTAGE, accepted_at="2026-11-23 08:30", org=ORG)

    def rows() -> dict[str, list[Any]]:
        with database.read() as session:
            names = ("tickets", "ticket_texts", "routes", "predictions", "outbox")
            found = {name: session.execute(text(f"SELECT * FROM {name} ORDER BY 1")).mappings().all() for name in names}  # noqa: S608
        return {name: [{**row, "event_id": None} for row in found[name]] for name in names}

    before = rows()
    event = enter(database, _entry(), policy.events, by="wang", at=clock()).event
    assert rows() == before
    with database.read() as session:
        ticket = session.get(StoredTicket, "T1")
        assert ticket is not None
        assert (ticket.status, ticket.version, ticket.event_id) == ("open", 1, event.id)
        found = known_event_of(session, ticket, policy.events)
    assert found is not None
    shown = found.to_dict(clock())
    assert shown["text"] == "可能属于:灾害或预警恶劣天气(2026-11-23 08:00 至 20:00)暴雪橙色预警"
    assert shown["entered_after"] is True
    second = take("T2", OUTAGE, accepted_at="2026-11-23 08:30", org=ORG)
    for name in ("category", "decision", "flags"):
        assert second[name] == first[name]
    clocks = ("contact_due_at", "due_at", "arrive_by", "desk", "support")
    assert [second["route"][name] for name in clocks] == [first["route"][name] for name in clocks]


def test_only_fitting_open_tickets_are_linked_and_a_removed_event_lets_them_go(
    database: Database, policy: Policy, take: Callable[..., Any], entered: Enter, clock: Any
) -> None:
    take("near", OUTAGE, accepted_at="2026-11-23 08:30", org=ORG)
    take("far", OUTAGE, accepted_at="2026-11-23 08:30", org={"county": "滦平县"})
    take("early", OUTAGE, accepted_at="2026-11-23 07:59", org=ORG)
    take("topic", "窗口的人骂我,态度恶劣,我要投诉", accepted_at="2026-11-23 08:30", org=ORG)
    take("deleted", OUTAGE, accepted_at="2026-11-23 08:30", org=ORG)
    with database.write() as session:
        session.execute(text("UPDATE tickets SET status = 'deleted' WHERE ticket_id = 'deleted'"))
    event = entered().event

    def linked() -> set[str]:
        with database.read() as session:
            wanted = select(StoredTicket.ticket_id).where(StoredTicket.event_id == event.id)
            return set(session.scalars(wanted))

    assert linked() == {"near"}
    remove(database, event.id, by="li", at=clock())
    assert linked() == set()
    with database.read() as session:
        ticket = session.get(StoredTicket, "near")
        assert ticket is not None
        assert known_event_of(session, ticket, policy.events) is None


def test_storm_calls_are_one_incident_and_each_keeps_its_own_clock(
    database: Database, take: Callable[..., Any], entered: Enter
) -> None:
    answers = {
        f"S{minute}": take(f"S{minute}", OUTAGE, accepted_at=f"2026-11-23 09:{minute}", org={**ORG, "urban": True})
        for minute in range(10, 16)
    }
    take("other", "电费多扣了两百块", accepted_at="2026-11-23 09:30", org=ORG)
    event = entered().event
    with database.read() as session:
        found = incidents(session, START, START + timedelta(days=1))
        due = {
            row.ticket_id: (row.contact_due_at, row.due_at, row.arrive_by)
            for row in session.scalars(select(StoredTicket).where(StoredTicket.event_id == event.id))
        }
    assert found == (Incident(event.id, tuple(answers)), Incident(None, ("other",)))
    assert len(set(due.values())) == 6
    for ticket_id, answer in answers.items():
        names = ("contact_due_at", "due_at", "arrive_by")
        assert due[ticket_id] == tuple(datetime.fromisoformat(answer["route"][name]) for name in names)


def test_a_reviewed_leaf_of_another_topic_no_longer_shows_the_event(
    database: Database, policy: Policy, take: Callable[..., Any], entered: Enter
) -> None:
    take("T1", OUTAGE, accepted_at="2026-11-23 08:30", org=ORG)
    entered()
    with database.write() as session:
        ticket = session.get(StoredTicket, "T1")
        assert ticket is not None
        assert known_event_of(session, ticket, policy.events) is not None
        ticket.category = "billing.tariff"
        assert known_event_of(session, ticket, policy.events) is None
