"""Cases of the behaviour tests (tests/data/checklist/): read, changed, judged. Used by checklist.py and by the tests."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model.pipeline import Pipeline
from model.prediction import Prediction
from model.ticket import Ticket

CASES = Path(__file__).parent.parent / "tests" / "data" / "checklist"
BOUNDARY, NEGATION, ACCUSED, UNSEEN = "boundary", "negation", "who_is_accused", "unseen"
_CUES = ("safety", "escalation")
_SLOTS = ("name", "place", "number")
_STOPS = "，。！？；：、,.!?;"
_HALF = str.maketrans("，。！？；：", ",.!?;:")


@dataclass(frozen=True, slots=True)
class Side:
    """A text and what must be said of it; what is None is not looked at."""

    text: str
    leaf: str | None = None
    also: frozenset[str] | None = None
    flags: frozenset[str] | None = None
    role: str | None = None
    safety: bool | None = None
    escalation: bool | None = None

    def expected(self) -> tuple[object, ...]:
        """All but the text."""
        return self.leaf, self.also, self.flags, self.role, self.safety, self.escalation

    def wrong(self, said: Prediction) -> list[str]:
        """What a prediction gets wrong, in words; empty where all is right."""
        second = frozenset(said.secondary)
        found: dict[str, tuple[object, object]] = {
            "leaf": (self.leaf, said.category.code),
            "secondary": (self.also, self.also if self.also and self.also <= second else second),
            "flags": (self.flags, raised(said)),
            "role": (self.role, said.flags["theft"].role),
            "safety": (self.safety, said.safety.raised),
            "escalation": (self.escalation, said.escalation.raised),
        }
        wrong = {name: pair for name, pair in found.items() if pair[0] is not None and pair[0] != pair[1]}
        return [f"{name} {_words(got)}, not {_words(want)}" for name, (want, got) in wrong.items()]


def raised(said: Prediction) -> frozenset[str]:
    """The flags of a prediction that are raised."""
    return frozenset(name for name, cue in said.flags.items() if cue.raised)


def _words(value: object) -> str:
    return "+".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs about one thing; `bar`: of how many the linear bundle must have both leaves right in the tests."""

    kind: str
    name: str
    title: str
    bar: int | None
    pairs: tuple[tuple[Side, Side], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one pair.

    `leaves`: both leaves are right; `moves`: whatever is to differ between the sides differs the right way, even where
    it does not cross a threshold; `wrong`: what went wrong on either side.
    """

    pair: tuple[Side, Side]
    leaves: bool
    moves: bool
    wrong: tuple[list[str], list[str]]

    @property
    def holds(self) -> bool:
        """Whether nothing went wrong on either side."""
        return not any(self.wrong)


@dataclass(frozen=True, slots=True)
class Variant:
    """A base text of the invariance tests and what a change made of it."""

    change: str
    base: str
    text: str


def read_groups(folder: Path = CASES) -> list[Group]:
    """All pairs.

    Args:
        folder: where the cases stand.

    Returns:
        Groups: the boundary rules in order, then negation, who is accused, and those unseen when rules were widened.
    """
    files = [(BOUNDARY, path) for path in sorted(folder.glob("boundary_*.yaml"))]
    files += [(kind, folder / f"{kind}.yaml") for kind in (NEGATION, ACCUSED, UNSEEN)]
    return [
        Group(kind, e["name"], e["title"], e.get("bar"), tuple((_side(p["a"]), _side(p["b"])) for p in e["pairs"]))
        for kind, path in files
        for e in _yaml(path)
    ]


def _side(given: dict[str, Any]) -> Side:
    more: dict[str, Any] = {name: given[name] for name in ("role", "safety", "escalation") if name in given}
    more |= {name: frozenset(given[name]) for name in ("also", "flags") if name in given}
    return Side(given["text"], given.get("is"), **more)


def read_invariance(folder: Path = CASES) -> tuple[list[Side], list[Variant], dict[str, float]]:
    """Base texts, what the changes make of them, and the share of each change that must stay the same in the tests.

    Args:
        folder: where the cases stand.

    Returns:
        Bases with plain names, places and numbers; variants; bars by change.
    """
    data = _yaml(folder / "invariance.yaml")
    bases, variants = [], []
    for given in data["bases"]:
        filled = _filled(given["text"], data)
        bases.append(_side({**given, "text": filled()}))
        changed = {f"{slot}s": [filled(**{slot: w}) for w in data[f"{slot}s"][1:]] for slot in _SLOTS}
        changed |= _around(filled(), data)
        variants += [Variant(c, filled(), t) for c, texts in changed.items() for t in texts if t != filled()]
    return bases, variants, data["bars"]


def _filled(text: str, data: dict[str, Any]) -> Callable[..., str]:
    plain = {slot: data[f"{slot}s"][0] for slot in _SLOTS}
    return lambda **words: text.format(**(plain | words))


def _around(text: str, data: dict[str, Any]) -> dict[str, list[str]]:
    """Changes that leave the words of the matter as they are, or as speech recognition hears them."""
    courtesy = data["courtesy"]
    heard = text
    for word, sound in data["sounds"].items():
        heard = heard.replace(word, sound)
    stops = [text.translate({ord(stop): by for stop in _STOPS}) for by in ("", " ", "！", "……")]
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return {
        "courtesy": [b + text for b in courtesy["before"]] + [text + a for a in courtesy["after"]],
        "relay header": [header + text for header in data["headers"]],
        "homophones": [heard],
        "punctuation": stops,
        "full and half width": [wide, unicodedata.normalize("NFKC", text), text.translate(_HALF)],
    }


def judge_groups(pipeline: Pipeline, groups: Sequence[Group]) -> list[list[Outcome]]:
    """Outcomes of every pair.

    Args:
        pipeline: bundle or rules.
        groups: n groups.

    Returns:
        n lists.
    """
    sides = [side for group in groups for pair in group.pairs for side in pair]
    said = iter(pipeline.predict([Ticket(side.text) for side in sides]))
    return [[_outcome(pair, (next(said), next(said))) for pair in group.pairs] for group in groups]


def _outcome(pair: tuple[Side, Side], said: tuple[Prediction, Prediction]) -> Outcome:
    leaves = all(side.leaf in (None, one.category.code) for side, one in zip(pair, said, strict=True))
    wrong = pair[0].wrong(said[0]), pair[1].wrong(said[1])
    return Outcome(pair, leaves, _moves(pair, said) if any(wrong) else True, wrong)


def _moves(pair: tuple[Side, Side], said: tuple[Prediction, Prediction]) -> bool:
    a, b = pair
    one, other = said
    steps = [one.flags[f].probability - other.flags[f].probability for f in (a.flags or set()) - (b.flags or set())]
    steps += [other.flags[f].probability - one.flags[f].probability for f in (b.flags or set()) - (a.flags or set())]
    for cue in _CUES:
        if getattr(a, cue) != getattr(b, cue):
            step = getattr(one, cue).probability - getattr(other, cue).probability
            steps.append(step if getattr(a, cue) else -step)
    if a.leaf != b.leaf:
        steps += [_confidence(one, a.leaf) - _confidence(other, a.leaf)]
        steps += [_confidence(other, b.leaf) - _confidence(one, b.leaf)]
    return bool(steps) and all(step > 0 for step in steps)


def _confidence(said: Prediction, leaf: str | None) -> float:
    return next((c.confidence for c in said.candidates if c.code == leaf), 0.0)


def judge_variants(pipeline: Pipeline, variants: Sequence[Variant]) -> list[str]:
    """What each change does to leaf, flags, safety and escalation.

    Args:
        pipeline: bundle or rules.
        variants: n variants.

    Returns:
        n texts: empty where all stays the same, else what became of what.
    """
    before = _matters(pipeline, [v.base for v in variants])
    after = _matters(pipeline, [v.text for v in variants])
    return [f"{b} → {a}" if a != b else "" for b, a in zip(before, after, strict=True)]


def _matters(pipeline: Pipeline, texts: Sequence[str]) -> list[str]:
    distinct = list(dict.fromkeys(texts))
    said = {
        text: " ".join((p.category.code, *sorted(raised(p)), *(n for n in _CUES if getattr(p, n).raised)))
        for text, p in zip(distinct, pipeline.predict([Ticket(t) for t in distinct]), strict=True)
    }
    return [said[text] for text in texts]


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
