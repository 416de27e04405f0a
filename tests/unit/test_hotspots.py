"""Counts, comparisons, incidents, phrases, clocks: what a hotspot analysis says of tickets whose truth is known."""

import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import betabinom

from model.ticket import CHINA
from model.workdays import HOLIDAY, kind_of_day
from serving.hotspots.analyse import Background, analyse
from serving.hotspots.analysis import Analysis, Why
from serving.hotspots.conditional import p_value
from serving.hotspots.customers import read_customers
from serving.hotspots.incidents import find_incidents
from serving.hotspots.options import Options
from serving.hotspots.periods import midnight, periods
from tests.hotspot_frames import START, frame_of, policy, row, steady

UNIT = "城东县 · 河湾供电所"
LONG = "客户反映上个月换表以后电费比原来多出一倍,家里电器没有变化,要求核对换表底码"


def analysed(rows: list[dict[str, Any]], *, weeks: int = 1, as_of: datetime = START, **known: Any) -> Analysis:
    background = Background(as_of=as_of, **known)
    since = START - timedelta(weeks=weeks)
    return analyse(frame_of(rows), since=since, until=START, policy=policy(), background=background)


def test_counts_shares_and_changes_of_a_cell_are_those_of_its_tickets() -> None:
    rows = steady(2, 1) + steady(1, 1, category="other.outage") + steady(1, 2, station="北山供电所")
    found = analysed(rows)
    outage = next(one for one in found.leaves if one.leaf == "other.outage")
    assert (outage.tickets, outage.before, outage.share, outage.change) == (7, 0, 7 / 28, None)
    mine = next(one for one in found.units if one.unit == UNIT)
    assert (mine.tickets, mine.before, mine.change, mine.year_ago) == (14, 7, 1.0, None)
    cell = next(one for one in found.cells if one.leaf == "other.outage")
    assert (cell.tickets, cell.share, cell.group) == (7, 0.5, "other")
    assert found.totals.all.tickets == sum(one.tickets for one in found.leaves) == 28


def test_a_cell_under_five_shows_its_count_and_nothing_else() -> None:
    rows = steady(60, 1) + [row(f"x{n}", START - timedelta(days=2), category="other.misc") for n in range(4)]
    found = analysed(rows, customers={UNIT: 10_000})
    small = next(one for one in found.cells if one.leaf == "other.misc")
    assert small.tickets == 4
    assert small.share is small.change is small.change_year is small.per_10k is None
    assert not [one for one in found.rising if one.leaf == "other.misc"]


def test_the_rate_has_the_customers_of_its_unit_below_and_none_where_they_are_unknown() -> None:
    found = analysed(steady(1, 1) + steady(1, 1, station="北山供电所"), customers={UNIT: 14_000})
    rates = {one.unit: one.per_10k for one in found.units}
    assert rates == {UNIT: pytest.approx(5.0), "城东县 · 北山供电所": None}
    assert found.totals.all.per_10k is None


def test_an_unfinished_week_is_marked_and_neither_compared_nor_tested() -> None:
    rows = steady(30, 1) + [row(f"x{n}", START - timedelta(days=2)) for n in range(60)]
    found = analysed(rows, as_of=START - timedelta(days=1))
    assert [one.complete for one in found.periods] == [False]
    assert found.tested == 0
    assert {one.change for one in found.cells} == {None}
    assert any("未满" in note for note in found.notes)


def test_a_surge_rises_where_it_is_and_is_a_hotspot_with_causes_and_measures() -> None:
    rows = steady(30, 1) + steady(30, 1, station="北山供电所")
    rows += [row(f"x{n}", START - timedelta(days=1 + n % 5)) for n in range(25)]
    found = analysed(rows)
    assert (found.rising[0].leaf, found.rising[0].unit) == ("billing.charge", UNIT)
    assert "城东县 · 北山供电所" not in {one.unit for one in found.rising}
    spot, known = found.hotspots[0], policy()
    assert spot.rising.tickets == 32
    assert spot.rising.expected == pytest.approx(7, abs=0.3)
    assert spot.measures == known.measures.leaves["billing.charge"].measures
    assert spot.causes == tuple(known.taxonomy.causes[one] for one in known.taxonomy.leaf("billing.charge").causes)


def test_a_steady_station_never_rises() -> None:
    assert analysed(steady(40, 2), weeks=4).rising == ()


