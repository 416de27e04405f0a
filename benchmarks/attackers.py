"""Ways in which people, input methods and speech recognition dodge a classifier; the tables are in attacks.yaml.

Each attacker takes a text, a generator of its own and the ticket's leaf, and returns the attacked text.
"""

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import opencc
import yaml

Attacker = Callable[[str, random.Random, str], str]
_HAN = "\u4e00-\u9fff"
_BETWEEN = re.compile(f"(?<=[{_HAN}])(?=[{_HAN}])")
_SHARE = 0.5  # of the places where a whole text could be attacked


@cache
def tables() -> dict[str, Any]:
    """The attack tables, which no defence reads.

    Returns:
        The content of attacks.yaml.
    """
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("attacks.yaml").read_text(encoding="utf-8"))
    return data


@cache
def _any_of(*names: str) -> "re.Pattern[str]":
    words = {word for name in names for word in tables()[name]}
    return re.compile("|".join(sorted(map(re.escape, words), key=lambda w: (-len(w), w))))


def _each_keyword(change: Callable[[str, random.Random], str]) -> Attacker:
    return lambda text, rng, _leaf: _any_of("keywords", "homophones").sub(lambda m: change(m[0], rng), text)


def _joined_by(name: str) -> Attacker:
    return _each_keyword(lambda word, rng: rng.choice(tables()[name]).join(word))


def _spaced_text(text: str, rng: random.Random, _leaf: str) -> str:
    return _BETWEEN.sub(rng.choice(tables()["separators"]), text)


def _substituted(name: str, share: float = 1.0) -> Attacker:
    def attack(text: str, rng: random.Random, _leaf: str) -> str:
        table = tables()[name]
        pick = lambda m: rng.choice(_forms(table[m[0]])) if rng.random() < share else m[0]  # noqa: E731
        return _any_of(name).sub(pick, text)

    return attack


def _forms(entry: str | list[str]) -> list[str]:
    return [entry] if isinstance(entry, str) else entry


def _letters_and_digits(text: str, rng: random.Random, leaf: str) -> str:
    digits = tables()["digits"]
    text = re.sub("[0-9]", lambda m: rng.choice(digits[int(m[0])]), text)
    return _substituted("letters")(text, rng, leaf)


def _pinyin(text: str, rng: random.Random, _leaf: str) -> str:
    joint = rng.choice(("", "", " "))
    return _any_of("keywords").sub(lambda m: tables()["keywords"][m[0]].replace(" ", joint), text)


def _initials(text: str, _rng: random.Random, _leaf: str) -> str:
    first = lambda m: "".join(sound[0] for sound in tables()["keywords"][m[0]].split(" "))  # noqa: E731
    return _any_of("keywords").sub(first, text)


def _emoji_among(text: str, rng: random.Random, _leaf: str) -> str:
    among = tables()["emoji_among"]
    text = _any_of("keywords").sub(lambda m: rng.choice(among).join(m[0]) if rng.random() < _SHARE else m[0], text)
    return re.sub("[,。!?,!?]", lambda m: m[0] + rng.choice(among), text)


def _stuffed(text: str, rng: random.Random, leaf: str) -> str:
    words = tables()["stuffing"][rng.choice([code for code in tables()["stuffing"] if code != leaf])]
    chosen = rng.sample(words, 4)
    return f"{text}。{chosen[0] * 2} {' '.join(chosen[1:])}"


def _talked_away(text: str, rng: random.Random, _leaf: str) -> str:
    return f"{text}。{','.join(rng.sample(tables()['away'], 4))}。"


def _traditional(text: str, _rng: random.Random, _leaf: str) -> str:
    converted: str = _to_traditional().convert(text)
    return converted


@cache
def _to_traditional() -> Any:
    return opencc.OpenCC("s2t")


ATTACKERS: dict[str, Attacker] = {
    "separators in key words (停*电)": _joined_by("separators"),
    "separators in the whole text (停 电 了)": _spaced_text,
    "zero-width characters in key words": _joined_by("zero_width"),
    "traditional characters (電費)": _traditional,
    "other letters and digits (③, Cyrillic)": _letters_and_digits,
    "look-alike characters (婷电)": _substituted("lookalikes", _SHARE),
    "split characters (亻亭电)": _substituted("splits"),
    "pinyin of key words (tingdian)": _pinyin,
    "initials of key words (td)": _initials,
    "homophones of key words (停店)": _substituted("homophones"),
    "emoji among words (停⚡电)": _emoji_among,
    "emoji instead of words (停⚡)": _substituted("emoji_instead"),
    "stuffed with words of another leaf": _stuffed,
    "talked away (我没有偷电)": _talked_away,
}
