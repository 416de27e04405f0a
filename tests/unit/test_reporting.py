"""What a file brings beside its tickets: times of the handling, and what was found."""

from datetime import datetime
from typing import Any

import pytest

from model.pipeline import Pipeline
from model.rows import Row
from model.ticket import CHINA
from triage.reporting import load

AT = datetime(2026, 10, 5, 10, 30, tzinfo=CHINA)


def _loaded(pipeline: Pipeline, **columns: Any) -> dict[str, Any]:
    value = {"受理内容": "停电三小时了没人管", "受理时间": "2026-10-05 10:00", **columns}
    (found,) = load([Row(1, value)], pipeline).records
    return found


@pytest.mark.parametrize(
    ("column", "field"),
    [("到场时间", "arrived_at"), ("arrived_at", "arrived_at"), ("首次联系时间", "contacted_at"), ("办结时间", "closed_at")],
)
def test_times_of_the_handling_are_found_by_the_name_of_their_column(
    rules_pipeline: Pipeline, column: str, field: str
) -> None:
    found = _loaded(rules_pipeline, **{column: "2026-10-05 10:30"})
    assert found[field] == AT
    others = {"arrived_at", "contacted_at", "closed_at"} - {field}
    assert {found[name] for name in others} == {None}
    assert found["status"] == ("closed" if field == "closed_at" else None)


@pytest.mark.parametrize(("word", "upheld"), [("是", True), ("不属实", False), ("待查", None), ("", None)])
def test_a_finding_is_read_from_its_word(rules_pipeline: Pipeline, word: str, upheld: bool | None) -> None:
    assert _loaded(rules_pipeline, 是否属实=word)["upheld"] is upheld
