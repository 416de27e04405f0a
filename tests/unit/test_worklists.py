"""Worklists: who is to be visited, called back or checked, found by leaf, state and wording."""

from typing import Any

import pytest

from model.policy import Policy
from serving.reports.report import Section, Table
from serving.reports.worklists import Worklists, entries
from tests.complaints import SINCE, frame_of, row


def _section(policy: Policy, kind: str, *rows: dict[str, Any]) -> Section:
    return Worklists(policy).sections(frame_of(list(rows), policy), (kind,))[0]


def _table(policy: Policy, kind: str, *rows: dict[str, Any]) -> Table:
    table = _section(policy, kind, *rows).blocks[0]
    assert isinstance(table, Table)
    return table


def _ids(policy: Policy, kind: str, *rows: dict[str, Any]) -> list[object]:
    table = _table(policy, kind, *rows)
    place = [column.name for column in table.columns].index("工单")
    return [line[place] for line in table.rows]


@pytest.mark.parametrize(
    ("kind", "leaf", "text", "wanted"),
    [
        ("high_bill_visits", "billing.charge", "这个月电费突然翻了一倍,家里没添电器", True),
        ("high_bill_visits", "metering.device", "电表跑得快,一晚上走了好多", True),
        ("high_bill_visits", "billing.charge", "发票抬头开错了,要求重开", False),
        ("high_bill_visits", "other.outage", "这个月电费突然翻了一倍", False),
        ("tariff_not_executed", "billing.tariff", "九月办的峰谷,系统显示办结,到现在账单还是一个价", True),
        ("tariff_not_executed", "billing.tariff", "申请改成居民电价,两个月了还是按商业收", True),
        ("tariff_not_executed", "billing.tariff", "咨询一户多人口要带哪几样材料", False),
        ("wrong_phones", "metering.replacement", "系统里登记的号码是前租客的,早就停机了,换表没接到通知", True),
        ("wrong_phones", "billing.charge", "预留手机号停用,收不到催费短信", True),
        ("wrong_phones", "other.grid_facility", "施工队留的电话是空号,项目部也撤了", False),
        ("new_connection_callbacks", "other.new_connection", "表已装好,昨天通电了,来电问发票", None),
    ],
)
def test_a_ticket_comes_onto_its_list(policy: Policy, kind: str, leaf: str, text: str, wanted: bool | None) -> None:
    found = _ids(policy, kind, row("T1", leaf, text, SINCE))
    assert found == (["T1"] if wanted else [])


def test_a_finished_installation_is_called_back_whatever_its_text_says(policy: Policy) -> None:
    done = row("T1", "other.new_connection", "请尽快装表", SINCE, status="closed", closed_at=SINCE)
    waiting = row("T2", "other.new_connection", "请尽快装表", SINCE)
    assert _ids(policy, "new_connection_callbacks", done, waiting) == ["T1"]


def test_a_file_without_states_is_judged_by_its_words(policy: Policy) -> None:
    told = row("T1", "other.new_connection", "表已装好,昨天通电了", SINCE, status=None)
    bill = row("T2", "billing.charge", "电费突然翻了一倍", SINCE, status=None)
    assert _ids(policy, "new_connection_callbacks", told) == ["T1"]
    assert _ids(policy, "high_bill_visits", bill) == ["T2"]


def test_a_closed_ticket_needs_no_visit(policy: Policy) -> None:
    bill = row("T1", "billing.charge", "电费突然翻了一倍", SINCE, status="closed", closed_at=SINCE)
    assert _ids(policy, "high_bill_visits", bill) == []


def test_an_estate_with_a_proven_miswiring_is_checked_home_by_home(policy: Policy) -> None:
    proven = row("T1", "metering.miswiring", "翠竹苑小区,师傅现场核对,确认两家表接反了", SINCE)
    near = row("T2", "billing.charge", "我是翠竹苑小区的,电费突然高了", SINCE)
    far = row("T3", "billing.charge", "我是滨江花园的,电费突然高了", SINCE)
    alleged = row("T4", "metering.miswiring", "锦绣家园,怀疑我家和对门的表弄反了", SINCE)
    table = _table(policy, "miswiring_homes", proven, near, far, alleged)
    assert [(line[0], line[1], line[2]) for line in table.rows] == [
        ("翠竹苑小区(城关供电所)", "已证实接错", "T1"),
        ("翠竹苑小区(城关供电所)", "先查这一户", "T2"),
    ]
    assert table.see.startswith("1 处")


def test_a_finding_counts_more_than_words(policy: Policy) -> None:
    text = "师傅现场核对,确认两家表接反了"
    untrue = row("T1", "metering.miswiring", text, SINCE, upheld=False)
    true = row("T2", "metering.miswiring", "怀疑接反", SINCE, upheld=True, station="河湾供电所")
    assert _ids(policy, "miswiring_homes", untrue, true) == ["T2"]


def test_complaints_about_conduct_are_on_no_list(policy: Policy) -> None:
    """Hard rule 6: a list goes to a station, and so to those complained of."""
    text = "登记的号码是前租客的,早停机了;营业厅的人还跟我吵"
    tickets = [
        row(code, code, text, SINCE) for code in ("hall.staff_attitude", "other.field_conduct", "billing.charge")
    ]
    assert _ids(policy, "wrong_phones", *tickets) == ["billing.charge"]


def test_every_list_says_what_to_do_with_its_section_and_an_empty_one_says_so(policy: Policy) -> None:
    sections = Worklists(policy).sections(frame_of([], policy), tuple(entries()))
    assert len(sections) == 5
    for section, entry in zip(sections, entries().values(), strict=True):
        assert entry.section in section.blocks[-1].text  # type: ignore[union-attr]
        assert "没有" in section.blocks[0].see  # type: ignore[union-attr]
        assert all(set(entry.leaves) <= set(policy.taxonomy.codes) for entry in entries().values())


def test_without_the_name_of_an_estate_only_the_proof_is_listed(policy: Policy) -> None:
    proven = row("T1", "metering.miswiring", "师傅现场核对,确认两家表接反了", SINCE)
    other = row("T2", "billing.charge", "电费突然高了", SINCE)
    table = _table(policy, "miswiring_homes", proven, other)
    assert [(line[0], line[2]) for line in table.rows] == [("小区见工单(城关供电所)", "T1")]
