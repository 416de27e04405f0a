"""Reviewers and units: who is the same person, who belongs to a unit."""

import re
import unicodedata
from dataclasses import dataclass

_SEVERAL = re.compile("[、,;/]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Person:
    """A reviewer by the name of the key, and the unit registered with it; `unit` is None where nobody registered one."""

    name: str
    unit: str | None = None


def same_name(name: str) -> str:
    """The form in which two spellings of a name are equal.

    Args:
        name: of a person or a unit.

    Returns:
        Half width, lower case, without spaces.
    """
    return _SPACE.sub("", unicodedata.normalize("NFKC", name)).casefold()


def within(unit: str, complained: str) -> bool:
    """Whether a person of `unit` belongs to the unit complained of; in doubt yes.

    城东供电所营业班 is within 城东供电所; 城东供电所 is the same as 兴隆县城东供电所; 兴隆县供电公司 is within neither.

    Args:
        unit: of the person.
        complained: one unit, or several joined by 、.

    Returns:
        True where the person must stay out.
    """
    mine = same_name(unit)
    wholes = [same_name(whole) for whole in _SEVERAL.split(unicodedata.normalize("NFKC", complained))]
    return any(whole in mine or whole.endswith(mine) for whole in wholes if whole)
