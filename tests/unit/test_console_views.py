"""What the console shows, as pure functions: marked text, clocks, filters, the form of a decision, the way along the queue."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.ticket import CHINA
from serving.console import words
from serving.console.hotspot_view import rates
from serving.console.marked import legend, runs
from serving.console.queue_view import Wanted, clocks, nearest
from serving.console.ticket_view import closing_of, decision_of, others_decision
from serving.console.walk import Walk

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)
FLAGS = {"theft": "窃电或违约用电"}


def _prediction(**spans: list[tuple[int, int]]) -> dict[str, Any]:
    def items(name: str) -> list[dict[str, int]]:
        return [{"start": start, "end": end} for start, end in spans.get(name, [])]

    return {
        "category": {"code": "billing.charge"},
        "evidence": [{**item, "for": "billing.charge"} for item in items("leaf")],
        "safety": {"evidence": items("safety")},
        "escalation": {"evidence": items("escalation")},
        "flags": {"theft": {"raised": True, "evidence": items("theft")}},
    }


SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4)


@given(leaf=SPANS, safety=SPANS, theft=SPANS)
def test_marking_never_changes_the_text(leaf: Any, safety: Any, theft: Any) -> None:
    text = "他家电表冒烟<b>&了"
    assert "".join(run.text for run in runs(text, _prediction(leaf=leaf, safety=safety, theft=theft), FLAGS)) == text


def test_overlapping_evidence_takes_the_colour_of_danger_and_says_all_of_it() -> None:
    found = runs("电表冒烟扣费", _prediction(leaf=[(0, 4)], safety=[(2, 4)]), {"billing.charge": "电费"})
    assert [(run.text, run.kind, run.sign) for run in found] == [
        ("电表", "leaf", ""), ("冒烟", "safety", "险"), ("扣费", "", ""),
    ]  # fmt: skip
    assert found[1].title == "依据:电费、安全风险"
    assert legend(found, {}) == [("safety", "险", "安全风险"), ("leaf", "", "类别依据")]


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(3, "剩 3 分"), (200, "剩 3 小时 20 分"), (-59, "超 59 分"), (-3000, "超 2 天 2 小时"), (14_400, "剩 10 天")],
)
def test_remaining_time_is_said_in_words(minutes: int, said: str) -> None:
    assert words.remaining((NOW + timedelta(minutes=minutes)).isoformat(), NOW) == said


def test_the_nearest_clock_is_one_that_still_runs() -> None:
    soon, late = (NOW + timedelta(hours=2)).isoformat(), (NOW + timedelta(days=3)).isoformat()
    ticket = {"contact_due_at": soon, "due_at": late, "arrive_by": None, "contacted_at": None, "closed_at": None}
    assert [(one["name"], one["state"]) for one in clocks(ticket, NOW)] == [("首次联系", "soon"), ("答复", "calm")]
    called = {**ticket, "arrive_by": (NOW - timedelta(hours=1)).isoformat(), "arrived_at": None}
    assert [one["state"] for one in clocks(called, NOW)] == ["over", "soon", "calm"]
    there = clocks({**called, "arrived_at": (NOW - timedelta(hours=2)).isoformat()}, NOW)
    assert [one["state"] for one in there] == ["done", "soon", "calm"]
    assert there[0]["words"] == "已完成(11-23 07:00)"
    contacted = nearest({**ticket, "contacted_at": NOW.isoformat()}, NOW)
    assert contacted is not None
    assert contacted["name"] == "答复"
    assert nearest({**ticket, "contacted_at": NOW.isoformat(), "closed_at": NOW.isoformat()}, NOW) is None


def test_an_address_holds_only_what_differs_from_the_usual() -> None:
    assert Wanted().query == ""
    chosen = Wanted.of({"status": "", "category": "billing.charge", "form": "filters"})
    assert chosen.query == "?status=&category=billing.charge"
    assert chosen.params["status"] is None
    assert chosen.with_urgency("overdue").params["status"] == "open"


def test_the_form_of_a_decision_carries_the_version_that_was_seen() -> None:
    ticket = {"category": "billing.charge", "version": 7, "prediction": {"secondary": ["metering.device"]}}
    sent = {"version": "3", "category": "metering.device", "other": "", "flag.theft": "1", "note": "  "}
    assert decision_of(ticket, sent) == {
        "version": 3, "category": "metering.device", "secondary": [], "flags": ["theft"], "note": None,
    }  # fmt: skip
    assert decision_of(ticket, {**sent, "other": "other.misc"})["category"] == "other.misc"


def test_another_persons_decision_is_told_by_name_and_category() -> None:
    entry = {"at": NOW.isoformat(), "actor": "王工", "action": "ticket.reviewed", "detail": {}}
    told = others_decision({"category": "billing.charge", "history": [entry]}, {"billing.charge": "电费"})
    assert told == "王工 已于 11-23 09:00 复核为「电费」"


class _Pages:
    """A service that has two pages of tickets."""

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        assert path == "/v1/tickets"
        ids = ("c", "d") if params["cursor"] else ("a", "b")
        return {"tickets": [{"ticket_id": name} for name in ids], "cursor": None if params["cursor"] else "more"}


def test_the_way_along_the_queue_goes_over_the_end_of_a_page_and_stops_at_both_ends() -> None:
    async def along() -> list[str | None]:
        walk, api = Walk(), _Pages()
        await walk.extend(api)  # type: ignore[arg-type]
        steps = [("b", 1), ("c", 1), ("d", 1), ("a", -1), ("c", -1)]
        return [await walk.step(api, here, by) for here, by in steps]  # type: ignore[arg-type]

    assert asyncio.run(along()) == ["c", "d", None, None, "b"]


@pytest.mark.parametrize(
    ("chosen", "upheld"), [({"upheld": "yes"}, True), ({"upheld": "no"}, False), ({"upheld": ""}, None), ({}, None)]
)
def test_a_closing_says_what_was_found_only_where_somebody_chose_it(
    chosen: dict[str, str], upheld: bool | None
) -> None:
    sent = {"close": "1", "note": " 已退费 ", **chosen}
    assert closing_of({"version": 3}, sent) == {"version": 3, "note": "已退费", "upheld": upheld}


def _figures(**rates: float | None) -> dict[str, Any]:
    units = [{"unit": unit, "per_10k": rate} for unit, rate in rates.items() if unit != "every"]
    return {"units": units, "totals": {"all": {"per_10k": rates.get("every")}}}


def test_rates_are_shown_where_customers_are_known() -> None:
    assert rates(_figures(河湾供电所=1.256, 北山供电所=None)) == {"河湾供电所": "1.26"}
    assert rates(_figures(河湾供电所=1.256, every=0.5))[""] == "0.50"
    assert rates(_figures(河湾供电所=None)) == {}
