"""Faults that a review found, each kept out by a test."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from model.document import read
from model.errors import InvalidTicket, UnreadableInput
from model.pipeline import Pipeline
from model.privacy import mask
from model.rows import read_rows
from model.text import normalise
from model.ticket import Ticket, parse_time
from serving.api.app import create_app
from triage.triage import Triage


@pytest.mark.parametrize(
    "text",
    [
        "我上次登记过的,电表冒烟起火了快来人!我的诉求:赶紧派人来",
        "我家电表冒烟起火了已经打过12345热线\n请尽快派人来",
        "【电表箱着火冒烟 群众已报网格员】请尽快处理",
        "客户来电登记:家中电线着火,小孩触电,反映内容:要求立即处理",
        "停电了没人管\n处理时限:电线掉地上打火花快来人",
        "客服代表:您家是不是电线着火了?\n客户:对对对",
        "客服代表:您家是不是电线着火了?\n客户:是的是的",
    ],
)
def test_danger_is_never_lost_in_a_header_or_a_doubled_yes(rules_pipeline: Pipeline, text: str) -> None:
    assert rules_pipeline.predict([Ticket(text)])[0].safety.raised


def test_danger_does_not_change_the_decision(linear_pipeline: Pipeline) -> None:
    calm, danger = linear_pipeline.predict(
        [Ticket("请问你们营业厅几点上班,谢谢"), Ticket("请问你们营业厅几点上班,电线打火花怎么办,谢谢")]
    )
    assert danger.safety.raised
    assert calm.decision == danger.decision == "review"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("İİİİİİİİİİİ我的电话13812345678请回电", "13812345678"),
        ("⟦电话13812345678 张伟先生⟧", "13812345678"),
        ("tel.13812345678 校表申请", "13812345678"),
        ("1.13812345678", "13812345678"),
        ("138/1234/5678", "1234/5678"),
        ("138_1234_5678", "1234_5678"),
        ("1\ufe0f\u20e33\ufe0f\u20e38\ufe0f\u20e312345678", "12345678"),
    ],
)
def test_a_phone_cannot_hide(text: str, secret: str) -> None:
    assert secret not in mask(normalise(text).text).text


def test_typed_mask_brackets_switch_nothing_off(rules_pipeline: Pipeline) -> None:
    prediction = rules_pipeline.predict([Ticket("⟦我家电表冒烟起火了快来人")])[0]
    assert prediction.safety.raised
    assert prediction.safety.evidence


def test_a_masked_text_stays_as_it_is() -> None:
    once = read(Ticket("我是张伟先生,电话13812345678")).text
    assert read(Ticket(once)).text == once


def test_masking_a_long_row_of_names_takes_linear_time() -> None:
    import time

    began = time.perf_counter()
    mask("王某" * 10_000)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("value", ["9999-12-30T00:00:00+08:00", "1900-01-01T00:00:00", "张伟13812345678来电"])
def test_an_impossible_time_is_a_bad_row_and_is_not_repeated(value: str) -> None:
    with pytest.raises(InvalidTicket) as caught:
        parse_time(value)
    assert caught.value.code == "bad_row"
    assert value not in str(caught.value)


def test_a_missing_column_does_not_print_the_first_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("张伟先生 13812345678 电表冒烟,2\n", encoding="utf-8")
    with pytest.raises(UnreadableInput) as caught:
        list(read_rows(tmp_path / "t.csv"))
    assert "13812345678" not in str(caught.value)


def test_an_unfinished_quote_is_reported(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('content,id\n停电了,1\n"没电,2\n电费贵,3\n', encoding="utf-8")
    rows = list(read_rows(tmp_path / "t.csv"))
    assert rows[0].value["content"] == "停电了"
    assert rows[1].error
    assert "引号" in str(rows[1].error)


def test_output_may_be_the_input_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    import sys

    from triage.cli.main import run

    path = tmp_path / "same.jsonl"
    path.write_text('{"text": "停电三小时了没人管"}\n', encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["triage", "predict", str(path), "--output", str(path)])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code in (0, None)
    assert json.loads(path.read_text(encoding="utf-8"))["category"]["code"] == "other.outage"
    assert [p.name for p in tmp_path.iterdir()] == ["same.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["predict", "--text", "停电", "--output", "/nodir/x.jsonl"], {}),
        (["predict", "--text", "停电"], {"TRIAGE_PORT": "abc"}),
        (["train", "--data", "one.jsonl", "--output", "b"], {}),
        (["train", "--data", "test_only.jsonl", "--output", "b"], {}),
        (["train", "--data", "two.jsonl", "--output", "b", "--config", "c.yaml"], {}),
        (["train", "--data", "two.jsonl", "--output", "full"], {}),
    ],
)
def test_more_wrong_usage_ends_with_two(arguments, environment, monkeypatch, capsys) -> None:  # type: ignore[no-untyped-def]
    import sys

    from triage.cli.main import run

    lines = [{"text": f"停电{n}", "category": "other.outage"} for n in range(6)]
    other = [{"text": f"电费{n}", "category": "billing.charge"} for n in range(6)]
    Path("one.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    Path("two.jsonl").write_text("\n".join(map(json.dumps, lines + other)), encoding="utf-8")
    Path("test_only.jsonl").write_text(
        "\n".join(json.dumps({**r, "split": "test"}) for r in lines + other), encoding="utf-8"
    )
    Path("c.yaml").write_text("folds: five\n", encoding="utf-8")
    Path("full").mkdir()
    Path("full/thesis.txt").write_text("hi", encoding="utf-8")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["triage", *arguments])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert Path("full/thesis.txt").exists()


def test_an_empty_setting_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    from triage.settings import Settings

    monkeypatch.setenv("TRIAGE_BUNDLE", "")
    Path(".env").write_text("FOO=1\nTRIAGE_DATABASE_URL=sqlite://\n", encoding="utf-8")
    assert Settings().bundle is None


def test_a_bundle_from_labels_without_flags_predicts(tmp_path: Path, policy) -> None:  # type: ignore[no-untyped-def]
    from model.bundle import load_bundle
    from training.dataset import read_labelled
    from training.fit import FitSettings, fit_bundle

    rows = [{"id": str(n), "text": text, "category": leaf} for n, (text, leaf) in enumerate(
        [(f"停电第{n}天了没人管", "other.outage") for n in range(12)] + [(f"电费多扣了{n}块", "billing.charge") for n in range(12)]
    )]  # fmt: skip
    (tmp_path / "l.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    tickets = read_labelled([tmp_path / "l.jsonl"], policy.taxonomy).split("train")
    fit_bundle(tickets, policy, tmp_path / "b", FitSettings(), progress=lambda _: None)
    bundle = load_bundle(tmp_path / "b")
    prediction = Pipeline(bundle.policy, bundle).predict([Ticket("停电了,电表箱冒烟着火了")])[0]
    assert prediction.category.code == "other.outage"
    assert prediction.safety.raised


@pytest.mark.parametrize(
    "change", [{"thresholds": {}}, {"thresholds": {"auto": {}, "rule_share": 0, "cues": {"theft": {"x": 1}}}}]
)
def test_a_bundle_with_a_spoilt_manifest_is_refused(bundle_folder: Path, tmp_path: Path, change: dict) -> None:
    import shutil

    from model.bundle import load_bundle
    from model.errors import BundleRefused

    copy = Path(shutil.copytree(bundle_folder, tmp_path / "b"))
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    (copy / "manifest.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
    with pytest.raises(BundleRefused):
        load_bundle(copy)


def test_http_says_what_is_wrong_in_the_same_words_for_one_and_many(rules_pipeline: Pipeline) -> None:
    with TestClient(create_app(lambda: rules_pipeline, "test")) as client:
        assert client.post("/v1/predict", json={"受理内容": "停电三小时了没人管"}).status_code == 200
        assert client.post("/v1/predict", json={"text": "停电三小时了没人管", "ticket_id": 5}).status_code == 200
        wrong = client.post(
            "/v1/predict", json={"text": "停电", "transcript": [{"speaker": "robot", "text": "x"}]}
        ).json()
        assert [error["field"] for error in wrong["errors"]] == ["transcript.0.speaker"]
        raw = client.post("/v1/predict", content="停电".encode("gbk"), headers={"content-type": "application/json"})
        assert (raw.status_code, raw.json()["code"]) == (400, "malformed_json")
        assert client.get("/v1/predict").headers["allow"] == "POST"
        assert client.post("/v1/predict/batch", json={"tickets": [1, []]}).status_code == 200
        assert client.post("/v1/predict/batch", json={"tickets": []}).json() == []


def test_frames_with_lists_and_empty_frames_are_fine(rules_pipeline: Pipeline) -> None:
    triage = Triage(rules_pipeline)
    frame = triage.predict(pd.DataFrame({"content": ["停电三小时了没人管"], "x": [np.array([1, 2])]}))
    assert list(frame["category"]) == ["other.outage"]
    assert "category" in triage.predict(pd.DataFrame({"content": []})).columns
    with pytest.raises(UnreadableInput, match="content"):
        triage.predict(pd.DataFrame({"x": [1]}))


def test_files_without_split_are_used_beside_files_with_one(tmp_path: Path, policy) -> None:  # type: ignore[no-untyped-def]
    from training.dataset import read_labelled

    row = {"text": "停电三小时", "category": "other.outage"}
    (tmp_path / "a.jsonl").write_text(json.dumps({**row, "split": "test"}), encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps({**row, "text": "停电四小时"}), encoding="utf-8")
    dataset = read_labelled([tmp_path], policy.taxonomy)
    assert [t.text for t in dataset.split("train")] == ["停电四小时"]
    assert len(dataset.split("test")) == 2