def test_a_week_of_holidays_is_expected_to_be_quiet_and_the_week_after_is_no_surge() -> None:
    end = midnight(datetime(2026, 10, 12).date())
    work = [day for day in pd.date_range("2024-09-30", "2026-10-11") if kind_of_day(day.date()) < 5]
    rows = [row(f"{day:%m%d%Y}{n}", day.tz_localize(CHINA) + timedelta(hours=9)) for day in work for n in range(6)]
    asked = {"since": end - timedelta(weeks=1), "until": end, "policy": policy()}
    assert analyse(frame_of(rows), **asked, background=Background(as_of=end)).rising == ()
    holiday = [row(f"h{n}", midnight(datetime(2026, 10, 4).date()) + timedelta(hours=n)) for n in range(12)]
    asked = {"since": end - timedelta(weeks=2), "until": end - timedelta(weeks=1), "policy": policy()}
    risen = analyse(frame_of(rows + holiday), **asked, background=Background(as_of=end)).rising
    assert {one.period for one in risen} == {"2026-W40"}


def test_the_holidays_and_make_up_workdays_of_china_are_known() -> None:
    days = [datetime(2025, 10, 1), datetime(2025, 10, 11), datetime(2025, 10, 12), datetime(2025, 10, 13)]
    assert [kind_of_day(day.date()) for day in days] == [HOLIDAY, 2, 6, 0]


@pytest.mark.parametrize(
    ("count", "past", "now", "then"), [(11, 90, 1.0, 26.0), (5, 0, 1.0, 52.0), (300, 9000, 1.0, 40.0)]
)
def test_the_test_is_the_tail_of_a_beta_binomial(count: int, past: int, now: float, then: float) -> None:
    total, share = count + past, now / (now + then)
    exact = betabinom.sf(count - 1, total, total * share / 0.5, total * (1 - share) / 0.5)
    assert p_value(count, past, (now, then), np.array([0.5, 0.0])) == pytest.approx(exact, rel=1e-4)


def test_tickets_in_other_words_about_one_thing_are_one_incident_and_others_are_none() -> None:
    other = "小区门口的变压器晚上嗡嗡响,老人睡不着觉,打过两次电话都说派人来看,至今没有人来"
    rows = [
        row("a", START, text=LONG), row("b", START + timedelta(days=2), text=f"转办单:{LONG.replace('家里', '屋里')},请回复"),
        row("c", START, text=other), row("d", START + timedelta(days=60), text=LONG),
        row("e", START, text=LONG, county="城西县"), row("f", START, text="停电了"), row("g", START, text="停电了"),
    ]  # fmt: skip
    (found,) = find_incidents(frame_of(rows))
    assert (found.ticket_ids, found.why, found.unit) == (("a", "b"), (Why.WORDING,), UNIT)


def test_known_events_repeats_and_places_join_tickets_and_say_so() -> None:
    outage = {"category": "other.outage"}
    rows = [
        row("a", START, event_id=7), row("b", START, event_id=7), row("c", START, repeat_of="a"),
        row("d", START, text="我们青石村都黑了", **outage),
        row("e", START + timedelta(hours=5), text="青石村停电半天了,几点来", **outage),
        row("f", START + timedelta(days=3), text="青石村又停了", **outage), row("g", START),
    ]  # fmt: skip
    first, second = find_incidents(frame_of(rows), {7: "计划停电公告"})
    assert (first.ticket_ids, first.why, first.event) == (("a", "b", "c"), (Why.EVENT, Why.REPEAT), "计划停电公告")
    assert (second.ticket_ids, second.why, second.words) == (("d", "e"), (Why.PLACE,), ("青石村",))


def test_a_burst_of_outage_calls_at_a_quiet_station_is_one_incident_and_a_steady_flow_is_none() -> None:
    outage = {"category": "other.outage", "station": "北山供电所"}
    burst = [row(f"b{n}", START - timedelta(days=9) + timedelta(minutes=7 * n), **outage) for n in range(12)]
    (found,) = find_incidents(frame_of([*burst, *steady(4, 1, **outage), *steady(4, 8, category="other.outage")]))
    assert set(found.ticket_ids) >= {one["ticket_id"] for one in burst}
    assert len(found.ticket_ids) <= 14


def test_a_word_that_was_not_there_before_is_a_new_phrase_and_an_incident_says_it_once() -> None:
    unlike = [one for entry in policy().measures.leaves.values() for one in (*entry.measures, *entry.card.evidence)]

    def text(n: int, word: str) -> str:
        return f"反映{word}的问题,{unlike[3 * n]},{unlike[3 * n + 1]}"

    rows = steady(1, 1) + [row(f"o{n}", START - timedelta(days=10), text=text(n + 9, "账单")) for n in range(9)]
    rows += [row(f"n{n}", START - timedelta(days=3), text=text(n, "智能缴费")) for n in range(9)]
    rows += [row(f"c{n}", START - timedelta(days=3), text=f"{LONG},光伏补贴") for n in range(9)]
    found = {one.text for one in analysed(rows).phrases}
    assert any("缴费" in one for one in found)
    assert not [one for one in found if one == "反映" or "补贴" in one]


