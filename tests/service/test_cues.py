"""Cues in the store, on both databases: steps, versions, audit, expiry, ledger; and that no step moves a ticket."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from model.errors import Conflict, NotFound, TriageError
from model.policy import Policy
from serving.cues.cue import Attachment, State, Step
from serving.cues.ledger import ledger, read_cases
from serving.cues.people import Person
from serving.cues.records import CueRecord
from serving.cues.store import cues_of, expire_due, subject, take_step
from serving.store import audit
from serving.store.database import Database
from serving.store.tables import StoredCue

WANG, LI, ZHAO = Person("wang", "县公司服务专责"), Person("li", "合规部"), Person("zhao", "市公司营销部")
MALICE = (
    Attachment("earlier_dispute", "用检〔2026〕31号,张建国 13800138000", date(2026, 10, 8)),
    Attachment("fault_disproved", "录像 12"),
)
TEXT = "我要投诉抄表的李建国,他借我钱不还,你们单位扣他奖金,不然我天天打电话"
Taken = Callable[..., CueRecord]


@pytest.fixture
def ticket(database: Database, take: Callable[..., Any], clock: Any) -> str:
    """A ticket with a candidate for malice and one for arrears, whatever the rules raise by themselves."""
    take("T1", TEXT, accepted_at="2026-11-23 08:30", org={"county": "兴隆县", "station": "城东供电所"})
    with database.write() as session:
        known = set(session.scalars(select(StoredCue.flag)))
        for flag in {"malicious", "arrears"} - known:
            session.add(
                StoredCue(
                    ticket_id="T1", flag=flag, state="candidate", unit="城东供电所", raised_at=clock(), changed_at=clock(),
                    evidence={}, confirmed_by={},
                )
            )  # fmt: skip
    return "T1"


@pytest.fixture
def step(database: Database, ticket: str, clock: Any, policy: Policy) -> Taken:
    """`step("confirm", WANG)` takes a step of the cue for malice at its present version."""

    def call(name: Any, who: Person, flag: str = "malicious", version: int | None = None, **more: Any) -> CueRecord:
        with database.read() as session:
            now = {one.cue.flag: one.version for one in cues_of(session, ticket)}
        one = Step(name, who, clock(), **more)
        wanted = now[flag] if version is None else version
        return take_step(database, ticket, flag, one, version=wanted, rules=policy.cues)

    return call


def _activate(step: Taken) -> CueRecord:
    step("evidence", ZHAO, attachments=MALICE)
    step("confirm", WANG)
    return step("confirm", LI)


def test_two_people_make_a_cue_active_and_the_audit_log_tells_of_every_step(
    database: Database, step: Taken, clock: Any, policy: Policy
) -> None:
    record = _activate(step)
    shown = record.to_dict(policy.cues, clock())
    assert (shown["state"], shown["in_force"], shown["version"]) == ("active", True, 4)
    assert [one["name"] for one in shown["confirmed_by"]] == ["wang", "li"]
    assert all(item["complete"] for item in shown["evidence"])
    with database.read() as session:
        told = audit.entries(session, subject("T1", "malicious"))
        assert cues_of(session, "T1")[0].cue == record.cue
    assert [(one["actor"], one["action"], one["detail"]["to"]) for one in told] == [
        ("zhao", "cue.evidence", "evidence_complete"),
        ("wang", "cue.confirm", "evidence_complete"),
        ("li", "cue.confirm", "active"),
    ]
    assert told[2]["detail"]["saw"] == ["earlier_dispute", "fault_disproved"]


def test_no_step_changes_the_ticket_its_route_its_prediction_or_what_is_delivered(
    database: Database, step: Taken, clock: Any, policy: Policy
) -> None:
    """Hard rule 1."""
    tables = ("tickets", "ticket_texts", "routes", "predictions", "reviews", "outbox")

    def rows() -> dict[str, list[Any]]:
        with database.read() as session:
            return {name: session.execute(text(f"SELECT * FROM {name} ORDER BY 1")).all() for name in tables}  # noqa: S608

    before = rows()
    assert len(before["tickets"]) == 1
    states = [_activate(step).cue.state, step("appeal", LI).cue.state, step("confirm", ZHAO).cue.state]
    clock.goes_on(days=400)
    assert expire_due(database, policy.cues, clock()) == 1
    step("reject", WANG, flag="arrears", reason="not_enough_evidence")
    assert states == [State.ACTIVE, State.APPEALED, State.ACTIVE]
    assert rows() == before


def test_a_stale_version_is_refused_and_changes_nothing(database: Database, step: Taken) -> None:
    step("evidence", ZHAO, attachments=MALICE)
    with pytest.raises(Conflict) as caught:
        step("confirm", WANG, version=1)
    assert caught.value.code == "stale_version"
    with database.read() as session:
        assert cues_of(session, "T1")[0].cue.confirmed_by == ()
        assert len(audit.entries(session, subject("T1", "malicious"))) == 1


def test_of_many_who_confirm_at_once_exactly_one_is_taken(
    database: Database, step: Taken, ticket: str, clock: Any, policy: Policy
) -> None:
    version = step("evidence", ZHAO, attachments=MALICE).version

    def confirm(number: int) -> bool:
        one = Step("confirm", Person(f"p{number}", "合规部"), clock())
        try:
            take_step(database, ticket, "malicious", one, version=version, rules=policy.cues)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(confirm, range(6))) == 1
    with database.read() as session:
        assert len(cues_of(session, ticket)[0].cue.confirmed_by) == 1


def test_a_cue_that_is_not_there_is_not_found(database: Database, ticket: str, clock: Any, policy: Policy) -> None:
    one = Step("confirm", WANG, clock())
    for ticket_id, flag in (("T1", "theft"), ("T2", "malicious"), ("T1", "moon")):
        with pytest.raises(NotFound):
            take_step(database, ticket_id, flag, one, version=1, rules=policy.cues)


def test_a_refused_step_leaves_no_trace(database: Database, step: Taken) -> None:
    step("evidence", ZHAO, attachments=MALICE)
    step("confirm", WANG)
    for who in (WANG, Person("sun", "城东供电所"), Person("qian")):
        with pytest.raises(TriageError):
            step("confirm", who)
    with database.read() as session:
        assert cues_of(session, "T1")[0].version == 3
        assert len(audit.entries(session, subject("T1", "malicious"))) == 2


def test_personal_data_in_a_reference_is_masked_and_the_audit_log_has_no_reference(
    database: Database, step: Taken
) -> None:
    step("evidence", ZHAO, attachments=MALICE)
    with database.read() as session:
        kept = cues_of(session, "T1")[0].cue.evidence["earlier_dispute"].attachment.reference
        told = str(audit.entries(session, subject("T1", "malicious")))
    assert kept == "用检〔2026〕31号,⟦姓名⟧ ⟦电话⟧"
    assert "31号" not in told
    assert "13800138000" not in told


@pytest.mark.parametrize("more", [{"attachments": (replace(MALICE[1], reference="长" * 201),)}, {"unit": "长" * 201}])
def test_a_text_copied_into_a_reference_is_refused(step: Taken, more: dict[str, Any]) -> None:
    with pytest.raises(TriageError, match="不要抄录"):
        step("evidence", ZHAO, **more)


def test_cues_expire_when_their_time_has_come_and_not_before(
    database: Database, step: Taken, clock: Any, policy: Policy
) -> None:
    ends = _activate(step).cue.expires_at
    assert ends is not None
    assert expire_due(database, policy.cues, ends - timedelta(microseconds=1)) == 0
    assert expire_due(database, policy.cues, ends) == 1
    assert expire_due(database, policy.cues, ends) == 0
    with database.read() as session:
        assert cues_of(session, "T1")[0].cue.state is State.EXPIRED
        assert audit.entries(session, subject("T1", "malicious"))[-1]["actor"] == "clock"


def test_without_a_time_of_acceptance_the_day_it_was_received_counts(
    database: Database, take: Callable[..., Any], clock: Any, policy: Policy
) -> None:
    take("T9", "停电了")
    with database.write() as session:
        session.add(
            StoredCue(
                ticket_id="T9", flag="malicious", state="candidate", unit=None, raised_at=clock(), changed_at=clock(),
                evidence={}, confirmed_by={},
            )
        )  # fmt: skip
    today = (Attachment("earlier_dispute", "x", date(2026, 11, 23)),)
    with pytest.raises(TriageError, match="2026-11-23"):
        take_step(database, "T9", "malicious", Step("evidence", ZHAO, clock(), today), version=1, rules=policy.cues)


def test_on_a_deleted_ticket_a_cue_can_only_end(database: Database, step: Taken) -> None:
    step("evidence", ZHAO, attachments=MALICE)
    with database.write() as session:
        session.execute(text("UPDATE tickets SET status = 'deleted'"))
    with pytest.raises(Conflict, match="删除"):
        step("confirm", WANG)
    assert step("reject", WANG, reason="matter_closed").cue.state is State.REJECTED


def test_the_ledger_puts_the_callers_who_were_right_on_top(database: Database, step: Taken) -> None:
    _activate(step)
    step("appeal", LI)
    step("remove", ZHAO, reason="caller_right")
    with database.read() as session:
        found = ledger(read_cases(session))
    assert [(one["ticket_id"], one["how"], one["after_appeal"]) for one in found["caller_proved_right"]] == [
        ("T1", "removed", True)
    ]
    cell = next(cell for cell in found["cells"] if cell["flag"] == "malicious")
    counts = {
        name: cell[name] for name in ("raised", "confirmed", "appealed", "removed", "rejected", "expired", "open")
    }
    assert counts == {"raised": 1, "confirmed": 1, "appealed": 1, "removed": 1, "rejected": 0, "expired": 0, "open": 0}
    assert cell["unit"] == "城东供电所"
    assert not {"tickets", "confirmed_share", "caller_right_share"} & set(cell)
    assert not {"wang", "li", "zhao"} & set(str(found).replace("'", " ").split())


def test_a_cell_of_five_shows_shares_and_tickets(
    database: Database, take: Callable[..., Any], clock: Any, policy: Policy
) -> None:
    for number in range(5):
        take(f"T{number}", "停电了", org="城东供电所")
        with database.write() as session:
            session.add(
                StoredCue(
                    ticket_id=f"T{number}", flag="malicious", state="candidate", unit="城东供电所", raised_at=clock(),
                    changed_at=clock(), evidence={}, confirmed_by={},
                )
            )  # fmt: skip
    reject = Step("reject", WANG, clock(), reason="caller_right")
    take_step(database, "T0", "malicious", reject, version=1, rules=policy.cues)
    with database.read() as session:
        found = ledger(read_cases(session))
        assert ledger(read_cases(session, until=clock()))["total"]["raised"] == 0
    assert found["cells"][0]["caller_right_share"] == pytest.approx(0.2)
    assert found["cells"][0]["tickets"] == ["T0", "T1", "T2", "T3", "T4"]
    assert found["total"] | {"raised": 5, "open": 4, "rejected": 1} == found["total"]
    assert found["caller_proved_right"][0]["how"] == "rejected"
