"""A ticket's whole way: text → normalise + mask → rules ∥ classifier → flags, safety → decision → route."""

import gc
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.bundle import Bundle
from model.calibration import default_calibration
from model.cascade import CASCADE, RUNGS, opinions
from model.decision import Case, decide
from model.document import Document, read
from model.evidence import cue_evidence, leaf_evidence
from model.opinion import Opinion, rules_opinion
from model.policy import Policy
from model.prediction import Candidate, Cue, Filing, Prediction, Versions
from model.prior import shifted
from model.routing import route
from model.rule_classifier import RuleVerdict, judge
from model.rules import RuleBase
from model.taxonomy import FLAGS
from model.ticket import Ticket

log = logging.getLogger(__name__)
_FOREIGN = 0.05  # probability of a flag in a text that does not speak of the utility
_SMALL_FILINGS = ("R_METER_NOTICE", "R1_GOV", "R2_SYSTEM", "R3_DISASTER", "R6_NEWBIZ")


@dataclass(frozen=True, slots=True)
class _Read:
    """A ticket, its text and what rules and classifier think of it."""

    ticket: Ticket
    document: Document
    verdict: RuleVerdict
    opinion: Opinion
    failed: bool
    limited_to: str | None


class Pipeline:
    """Predicts tickets from a bundle, or from rules alone where there is none or it fails.

    Args:
        policy: taxonomy, rules, routing, measures.
        bundle: a verified bundle, or None.
        missing: why there is no bundle (`no_bundle`, `bundle_refused`), for surfaces to say so.
    """

    def __init__(self, policy: Policy, bundle: Bundle | None = None, missing: str | None = None) -> None:
        self.policy = policy
        self.bundle = bundle
        self.missing = None if bundle else (missing or "no_bundle")
        self.rules = RuleBase(policy)
        self._by_rules = default_calibration(policy.taxonomy.codes, policy.decision)

    @property
    def level(self) -> str:
        """The rung of the ladder that answers: `cascade`, `linear` or `rules`."""
        if self.bundle is None:
            return "rules"
        return CASCADE if self.bundle.second else "linear"

    @property
    def source(self) -> str:
        """What the bundle is: `linear`, `encoder` or `cascade`; `rules` without one."""
        return self.bundle.source if self.bundle else "rules"

    def warm(self) -> None:
        """Load dictionaries and compile rules now rather than with the first ticket, and keep them."""
        self.predict([Ticket("停电")])
        gc.collect()
        gc.freeze()  # what is loaded stays: looking through it again and again costs a twentieth of the time

    def predict(self, tickets: Sequence[Ticket], *, explain: bool = False, most: str = CASCADE) -> list[Prediction]:
        """Predict tickets.

        Args:
            tickets: n valid tickets.
            explain: give the exact word reasons of the classifier as evidence (slower).
            most: the highest rung of the ladder that there is time for: `cascade`, `linear` or `rules`.

        Returns:
            n predictions in order; where time left a rung out, the reason `over_time` says so.
        """
        if not tickets:
            return []
        decision = self.policy.decision
        documents = [read(ticket, decision.max_characters, decision.head_characters) for ticket in tickets]
        verdicts = [judge(self.rules.hits(document), self.policy.taxonomy) for document in documents]
        opinions = self._opinions(documents, verdicts, most)
        rows = zip(tickets, documents, verdicts, opinions, strict=True)
        limited = most if RUNGS.index(most) > RUNGS.index(self.level) else None
        return [self._assemble(_Read(*row[:3], *row[3], limited), explain=explain) for row in rows]

    def _opinions(
        self, documents: Sequence[Document], verdicts: Sequence[RuleVerdict], most: str
    ) -> list[tuple[Opinion, bool]]:
        """Opinions, each with whether the classifier failed; one bad ticket does not take its batch along."""
        if self.bundle and most != "rules":
            try:
                return [(self._shifted(opinion), False) for opinion in opinions(self.bundle, documents, verdicts, most)]
            except Exception as error:  # noqa: BLE001 - whatever the classifier throws, rules answer
                log.error("classifier failed on a batch of %d: %s", len(documents), type(error).__name__)
                if len(documents) > 1:
                    pairs = zip(documents, verdicts, strict=True)
                    return [self._opinions([document], [verdict], most)[0] for document, verdict in pairs]
        return [(rules_opinion(verdict, self._by_rules), True) for verdict in verdicts]

    def _shifted(self, opinion: Opinion) -> Opinion:
        """The same for the office's own shares of leaves, where its policy names them."""
        real = self.policy.decision.leaf_prior
        if not (real and self.bundle) or opinion.answered_by == "rules":
            return opinion
        return replace(opinion, leaves=shifted(opinion.leaves, real, self.bundle.manifest["data"]["leaves"]))

    def _assemble(self, item: _Read, *, explain: bool) -> Prediction:
        taxonomy, opinion, document = self.policy.taxonomy, item.opinion, item.document
        ranked = sorted(opinion.leaves.items(), key=lambda pair: -pair[1])[:3]
        candidates = tuple(Candidate(c, taxonomy.leaf(c).name, taxonomy.leaf(c).group, p) for c, p in ranked)
        first = candidates[0]
        about = (opinion.answered_by, opinion.unknown_share, opinion.unlike, self._of_power(document))
        case = Case(document, first.code, first.confidence, item.verdict, *about)
        outcome, reasons = decide(case, opinion.calibration.auto, self.policy.decision, model_missing=item.failed)
        if item.limited_to:  # said, but no reason against `auto`: the rung that answered has thresholds of its own
            reasons = (*(r for r in reasons if item.limited_to != "rules" or r != "model_unavailable"), "over_time")
        if opinion.failed:
            reasons = (*reasons, "model_unavailable")
        secondary = self._secondary(first.code, opinion)
        cues = {name: self._cue(name, item) for name in (*FLAGS, "safety", "escalation")}
        role = self._theft_role(item, cues["theft"].raised)
        cues["theft"] = Cue(cues["theft"].probability, cues["theft"].raised, cues["theft"].evidence, role)
        return Prediction(
            ticket_id=item.ticket.ticket_id,
            candidates=candidates,
            secondary=secondary,
            flags={name: cues[name] for name in FLAGS},
            safety=cues["safety"],
            escalation=cues["escalation"],
            filing=self._filing(cues, item.verdict),
            route=route(
                item.ticket, first.code, outcome, self.policy.routing,
                danger=cues["safety"].raised, secondary=secondary,
            ),
            measures=self._measures(first.code, danger=cues["safety"].raised),
            decision=outcome,
            reasons=reasons,
            evidence=leaf_evidence(document, item.verdict, first.code, self._reasoner(item, explain=explain)),
            source=self.source,
            answered_by=opinion.answered_by,
            versions=self.versions(),
            rules_fired=tuple(hit.rule for hit in item.verdict.hits),
        )

    def _cue(self, name: str, item: _Read) -> Cue:
        probability = item.opinion.cues[name]
        weight = item.verdict.cues.get(name, 0.0)
        raised = probability >= item.opinion.calibration.cues[name].threshold
        if raised and not self._has_what_it_needs(name, item.document):
            raised, probability = False, min(probability, _FOREIGN)
        if name == "safety":  # recall first: decisive rules are enough, whatever the classifier thinks
            raised = raised or weight >= self.policy.decision.safety_rule_weight
        evidence = cue_evidence(item.document, item.verdict, name, self._reasoner(item)) if raised else ()
        return Cue(probability, raised, evidence)

    def _has_what_it_needs(self, cue: str, document: Document) -> bool:
        """Whether the text holds a wording that the policy demands before the classifier may raise this cue."""
        if cue == "safety":
            return self._of_power(document)
        lexicons = (name for flag, name in self.policy.decision.flag_needs.items() if flag == cue)
        return all(self._holds(document.text, name) for name in lexicons)

    def _of_power(self, document: Document) -> bool:
        """False for a text long enough to say what it is about that names nothing of a utility."""
        words, least = self.policy.decision.power_words, self.policy.decision.power_words_from
        return words is None or len(document.text) < least or self._holds(document.text, words)

    def _holds(self, text: str, lexicon: str) -> bool:
        return any(word in text for word in self.policy.context.lexicons[lexicon])

    def _reasoner(self, item: _Read, *, explain: bool = True) -> "Bundle | None":
        answered = explain and self.bundle and not item.failed and item.opinion.unknown_share < 1.0
        return self.bundle if answered else None

    def _theft_role(self, item: _Read, raised: bool) -> str | None:
        scores = dict(item.opinion.roles)
        others = scores.pop("reports_other", -1.0)
        if raised:
            return max(scores, key=lambda role: scores[role], default="found")
        told = any(hit.role == "reports_other" for hit in item.verdict.hits)
        return "reports_other" if told or others > self.policy.decision.reports_other_value else None

    def _secondary(self, first: str, opinion: Opinion) -> tuple[str, ...]:
        least = self.policy.decision.secondary_value
        found = [code for code, value in opinion.also.items() if value >= least and code != first]
        return tuple(sorted(found, key=lambda code: -opinion.also[code])[:2])

    def _measures(self, leaf: str, *, danger: bool) -> tuple[str, ...]:
        first = (self.policy.routing.safety.measure,) if danger else ()
        return (*first, *self.policy.measures.leaves[leaf].measures)

    def _filing(self, cues: dict[str, Cue], verdict: RuleVerdict) -> Filing | None:
        weight = self.policy.decision.flag_rule_weight
        wanted = [f.code for f in self.policy.taxonomy.filings if f.goes_with and cues[f.goes_with].raised]
        wanted = sorted(wanted, key=lambda code: code != "R5_MALICIOUS")
        wanted += [code for code in _SMALL_FILINGS if verdict.cues.get(code, 0.0) >= weight]
        return Filing(wanted[0], self.policy.taxonomy.filing(wanted[0]).name) if wanted else None

    def versions(self) -> Versions:
        """What answers: ids of bundle, taxonomy, rules and guideline.

        Returns:
            The bundle is None where rules answer alone.
        """
        taxonomy = self.policy.taxonomy
        return Versions(
            self.bundle.id if self.bundle else None, taxonomy.version, self.policy.rules_version, taxonomy.guideline
        )
