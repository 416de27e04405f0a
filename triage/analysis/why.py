"""Why a ticket does not go to its desk unread, in words with the numbers behind them."""

from collections.abc import Callable
from dataclasses import dataclass

from model.calibration import Calibration, default_calibration
from model.pipeline import Pipeline
from model.prediction import Prediction
from model.rule_classifier import RuleVerdict

DECISIONS = {"auto": "自动派单", "review": "人工复核", "fallback": "规则兜底"}
ANSWERED = {"linear": "线性分类器", "encoder": "编码器", "rules": "规则"}


@dataclass(frozen=True)
class _Case:
    """What the sentences are made of."""

    pipeline: Pipeline
    prediction: Prediction
    verdict: RuleVerdict

    @property
    def leaf(self) -> str:
        return f"“{self.prediction.category.name}”"

    def low_confidence(self) -> str:
        first = self.prediction.category
        least = calibration_of(self.pipeline, self.prediction.answered_by).auto.get(first.code, 1.0)
        if least > 1:
            return f"{self.leaf}在训练时没有哪个置信度够准,一律由人看"
        return f"置信度 {first.confidence:.2f} 低于{self.leaf}自动派单的门槛 {least:.2f}"

    def rules_disagree(self) -> str:
        name = self.pipeline.policy.taxonomy.leaf(self.verdict.first).name
        return f"规则看来更像“{name}”({self.verdict.leaves[self.verdict.first]:.2f}),两边说法不一"

    def too_short(self) -> str:
        return f"正文不足 {self.pipeline.policy.decision.short_characters} 个字,看不出事由"

    def too_long(self) -> str:
        decision = self.pipeline.policy.decision
        tail = decision.max_characters - decision.head_characters
        return f"正文超过 {decision.max_characters} 字,只读了前 {decision.head_characters} 字和后 {tail} 字"

    def auto_off(self) -> str:
        return f"本单位没有给{self.leaf}开通自动派单"

    def sentence(self, reason: str) -> str:
        own: dict[str, Callable[[], str]] = {
            method.__name__: method
            for method in (self.low_confidence, self.rules_disagree, self.too_short, self.too_long, self.auto_off)
        }
        return own[reason]() if reason in own else _PLAIN.get(reason, reason)


_PLAIN = {
    "not_a_complaint": "看不出有供电方面的诉求",
    "unknown_words": "生词多,或者整条与学过的工单都不像",
    "model_unavailable": "没有可用的模型,或它读这一条时出错",
    "over_time": "时间预算不够,由较快的一层作答",
}


def why_not_auto(pipeline: Pipeline, prediction: Prediction, verdict: RuleVerdict) -> tuple[str, ...]:
    """Each reason as a sentence.

    Args:
        pipeline: that predicted.
        prediction: its answer.
        verdict: what the rules say of the same ticket.

    Returns:
        Chinese sentences; none where nothing is to be said.
    """
    case = _Case(pipeline, prediction, verdict)
    return tuple(case.sentence(reason) for reason in prediction.reasons)


def calibration_of(pipeline: Pipeline, answered_by: str) -> Calibration:
    """The thresholds of the part that answered.

    Args:
        pipeline: that predicted.
        answered_by: `encoder`, `linear` or `rules`.

    Returns:
        Its calibration; that of the policy where rules answered.
    """
    bundle = pipeline.bundle
    if bundle is None or answered_by == "rules":
        return default_calibration(pipeline.policy.taxonomy.codes, pipeline.policy.decision)
    return bundle.second.calibration if bundle.second and answered_by == "encoder" else bundle.calibration
