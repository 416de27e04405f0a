"""Shadow run: what is counted, when a leaf may be switched on, and what the page shows."""

import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import yaml

from model.errors import UnreadableInput
from model.pipeline import Pipeline
from model.policy import Policy, load_policy
from model.policy.load import find_file
from model.rows import Row
from tests.changed_policy import write_changed_policy
from training.shadow import OFF, ON, TOO_FEW, Assumptions, fewest, hours, judge, shadow_report, share
from training.shadow_case import AVOIDED, BOTH_WRONG, CAUSED, OTHER, ShadowCase, Way, desk_of
from training.shadow_page import About, disagreements, page, setting, told, write_shadow
from training.shadow_rows import Decided, cases_from_rows, cases_from_store

CHARGE, OUTAGE = Way("billing.charge", "电费核算班"), Way("other.outage", "供电服务指挥中心")
DEVICE = Way("metering.device", "计量班")
ASSUMED = Assumptions("t", by_hand=6, check=2, wrong_route=60, confidence=0.9)


def _case(first: Way = CHARGE, ours: Way = CHARGE, final: Way | None = None, *, ready: bool = True) -> ShadowCase:
    reasons = () if ready else ("low_confidence",)
    return ShadowCase("1", "电费多扣了<b>两百块", first, final, ours, 0.9, ready, reasons, ((0, 2),), "linear-1")


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (_case(), OTHER),
        (_case(final=OUTAGE, ours=OUTAGE), AVOIDED),
        (_case(final=OUTAGE, ours=OUTAGE, ready=False), AVOIDED),
        (_case(ours=OUTAGE), CAUSED),
        (_case(ours=OUTAGE, ready=False), OTHER),
        (_case(final=OUTAGE, ours=DEVICE), BOTH_WRONG),
        (_case(final=CHARGE, ours=OUTAGE), CAUSED),
    ],
)
def test_a_ticket_counts_as_what_became_of_it(case: ShadowCase, outcome: str) -> None:
    assert case.outcome == outcome


def test_where_nobody_noted_a_leaf_desks_are_compared() -> None:
    assert _case(first=Way(None, "电费核算班")).same_leaf
    assert not _case(first=Way(None, "计量班")).same_leaf


def test_hours_count_work_by_hand_looks_and_wrong_routes() -> None:
    cases = [_case(), _case(ready=False), _case(ours=OUTAGE), _case(final=OUTAGE, ours=OUTAGE)]
    assert hours(cases, ("billing.charge", "other.outage"), ASSUMED) == {
        "by_hand": round((4 * 6 + 60) / 60, 2),
        "with_triage": round((2 + 60) / 60, 2),  # one look, one wrong route of ours, none of the people's
        "saved": round((4 * 6 + 60 - 62) / 60, 2),
    }
    nothing_on = hours(cases, (), ASSUMED)["with_triage"]
    assert nothing_on == round(
        (4 * 2 + 2 * 6 + 60) / 60, 2
    )  # four looks, two of them not taken, the people's mistake stays


@pytest.mark.parametrize(
    ("k", "n", "verdict"),
    [(45, 45, ON), (44, 44, TOO_FEW), (0, 0, TOO_FEW), (76, 77, ON), (97, 100, TOO_FEW), (47, 50, OFF), (10, 20, OFF), (9, 10, TOO_FEW)],
)  # fmt: skip
def test_a_leaf_is_switched_on_only_when_the_lower_bound_reaches_the_target(k: int, n: int, verdict: str) -> None:
    assert judge(k, n, 0.95, 0.9)[0] == verdict
    assert fewest(0.95, 0.9) == 45


def test_a_share_has_a_wilson_interval() -> None:
    assert share(8, 10)["ci95"] == [0.4902, 0.9433]  # Wilson 1927
    assert share(0, 0) == {"k": 0, "n": 0, "share": None, "ci95": None}


