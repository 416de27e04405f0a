import pandas as pd
import pytest

from model.errors import BundleMissing
from triage import Triage


@pytest.fixture(scope="module")
def triage(linear_pipeline) -> Triage:  # type: ignore[no-untyped-def]
    return Triage(linear_pipeline)


def test_a_list_gives_a_list_with_errors_in_place(triage: Triage) -> None:
    rows = triage.predict(["停电三小时了没人管", "", {"text": "电费扣了两遍"}])
    assert [row.get("category", {}).get("code") for row in rows] == ["other.outage", None, "billing.charge"]


def test_one_text_gives_one_prediction(triage: Triage) -> None:
    assert triage.predict("停电三小时了没人管")["category"]["code"] == "other.outage"


def test_a_series_keeps_its_index(triage: Triage) -> None:
    frame = triage.predict(pd.Series(["停电三小时了没人管", None], index=["x", "y"]))
    assert list(frame.index) == ["x", "y"]
    assert frame["category"]["x"] == "other.outage"
    assert frame["error_code"]["y"] == "empty_text"


def test_a_frame_keeps_its_index_and_passes_its_columns(triage: Triage) -> None:
    data = pd.DataFrame(
        {"content": ["停电三小时了没人管"], "accepted_at": [pd.Timestamp("2026-11-23 08:30")], "ticket_id": ["t1"]},
        index=[7],
    )
    frame = triage.predict(data)
    assert list(frame.index) == [7]
    assert frame.loc[7, "ticket_id"] == "t1"
    assert frame.loc[7, "due_at"].startswith("2026-11-30T08:30")


def test_explain_gives_words(triage: Triage) -> None:
    assert triage.explain("停电三小时了没人管")["evidence"][0]["weight"] > 0


def test_load_takes_rules_where_there_is_no_bundle_and_refuses_a_wrong_name() -> None:
    assert Triage.load().pipeline.missing == "no_bundle"
    with pytest.raises(BundleMissing):
        Triage.load("nowhere")
