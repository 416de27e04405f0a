"""Any non-blank text gives a valid prediction whose offsets slice to their text."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.pipeline import Pipeline
from model.prediction import Prediction
from model.ticket import ticket_from
from triage.triage import Triage

ODD = [
    "电", "😀", "停电😀了", "hello", "<script>alert(1)</script>停电", "=1+1", "\u202e停电", "停\u200b电三小时没人管", "\x00停电",
    "停\ud800电三小时了", "a" * 200_000, "停电。" * 70_000, "客户:", "【12345】", "⟦电话⟧停电", "\n\n停电\n\n", "１３８１２３４５６７８",
]  # fmt: skip


def assert_valid(prediction: Prediction, text: str) -> None:
    data = json.loads(json.dumps(prediction.to_dict(), ensure_ascii=False))
    assert len(data["candidates"]) == 3
    assert 0 <= data["category"]["confidence"] <= 1
    assert data["decision"] in ("auto", "review", "fallback")
    spans = [*data["evidence"], *data["safety"]["evidence"], *data["escalation"]["evidence"]]
    spans += [e for cue in data["flags"].values() for e in cue["evidence"]]
    for e in spans:
        assert text[e["start"] : e["end"]] == e["text"]


@pytest.fixture(scope="module", params=["rules", "linear"])
def pipeline(request, rules_pipeline: Pipeline, linear_pipeline: Pipeline) -> Pipeline:  # type: ignore[no-untyped-def]
    return {"rules": rules_pipeline, "linear": linear_pipeline}[request.param]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(min_size=1),
        st.text(alphabet="停电费表箱冒烟客户:服代表张先生138123456789路号,。【】 \n偷欠三户", min_size=1),
    )
)
def test_any_text_gives_a_valid_prediction(pipeline: Pipeline, text: str) -> None:
    if text.strip():
        ticket = ticket_from(text)
        assert_valid(pipeline.predict([ticket], explain=True)[0], ticket.content)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_give_valid_predictions_and_are_not_sent_out_unread_when_short(pipeline: Pipeline, text: str) -> None:
    ticket = ticket_from(text)
    prediction = pipeline.predict([ticket])[0]
    assert_valid(prediction, ticket.content)
    if len(text) < 4:
        assert prediction.decision != "auto"
        assert "too_short" in prediction.reasons
    if len(text) > 20_000:
        assert "too_long" in prediction.reasons


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), st.dictionaries(st.text(), st.text())),
        max_size=12,
    )
)
def test_order_and_count_are_kept_for_any_mixture_of_good_and_bad_rows(
    rules_pipeline: Pipeline, values: list[object]
) -> None:
    results = Triage(rules_pipeline).predict(values)
    assert [r["row"] for r in results] == list(range(1, len(values) + 1))
    assert all(("error" in r) != ("category" in r) for r in results)