def test_the_report_counts_routes_load_and_the_leaves_that_may_be_on(policy: Policy) -> None:
    cases = [_case()] * 50 + [_case(ours=OUTAGE)] * 2 + [_case(ready=False)] * 8 + [_case(OUTAGE, CHARGE, CHARGE)] * 3
    report = shadow_report(cases, policy, ASSUMED)
    assert report["n"] == 63
    assert report["routes"] == {
        "wrong_by_hand": 3, "avoided_unread": 3, "avoided_if_accepted": 0, "caused": 2, "both_wrong": 0,
    }  # fmt: skip
    assert report["setting"] == ["billing.charge"]
    rows = {row["leaf"]: row for row in report["switch"]}
    assert (rows["billing.charge"]["k"], rows["billing.charge"]["n"]) == (53, 53)
    assert rows["billing.charge"]["verdict"] == ON
    assert rows["other.outage"]["verdict"] == OFF
    assert rows["billing.tariff"]["verdict"] == TOO_FEW
    assert report["review_load"]["all_on"]["k"] == 8
    assert report["review_load"]["chosen_on"]["k"] == 10
    assert report["review_load"]["reasons"] == {"low_confidence": 8}
    assert report["by_desk"]["电费核算班"]["n"] == 63


def test_the_setting_it_prints_can_be_copied_into_decision_yaml(policy: Policy, tmp_path: Path) -> None:
    report = shadow_report([_case()] * 50, policy, ASSUMED)
    text = find_file(tmp_path, "decision.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("auto_leaves")]
    (tmp_path / "decision.yaml").write_text("\n".join([*kept, setting(report, _about().made)]), encoding="utf-8")
    decision = load_policy(tmp_path).decision
    assert decision.auto_on("billing.charge")
    assert not decision.auto_on("other.outage")


def _about() -> About:
    from datetime import date

    return About("文件 x.csv", date(2026, 11, 23), ("注意一件事",))


def test_every_disagreement_is_listed_what_would_go_wrong_first(policy: Policy) -> None:
    cases = [_case(), _case(ours=DEVICE, ready=False), _case(final=OUTAGE, ours=OUTAGE), _case(ours=OUTAGE)]
    rows = disagreements(cases, policy)
    assert [row["outcome"] for row in rows] == [CAUSED, AVOIDED, OTHER]
    assert rows[0]["ours"].endswith("供电服务指挥中心")
    assert rows[0]["evidence"] == ["电费"]


@pytest.mark.parametrize("kind", ["html", "json", "xlsx"])
def test_each_kind_of_report_tells_the_same(policy: Policy, tmp_path: Path, kind: str) -> None:
    cases = [_case()] * 50 + [_case(ours=OUTAGE)]
    report, path = shadow_report(cases, policy, ASSUMED), tmp_path / f"s.{kind}"
    write_shadow(report, disagreements(cases, policy), _about(), path)
    if kind == "xlsx":
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == ["总览", "小类开关", "分歧工单"]
        assert ON in [cell.value for row in book["小类开关"] for cell in row]
        return
    text = path.read_text(encoding="utf-8")
    assert "注意一件事" in text
    if kind == "json":
        assert json.loads(text)["disagreements"][0]["outcome"] == CAUSED
    else:
        assert "auto_leaves: [billing.charge]" in text
        assert "<mark>电费</mark>" in text
        assert "&lt;b&gt;" in text
        assert "<b>两百块" not in text
        assert not any(word in text for word in ("http://", "https://", "<script"))


def test_another_ending_is_refused(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"\.html"):
        write_shadow(shadow_report([_case()], policy, ASSUMED), [], _about(), tmp_path / "s.pdf")


def test_the_terminal_shows_no_word_of_a_ticket(policy: Policy) -> None:
    cases = [_case(ours=OUTAGE)]
    text = told(shadow_report(cases, policy, ASSUMED), disagreements(cases, policy))
    assert "会派错而人工派对 1 条" in text
    assert "两百块" not in text


def test_a_file_may_give_leaves_by_code_or_name_and_desks(rules_pipeline: Pipeline) -> None:
    rows = [
        {"content": "停电三小时了没人管", "category": "other.outage"},
        {"受理内容": "我叫张伟,电费多扣了两百块", "小类": "电费", "最终班组": "计量班"},
        {"content": "电表黑屏了", "班组": "计量班"},
    ]
    cases, problems = cases_from_rows(
        [Row(n, {"content": r.get("受理内容"), **r}) for n, r in enumerate(rows, 1)], rules_pipeline
    )
    assert problems == []
    policy = rules_pipeline.policy
    assert cases[0].first == Way("other.outage", desk_of("other.outage", (), policy))
    assert cases[1].first == Way("billing.charge", "电费核算班")
    assert cases[1].final == Way(None, "计量班")
    assert "张伟" not in cases[1].text
    assert cases[2].first == Way(None, "计量班")
    assert not any(case.ready for case in cases)  # rules alone send nothing unread


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"content": "停电了很久"}, ["第 7 行", "category"]),
        ({"content": "停电了很久", "category": "billing.water"}, ["billing.water", "billing.charge(电费)"]),
        ({"content": "停电了很久", "desk": "火星班"}, ["火星班", "desks"]),
        ({"content": "", "category": "other.outage"}, ["第 7 行", "正文"]),
        ("只有正文", ["第 7 行", "只有正文"]),
    ],
)
def test_a_row_without_a_usable_decision_is_told_with_its_mend(
    rules_pipeline: Pipeline, row: object, words: list[str]
) -> None:
    cases, problems = cases_from_rows([Row(7, row)], rules_pipeline)
    assert cases == []
    assert all(word in problems[0] for word in words), problems


