import json

import pytest

from model.pipeline import Pipeline
from model.ticket import LabelledTicket
from training.evaluate import evaluate

KEYS = {
    "n", "category", "group_macro_f1", "secondary", "flags", "theft_role", "filing", "safety", "escalation",
    "calibration", "selective", "slices", "ci95", "baselines",
}  # fmt: skip


@pytest.fixture(scope="module")
def report(linear_pipeline: Pipeline, held_side: tuple[LabelledTicket, ...]) -> dict:
    return evaluate(linear_pipeline, held_side, rounds=200)[0]


def test_the_report_has_the_keys_of_the_contract_and_is_json(report: dict) -> None:
    assert set(report) >= KEYS
    assert json.loads(json.dumps(report)) == report
    assert set(report["flags"]["malicious"]) == {
        "p",
        "r",
        "f1",
        "ap",
        "n",
        "false_alarms_per_1000",
        "precision_at_prevalence",
    }
    assert set(report["flags"]["malicious"]["precision_at_prevalence"]) == {"0.05", "0.01", "0.005"}
    assert set(report["selective"]) == {"coverage_at_precision_95", "auto_rate", "auto_precision", "aurc"}
    assert {"p", "r", "f1", "n"} == set(report["category"]["per_leaf"]["billing.charge"])


def test_counts_add_up(report: dict, held_side: tuple[LabelledTicket, ...]) -> None:
    assert report["n"] == len(held_side)
    assert sum(leaf["n"] for leaf in report["category"]["per_leaf"].values()) == len(held_side)


def test_intervals_hold_the_figure_they_belong_to(report: dict) -> None:
    low, high = report["ci95"]["category.macro_f1"]
    assert low <= report["category"]["macro_f1"] <= high


def test_precision_falls_where_a_flag_is_rarer(report: dict) -> None:
    for flag in report["flags"].values():
        rare = flag["precision_at_prevalence"]
        assert rare["0.05"] >= rare["0.01"] >= rare["0.005"]


def test_the_linear_classifier_beats_rules_and_rules_beat_the_majority(report: dict) -> None:
    base = report["baselines"]
    assert report["category"]["macro_f1"] > base["rules"]["macro_f1"] > base["majority"]["macro_f1"]


def test_the_html_report_is_one_offline_file(linear_pipeline: Pipeline, held_side, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from training.report import write_report

    report, data = evaluate(linear_pipeline, held_side[:60], rounds=20)
    write_report(report, data, linear_pipeline, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"report.html", "report.json", "errors.csv"}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "恶意诉求" in page
