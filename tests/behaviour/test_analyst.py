"""What analysts ask in Python: why, what is like it, what changed, what is wrong. With the linear bundle and rules."""

import json
from pathlib import Path

import pandas as pd
import pytest

from model.errors import InvalidLabels, NotFitted, UnknownLeaf, UnreadableInput
from model.pipeline import Pipeline
from model.ticket import LabelledTicket
from triage import Triage

ROOT = Path(__file__).parent.parent.parent
SOME = ROOT / "data" / "samples" / "a01.jsonl"
TEXT = "客户反映11月换表没通知,旧表底数没让看,电话13812345678"


@pytest.fixture(scope="module")
def triage(linear_pipeline: Pipeline) -> Triage:
    return Triage(linear_pipeline, SOME)


@pytest.fixture(scope="module")
def by_rules(rules_pipeline: Pipeline) -> Triage:
    return Triage(rules_pipeline)


@pytest.fixture(scope="module")
def held(held_side: tuple[LabelledTicket, ...]) -> pd.DataFrame:
    rows = [
        {"text": t.text, "category": t.category, "flags": sorted(t.flags), "safety": t.safety} for t in held_side[:150]
    ]
    return pd.DataFrame(rows, index=[f"r{n}" for n in range(150)])


def test_an_explanation_is_the_prediction_that_the_command_gives_with_explain(triage: Triage) -> None:
    explained = triage.explain(TEXT)
    assert explained == triage.predict(TEXT, explain=True)
    assert json.loads(json.dumps(explained, ensure_ascii=False)) == explained


def test_an_explanation_names_words_rules_and_tickets_and_never_what_was_masked(triage: Triage) -> None:
    explained = triage.explain(TEXT)
    assert {"换表", "旧表"} <= set(explained.words["text"])
    assert explained.words["weight"].is_monotonic_decreasing
    assert "replacement.no_notice" in set(explained.rules["rule"])
    assert len(explained.similar) == 3
    assert explained.encoder.empty
    html = explained._repr_html_()
    assert "13812345678" not in html
    assert "轮换户表改造" in html
    assert "编码器" not in html


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("停", "个字"),
        ("换表没通知也没给看底数,还有电费高了一倍,停电也没人管", ""),
        ("今天天气很好呀大家一起去爬山吧", ""),
    ],
)
def test_each_reason_against_auto_is_told_in_a_sentence(triage: Triage, text: str, said: str) -> None:
    explained = triage.explain(text)
    assert len(explained.why) == len(explained["reasons"])
    assert said in "".join(explained.why)
    assert not set(explained["reasons"]) & set(explained.why)


def test_with_rules_alone_an_explanation_says_so(by_rules: Triage) -> None:
    explained = by_rules.explain("停电三小时了没人管")
    assert explained["decision"] == "fallback"
    assert "没有可用的模型" in explained.why[-1]
    assert not explained.rules.empty
    assert "手边没有可比的已标注工单" in explained._repr_html_()


def test_an_empty_ticket_is_explained_as_an_error(triage: Triage) -> None:
    assert triage.explain("  ")["error"]["code"] == "empty_text"
    assert "不能当工单读" in triage.explain("  ")._repr_html_()


def test_similar_tickets_come_nearest_first_and_never_the_ticket_itself(triage: Triage) -> None:
    own = json.loads(SOME.read_text(encoding="utf-8").splitlines()[0])
    near = triage.similar(own["text"], n=5)
    assert len(near) == 5
    assert own["id"] not in set(near["id"])
    assert near["similarity"].is_monotonic_decreasing
    assert near["similarity"].between(0, 1).all()


def test_similar_needs_a_bundle_and_labelled_tickets(by_rules: Triage, linear_pipeline: Pipeline) -> None:
    with pytest.raises(UnreadableInput, match="labelled="):
        Triage(linear_pipeline, "nowhere").similar(TEXT)
    with pytest.raises(NotFitted):
        by_rules.similar(TEXT)


def test_compare_keeps_the_index_and_puts_what_flips_to_wrong_first(
    triage: Triage, by_rules: Triage, held: pd.DataFrame
) -> None:
    changes = triage.compare(by_rules, held)
    before, after = triage.predict(held), by_rules.predict(held)
    differs = before["category"] != after["category"]
    assert set(before.index[differs]) <= set(changes.index)
    right = before["category"] == held["category"]
    assert set(changes.index[changes["flip"] == "negative"]) == set(held.index[right & differs])
    gained = (after["category"] == held["category"]) & ~right
    assert set(changes.index[changes["flip"] == "positive"]) == set(held.index[gained])
    first = changes["flip"].tolist()
    assert first == sorted(first, key=["negative", "positive", ""].index)
    assert (changes["category_before"] == before.loc[changes.index, "category"]).all()


def test_nothing_changes_beside_oneself_and_without_labels_there_are_no_flips(
    triage: Triage, by_rules: Triage, held: pd.DataFrame
) -> None:
    assert triage.compare(triage, held).empty
    assert "flip" not in triage.compare(by_rules, held[["text"]]).columns


def test_compare_takes_missing_labels_and_refuses_unknown_ones(
    triage: Triage, by_rules: Triage, held: pd.DataFrame
) -> None:
    some = held.head(4).assign(category=[None, None, None, "billing.charge"])
    assert set(triage.compare(by_rules, some)["flip"]) <= {"", "negative", "positive"}
    with pytest.raises(UnknownLeaf):
        triage.compare(by_rules, held.head(1).assign(category="billing.nothing"))


def test_errors_are_exactly_the_wrong_tickets_with_what_was_learned_beside_them(
    triage: Triage, held: pd.DataFrame
) -> None:
    wrong = triage.errors(held)
    found = triage.predict(held)
    assert set(held.index[found["category"] != held["category"]]) <= set(wrong.index)
    leaf = wrong[wrong["label"] != wrong["category"]]
    assert (leaf["category"] == found.loc[leaf.index, "category"]).all()
    cue_only = wrong[wrong["label"] == wrong["category"]]
    assert (cue_only["missed"] + cue_only["false_alarms"] != "").all()
    assert not wrong["missed"].str.contains("escalation").any()  # the frame has no such column
    assert wrong["nearest_1"].str.contains("a01-").all()
    assert (leaf["confidence"].diff().dropna() <= 0).all()


def test_errors_wants_labels_and_says_which_rows_to_mend(triage: Triage, held: pd.DataFrame) -> None:
    with pytest.raises(UnreadableInput, match="category"):
        triage.errors(held[["text"]])
    with pytest.raises(UnreadableInput, match="正文列"):
        triage.errors(held[["category"]])
    bad = held.head(3).assign(category=["billing.charge", "billing.nothing", None])
    with pytest.raises(InvalidLabels, match="2 行须改正") as raised:
        triage.errors(bad)
    assert [problem[:6] for problem in raised.value.problems] == ["第 2 行:", "第 3 行:"]


def test_a_frame_without_a_mistake_gives_an_empty_table_with_all_columns(triage: Triage) -> None:
    fine = pd.DataFrame({"text": ["停电三小时了没人管"], "category": ["other.outage"]})
    assert triage.errors(fine).empty
    assert "nearest_1" in triage.errors(fine).columns