def test_a_clock_is_late_after_its_time_and_small_units_show_no_share() -> None:
    due = START - timedelta(days=3)
    rows = [row(f"a{n}", START - timedelta(days=5), due_at=due, closed_at=due - timedelta(hours=1)) for n in range(6)]
    rows += [row(f"b{n}", START - timedelta(days=5), due_at=due, closed_at=due + timedelta(hours=1)) for n in range(3)]
    rows += [row("c", START - timedelta(days=5), due_at=due, station="北山供电所")]
    rows += [row("d", START - timedelta(days=5), due_at=START + timedelta(days=1))]
    found = {one.unit: one for one in analysed(rows).breaches}
    assert (found[None].decided, found[None].late, found[None].running) == (10, 4, 1)
    assert found[UNIT].share == pytest.approx(3 / 9)
    assert found["城东县 · 北山供电所"].share is None


def test_an_arrival_decides_its_clock_and_where_none_was_noted_contact_or_closing_does() -> None:
    at, due = START - timedelta(days=5), START - timedelta(days=5) + timedelta(minutes=45)
    soon, late = due - timedelta(minutes=1), due + timedelta(minutes=1)
    rows = [
        row("there", at, arrived_at=soon, contacted_at=late, closed_at=late), row("phoned", at, contacted_at=soon),
        row("slow", at, arrived_at=late, contacted_at=soon), row("closed late", at, closed_at=late), row("never", at),
    ]  # fmt: skip
    found = next(one for one in analysed([{**one, "arrive_by": due} for one in rows]).breaches if one.unit is None)
    assert (found.clock, found.decided, found.running) == ("arrive", 5, 1)
    assert found.ticket_ids == ("slow", "closed late", "never")


def test_findings_and_repeat_callers_are_told_without_a_number() -> None:
    rows = [row(f"u{n}", START - timedelta(days=2), upheld=n < 3, caller="ab" * 32) for n in range(6)]
    found = analysed([*rows, row("v", START - timedelta(days=1), caller="cd" * 32)])
    assert (found.upheld[0].judged, found.upheld[0].upheld, found.upheld[0].share) == (6, 3, 0.5)
    (caller,) = found.repeat_callers
    assert (len(caller.caller), len(caller.ticket_ids), caller.open) == (12, 6, 6)


def test_the_answer_is_json_and_says_how_many_rows_it_left_out() -> None:
    rows = [row(f"{n}", START - timedelta(days=1), station=f"{n}所") for n in range(2_050)]
    found = analysed(rows).to_json()
    assert len(json.dumps(found)) > 1_000
    assert found["left_out"] == {"units": 50, "cells": 50}
    assert found["since"] == "2026-10-26T00:00:00+08:00"


def test_months_and_weeks_are_cut_by_the_time_and_by_the_clock() -> None:
    first, last = midnight(datetime(2026, 9, 15).date()), midnight(datetime(2026, 12, 1).date())
    found = periods(first, last, START + timedelta(days=10), "month")
    assert [(one.label, one.complete) for one in found] == [("2026-09", False), ("2026-10", True), ("2026-11", False)]


def test_an_empty_time_is_an_analysis_of_nothing() -> None:
    found = analysed([])
    assert (found.totals.all.tickets, found.incidents, found.hotspots) == (0, (), ())


def test_on_the_first_day_of_an_office_the_weeks_before_it_are_counted_and_none_is_tested() -> None:
    rows = [row(f"T{number}", START + timedelta(hours=number)) for number in range(6)]
    until, clock = START + timedelta(days=1), Background(as_of=START + timedelta(hours=9))
    since = START - timedelta(weeks=4)
    found = analyse(frame_of(rows), since=since, until=until, policy=policy(), background=clock)
    assert (found.totals.all.tickets, found.tested, found.rising) == (6, 0, ())
    assert [one.complete for one in found.periods] == [True] * 4 + [False]


def test_customers_are_read_from_a_table_and_a_wrong_row_is_named(tmp_path: Any) -> None:
    from model.errors import UnreadableInput

    file = tmp_path / "户数.csv"
    file.write_text('区县,供电所,户数\n城东县,河湾供电所,"12,000"\n', encoding="gb18030")
    assert read_customers(file) == {UNIT: 12_000}
    file.write_text("区县,供电所,户数\n城东县,河湾供电所,许多\n", encoding="utf-8")
    with pytest.raises(UnreadableInput, match="第 1 行"):
        read_customers(file)


def test_fewer_false_discoveries_are_allowed_by_a_stricter_option() -> None:
    rows = steady(30, 1) + [row(f"x{n}", START - timedelta(days=1 + n % 5)) for n in range(9)]
    background, since = Background(as_of=START), START - timedelta(weeks=1)
    asked = {"since": since, "until": START, "policy": policy(), "background": background}
    loose = analyse(frame_of(rows), **asked, options=Options(false_discovery=0.2)).rising
    assert len(analyse(frame_of(rows), **asked, options=Options(false_discovery=1e-6)).rising) < len(loose)
