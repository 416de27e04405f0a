"""Parts of the measured tickets that may fare worse: channel, length, difficulty, dialect, noise.

Dialect and noise are found by word lists (slices.yaml) and by the finders of disguised words, the same each time:

- `dialect:any` holds at least one word of a dialect; `dialect:none` holds none.
- `noise:asr`: a transcript in which a word of the trade stands under a wrong character (停店, 教表).
- `noise:typo`: the same in another channel.
- `noise:disguised`: a word set apart, in pinyin, as a picture or in parts (停*电, tingdian, 停⚡).
- `noise:none`: nothing of the kind.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from model.disguises import edits
from model.lookalikes import slips, twins
from model.text import plain_form
from model.ticket import LabelledTicket
from training.bootstrap import intervals, mean_of, rows_by_author
from training.evaluated import Evaluated, Table, short_figures

_SHORT, _LONG = 30, 200  # characters


def slice_figures(data: Evaluated, *, rounds: int, seed: int) -> Table:
    """The short figures of each slice, with an interval of its accuracy.

    Args:
        data: predictions and labels.
        rounds: of the bootstrap by author.
        seed: of the bootstrap.

    Returns:
        `n`, `accuracy`, `macro_f1`, `accuracy_ci95` by slice; no interval for a slice of one author.
    """
    parts = slices_of(data.tickets)
    right, inside = data.right, {name: np.isin(np.arange(len(data.tickets)), rows) for name, rows in parts.items()}
    several = [name for name, rows in parts.items() if len(rows_by_author([data.tickets[row] for row in rows])) > 1]
    figures = {name: mean_of(right, inside[name]) for name in several}
    found = intervals(figures, data.tickets, rounds=rounds, seed=seed)
    return {
        name: {
            **short_figures([data.gold[row] for row in rows], [data.found[row] for row in rows]),
            "accuracy_ci95": found.get(name),
        }
        for name, rows in parts.items()
    }


def slices_of(tickets: Sequence[LabelledTicket]) -> dict[str, list[int]]:
    """Which tickets are in which slice.

    Args:
        tickets: n labelled tickets.

    Returns:
        Rows by name of the slice, names in order; a ticket is in one slice of each kind, or in none where its
        channel or difficulty is not told.
    """
    named: dict[str, list[int]] = {}
    for row, ticket in enumerate(tickets):
        kinds = {
            "channel": ticket.channel,
            "length": length_of(ticket.text),
            "difficulty": ticket.extra.get("difficulty"),
            "dialect": "any" if dialect_words(ticket.text) else "none",
            "noise": noise_of(ticket.text, ticket.channel),
        }
        for kind, value in kinds.items():
            if value:
                named.setdefault(f"{kind}:{value}", []).append(row)
    return dict(sorted(named.items()))


def length_of(text: str) -> str:
    """How long a text is.

    Args:
        text: as sent.

    Returns:
        `short`, `middle` or `long`.
    """
    return "short" if len(text) <= _SHORT else "long" if len(text) > _LONG else "middle"


def dialect_words(text: str) -> list[str]:
    """Words of a dialect.

    Args:
        text: as sent.

    Returns:
        Each as often as it stands there.
    """
    return [word for word in _patterns()[0].findall(plain_form(text).text) if word]


def noise_of(text: str, channel: str | None) -> str:
    """Whether words of the trade stand there as they should.

    Args:
        text: as sent.
        channel: how it came.

    Returns:
        `asr`, `typo`, `disguised` or `none`.
    """
    plain = plain_form(text).text
    wrong = slips(plain) or twins(plain)
    found = edits(plain)
    if found and found != wrong:  # wrong characters are looked for last
        return "disguised"
    if wrong or _patterns()[1].search(plain):
        return "asr" if channel == "asr" else "typo"
    return "none"


@cache
def _patterns() -> tuple["re.Pattern[str]", "re.Pattern[str]"]:
    """Words of dialects (in the group; words of Mandarin that hold one are passed over), and homophones."""
    lists = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    dialect, mandarin = ("|".join(" ".join(lists[name]).split()) for name in ("dialect", "mandarin"))
    return re.compile(f"{mandarin}|({dialect})"), re.compile("|".join(lists["homophones"].split()))