def test_a_stored_ticket_is_judged_by_its_prediction_of_the_time(rules_pipeline: Pipeline, tmp_path: Path) -> None:
    from model.ticket import Ticket

    (prediction,) = rules_pipeline.predict([Ticket("电费多扣了两百块,给我退")])
    body = {**prediction.to_dict(), "decision": "review", "reasons": ["auto_off"]}
    reviews = (("other.outage", ()), ("billing.charge", ("other.misc",)))
    (case,), left = cases_from_store([Decided("T1", "电费多扣了两百块,给我退", body, reviews)], rules_pipeline.policy)
    assert (left, case.ready, case.ours.leaf) == (0, True, "billing.charge")
    assert (case.first.leaf, case.final) == ("other.outage", Way("billing.charge", "电费核算班"))
    assert case.outcome == AVOIDED
    later = load_policy(write_changed_policy(tmp_path))
    (again,), _ = cases_from_store([Decided("T1", case.text, body, reviews)], later)
    assert again.ours.leaf == "billing.bill"
    split = (("other.grid_facility", ()),)
    assert cases_from_store([Decided("T1", case.text, body, split)], later) == ([], 1)


def test_no_flag_changes_a_shadow_run(linear_pipeline: Pipeline) -> None:
    """Hard rule 1: the same tickets with every flag raised, and with none, give the same report."""
    rows = [Row(n, {"content": t, "category": c}) for n, (t, c) in enumerate(
        [("停电三小时了没人管", "other.outage"), ("你们查电的说我偷电,我没偷,不承认", "other.misc"), ("电费多扣了两百块", "billing.charge")], 1
    )]  # fmt: skip
    reports = []
    for threshold in (-1.0, 2.0):
        bundle = linear_pipeline.bundle
        assert bundle is not None
        joints = bundle.calibration.cues
        cues = {n: j if n in ("safety", "escalation") else replace(j, threshold=threshold) for n, j in joints.items()}
        forced = replace(bundle, calibration=replace(bundle.calibration, cues=cues))
        cases, _ = cases_from_rows(rows, Pipeline(linear_pipeline.policy, forced))
        reports.append((shadow_report(cases, linear_pipeline.policy, ASSUMED), cases))
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    "change",
    [
        {"minutes": {"by_hand": 1}},
        {"minutes": {"by_hand": -1, "check": 1, "wrong_route": 1}},
        {"confidence": 3},
        {"more": 1},
    ],
)
def test_wrong_assumptions_are_refused(tmp_path: Path, change: dict) -> None:
    path = tmp_path / "a.yaml"
    good = {"version": "2", "minutes": {"by_hand": 1, "check": 1, "wrong_route": 1}, "confidence": 0.9}
    path.write_text(yaml.safe_dump(good), encoding="utf-8")
    assert Assumptions.read(path).version == "2"
    path.write_text(yaml.safe_dump(good | change), encoding="utf-8")
    with pytest.raises(UnreadableInput):
        Assumptions.read(path)


def test_a_page_of_agreement_says_so(policy: Policy) -> None:
    report = shadow_report([_case()], policy, ASSUMED)
    assert "没有分歧" in page(report, [], _about())
