"""Reviews: a person's decision moves the ticket, and never to the unit complained of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from model.errors import Conflict, InvalidField, NotFound, UnknownLeaf
from model.policy import Policy
from serving.store import audit
from serving.store.database import Database
from serving.store.reading import load
from serving.store.reviews import Verdict, review
from serving.store.tables import OutboxMessage, StoredCue

Take = Callable[..., dict]
Decide = Callable[..., dict[str, Any]]
CHARGE = "电费多扣了两百块,给我退"


@pytest.fixture
def decide(database: Database, policy: Policy, clock: Callable[[], Any]) -> Decide:
    def call(ticket_id: str, version: int, category: str, **more: Any) -> dict[str, Any]:
        verdict = Verdict(version, category, **more)
        return review(database, ticket_id, verdict=verdict, policy=policy, reviewer="审核员甲", now=clock())

    return call


def _told(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(m.kind, m.desk) for m in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


def test_an_accepted_leaf_sends_the_ticket_from_the_reviewer_to_its_desk(
    database: Database, take: Take, decide: Decide
) -> None:
    take("T1", CHARGE)
    after = decide("T1", 1, "billing.charge")
    assert (after["status"], after["version"], after["queues"]) == ("reviewed", 2, ["电费核算班"])
    assert _told(database) == [
        ("routed", "县公司服务专责"), ("rerouted", "电费核算班"), ("withdrawn", "县公司服务专责"),
    ]  # fmt: skip


def test_another_leaf_moves_the_ticket_and_keeps_its_clocks(database: Database, take: Take, decide: Decide) -> None:
    first = take("T1", CHARGE, accepted_at="2026-11-20T08:30:00+08:00")
    decide("T1", 1, "billing.charge")
    after = decide("T1", 2, "metering.device", secondary=("billing.charge",))
    assert (after["category"], after["desk"]) == ("metering.device", "计量班")
    assert _told(database)[-2:] == [("rerouted", "计量班"), ("withdrawn", "电费核算班")]
    for clock in ("contact_due_at", "due_at"):
        assert after["route"][clock] == after[clock] == first["route"][clock]
    assert [item["reason"] for item in after["routes"]] == ["intake", "review", "review"]
    assert [item["category"] for item in after["reviews"]] == ["billing.charge", "metering.device"]


def test_the_same_decision_again_sends_nobody_anything(database: Database, take: Take, decide: Decide) -> None:
    take("T1", CHARGE)
    decide("T1", 1, "billing.charge")
    before = _told(database)
    assert decide("T1", 2, "billing.charge")["version"] == 3
    assert _told(database) == before


def test_a_ticket_never_goes_to_the_unit_complained_of(take: Take, decide: Decide, policy: Policy) -> None:
    take("T1", CHARGE)
    after = decide("T1", 1, "billing.tariff", secondary=("hall.staff_attitude",))
    never = policy.routing.routes["hall.staff_attitude"].never
    assert not {after["desk"], *after["queues"], *after["route"]["support"]} & set(never)


def test_danger_stays_with_the_command_centre_whatever_is_decided(
    database: Database, take: Take, decide: Decide
) -> None:
    take("T1", "电线断了掉在地上冒火花,快来人")
    after = decide("T1", 1, "other.misc")
    assert after["queues"] == ["供电服务指挥中心", "县公司服务专责"]
    assert ("withdrawn", "供电服务指挥中心") not in _told(database)


def test_a_stale_version_is_a_conflict_and_changes_nothing(database: Database, take: Take, decide: Decide) -> None:
    take("T1", CHARGE)
    decide("T1", 1, "billing.charge")
    with pytest.raises(Conflict, match="第 2 版"):
        decide("T1", 1, "metering.device")
    with database.read() as session:
        assert load(session, "T1")["category"] == "billing.charge"


def test_of_two_reviewers_at_once_one_decides(take: Take, decide: Decide) -> None:
    take("T1", CHARGE)

    def attempt(leaf: str) -> str:
        try:
            return str(decide("T1", 1, leaf)["category"])
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(attempt, ["billing.charge", "metering.device", "other.misc", "other.outage"]))
    assert results.count("conflict") == 3


def test_a_flag_of_a_reviewer_opens_a_candidate_and_never_confirms(
    database: Database, take: Take, decide: Decide
) -> None:
    take("T1", CHARGE)
    decide("T1", 1, "billing.charge", flags=frozenset({"arrears"}))
    decide("T1", 2, "billing.charge", flags=frozenset({"arrears"}))
    with database.read() as session:
        cues = session.scalars(select(StoredCue)).all()
        assert [(cue.flag, cue.state, cue.confirmed_by) for cue in cues] == [("arrears", "candidate", {})]
    assert _told(database).count(("cue_raised", "县公司服务专责")) == 1


def test_a_note_is_masked_and_the_audit_log_names_the_reviewer_and_no_words(
    database: Database, take: Take, decide: Decide
) -> None:
    take("T1", CHARGE)
    after = decide("T1", 1, "billing.charge", note="张伟先生 13812345678 已核实")
    assert after["reviews"][0]["note"] == "⟦姓名⟧先生 ⟦电话⟧ 已核实"
    with database.read() as session:
        entry = audit.entries(session, "ticket:T1")[-1]
    assert (entry["actor"], entry["action"]) == ("审核员甲", "ticket.reviewed")
    assert "核实" not in str(entry["detail"])


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        ({"category": "no.leaf"}, UnknownLeaf),
        ({"category": "billing.charge", "secondary": ("no.leaf",)}, UnknownLeaf),
        ({"category": "billing.charge", "secondary": ("billing.charge",)}, InvalidField),
        ({"category": "billing.charge", "flags": frozenset({"safety"})}, InvalidField),
    ],
)
def test_codes_that_do_not_exist_are_refused(take: Take, decide: Decide, verdict: dict[str, Any], error: type) -> None:
    take("T1", CHARGE)
    with pytest.raises(error):
        decide("T1", 1, **verdict)
    with pytest.raises(NotFound):
        decide("T2", 1, "billing.charge")
