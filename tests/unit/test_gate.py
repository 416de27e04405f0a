"""The gate: what a loss means, what is compared, and that a person can read why."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from model.errors import UnreadableInput
from model.pipeline import Pipeline
from model.policy import Policy
from model.prediction import Candidate, Cue
from model.ticket import LabelledTicket, Ticket
from training.evaluated import Evaluated
from training.gate import TOLERANCES, Tolerance, Tolerances, compare, judge_challenger
from training.verdict import KEPT, LOST, WATCH, Check, read_verdict, write_verdict

LEAVES = ("billing.charge", "metering.device", "other.outage")
LEAF = Tolerance(loss=0.03, hard=0.10, least=15)
Predict = Callable[..., Evaluated]


@pytest.fixture
def tickets() -> list[LabelledTicket]:
    """Twenty authors, each with three tickets of each leaf."""
    return [
        LabelledTicket(f"{author}-{leaf}-{n}", f"正文 {author} {leaf} {n}", leaf, author=f"author {author}")
        for author in range(20)
        for leaf in LEAVES
        for n in range(3)
    ]


@pytest.fixture
def predict(rules_pipeline: Pipeline, tickets: list[LabelledTicket]) -> Predict:
    """Predictions that are right but for the rows named."""
    (pattern,) = rules_pipeline.predict([Ticket("停电三小时")])

    def made(
        wrong: Sequence[int] = (), danger: Sequence[int] = (), theft: Sequence[int] = (), decision: str = "review"
    ) -> Evaluated:
        found = []
        for row, ticket in enumerate(tickets):
            leaf = LEAVES[(LEAVES.index(ticket.category) + (row in wrong)) % len(LEAVES)]
            flags = {**pattern.flags, "theft": Cue(0.9, row in theft)}
            first = Candidate(leaf, leaf, "", 0.9)
            safety = Cue(0.9, row in danger)
            found.append(replace(pattern, candidates=(first,), flags=flags, safety=safety, decision=decision))
        return Evaluated(tuple(tickets), tuple(found))

    return made


def _outcomes(checks: Sequence[Check], outcome: str) -> set[str]:
    return {check.figure for check in checks if check.outcome == outcome}


@pytest.mark.parametrize(
    ("change", "interval", "n", "outcome"),
    [
        (0.05, [0.01, 0.09], 100, KEPT),
        (-0.03, [-0.05, -0.01], 100, KEPT),
        (-0.04, [-0.07, -0.01], 100, LOST),
        (-0.04, [-0.09, 0.01], 100, WATCH),
        (-0.04, None, 100, WATCH),
        (-0.11, [-0.25, 0.01], 100, LOST),
        (-0.11, None, 100, LOST),
        (-0.50, [-0.80, -0.20], 14, WATCH),
    ],
)
def test_a_loss_refuses_when_it_is_proven_or_large_and_rests_on_enough_tickets(
    change: float, interval: list[float] | None, n: int, outcome: str
) -> None:
    assert LEAF.outcome(change, interval, n) == outcome


def test_the_same_predictions_lose_nothing(predict: Predict) -> None:
    checks = compare("frozen", predict(wrong=[0, 9]), predict(wrong=[0, 9]), Tolerances.read())
    assert {check.outcome for check in checks} == {KEPT}
    assert {f"leaf:{leaf}" for leaf in LEAVES} <= {check.figure for check in checks}
    assert all(check.change == 0 and check.interval == [0, 0] for check in checks)


def test_a_leaf_that_gets_worse_is_named_though_the_others_gain(
    predict: Predict, tickets: list[LabelledTicket]
) -> None:
    rows = {leaf: [row for row, ticket in enumerate(tickets) if ticket.category == leaf] for leaf in LEAVES}
    before = predict(wrong=rows["metering.device"][::3])
    after = predict(wrong=rows["billing.charge"][::4])
    checks = compare("frozen", before, after, Tolerances.read())
    assert _outcomes(checks, LOST) == {"leaf:billing.charge"}
    (lost,) = (check for check in checks if check.outcome == LOST)
    assert lost.n == 60
    assert lost.interval is not None
    assert lost.interval[1] < 0


def test_one_missed_danger_is_too_much(predict: Predict, tickets: list[LabelledTicket]) -> None:
    tickets[4] = replace(tickets[4], safety=True)
    assert _outcomes(compare("frozen", predict(danger=[4]), predict(danger=[4]), Tolerances.read()), LOST) == set()
    checks = compare("frozen", predict(danger=[4]), predict(), Tolerances.read())
    assert _outcomes(checks, LOST) == {"safety"}


def test_a_flag_that_is_raised_for_nothing_counts_as_lost(predict: Predict, tickets: list[LabelledTicket]) -> None:
    for row in range(0, 60, 3):
        tickets[row] = replace(tickets[row], flags=frozenset({"theft"}))
    right = list(range(0, 60, 3))
    checks = compare("frozen", predict(theft=right), predict(theft=[*right, *range(61, 120, 3)]), Tolerances.read())
    assert _outcomes(checks, LOST) == {"flag:theft"}


def test_more_wrong_tickets_sent_unread_are_refused(predict: Predict) -> None:
    before, after = predict(decision="auto"), predict(wrong=range(0, 180, 20), decision="auto")
    assert "auto_precision" in _outcomes(compare("frozen", before, after, Tolerances.read()), LOST)


def test_a_handful_of_tickets_proves_nothing(predict: Predict) -> None:
    few = [Evaluated(side.tickets[:9], side.predictions[:9]) for side in (predict(), predict(wrong=[0]))]
    checks = compare("holdout", *few, Tolerances.read())
    assert _outcomes(checks, LOST) == set()
    assert "leaf:billing.charge" in _outcomes(checks, WATCH)


def test_two_authors_prove_nothing_however_often_they_are_drawn(predict: Predict) -> None:
    two = [Evaluated(side.tickets[:18], side.predictions[:18]) for side in (predict(), predict(wrong=[0, 9]))]
    checks = compare("holdout", *two, replace(Tolerances.read(), overall=Tolerance(0.01, 0.5, 1)))
    assert {check.interval for check in checks} == {None}
    assert {"accuracy", "macro_f1"} <= _outcomes(checks, WATCH)


class _Fixed:
    """Answers what it was given, whatever is asked."""

    bundle = None

    def __init__(self, answers: Evaluated) -> None:
        self._answers = list(answers.predictions)

    def predict(self, asked: Sequence[Ticket]) -> list[object]:
        given, self._answers = self._answers[: len(asked)], self._answers[len(asked) :]
        return given


def test_the_verdict_lists_what_was_right_and_would_be_wrong_and_says_why(
    predict: Predict, tickets: list[LabelledTicket], policy: Policy, tmp_path: Path
) -> None:
    tickets[5] = replace(tickets[5], safety=True)
    before, after = predict(wrong=[7], danger=[5]), predict(wrong=[0, 1, 2, 27, 28, 29], decision="auto")
    verdict = judge_challenger(
        _Fixed(before), _Fixed(after), {"frozen": tickets, "recent": []}, Tolerances.read(), data="d" * 64
    )
    assert not verdict.accepted
    assert verdict.counts == {"frozen": 180}
    assert verdict.gained == 1
    assert verdict.flips[0].danger
    assert {flip.id for flip in verdict.flips} == {tickets[row].id for row in (5, 0, 1, 2, 27, 28, 29)}
    text = verdict.text(policy.taxonomy)
    assert text.startswith("结论:不通过")
    assert "人身安全召回率 1.000 → 0.000" in text
    assert "电费(billing.charge)" in text
    assert tickets[0].id in text
    write_verdict(verdict, policy.taxonomy, tmp_path / "c")
    assert read_verdict(tmp_path / "c") == verdict
    for name in ("verdict.json", "verdict.txt", "flips.csv"):
        assert "正文" not in (tmp_path / "c" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("decision", "outcome"), [("auto", LOST), ("review", None)])
def test_labels_that_contradict_both_where_they_are_sure_are_refused_and_hard_tickets_are_not(
    predict: Predict, tickets: list[LabelledTicket], policy: Policy, decision: str, outcome: str | None
) -> None:
    wrong = range(0, 180, 3)
    answers = [Evaluated((*usual.tickets, *odd.tickets), (*usual.predictions, *odd.predictions)) for usual, odd in [
        (predict(decision="auto"), predict(wrong=wrong, decision=decision))
    ] * 2]  # fmt: skip
    parts = {"frozen": tickets, "holdout": tickets}
    verdict = judge_challenger(*map(_Fixed, answers), parts, Tolerances.read(), data="d" * 64)
    assert [check.outcome for check in verdict.checks if check.figure == "labels"] == ([outcome] if outcome else [])
    assert ("本批标注可疑" in verdict.text(policy.taxonomy)) == (outcome == LOST)


def test_an_office_may_set_its_own_tolerances_and_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    text = TOLERANCES.read_text(encoding="utf-8")
    own = tmp_path / TOLERANCES.name
    own.write_text(text.replace("leaf: {loss: 0.03", "leaf: {loss: 0.3"), encoding="utf-8")
    assert Tolerances.read(own).leaf.loss == 0.3
    for wrong in (text.replace("leaf:", "leave:"), text.replace("loss", "lose"), "just a line"):
        own.write_text(wrong, encoding="utf-8")
        with pytest.raises(UnreadableInput, match=r"gate\.yaml"):
            Tolerances.read(own)
