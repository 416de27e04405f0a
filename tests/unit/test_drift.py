"""Drift: the tests behind it, what is said of a change, and silence where there is none or too little is known."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from model.errors import UnreadableInput
from model.pipeline import Pipeline
from model.policy import Policy
from model.segmenter import Segmenter
from model.ticket import LabelledTicket, Ticket
from training.drift import CHANGED, FEW, SAME, DriftOptions, drift_report
from training.drift_page import AboutDrift, told, write_drift
from training.drift_sample import COLUMNS, drift_sample
from training.drift_tests import changed_words, domain, rank_p, share_p

LEAF = "metering.replacement"
ABOUT = AboutDrift("本月", "上月", date(2026, 11, 23), ("先说一件事",))


@pytest.fixture(scope="module")
def flow(labelled: tuple[LabelledTicket, ...], policy: Policy) -> pd.DataFrame:
    """Real tickets of the samples with their labels as leaves: what is tested here is the comparison."""
    tickets = [ticket for ticket in labelled if ticket.split != "train"]
    segmenter = Segmenter(policy.dictionary)
    values = np.random.default_rng(0).random(len(tickets))
    rows = [
        {"text": t.text, "words": " ".join(segmenter.cut(t.text)), "leaf": t.category, "confidence": value,
         "abstained": value < 0.2, "length": len(t.text), "unknown": value / 5, "overridden": float(value < 0.1)}
        for t, value in zip(tickets, values, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def campaign(flow: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """200 tickets, a fifth of them about changed meters, against 400 with one in 33."""
    mine, rest = flow[flow["leaf"] == LEAF], flow[flow["leaf"] != LEAF]
    return pd.concat([mine[:40], rest[:160]]), pd.concat([mine[40:52], rest[160:548]])


def _outcomes(report: dict) -> dict[str, str]:
    return {figure["name"]: figure["outcome"] for figure in report["figures"]}


def test_a_meter_change_campaign_is_named_within_200_tickets_with_its_words(
    campaign: tuple[pd.DataFrame, pd.DataFrame], policy: Policy
) -> None:
    report = drift_report(*campaign)
    assert _outcomes(report)[f"leaf:{LEAF}"] == CHANGED
    assert any("换表" in word["word"] for word in report["words"]["more"])
    lines = told(report, policy.taxonomy)
    assert any("小类「轮换户表改造」占比 升:3.0% → 20.0%" in line for line in lines)
    assert any(line.startswith("多了的词") and "换表" in line for line in lines)
    assert lines[-1].startswith(f"先看:「轮换户表改造」({LEAF})")


def test_two_samples_of_one_flow_are_hardly_ever_called_different(flow: pd.DataFrame, policy: Policy) -> None:
    draws = [flow.sample(frac=1, random_state=seed) for seed in range(20)]
    reports = [drift_report(draw[:200], draw[200:600]) for draw in draws]
    silent = [report for report in reports if set(_outcomes(report).values()) == {SAME}]
    assert len(silent) >= 19  # one in twenty is what the tests allow themselves
    for report in silent:
        assert report["words"] == {"more": [], "fewer": []}
        assert told(report, policy.taxonomy) == ["本期 200 条,对照期 400 条:未见变化"]


def test_too_few_tickets_give_no_alarm_but_say_so(campaign: tuple[pd.DataFrame, pd.DataFrame], policy: Policy) -> None:
    report = drift_report(campaign[0][:49], campaign[1])
    assert not report["enough"]
    assert told(report, policy.taxonomy) == ["样本不足:本期 49 条、对照期 400 条,每期至少要 50 条才能判断"]


def test_overrides_are_compared_only_where_enough_tickets_were_looked_at(flow: pd.DataFrame, policy: Policy) -> None:
    now, before = flow[:200].copy(), flow[200:600]
    now["overridden"] = [1.0] * 29 + [np.nan] * 171
    report = drift_report(now, before)
    assert _outcomes(report)["overridden"] == FEW
    assert "改判占比(人看过的):样本不足(29 与 400 条)" in told(report, policy.taxonomy)
    now["overridden"] = [1.0] * 30 + [np.nan] * 170
    report = drift_report(now, before)
    assert _outcomes(report)["overridden"] == CHANGED
    assert any("先用 triage shadow" in line for line in told(report, policy.taxonomy))


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("length", 10, "正文长度"),
        ("unknown", 0.9, "生词占比"),
        ("confidence", 0.1, "置信度"),
        ("abstained", True, "送审占比"),
    ],
)
def test_each_figure_is_named_when_it_changes(
    flow: pd.DataFrame, policy: Policy, column: str, value: object, word: str
) -> None:
    now = flow[:200].copy()
    now.loc[now.index[:120], column] = value
    report = drift_report(now, flow[200:600])
    assert _outcomes(report)[column] == CHANGED
    assert any(line.startswith(word) for line in told(report, policy.taxonomy))


def test_a_small_change_of_many_tickets_is_no_change(flow: pd.DataFrame) -> None:
    many, options = pd.concat([flow] * 8), DriftOptions(least_share=0.3)
    changed = many.copy()
    changed["abstained"] = np.random.default_rng(1).random(len(many)) < 0.4
    figures = {f["name"]: f for f in drift_report(changed[:3000], many[:3000], options)["figures"]}
    assert figures["abstained"]["q"] < 0.001
    assert figures["abstained"]["outcome"] == SAME


def test_the_test_of_shares_is_fishers_with_the_smaller_side_twice() -> None:
    now, before = np.array([0, 5, 40, 100]), np.array([3, 5, 12, 200])
    found = share_p(now, 100, before, 200)
    for k, j, p in zip(now, before, found, strict=True):
        table = [[k, 100 - k], [j, 200 - j]]
        sides = [fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
        assert p == pytest.approx(min(1.0, 2 * min(sides)))


def test_ranks_of_equal_numbers_are_no_change() -> None:
    assert rank_p(np.ones(20), np.ones(30)) == (1.0, 0.5)
    p, above = rank_p(np.arange(50.0) + 30, np.arange(50.0))
    assert p < 0.001
    assert above > 0.7


def test_words_that_changed_leave_out_numbers_placeholders_and_rare_ones() -> None:
    now = ["换表 没 通知 ⟦电话⟧ 0 abc"] * 30 + ["停电 很久 稀罕"] * 5 + ["停电"] * 25
    before = ["停电 很久"] * 60
    found = {word.word: (word.now, word.before) for word in changed_words(now, before, alpha=0.05, fewest=10)}
    assert found == {"换表": (30, 0), "通知": (30, 0), "停电": (30, 60), "很久": (5, 60)}
    assert changed_words(["a"], ["b"], alpha=0.05, fewest=10) == []


def test_the_classifier_tells_other_texts_apart_and_the_same_ones_not(flow: pd.DataFrame) -> None:
    mine, rest = flow[flow["leaf"] == LEAF], flow[flow["leaf"] != LEAF]
    p, auc = domain(list(mine["text"]), list(rest["text"][:200]), (list(mine["words"]), list(rest["words"][:200])), 0)
    assert p < 1e-6
    assert auc > 0.9
    same = ["停电很久了"] * 60
    assert domain(same, same, (same, same), 0) == (1.0, 0.5)


def test_a_sample_is_masked_and_knows_no_unknown_words_without_a_bundle(rules_pipeline: Pipeline) -> None:
    frame = drift_sample([Ticket("我叫张伟,电话13812345678,停电了")] * 2, [True, None], rules_pipeline)
    assert tuple(frame.columns) == COLUMNS
    assert "13812345678" not in frame["text"][0]
    assert frame["unknown"].isna().all()
    assert frame["overridden"][0] == 1.0
    assert np.isnan(frame["overridden"][1])
    assert drift_sample([], [], rules_pipeline).empty


@pytest.mark.parametrize("kind", ["html", "json"])
def test_each_kind_of_report_tells_what_changed(
    campaign: tuple[pd.DataFrame, pd.DataFrame], policy: Policy, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"d.{kind}"
    write_drift(drift_report(*campaign), ABOUT, policy.taxonomy, path)
    text = path.read_text(encoding="utf-8")
    assert "轮换户表改造" in text
    assert "换表" in text
    assert "先说一件事" in text
    assert not any(ticket in text for ticket in campaign[0]["text"] if len(ticket) > 10)
    if kind == "json":
        assert json.loads(text)["told"]
    else:
        assert not any(word in text for word in ("http://", "https://", "<script"))


def test_another_ending_is_refused(campaign: tuple[pd.DataFrame, pd.DataFrame], policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"\.html"):
        write_drift(drift_report(*campaign), ABOUT, policy.taxonomy, tmp_path / "d.xlsx")


def test_a_page_of_too_few_tickets_is_short(flow: pd.DataFrame, policy: Policy, tmp_path: Path) -> None:
    write_drift(drift_report(flow[:3], flow[3:6]), ABOUT, policy.taxonomy, tmp_path / "d.html")
    text = (tmp_path / "d.html").read_text(encoding="utf-8")
    assert "样本不足" in text
    assert "逐项" not in text
