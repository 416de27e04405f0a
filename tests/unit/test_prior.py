"""Confidences under another share of leaves."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.bundle import Bundle
from model.errors import PolicyError
from model.pipeline import Pipeline
from model.policy import load_policy
from model.prior import shifted
from model.ticket import Ticket


def test_a_leaf_twice_as_frequent_as_in_training_weighs_twice_as_much() -> None:
    found = shifted({"a": 0.5, "b": 0.5}, {"a": 2 / 3, "b": 1 / 3}, {"a": 10, "b": 10})
    assert found == pytest.approx({"a": 2 / 3, "b": 1 / 3})


def test_the_shares_of_training_change_nothing() -> None:
    leaves = {"a": 0.7, "b": 0.2, "c": 0.1}
    assert shifted(leaves, {"a": 0.5, "b": 0.3, "c": 0.2}, {"a": 50, "b": 30, "c": 20}) == pytest.approx(leaves)


def test_a_leaf_that_training_never_saw_stays_at_zero() -> None:
    assert shifted({"a": 0.9, "b": 0.1}, {"a": 0.5, "b": 0.5}, {"a": 5})["b"] == 0


def test_an_office_that_names_its_shares_gets_other_confidences_but_the_same_cues(bundle: Bundle) -> None:
    codes = bundle.policy.taxonomy.codes
    prior = {**dict.fromkeys(codes, 0.2 / (len(codes) - 1)), "other.misc": 0.8}
    decision = bundle.policy.decision.model_copy(update={"leaf_prior": prior})
    tickets = [Ticket("上个月电费多了一倍,帮我查查"), Ticket("换表没人通知我,旧表也拿走了")]
    plain = Pipeline(bundle.policy, bundle).predict(tickets)
    moved = Pipeline(replace(bundle.policy, decision=decision), bundle).predict(tickets)
    for a, b in zip(plain, moved, strict=True):
        assert b.category.confidence < a.category.confidence
        assert b.flags == a.flags
        assert b.safety == a.safety


@pytest.mark.parametrize("prior", ["{other.misc: 1.0}", "{other.misc: 0.5, other.outage: 0.2}", "{nowhere: 1.0}"])
def test_shares_that_leave_out_a_leaf_or_do_not_sum_to_one_are_refused(tmp_path: Path, prior: str) -> None:
    built_in = load_policy().folder / "decision.yaml"
    text = built_in.read_text(encoding="utf-8").replace("leaf_prior: {}", f"leaf_prior: {prior}")
    (tmp_path / "decision.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match="leaf_prior"):
        load_policy(tmp_path)
