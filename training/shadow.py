"""A shadow run: what the bundle would have done beside people who routed by hand. Reads from top to bottom.

Intervals are Wilson's (1927); the bound by which a leaf is judged is the exact one-sided one (Clopper, Pearson 1934).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from model.errors import UnreadableInput
from model.policy import Policy
from model.yaml_text import parse_yaml
from training.evaluated import Table, rounded
from training.shadow_case import AVOIDED, BOTH_WRONG, CAUSED, ShadowCase

ASSUMPTIONS = Path(__file__).with_suffix(".yaml")
ON, TOO_FEW, OFF = "可开启", "样本不足", "暂不开启"
_HOUR = 60
_ENDLESS = 1_000_000.0
Cases = Sequence[ShadowCase]


@dataclass(frozen=True)
class Assumptions:
    """What a shadow run counts with; see shadow.yaml. Minutes are of a person's work, one ticket each."""

    version: str
    by_hand: float
    check: float
    wrong_route: float
    confidence: float

    @classmethod
    def read(cls, path: Path = ASSUMPTIONS) -> "Assumptions":
        """From a YAML file.

        Args:
            path: with the keys of shadow.yaml.

        Returns:
            The assumptions.

        Raises:
            UnreadableInput: a key is missing, unknown, no number, or out of range.
        """
        try:
            given: dict[str, Any] = parse_yaml(path.read_text(encoding="utf-8"))
            minutes = {name: float(value) for name, value in given.pop("minutes").items()}
            found = cls(str(given.pop("version")), confidence=float(given.pop("confidence")), **minutes)
        except (OSError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise UnreadableInput(
                f"{path} 无法读取({type(error).__name__});请照 training/shadow.yaml 的写法"
            ) from error
        minutes_fit = all(0 <= value < _ENDLESS for value in (found.by_hand, found.check, found.wrong_route))
        if given or not minutes_fit or not 0.5 <= found.confidence < 1:
            other = sorted(map(str, given))
            raise UnreadableInput(f"{path}:分钟数不得为负,confidence 须在 0.5 与 1 之间,不得有其他字段 {other}")
        return found


def shadow_report(cases: Cases, policy: Policy, assumptions: Assumptions) -> Table:
    """Everything a shadow run says.

    Args:
        cases: n ≥ 1 tickets that people routed.
        policy: names, and the precision that `auto` must keep (`target_precision`).
        assumptions: minutes and confidence.

    Returns:
        A JSON-ready table without texts: agreement, routes, review load, hours, and `switch`, one row a leaf.
    """
    switch = [_leaf_row(leaf.code, cases, policy, assumptions) for leaf in policy.taxonomy]
    chosen = [row["leaf"] for row in switch if row["verdict"] == ON]
    outcomes = Counter((case.outcome, case.ready) for case in cases)
    return {
        "n": len(cases),
        "bundles": dict(Counter(case.bundle or "rules" for case in cases)),
        "decided_again": sum(case.final is not None for case in cases),
        "leaves_known": sum(case.truth.leaf is not None for case in cases),
        "agreement": _agreement(cases),
        "by_leaf": _by([case.truth.leaf for case in cases], [case.same_leaf for case in cases]),
        "by_desk": _by([case.truth.desk for case in cases], [case.same_desk for case in cases]),
        "routes": {
            "wrong_by_hand": sum(case.first_was_wrong for case in cases),
            "avoided_unread": outcomes[AVOIDED, True],
            "avoided_if_accepted": outcomes[AVOIDED, False],
            "caused": outcomes[CAUSED, True],
            "both_wrong": outcomes[BOTH_WRONG, True] + outcomes[BOTH_WRONG, False],
        },
        "review_load": {
            "all_on": share(sum(not case.ready for case in cases), len(cases)),
            "chosen_on": share(sum(not _unread(case, chosen) for case in cases), len(cases)),
            "reasons": dict(Counter(r for case in cases if not case.ready for r in case.reasons).most_common()),
        },
        "hours": {"all_on": hours(cases, policy.taxonomy.codes, assumptions), "chosen_on": hours(cases, chosen, assumptions)},
        "switch": switch,
        "setting": chosen,
        "target": policy.decision.target_precision,
        "assumptions": vars(assumptions),
    }  # fmt: skip


def share(k: int, n: int) -> Table:
    """A share with its 95 % interval.

    Args:
        k: how many.
        n: of how many.

    Returns:
        `k`, `n`, `share` and `ci95`; both None without tickets.
    """
    if n == 0:
        return {"k": 0, "n": 0, "share": None, "ci95": None}
    interval = binomtest(k, n).proportion_ci(0.95, "wilson")
    return {"k": k, "n": n, "share": rounded(k / n), "ci95": [rounded(interval.low), rounded(interval.high)]}


def hours(cases: Cases, leaves: Collection[str], assumptions: Assumptions) -> Table:
    """Hours of work by hand, and with the proposal, where some leaves are switched on.

    A person who looks at a proposal is taken to decide as people did; a wrong proposal costs the look and the routing.

    Args:
        cases: tickets.
        leaves: whose tickets go unread where the bundle is sure.
        assumptions: minutes.

    Returns:
        `by_hand`, `with_triage`, `saved` in hours.
    """
    hand = with_triage = 0.0
    for case in cases:
        mended = assumptions.wrong_route if case.first_was_wrong else 0.0
        hand += assumptions.by_hand + mended
        if _unread(case, leaves):
            with_triage += 0.0 if case.same_desk else assumptions.wrong_route
        else:
            agreed = case.ours.desk == case.first.desk
            with_triage += assumptions.check + (0.0 if agreed else assumptions.by_hand) + mended
    saved = hand - with_triage
    return {
        "by_hand": round(hand / _HOUR, 2),
        "with_triage": round(with_triage / _HOUR, 2),
        "saved": round(saved / _HOUR, 2),
    }


def fewest(target: float, confidence: float) -> int:
    """How many tickets without one mistake prove an agreement.

    Args:
        target: that is to be proven.
        confidence: of the one-sided bound.

    Returns:
        A number of tickets, e.g. 45 for 0.95 at 90 %.
    """
    return ceil(log(1 - confidence) / log(target))


def judge(k: int, n: int, target: float, confidence: float) -> tuple[str, float]:
    """Whether `auto` may be switched on.

    Args:
        k: tickets on which people agreed.
        n: tickets that would have gone unread.
        target: agreement that has to be proven.
        confidence: of the one-sided bounds.

    Returns:
        `可开启` where the lower bound reaches the target; `暂不开启` where the upper bound does not, or where there
        were enough tickets and the share itself does not; else `样本不足`. And the lower bound.
    """
    if n == 0:
        return TOO_FEW, 0.0
    low = binomtest(k, n, alternative="greater").proportion_ci(confidence, "exact").low
    high = binomtest(k, n, alternative="less").proportion_ci(confidence, "exact").high
    if low >= target:
        return ON, float(low)
    enough = n >= fewest(target, confidence) and k / n < target
    return (OFF if enough or high < target else TOO_FEW), float(low)


def _leaf_row(leaf: str, cases: Cases, policy: Policy, assumptions: Assumptions) -> Table:
    own = [case for case in cases if case.ours.leaf == leaf]
    unread = [case for case in own if case.ready]
    k, target = sum(case.same_leaf for case in unread), policy.decision.target_precision
    verdict, low = judge(k, len(unread), target, assumptions.confidence)
    return {
        "leaf": leaf, "name": policy.taxonomy.leaf(leaf).name, "proposed": len(own), **share(k, len(unread)),
        "lower": rounded(low), "verdict": verdict,
        "fewest": fewest(target, assumptions.confidence), "on_now": policy.decision.auto_on(leaf),
    }  # fmt: skip


def _agreement(cases: Cases) -> Mapping[str, Table]:
    """With the first decision and with what counts as right; leaves only where people noted one."""
    noted = [case for case in cases if case.first.leaf]
    known = [case for case in cases if case.truth.leaf]
    return {
        "first_leaf": share(sum(case.ours.leaf == case.first.leaf for case in noted), len(noted)),
        "first_desk": share(sum(case.ours.desk == case.first.desk for case in cases), len(cases)),
        "leaf": share(sum(case.same_leaf for case in known), len(known)),
        "desk": share(sum(case.same_desk for case in cases), len(cases)),
        "hand_desk": share(sum(not case.first_was_wrong for case in cases), len(cases)),
    }  # fmt: skip


def _by(keys: Sequence[str | None], right: Sequence[bool]) -> dict[str, Table]:
    counts, agreed = Counter(keys), Counter(key for key, same in zip(keys, right, strict=True) if same)
    return {key: share(agreed[key], n) for key, n in sorted(counts.items(), key=lambda pair: -pair[1]) if key}


def _unread(case: ShadowCase, leaves: Collection[str]) -> bool:
    return case.ready and case.ours.leaf in leaves
