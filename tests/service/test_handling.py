"""Contact, arrival and closing: reported by people, told to the queues, undone by a review; no flag closes anything."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from model.pipeline import Pipeline
from model.policy import Policy
from serving.api.roles import Role
from serving.reports.stored import open_tickets
from serving.store.database import Database
from serving.store.labels import export_labels
from serving.store.retention import delete_ticket
from serving.store.tables import ClosingNote, OutboxMessage, StoredTicket
from tests.office import Served, served
from tests.service.conftest import Clock

OUTAGE = "停电三小时了没人管"
REPORTS = [("contact", "contacted_at", "ticket.contacted"), ("arrive", "arrived_at", "ticket.arrived")]
DENIES = "说我窃电,我根本没有窃电,罚我三千块凭什么"


@pytest.fixture
def desk(database: Database, rules_pipeline: Pipeline, clock: Clock) -> Iterator[Served]:
    with served(database, rules_pipeline, clock=clock) as running:
        yield running


def _post(desk: Served, path: str, role: Role = Role.REVIEWER, **body: Any) -> Any:
    return desk.client.post(f"/v1/tickets{path}", json=body, headers=desk.by(role))


def _get(desk: Served, path: str = "/T1") -> dict[str, Any]:
    found: dict[str, Any] = desk.client.get(f"/v1/tickets{path}", headers=desk.by(Role.REVIEWER)).json()
    return found


def _told(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(m.kind, m.desk) for m in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


def test_a_closed_ticket_says_so_to_every_queue_that_holds_it(desk: Served, database: Database) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content="电线断了掉在地上冒火花,快来人")
    done = _post(desk, "/T1/close", version=1, note="张伟 13812345678 已抢修送电")
    assert done.status_code == 200
    body = done.json()
    assert (body["status"], body["version"], body["closings"][0]["by"]) == ("closed", 2, "reviewer")
    assert body["closed_at"] == "2026-11-23T09:00:00+08:00"
    assert body["closings"][0]["note"].endswith("已抢修送电")
    assert "13812345678" not in done.text
    assert [entry["action"] for entry in body["history"]] == ["ticket.taken_in", "ticket.closed"]
    assert "抢修" not in str(body["history"])
    queues = body["queues"]
    assert len(queues) == 2
    assert _told(database)[-2:] == [("closed", queue) for queue in queues]


def test_a_stale_version_a_second_closing_and_an_unknown_ticket_change_nothing(
    desk: Served, database: Database
) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    _post(desk, "/T1/review", version=1, category="other.outage")
    stale = _post(desk, "/T1/close", version=1)
    assert (stale.status_code, "第 2 版" in stale.json()["detail"]) == (409, True)
    assert _get(desk)["status"] == "reviewed"
    assert _post(desk, "/T1/close", version=2).status_code == 200
    told = _told(database)
    for version in (2, 3):
        assert _post(desk, "/T1/close", version=version).status_code == 409
    assert _post(desk, "/none/close", version=1).status_code == 404
    assert _post(desk, "/T1/close").status_code == 422
    assert _told(database) == told


def test_a_review_opens_a_closed_ticket_again_and_its_queue_hears_of_it(desk: Served, database: Database) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    _post(desk, "/T1/review", version=1, category="other.outage")
    _post(desk, "/T1/close", version=2)
    again = _post(desk, "/T1/review", version=3, category="other.outage").json()
    assert (again["status"], again["version"], again["closed_at"]) == ("reviewed", 4, None)
    assert again["history"][-1]["detail"]["reopened"] is True
    assert _told(database)[-1] == ("rerouted", again["queues"][0])
    assert _post(desk, "/T1/close", version=4).json()["status"] == "closed"


def test_the_next_clock_in_a_handover_is_one_that_still_runs(desk: Served, database: Database) -> None:
    ticket = {"ticket_id": "T1", "content": "电线断了掉在地上冒火花,快来人", "accepted_at": "2026-11-23T08:50:00+08:00"}
    _post(desk, "", Role.INTAKE, **ticket)
    shown = _get(desk)
    for call, clock in ((None, "arrive_by"), ("arrive", "contact_due_at"), ("contact", "due_at")):
        if call:
            assert _post(desk, f"/T1/{call}").status_code == 200
        with database.read() as session:
            (waiting,) = open_tickets(session)
        assert waiting.due == datetime.fromisoformat(shown[clock])


@pytest.mark.parametrize("upheld", [True, False])
def test_a_finding_is_kept_with_the_closing_and_goes_when_a_review_opens_the_ticket_again(
    desk: Served, upheld: bool
) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    assert _get(desk)["upheld"] is None
    done = _post(desk, "/T1/close", version=1, upheld=upheld).json()
    assert (done["upheld"], done["history"][-1]["detail"]["upheld"]) == (upheld, upheld)
    again = _post(desk, "/T1/review", version=2, category="other.outage").json()
    assert (again["upheld"], again["closed_at"]) == (None, None)
    assert _post(desk, "/T1/close", version=3).json()["upheld"] is None  # nobody judged it this time


@pytest.mark.parametrize("upheld", ["属实", "true", 1, [True]])
def test_a_finding_that_is_neither_true_nor_false_is_refused_and_the_ticket_stays_open(
    desk: Served, upheld: Any
) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    assert _post(desk, "/T1/close", version=1, upheld=upheld).status_code == 422
    assert _get(desk)["status"] == "open"


def test_a_deletion_leaves_the_finding_for_the_figures(desk: Served, database: Database, clock: Clock) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    _post(desk, "/T1/arrive")
    _post(desk, "/T1/close", version=1, upheld=True)
    delete_ticket(database, "T1", actor="合规", now=clock())
    with database.read() as session:
        row = session.get_one(StoredTicket, "T1")
        assert (row.status, row.upheld, row.arrived_at) == ("deleted", True, clock())


@pytest.mark.parametrize(("call", "field", "action"), REPORTS)
def test_the_first_report_is_noted_once(desk: Served, clock: Clock, call: str, field: str, action: str) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    clock.goes_on(hours=2)
    first = _post(desk, f"/T1/{call}", at="2026-11-23T10:30:00+08:00").json()
    assert (first[field], first["version"]) == ("2026-11-23T10:30:00+08:00", 1)
    assert _post(desk, f"/T1/{call}").json()[field] == first[field]
    assert [entry["action"] for entry in _get(desk)["history"]] == ["ticket.taken_in", action]
    others = {name for _, name, _ in REPORTS} - {field}
    assert [first[name] for name in others] == [None]  # one says nothing of the other
    assert _post(desk, f"/none/{call}").status_code == 404


@pytest.mark.parametrize(("call", "field", "action"), REPORTS)
@pytest.mark.parametrize(
    "at", ["2026-11-23T08:59:00+08:00", "2026-11-23T11:01:00+08:00", "2026-11-23T10:00:00", "soon"]
)
def test_a_report_of_a_time_before_the_complaint_or_in_the_future_is_refused(
    desk: Served, clock: Clock, at: str, call: str, field: str, action: str
) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    clock.goes_on(hours=2)
    assert _post(desk, f"/T1/{call}", at=at).status_code == 422
    found = _get(desk)
    assert found[field] is None
    assert action not in str(found["history"])


def test_nothing_is_reported_of_a_ticket_that_is_done(desk: Served, database: Database, clock: Clock) -> None:
    for number in (1, 2):
        _post(desk, "", Role.INTAKE, ticket_id=f"T{number}", content=OUTAGE)
    _post(desk, "/T1/close", version=1)
    delete_ticket(database, "T2", actor="合规", now=clock())
    for path in ("/T1/contact", "/T2/contact", "/T1/arrive", "/T2/arrive"):
        assert _post(desk, path).status_code == 409
    assert _post(desk, "/T2/close", version=2).status_code == 409


def test_a_deletion_blanks_the_note_of_a_closing(desk: Served, database: Database, clock: Clock) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    _post(desk, "/T1/close", version=1, note="备注里的蓝色雨伞")
    delete_ticket(database, "T1", actor="合规", now=clock())
    with database.read() as session:
        assert session.scalars(select(ClosingNote.note)).all() == [None]


def test_no_step_of_a_cue_closes_a_ticket_or_stops_a_clock(desk: Served) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=DENIES, org={"station": "城东供电所"})
    before = _get(desk)
    cue = before["cues"][0]
    evidence = [{"item": one["item"], "reference": "卷 7", "date": "2026-01-05"} for one in cue["evidence"]]
    for name, role, body in (
        ("evidence", Role.REVIEWER, {"evidence": evidence}), ("confirm", Role.REVIEWER, {}), ("confirm", Role.ADMIN, {}),
        ("appeal", Role.REVIEWER, {}), ("expire", Role.ADMIN, {}),
    ):  # fmt: skip
        answer = _post(desk, f"/T1/cues/theft/{name}", role, version=cue["version"], **body)
        cue = answer.json() if answer.status_code == 200 else cue
        after = _get(desk)
        same = ("status", "version", "desk", "queues", "contact_due_at", "due_at", "contacted_at", "closed_at")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert cue["state"] == "appealed"


def test_a_reviewed_ticket_is_a_label_also_once_it_is_closed(
    desk: Served, database: Database, policy: Policy, clock: Clock
) -> None:
    for number in (1, 2):
        _post(desk, "", Role.INTAKE, ticket_id=f"T{number}", content=OUTAGE)
    _post(desk, "/T1/review", version=1, category="other.outage")
    _post(desk, "/T1/close", version=2)
    _post(desk, "/T2/close", version=1)  # nobody has reviewed this one
    batch = export_labels(database, taxonomy=policy.taxonomy, actor="分析员", now=clock())
    assert [record["id"] for record in batch.records] == ["T1"]


def test_a_review_decides_which_filing_is_to_be_looked_at(desk: Served) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=OUTAGE)
    assert _get(desk)["filing"] is None
    seen = _post(desk, "/T1/review", version=1, category="other.misc", flags=["malicious"]).json()
    assert (seen["filing"]["code"], seen["filing"]["after_complaint"]) == ("R5_MALICIOUS", True)
    cue = seen["cues"][0]
    reason = desk.app.state.engine.policy.cues.reasons
    _post(desk, "/T1/cues/malicious/reject", version=cue["version"], reason=next(iter(reason)))
    assert _get(desk)["filing"] is None


def test_the_ledger_counts_cues_and_shows_no_inner_names(desk: Served) -> None:
    _post(desk, "", Role.INTAKE, ticket_id="T1", content=DENIES)
    cue = _get(desk)["cues"][0]
    _post(desk, "/T1/cues/theft/evidence", version=cue["version"], unit="城东供电所")
    shown = desk.client.get("/v1/tickets/T1", headers=desk.by(Role.REVIEWER))
    assert "@" not in shown.text
    assert shown.json()["cues"][0]["unit_named_by"] == "reviewer"
    ledger = desk.client.get("/v1/cues/ledger", headers=desk.by(Role.REVIEWER)).json()
    assert (ledger["total"]["raised"], ledger["total"]["open"], ledger["caller_proved_right"]) == (1, 1, [])
    assert [(cell["flag"], cell["unit"], "tickets" in cell) for cell in ledger["cells"]] == [
        ("theft", "城东供电所", False)
    ]
    late = desk.client.get("/v1/cues/ledger", params={"since": "2027-01-01T00:00:00Z"}, headers=desk.by(Role.REVIEWER))
    assert late.json()["total"]["raised"] == 0
