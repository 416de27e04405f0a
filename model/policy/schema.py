"""Shapes of the policy files. Unknown keys are refused, so that a typing error is found on load."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Flag = Literal["malicious", "unreasonable", "theft", "arrears"]
Text = Annotated[str, Field(min_length=1)]
Probability = Annotated[float, Field(gt=0, le=1)]


class Strict(BaseModel):
    """Base of all policy shapes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Dated(Strict):
    """A policy file: its version and the day it takes effect."""

    version: Text
    effective_from: date


class GroupEntry(Strict):
    """`groups` of taxonomy.yaml."""

    code: Text
    name: Text


class LeafEntry(Strict):
    """`leaves` of taxonomy.yaml."""

    code: Text
    name: Text
    group: Text
    causes: tuple[Text, ...] = ()


class FilingEntry(Strict):
    """`filings` of taxonomy.yaml."""

    code: Text
    name: Text
    goes_with: Flag | None = None


class ChangeEntry(Dated):
    """`changes` of taxonomy.yaml: what became of former leaves on a day, from a version on.

    `renamed`: former code → code; `merged`: code → former codes; `split`: former code → codes, between which a person
    has to decide for each label.
    """

    renamed: dict[Text, Text] = {}
    merged: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = {}
    split: dict[Text, Annotated[tuple[Text, ...], Field(min_length=2)]] = {}


class TaxonomyFile(Dated):
    """taxonomy.yaml."""

    guideline: Text
    groups: tuple[GroupEntry, ...]
    leaves: tuple[LeafEntry, ...]
    flags: dict[Flag, Text]
    filings: tuple[FilingEntry, ...]
    causes: dict[Text, Text]
    changes: tuple[ChangeEntry, ...] = ()


class Clock(Strict):
    """The complaint's own clock, from acceptance."""

    contact_hours: Annotated[int, Field(gt=0, le=72)]
    answer_working_days: Annotated[int, Field(gt=0, le=60)]
    basis: Text


class Arrival(Strict):
    """Minutes until a repair crew is on site, by area."""

    urban: Annotated[int, Field(gt=0)]
    rural: Annotated[int, Field(gt=0)]
    unknown: Annotated[int, Field(gt=0)]
    basis: Text


class RouteEntry(Strict):
    """Where a leaf goes. `never` lists units that must not get it (those complained of)."""

    desk: Text
    support: tuple[Text, ...] = ()
    never: tuple[Text, ...] = ()
    promise: Text
    basis: Text
    arrives: bool = False


class SafetyRoute(Strict):
    """Where danger goes, whatever the leaf."""

    desk: Text
    person: Text
    measure: Text
    promise: Text


class RoutingFile(Dated):
    """routing.yaml."""

    clock: Clock
    arrival: Arrival
    desks: tuple[Text, ...]
    review_desk: Text
    safety: SafetyRoute
    routes: dict[Text, RouteEntry]


class FirstContact(Strict):
    """What a 服务专责 says and gathers in the first call."""

    ask: Annotated[tuple[Text, ...], Field(min_length=3, max_length=3)]
    promise: Annotated[tuple[Text, ...], Field(min_length=1)]
    never: Annotated[tuple[Text, ...], Field(min_length=1)]
    evidence: Annotated[tuple[Text, ...], Field(min_length=1)]
    rule: Text
    section: Text


class MeasureEntry(Strict):
    """Control measures of a leaf with the article's section, and its first-contact card."""

    section: Text
    measures: Annotated[tuple[Text, ...], Field(min_length=1)]
    card: FirstContact


class MeasuresFile(Dated):
    """measures.yaml."""

    leaves: dict[Text, MeasureEntry]


class DecisionFile(Dated):
    """decision.yaml: thresholds that hold until a bundle brings fitted ones."""

    auto_confidence: Probability
    auto_leaves: Literal["all"] | tuple[Text, ...] = "all"  # every other leaf goes to a person (`auto_off`)
    flag_rule_weight: Annotated[float, Field(gt=0)]
    flag_needs: dict[Flag, Text] = {}
    least_auto: Probability = 0.0  # no ticket goes out unread below it, whatever was fitted
    power_words: Text | None = None  # lexicon: a text of some length without any of it is hardly about power
    power_words_from: Annotated[int, Field(ge=0)] = 0  # that length, in characters
    least_auto_elsewhere: Probability = 0.0  # the same for such a text, where another leaf than `other.misc` is proposed
    safety_rule_weight: Annotated[float, Field(gt=0)]
    min_safety_precision: Probability
    secondary_value: float
    target_precision: Probability
    min_flag_precision: Probability
    short_characters: Annotated[int, Field(ge=1)]
    unknown_word_share: Probability
    max_characters: Annotated[int, Field(ge=100)]
    head_characters: Annotated[int, Field(ge=50)]
    least_flag_probability: dict[Flag, Probability] = {}
    reports_other_value: float = 0.0
    leaf_prior: dict[Text, Probability] = {}  # share of each leaf in the office's real flow; empty: as in training

    def auto_on(self, leaf: str) -> bool:
        """Whether tickets of a leaf may go to their desk unread.

        Args:
            leaf: its code.

        Returns:
            True where the office has switched it on.
        """
        return self.auto_leaves == "all" or leaf in self.auto_leaves

    @field_validator("head_characters")
    @classmethod
    def _shorter(cls, head: int, info: ValidationInfo) -> int:
        if head >= info.data.get("max_characters", head + 1):
            raise ValueError("须小于 max_characters")
        return head

    @field_validator("leaf_prior")
    @classmethod
    def _whole(cls, prior: dict[str, float]) -> dict[str, float]:
        if prior and abs(sum(prior.values()) - 1) > 0.01:
            raise ValueError(
                f"leaf_prior: the shares of all leaves must sum to 1, they sum to {sum(prior.values()):.3f}"
            )
        return prior


class RuleEntry(Strict):
    """One rule. `all` holds groups of wordings; each group must occur within `within` characters of one another.

    A wording that starts with `@` names a lexicon. `unless` groups must not occur in the same sentence.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9_.]+$")]
    to: Text
    all: tuple[tuple[Text, ...], ...] = ()
    regex: Text | None = None
    unless: tuple[Text, ...] = ()
    unless_anywhere: tuple[Text, ...] = ()
    within: Annotated[int, Field(ge=1, le=400)] = 14
    ordered: bool = False
    weight: Annotated[float, Field(gt=0, le=5)] = 1.0
    negation: Literal["drop", "ignore", "need"] = "drop"
    hearsay: Literal["weak", "ignore", "drop"] = "weak"
    speaker: Literal["customer", "any"] = "customer"
    role: Literal["admits", "denies", "found", "reports_other"] | None = None
    why: Text | None = None

    @field_validator("all")
    @classmethod
    def _no_empty_group(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if any(not group for group in groups):
            raise ValueError("a group of `all` is empty: give at least one wording")
        return groups


class RulesFile(Dated):
    """rules/*.yaml."""

    rules: tuple[RuleEntry, ...]


class ContextFile(Dated):
    """rules/context.yaml: named word lists, and the cues of negation, hearsay and affirmation."""

    lexicons: dict[Text, tuple[Text, ...]]
    negation: tuple[Text, ...]
    not_negation: tuple[Text, ...]
    hearsay: tuple[Text, ...]
    affirmation: tuple[Text, ...]
    negation_reach: Annotated[int, Field(ge=1, le=20)]
