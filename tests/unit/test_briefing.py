"""The morning briefing and the handover note."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from model.policy import Policy
from model.ticket import CHINA
from serving.cues.cue import State
from serving.events.match import Event
from serving.reports.briefing import Briefing
from serving.reports.files import CONTENT
from serving.reports.handover import Handover
from serving.reports.material import Material, OpenTicket, Post, WaitingCue
from serving.reports.report import Bullets, Figures, Report, Table, Text
from tests.complaints import NOW, frame_of, nothing, row

DAY = date(2026, 11, 24)  # a Tuesday
START = datetime(2026, 11, 24, tzinfo=CHINA)
YESTERDAY = START - timedelta(hours=14)


def _report(policy: Policy, *rows: dict[str, Any], org: str = "城关供电所", day: date = DAY) -> Report:
    return Briefing(Material(frame_of(list(rows), policy), policy, NOW, stored=True), day, org).report()


def _figures(report: Report) -> dict[str, str]:
    block = report.sections[0].blocks[0]
    assert isinstance(block, Figures)
    return {name: value for name, value, _ in block.items}


def _due(report: Report) -> Table:
    block = report.sections[1].blocks[0]
    assert isinstance(block, Table)
    return block


def _words(report: Report) -> str:
    return CONTENT[".html"](report).decode().split("<body>")[1]


def test_yesterday_today_and_what_is_late_are_counted_for_this_unit_only(policy: Policy) -> None:
    rows = (
        row("T1", "other.outage", "停电了", YESTERDAY, safety=True),  # contact due today
        row("T2", "billing.charge", "电费高", START - timedelta(days=20)),  # late
        row(
            "T3",
            "billing.charge",
            "电费高",
            START - timedelta(days=20),
            status="closed",
            closed_at=START - timedelta(days=9),
        ),
        row("T4", "billing.charge", "电费高", YESTERDAY, station="河湾供电所"),
        row("T5", "billing.charge", "电费高", START + timedelta(hours=1)),  # today's own
    )
    report = _report(policy, *rows)
    assert _figures(report) == {"昨天来单": "1", "今天到期": "1", "已经超时": "1", "涉及人身安全": "1"}
    assert [(line[0], line[4]) for line in _due(report).rows] == [
        ("T2", "已超时"),
        ("T1", "今天到期"),
    ]


def test_a_contact_that_was_made_is_no_longer_due(policy: Policy) -> None:
    called = row("T1", "other.outage", "停电了", YESTERDAY, contacted_at=YESTERDAY + timedelta(hours=1))
    assert _due(_report(policy, called)).rows == ()


def test_an_arrival_that_was_noted_decides_and_else_the_contact_stands_for_it(policy: Policy) -> None:
    clock = {"contact_due_at": None, "due_at": None, "arrive_by": START + timedelta(hours=1)}
    soon = YESTERDAY + timedelta(hours=1)
    rows = [
        row("T1", "other.outage", "停电了", YESTERDAY, **clock),
        row("T2", "other.outage", "停电了", YESTERDAY, **clock, contacted_at=soon),
        row("T3", "other.outage", "停电了", YESTERDAY, **clock, arrived_at=soon),
        row(
            "T4", "other.outage", "停电了", YESTERDAY, **clock, contacted_at=soon, arrived_at=START + timedelta(hours=2)
        ),
    ]
    assert [line[0] for line in _due(_report(policy, *rows)).rows] == ["T1", "T4"]


def test_a_briefing_of_a_former_day_shows_that_day(policy: Policy) -> None:
    closed = row("T1", "billing.charge", "电费高", YESTERDAY, status="closed", closed_at=START + timedelta(days=3))
    assert [line[0] for line in _due(_report(policy, closed)).rows] == ["T1"]


def test_complaints_about_conduct_are_only_counted(policy: Policy) -> None:
    """Hard rule 6: the briefing is read by those complained of."""
    rude = row("T1", "hall.staff_attitude", "柜员推诿,还和我吵起来了", YESTERDAY, safety=True, caller="c1")
    report = _report(policy, rude)
    assert _figures(report)["昨天来单"] == "1"
    assert "T1" not in _words(report)
    assert "柜员推诿" not in _words(report)
    assert "县公司核查" in _words(report)


def test_a_caller_of_three_tickets_with_one_open_is_named_by_tickets(policy: Policy) -> None:
    rows = [row(f"T{n}", "billing.charge", "电费高", YESTERDAY - timedelta(days=n), caller="c1") for n in range(3)]
    rows += [row(f"U{n}", "billing.charge", "电费高", YESTERDAY - timedelta(days=n), caller="c2") for n in range(2)]
    table = _report(policy, *rows).sections[2].blocks[0]
    assert isinstance(table, Table)
    assert [(line[0], line[1]) for line in table.rows] == [(3, 3)]


def test_the_measure_is_one_of_the_leaf_most_complained_of_with_its_section(policy: Policy) -> None:
    rows = [row(f"T{n}", "metering.replacement", "换表没通知", YESTERDAY) for n in range(2)]
    rows += [row("T9", "billing.charge", "电费高", YESTERDAY)]
    measure, says = _report(policy, *rows).sections[3].blocks
    entry = policy.measures.leaves["metering.replacement"]
    assert isinstance(measure, Text)
    assert isinstance(says, Bullets)
    assert "文章 2.3" in measure.text
    assert any(one in measure.text for one in entry.measures)
    assert any(one in says.items[0] for one in entry.card.promise)
    assert any(one in says.items[1] for one in entry.card.never)


def test_another_day_brings_another_measure(policy: Policy) -> None:
    told = {_report(policy, day=date(2026, 11, day)).sections[3].blocks[0] for day in range(20, 25)}
    assert len(told) == len(policy.measures.leaves["hall.staff_attitude"].measures[:5])


def test_stations_of_one_name_in_two_counties_are_told_apart(policy: Policy) -> None:
    rows = (row("T1", "other.outage", "停电", YESTERDAY), row("T2", "other.outage", "停电", YESTERDAY, county="清河县"))
    assert "安平县、清河县 都有" in _report(policy, *rows).marks[0]
    assert _report(policy, *rows, org="清河县城关供电所").marks == ()


def test_a_unit_without_tickets_is_known_as_such(policy: Policy) -> None:
    material = Material(frame_of([row("T1", "other.outage", "停电", YESTERDAY)], policy), policy, NOW, stored=True)
    assert Briefing(material, DAY, "东山供电所").unknown
    assert not Briefing(material, DAY, "城关供电所").unknown
    assert Briefing(material, DAY, "东山供电所").report().sections


@pytest.mark.parametrize("kind", [".html", ".docx", ".xlsx"])
def test_a_briefing_is_written_in_every_format(policy: Policy, kind: str) -> None:
    assert len(CONTENT[kind](_report(policy, row("T1", "other.outage", "停电", YESTERDAY)))) > 1000


def _handover(
    policy: Policy, tickets: Sequence[OpenTicket], cues: Sequence[WaitingCue], events: Sequence[Event] = ()
) -> Report:
    post = Post("champion", (("reviewer", 2), ("admin", 1)), ("routing.yaml",))
    return Handover(tickets, cues, events, nothing(), policy, post, NOW).report()


def test_the_handover_counts_open_tickets_by_desk_and_clock(policy: Policy) -> None:
    hour = timedelta(hours=1)
    tickets = [
        OpenTicket("T1", "计量班", "open", safety=False, due=NOW - hour),
        OpenTicket("T2", "计量班", "reviewed", safety=True, due=NOW + hour),
        OpenTicket("T3", "电费核算班", "open", safety=False, due=NOW + 30 * hour),
        OpenTicket("T4", "电费核算班", "open", safety=False, due=None),
    ]
    blocks = _handover(policy, tickets, []).sections[0].blocks
    assert isinstance(blocks[1], Table)
    assert isinstance(blocks[2], Table)
    assert blocks[1].rows == (("计量班", 1, 1, 0, 0, 0, 2), ("电费核算班", 0, 0, 1, 0, 1, 2))
    assert [line[0] for line in blocks[2].rows] == ["T2", "T1", "T3"]


def test_the_handover_lists_cues_that_wait_or_end_soon_and_names_no_key(policy: Policy) -> None:
    soon = NOW + timedelta(days=5)
    cues = [
        WaitingCue("T1", "malicious", State.COMPLETE, "城关供电所", NOW, None),
        WaitingCue("T2", "theft", State.ACTIVE, None, NOW, soon),
        WaitingCue("T3", "theft", State.ACTIVE, None, NOW, NOW + timedelta(days=200)),
        WaitingCue("T4", "arrears", State.CANDIDATE, None, NOW, None),
    ]
    report = _handover(policy, [], cues)
    table = report.sections[1].blocks[0]
    assert isinstance(table, Table)
    assert [line[0] for line in table.rows] == ["T1", "T2", "T4"]
    assert "两人确认" in str(table.rows[0][-1])
    assert "不确认" in str(table.rows[2][-1])
    assert report.sections[4].blocks[0].rows == (("reviewer", 2), ("admin", 1))  # type: ignore[union-attr]
    assert "routing.yaml" in report.sections[5].blocks[0].see  # type: ignore[union-attr]


def test_the_handover_names_the_filing_of_a_known_event(policy: Policy) -> None:
    event = Event(
        1, "storm_warning", NOW, NOW + timedelta(days=1), "暴雨橙色预警", NOW, county="安平县", filing="R3_DISASTER"
    )
    words = _words(_handover(policy, [], [], [event]))
    assert "灾害或预警恶劣天气" in words
    assert "暴雨橙色预警" in words
