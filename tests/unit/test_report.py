"""The files of an evaluation: what a reader sees, and that they are safe to pass on."""

import csv
import json
import re
from pathlib import Path

import pytest
from jinja2 import Environment, PackageLoader

from model.pipeline import Pipeline
from model.policy import Policy
from model.ticket import LabelledTicket
from training.evaluate import evaluate
from training.evaluated import run
from training.mistakes import COLUMNS, beginning, mistakes
from training.report import by_kind, most_confused, write_report

FILES = {"report.html", "report.json", "errors.csv"}


def _ticket(name: str, text: str, leaf: str, **more: object) -> LabelledTicket:
    return LabelledTicket(id=name, text=text, category=leaf, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(
    linear_pipeline: Pipeline,
    held_side: tuple[LabelledTicket, ...],
    train_side: tuple[LabelledTicket, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    report, data = evaluate(linear_pipeline, held_side, rounds=20, train=train_side[:300])
    out = tmp_path_factory.mktemp("report") / "out"
    write_report(report, data, pipeline=linear_pipeline, folder=out, train=train_side)
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def _errors(folder: Path) -> list[dict[str, str]]:
    with (folder / "errors.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_html_report_is_one_offline_file(folder: Path, page: str) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    assert "http://" not in page
    assert "https://" not in page
    assert not re.search(r"<(?:link|script|img|iframe)\b|@import|url\(", page)
    assert "恶意诉求" in page
    assert len(page.encode()) < 1_000_000


def test_both_plots_hold_the_numbers_of_the_report(folder: Path, page: str) -> None:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(plots) == 2
    assert plots[0].count("<rect") == plots[0].count("<circle") == len(report["calibration"]["bins"])
    points = re.search(r'points="([^"]+)"', plots[1])
    assert points is not None
    assert len(points[1].split()) == len(report["selective"]["curve"])


def test_a_plot_puts_a_point_where_it_belongs() -> None:
    plots = (
        Environment(loader=PackageLoader("training", "templates"), autoescape=True).get_template("plots.html").module
    )
    curve = [{"coverage": 0.5, "risk": 0.0, "confidence": 0.9}, {"coverage": 1.0, "risk": 0.2, "confidence": 0.1}]
    drawn = str(plots.risk_coverage({"curve": curve, "auto_rate": 0.5, "auto_precision": 0.9}))  # type: ignore[attr-defined]
    assert 'points="238.0,258.0 418.0,18.0 "' in drawn  # axes from (58, 258) to (418, 18), 0 to 20 % of mistakes
    assert re.search(r'<circle [^>]*cx="238.0" cy="138.0"', drawn)
    nothing = str(plots.risk_coverage({"curve": curve[1:], "auto_rate": 0.0, "auto_precision": 0.0}))  # type: ignore[attr-defined]
    assert "<circle" not in nothing


def test_every_mistake_stands_beside_its_three_nearest_training_tickets(
    folder: Path, page: str, train_side: tuple[LabelledTicket, ...]
) -> None:
    rows = _errors(folder)
    assert tuple(rows[0]) == COLUMNS
    assert page.count("<article") == len(rows)
    known = {ticket.id: ticket.category for ticket in train_side}
    for row in rows:
        for place in ("nearest_1", "nearest_2", "nearest_3"):
            name, leaf, similarity, *_ = row[place].split(" ", 3)
            assert known[name] == leaf
            assert 0 < float(similarity) <= 1
            assert name in page


def test_the_list_holds_each_wrong_leaf_flag_safety_and_escalation_and_nothing_else(
    linear_pipeline: Pipeline, folder: Path, held_side: tuple[LabelledTicket, ...]
) -> None:
    data = run(linear_pipeline, held_side)
    right = {
        t.id
        for t, p in zip(data.tickets, data.predictions, strict=True)
        if (t.category, t.flags, t.safety, t.escalation)
        == (p.category.code, {f for f, cue in p.flags.items() if cue.raised}, p.safety.raised, p.escalation.raised)
    }
    assert {row["id"] for row in _errors(folder)} == {t.id for t in held_side} - right


def test_missed_danger_stands_first_and_sure_mistakes_before_unsure_ones(folder: Path) -> None:
    rows = _errors(folder)
    missed = [row["safety_gold"] == "True" and row["safety_raised"] == "False" for row in rows]
    assert missed == sorted(missed, reverse=True)
    sure = [
        float(row["confidence"])
        for row, m in zip(rows, missed, strict=True)
        if not m and row["gold"] != row["proposed"]
    ]
    assert sure == sorted(sure, reverse=True)


def test_texts_are_masked_and_escaped(rules_pipeline: Pipeline, tmp_path: Path) -> None:
    text = "=停电<script>alert(1)</script>了,我叫张建国,电话13812345678,没人来修"
    tickets = [_ticket("t1", text, "billing.tariff"), _ticket("t2", "电费多收了", "billing.charge")]
    report, data = evaluate(rules_pipeline, tickets, rounds=5)
    write_report(report, data, pipeline=rules_pipeline, folder=tmp_path)
    page, table = (tmp_path / "report.html").read_text("utf-8"), (tmp_path / "errors.csv").read_text("utf-8")
    for written in (page, table, (tmp_path / "report.json").read_text("utf-8")):
        assert "13812345678" not in written
        assert "张建国" not in written
    assert "<script>" not in page
    assert _errors(tmp_path)[0]["text"].startswith("'=")


def test_rules_alone_have_a_report_without_neighbours(rules_pipeline: Pipeline, tmp_path: Path) -> None:
    tickets = [_ticket("t1", "停电三天没人修", "billing.tariff", author="x")]
    report, data = evaluate(rules_pipeline, tickets, rounds=5)
    write_report(report, data, pipeline=rules_pipeline, folder=tmp_path, train=tickets)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "只有规则" in page
    assert "不附近邻" in page
    assert report["ci95"]["category.accuracy"] is None
    assert _errors(tmp_path)[0]["nearest_1"] == ""


def test_a_report_without_a_mistake_is_written_too(rules_pipeline: Pipeline, tmp_path: Path) -> None:
    found = run(rules_pipeline, [_ticket("t1", "村里停电三天没人修", "other.outage")])
    same = [_ticket("t1", "村里停电三天没人修", found.found[0])]
    report, data = evaluate(rules_pipeline, same, rounds=5)
    write_report(report, data, pipeline=rules_pipeline, folder=tmp_path)
    assert "有误的工单(0 条)" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert _errors(tmp_path) == []


def test_the_reader_is_told_of_tickets_that_the_bundle_has_seen(
    linear_pipeline: Pipeline, train_side: tuple[LabelledTicket, ...], page: str, tmp_path: Path
) -> None:
    report, data = evaluate(linear_pipeline, train_side[:30], rounds=5)
    write_report(report, data, pipeline=linear_pipeline, folder=tmp_path)
    assert "其中 30 条工单参加过" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "参加过" not in page


def test_a_cue_that_is_missed_or_raised_for_nothing_makes_a_mistake(policy: Policy) -> None:
    pipeline = Pipeline(policy)
    text = "电线掉在地上冒火花,快来人"
    found = run(pipeline, [_ticket("t1", text, "other.misc")])
    assert found.predictions[0].safety.raised
    said = mistakes(run(pipeline, [_ticket("t1", text, found.found[0], flags=frozenset({"arrears"}))]), pipeline, ())
    assert [(m.missed, m.false, m.wrong_leaf) for m in said] == [(("arrears",), ("safety",), False)]


def test_slices_stand_under_their_kind_in_the_order_that_readers_expect() -> None:
    kinds = by_kind(
        {"length:long": {"n": 1}, "length:short": {"n": 2}, "channel:asr": {"n": 3}, "channel:fax": {"n": 4}}
    )
    assert {kind: list(rows) for kind, rows in kinds.items()} == {
        "渠道": ["channel:asr", "channel:fax"],
        "长度": ["length:short", "length:long"],
    }


def test_the_commonest_confusion_stands_first() -> None:
    assert most_confused({"a": {"a": 9, "b": 1}, "b": {"a": 3, "b": 5}}) == [(3, "b", "a"), (1, "a", "b")]


def test_the_beginning_of_a_text_is_one_line() -> None:
    assert beginning("停电\n 三天") == "停电 三天"
    assert beginning("电" * 100) == "电" * 60 + "…"
