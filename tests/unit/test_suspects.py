"""Labels to look at again: planted errors come first, nothing is dropped or changed, and the reason can be read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from model.errors import InvalidLabels
from model.policy import Policy
from model.ticket import LabelledTicket
from training.confident import confident, thresholds
from training.fit import FitSettings
from training.suspects import Found, find_suspects, neighbour_votes, prepared

SETTINGS = FitSettings(folds=3)
WORDS = {
    "other.outage": "停电{n}个小时了,抢修的人一直没来,第{n}次打电话",
    "metering.verification": "申请校表{n}天了没人来验,报告也不给,第{n}次催",
    "billing.charge": "电费多扣了{n}百块,充值没到账,户号串了第{n}回",
}


def _tickets(authors: int = 6, each: int = 4) -> list[LabelledTicket]:
    return [
        LabelledTicket(f"{a}-{leaf}-{n}", words.format(n=a * each + n + 2) + "啊吧呢嘛哦呀"[a], leaf, author=f"a{a}")
        for a in range(authors)
        for leaf, words in WORDS.items()
        for n in range(each)
    ]


def _spoilt(tickets: Sequence[LabelledTicket], rows: Sequence[int], leaf: str) -> list[LabelledTicket]:
    return [replace(ticket, category=leaf) if row in rows else ticket for row, ticket in enumerate(tickets)]


def _first(found: Found, count: int) -> set[str]:
    return {suspect.ticket.id for suspect in found.suspects[:count]}


def test_a_threshold_is_the_mean_probability_where_the_class_was_given() -> None:
    proba = np.array([[0.9, 0.1, 0.0], [0.7, 0.3, 0.0], [0.2, 0.8, 0.0]])
    assert thresholds(proba, np.array([0, 0, 1])).tolist() == pytest.approx([0.8, 0.8, 1.0])


def test_a_label_is_likely_wrong_where_another_class_reaches_its_own_threshold() -> None:
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.95, 0.05], [0.55, 0.45]])
    doubts = confident(proba, np.array([0, 0, 1, 1, 1, 1]))
    assert doubts.likely.tolist() == [False, False, False, False, True, False]
    assert doubts.other.tolist() == [1, 1, 0, 0, 0, 0]
    assert doubts.doubt.argmax() == 4
    assert doubts.errors == pytest.approx(4 / 3)  # one of the three that were sure, of four labels in all


def test_a_rare_class_has_a_threshold_of_its_own() -> None:
    """A class that is never sure is not drowned by one that always is."""
    proba = np.array([[0.99, 0.01], [0.99, 0.01], [0.60, 0.40], [0.62, 0.38], [0.55, 0.45]])
    doubts = confident(proba, np.array([0, 0, 1, 1, 0]))
    assert doubts.likely.tolist() == [False, False, False, False, True]
    assert doubts.other[4] == 1


def test_planted_errors_come_first_and_every_label_is_still_there(policy: Policy) -> None:
    tickets = _tickets()
    wrong = [0, 17, 40]
    given = _spoilt(tickets, [0, 17], "billing.charge")
    given = _spoilt(given, [40], "other.outage")
    changed = {ticket.id for ticket, old in zip(given, tickets, strict=True) if ticket != old}
    assert len(changed) == len(wrong)
    found = find_suspects(given, (), policy, SETTINGS)
    assert _first(found, 3) == changed
    assert all(suspect.likely for suspect in found.suspects[:3])
    assert {suspect.ticket for suspect in found.suspects} == set(given)
    right = {ticket.id: ticket.category for ticket in tickets}
    assert all(suspect.proposed == right[suspect.ticket.id] for suspect in found.suspects[:3])
    assert 2 <= found.errors <= 5


def test_sound_labels_are_not_called_wrong(policy: Policy) -> None:
    found = find_suspects(_tickets(), (), policy, SETTINGS)
    assert not any(suspect.likely for suspect in found.suspects)
    assert found.errors == 0


def test_an_author_who_is_always_wrong_does_not_vouch_for_himself(policy: Policy) -> None:
    tickets = _tickets()
    rows = [r for r, t in enumerate(tickets) if t.author == "a5" and t.category == "metering.verification"]
    given = _spoilt(tickets, rows, "other.outage")
    found = find_suspects(given, (), policy, SETTINGS)
    assert _first(found, len(rows)) == {tickets[row].id for row in rows}
    _, near = neighbour_votes(prepared(given, policy, SETTINGS))
    assert all(given[n].author != "a5" for row in rows for n, _ in near[row])


def test_a_few_labels_are_judged_beside_others_and_only_they_are_listed(policy: Policy) -> None:
    tickets = _tickets()
    asked = _spoilt(tickets[:3], [1], "billing.charge")
    found = find_suspects(asked, tickets[3:], policy, SETTINGS)
    assert {suspect.ticket.id for suspect in found.suspects} == {ticket.id for ticket in asked}
    assert found.suspects[0].ticket.id == asked[1].id


def test_what_a_bundle_thinks_takes_the_place_of_the_folds(policy: Policy) -> None:
    tickets = _tickets()
    found = find_suspects(
        tickets, (), policy, SETTINGS, judged={5: {"other.misc": 0.99, "metering.verification": 0.01}}
    )
    assert found.suspects[0].ticket.id == tickets[5].id
    assert found.suspects[0].proposed == "other.misc"


def test_the_reason_names_both_leaves_and_what_neighbours_say_and_masks_the_text(policy: Policy) -> None:
    tickets = _tickets()
    tickets[0] = replace(tickets[0], text=tickets[0].text + ",电话13812345678", category="billing.charge")
    first = find_suspects(tickets, (), policy, SETTINGS).suspects[0]
    assert first.ticket.id == tickets[0].id
    why = first.why(policy.taxonomy)
    assert "标为「电费」" in why
    assert "「停送电」" in why
    assert "3 条他人工单中 0 条标为「电费」" in why
    assert "13812345678" not in first.text
    assert replace(first, near=()).why(policy.taxonomy).endswith(")。")


@pytest.mark.parametrize("tickets", [[], _tickets(1, 1)[:1], _tickets(2, 1)[::3]])
def test_too_little_to_compare_is_said(policy: Policy, tickets: list[LabelledTicket]) -> None:
    with pytest.raises(InvalidLabels):
        find_suspects(tickets, (), policy, SETTINGS)


def test_a_leaf_of_one_author_only_and_two_leaves_in_all_are_no_obstacle(policy: Policy) -> None:
    tickets = [t for t in _tickets(3, 2) if t.category != "billing.charge"]
    tickets = [t for t in tickets if t.category == "other.outage" or t.author == "a0"]
    assert len(find_suspects(tickets, (), policy, SETTINGS).suspects) == len(tickets)
