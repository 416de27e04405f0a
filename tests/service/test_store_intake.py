"""Intake: durable, masked, idempotent, safe under concurrent retries; the same on SQLite and PostgreSQL."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from model.errors import Conflict, InvalidTicket, NotFound, StoreUnavailable
from model.pipeline import Pipeline
from serving.intake import Intake, incoming_from
from serving.store import audit
from serving.store.columns import Base
from serving.store.database import Database
from serving.store.reading import load
from serving.store.tables import (
    AuditEntry,
    KnownEvent,
    OutboxMessage,
    StoredCue,
    StoredPrediction,
    StoredRoute,
    StoredTicket,
    TicketText,
)  # fmt: skip
from serving.store.tickets import NewTicket, add
from serving.store.writer import TicketWriter

OUTAGE = "我叫张伟,电话13812345678,停电三小时了没人管"
DANGER = "电线断了掉在地上冒火花,快来人"
DENIES = "说我窃电,我根本没有窃电,罚我三千块凭什么"
STORM = "暴雪预警发布了,停电三小时了没人管"
Take = Callable[..., dict]
Clock = Callable[[], datetime]


def _count(database: Database, entity: type[Base]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


def _messages(database: Database, ticket_id: str) -> list[tuple[str, str, bool]]:
    with database.read() as session:
        found = select(OutboxMessage).where(OutboxMessage.ticket_id == ticket_id).order_by(OutboxMessage.id)
        return [(m.kind, m.desk, m.urgent) for m in session.scalars(found)]


def test_a_ticket_is_answered_with_its_prediction_and_stands_in_the_store(database: Database, take: Take) -> None:
    answer = take(
        "T1", OUTAGE, accepted_at="2026-11-23T08:30:00+08:00", org={"county": "安平县", "station": "城关供电所"}
    )
    assert (answer["ticket_id"], answer["status"], answer["version"]) == ("T1", "open", 1)
    assert answer["category"]["code"] == "other.outage"
    assert answer["route"]["due_at"] == "2026-11-30T08:30:00+08:00"
    with database.read() as session:
        stored = load(session, "T1")
    assert stored["text"] == "我叫⟦姓名⟧,电话⟦电话⟧,停电三小时了没人管"
    assert stored["org"]["station"] == "城关供电所"
    assert stored["prediction"]["category"] == answer["category"]
    assert stored["route"] == answer["route"]


def test_the_answer_is_that_of_predict_with_offsets_into_the_text_as_sent(take: Take, rules_pipeline: Pipeline) -> None:
    when = "2026-11-23T08:30:00+08:00"
    answer = take("T1", OUTAGE, accepted_at=when)
    alone = rules_pipeline.predict([incoming_from({"ticket_id": "T1", "content": OUTAGE, "accepted_at": when}).ticket])
    assert {name: answer[name] for name in alone[0].to_dict()} == alone[0].to_dict()
    assert answer["evidence"]
    assert all(OUTAGE[item["start"] : item["end"]] == item["text"] for item in answer["evidence"])


def test_stored_evidence_points_into_the_masked_text_and_holds_no_words(database: Database, take: Take) -> None:
    take("T1", OUTAGE)
    with database.read() as session:
        stored = load(session, "T1")
        body = session.scalars(select(StoredPrediction.body)).one()
    assert [item["text"] for item in stored["prediction"]["evidence"]] == ["停电", "没人管"]
    for item in stored["prediction"]["evidence"]:
        assert stored["text"][item["start"] : item["end"]] == item["text"]
    assert "text" not in json.dumps(body["evidence"])


def test_the_same_body_again_gets_the_first_answer_and_writes_nothing(database: Database, take: Take, clock) -> None:  # type: ignore[no-untyped-def]
    first = take("T1", OUTAGE, contact="13812345678")
    clock.goes_on(hours=30)
    assert take("T1", OUTAGE, contact="13812345678", unknown_key="ignored") == first
    for entity in (StoredTicket, StoredPrediction, StoredRoute, TicketText, OutboxMessage, AuditEntry):
        assert _count(database, entity) == 1, entity


@pytest.mark.parametrize("change", [{"content": "电费多扣了"}, {"contact": "13900000000"}, {"channel": "online"}])
def test_another_body_for_the_same_id_is_a_conflict(take: Take, change: dict[str, str]) -> None:
    take("T1", OUTAGE)
    with pytest.raises(Conflict, match="内容不同"):
        take("T1", **{"content": OUTAGE, **change})


def test_of_concurrent_retries_exactly_one_writes_and_all_get_its_answer(database: Database, intake: Intake) -> None:
    retries = [f"T{number // 4}" for number in range(48)]  # four of each, side by side

    def send(ticket_id: str) -> tuple[str, bool, str]:
        taken = intake.take_in(incoming_from({"ticket_id": ticket_id, "content": OUTAGE + ticket_id}), "intake")
        return ticket_id, taken.new, json.dumps(taken.answer, sort_keys=True)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, retries))
    assert sum(new for _, new, _ in answers) == 12
    assert len({(ticket_id, answer) for ticket_id, _, answer in answers}) == 12
    assert _count(database, StoredTicket) == _count(database, OutboxMessage) == _count(database, AuditEntry) == 12


def test_two_processes_writers_do_not_clash(
    database: Database, store_url: str, rules_pipeline: Pipeline, clock
) -> None:  # type: ignore[no-untyped-def]
    second = Database(store_url)
    intakes = [Intake(TicketWriter(each), rules_pipeline, b"s" * 32, 365, clock) for each in (database, second)]

    def send(number: int) -> bool:
        body = {"ticket_id": f"T{number // 2}", "content": OUTAGE}
        return intakes[number % 2].take_in(incoming_from(body), "intake").new

    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(send, range(60)))
    second.close()
    assert sum(new) == 30
    assert _count(database, StoredTicket) == 30


def test_danger_goes_to_two_queues_at_once_and_urgently(database: Database, take: Take) -> None:
    take("T1", DANGER)
    assert _messages(database, "T1") == [
        ("routed", "供电服务指挥中心", True),
        ("routed", "县公司服务专责", True),
    ]


def test_a_raised_flag_opens_a_candidate_and_tells_the_reviewer_apart(database: Database, take: Take) -> None:
    answer = take("T1", DENIES, org={"station": "城关供电所"})
    assert answer["flags"]["theft"]["raised"]
    with database.read() as session:
        cue = session.scalars(select(StoredCue)).one()
        assert (cue.flag, cue.state, cue.unit, cue.confirmed_by) == ("theft", "candidate", "城关供电所", {})
    assert ("cue_raised", "县公司服务专责", False) in _messages(database, "T1")
    assert _messages(database, "T1")[0][0] == "routed"


def test_without_a_time_of_acceptance_the_clocks_run_from_receipt_and_say_so(take: Take) -> None:
    route = take("T1", OUTAGE)["route"]
    assert route["contact_due_at"] == "2026-11-24T09:00:00+08:00"
    assert "自收到时起算" in route["basis"]
    assert "自收到时起算" not in take("T2", OUTAGE, accepted_at="2026-11-23T08:30:00+08:00")["route"]["basis"]


def test_who_calls_is_known_by_a_hash_whatever_the_spelling(database: Database, take: Take) -> None:
    take("T1", OUTAGE, contact="张伟 138-1234-5678")
    take("T2", DANGER, contact="13812345678", cust_no="0012345678")
    take("T3", DANGER, cust_no="0012345678")
    take("T4", DANGER)
    with database.read() as session:
        callers = {row[0]: row[1] for row in session.execute(select(StoredTicket.ticket_id, StoredTicket.caller))}
    assert callers["T1"] == callers["T2"]
    assert callers["T3"] not in (None, callers["T1"])
    assert callers["T4"] is None


@pytest.mark.parametrize("ticket_id", ["", "  ", "x" * 201, "a\x00b", "a\nb"])
def test_a_ticket_without_a_usable_id_is_refused(take: Take, database: Database, ticket_id: str) -> None:
    with pytest.raises(InvalidTicket, match="ticket_id"):
        take(ticket_id, OUTAGE)
    assert _count(database, StoredTicket) == 0


@pytest.mark.parametrize("wild", ["\x00", "长" * 3000, "😀\u202e", "\ud800", "张伟13812345678"])
def test_fields_of_any_content_are_stored_cleaned(take: Take, database: Database, wild: str) -> None:
    fields = ("channel", "biz_type", "repeat_of", "cust_no", "contact", "address", "reply")
    take("T1", f"停电了{wild}没人管", org={"station": wild, "county": wild}, **dict.fromkeys(fields, wild))
    with database.read() as session:
        stored = load(session, "T1")
    assert "13812345678" not in str(stored["channel"]) + str(stored["biz_type"]) + stored["text"]


def test_one_ticket_that_cannot_be_written_does_not_take_its_neighbours_along(
    database: Database, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serving.store.writer as writer

    real = writer.add

    def fails(session, tickets):  # type: ignore[no-untyped-def]
        written = real(session, tickets)
        if any(ticket.ticket_id == "T3" for ticket in tickets):
            raise ValueError("cannot be written")
        return written

    monkeypatch.setattr(writer, "add", fails)

    def send(number: int) -> str:
        try:
            intake.take_in(incoming_from({"ticket_id": f"T{number}", "content": OUTAGE}), "intake")
        except ValueError:
            return "failed"
        return "written"

    with ThreadPoolExecutor(8) as pool:
        assert [n for n, result in enumerate(pool.map(send, range(16))) if result == "failed"] == [3]
    assert _count(database, StoredTicket) == _count(database, TicketText) == 15


def test_when_the_store_is_away_nothing_is_acknowledged(database: Database, take: Take) -> None:
    with database.write() as session:
        session.execute(text("ALTER TABLE audit RENAME TO audit_away"))
    with pytest.raises((StoreUnavailable, DatabaseError)):
        take("T1", OUTAGE)
    with database.write() as session:
        session.execute(text("ALTER TABLE audit_away RENAME TO audit"))
    assert _count(database, StoredTicket) == 0
    assert take("T1", OUTAGE)["status"] == "open"


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_refuses_to_change_the_audit_log(database: Database, take: Take, statement: str) -> None:
    take("T1", OUTAGE)
    with pytest.raises((DatabaseError, StoreUnavailable)), database.write() as session:
        session.execute(text(statement))
    with database.read() as session:
        entries = audit.entries(session, "ticket:T1")
    assert [(entry["actor"], entry["action"]) for entry in entries] == [("intake", "ticket.taken_in")]


def test_a_ticket_that_is_not_there_is_said_to_be_missing(database: Database) -> None:
    with pytest.raises(NotFound), database.read() as session:
        load(session, "T1")


def test_a_known_event_is_shown_with_the_ticket_and_moves_nothing(database: Database, take: Take, clock: Clock) -> None:
    before = take("T1", OUTAGE, org={"county": "安平县"})
    with database.write() as session:
        hours = {"starts_at": clock() - timedelta(hours=2), "ends_at": clock() + timedelta(hours=2)}
        event = {"kind": "planned_outage", "county": "安平县", "places": {"places": []}, "text": "线路检修停电"}
        session.add(KnownEvent(**event, **hours, entered_by="r", entered_at=clock() - timedelta(days=1)))
    after = take("T2", OUTAGE, org={"county": "安平县"})
    assert before["known_event"] is None
    assert after["known_event"]["text"].startswith("可能属于")
    assert {**after, "ticket_id": "T1", "known_event": None} == before
    with database.read() as session:
        assert load(session, "T2")["event_id"] == after["known_event"]["id"]


@pytest.mark.parametrize(("entered_before", "filed_before"), [(True, True), (True, False), (False, True), (None, True)])
def test_a_filing_says_whether_it_was_registered_before_the_complaint(
    database: Database, take: Take, clock: Clock, entered_before: bool | None, filed_before: bool
) -> None:
    """Hard rule 4: known beforehand is a filing that stands with an event entered before; all else came after."""
    if entered_before is not None:
        with database.write() as session:
            hours = {"starts_at": clock() - timedelta(hours=2), "ends_at": clock() + timedelta(hours=2)}
            event = {"kind": "storm_warning", "county": "安平县", "places": {"places": []}, "text": "暴雪橙色预警"}
            at = clock() - timedelta(days=1) if entered_before else clock()
            filing = "R3_DISASTER" if filed_before else None
            session.add(KnownEvent(**event, **hours, filing=filing, entered_by="r", entered_at=at))
    answer = take("T1", STORM, org={"county": "安平县"})
    before = bool(entered_before) and filed_before
    assert answer["filing"]["code"] == "R3_DISASTER"
    assert answer["filing"]["after_complaint"] is not before
    assert (answer["filing"]["event_id"] is not None) == (entered_before is not None and filed_before)
    assert take("T1", STORM, org={"county": "安平县"}) == answer


def test_the_register_is_read_once_for_tickets_that_are_written_together(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    import serving.intake as module

    asked: list[int] = []
    real = module.find_events
    monkeypatch.setattr(module, "find_events", lambda *given: (asked.append(len(given[1])), real(*given))[1])
    go = threading.Event()
    busy = intake.writer._thread.submit(go.wait)
    with ThreadPoolExecutor(9) as pool:
        tickets = [incoming_from({"ticket_id": f"T{number}", "content": OUTAGE}) for number in range(9)]
        sent = [pool.submit(intake.take_in, ticket, "intake") for ticket in tickets]
        while len(intake.writer._waiting) < 9:
            time.sleep(0.01)
        go.set()
        assert busy.result()
        assert all(one.result().new for one in sent)
    assert asked == [9]


def test_two_writers_that_bring_the_same_tickets_in_another_order_do_not_lock_each_other_out(
    database: Database, intake: Intake
) -> None:
    bodies = [{"ticket_id": f"T{number:02}", "content": OUTAGE} for number in range(24)]
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(bodies), 8):
            ahead = [intake._arrival(incoming_from(body), "intake") for body in bodies[start : start + 8]]
            made = [intake.make(ahead), intake.make(ahead[::-1])]
            written = list(pool.map(lambda new: _written(database, new), made))
            assert sum(written) == 8
    assert _count(database, StoredTicket) == _count(database, StoredPrediction) == len(bodies)


def _written(database: Database, new: list[NewTicket]) -> int:
    with database.write() as session:
        return len(add(session, new))


def test_a_cue_names_the_station_complained_of_and_never_a_whole_county(database: Database, take: Take) -> None:
    take("T1", DENIES, org={"county": "兴隆县"})
    with database.read() as session:
        assert session.scalars(select(StoredCue.unit)).all() == [None]
