"""What to label next: what is unsure, no text twice, and more of it where rules and classifier disagree."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from model.bundle import Bundle
from model.policy import Policy
from model.ticket import Ticket
from training.choose import Judged, choose, diverse, judge_tickets, usefulness

AGREE = np.zeros(3, bool)


def test_what_wavers_between_two_leaves_is_more_useful_than_what_is_sure() -> None:
    useful = usefulness(np.array([[0.98, 0.01, 0.01], [0.5, 0.48, 0.02], [0.6, 0.3, 0.1]]), AGREE)
    assert useful.argsort()[::-1].tolist() == [1, 2, 0]


def test_disagreement_makes_an_unsure_ticket_more_useful_but_a_sure_one_hardly() -> None:
    proba = np.array([[0.55, 0.45, 0.0], [0.55, 0.45, 0.0], [0.99, 0.01, 0.0]])
    useful = usefulness(proba, np.array([False, True, True]))
    assert useful[1] > useful[0] > useful[2]


def test_of_equal_texts_one_is_taken_and_like_ones_come_later() -> None:
    same, near, other = [1.4, 0.2, 0.0], [1.3, 0.55, 0.0], [0.0, 0.0, 1.41]
    matrix = csr_matrix([np.array(row) / np.linalg.norm(row) * 2**0.5 for row in (same, same, near, other)])
    assert diverse(np.array([1.0, 0.99, 0.9, 0.4]), matrix, 4) == [0, 3, 2]


def test_no_more_are_chosen_than_there_are_and_none_that_teaches_nothing() -> None:
    matrix = csr_matrix(np.eye(3) * 2**0.5)
    assert diverse(np.array([0.5, 0.0, 0.7]), matrix, 10) == [2, 0]
    assert diverse(np.zeros(0), csr_matrix((0, 3)), 10) == []


def test_a_choice_says_between_which_leaves_and_what_rules_say(policy: Policy) -> None:
    codes = ("other.outage", "billing.charge", "other.misc")
    texts = tuple(f"第{n}条" for n in range(2))
    proba = np.array([[0.5, 0.4, 0.1], [0.4, 0.5, 0.1]])
    judged = Judged(tuple(map(Ticket, texts)), texts, codes, proba, ("other.misc", "billing.charge"))
    assert judged.disagree.tolist() == [True, False]
    one, two = choose(judged, csr_matrix(np.eye(2) * 2**0.5), 2)
    assert one.why(policy.taxonomy) == "分类器在「停送电」(0.50)与「电费」(0.40)之间;规则认为是「其他」。"
    assert two.why(policy.taxonomy) == "分类器在「电费」(0.50)与「停送电」(0.40)之间。"


@pytest.mark.parametrize("text", ["停电三小时了没人管,电话13812345678", "校表申请半个月了没人来"])
def test_a_real_bundle_judges_masked_texts_with_all_leaves(bundle: Bundle, policy: Policy, text: str) -> None:
    judged = judge_tickets([Ticket(text)], policy, bundle)
    assert judged.proba.shape == (1, len(policy.taxonomy.codes))
    assert judged.proba.sum() == pytest.approx(1)
    assert "13812345678" not in judged.texts[0]
