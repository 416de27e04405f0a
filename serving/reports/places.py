"""Whether a ticket's place is the one that somebody asked for."""

import difflib
import re
from collections.abc import Iterable

_COMPANY = re.compile(r"\s|·|国网|国家电网|供电分?公司")
_ENDING = re.compile("[县市区旗]$")


def belongs(org: str, place: tuple[str | None, str | None, str | None]) -> bool:
    """Whether a place is, or lies in, the unit asked for.

    Args:
        org: a city, county, station or hall, with or without the county before it.
        place: city, county, station of a ticket.

    Returns:
        True where a part equals it: 城关供电所, 安平县城关供电所 and 国网安平县供电公司城关供电所 are one, another county's is not.
    """
    wanted = _COMPANY.sub("", org)
    city, county, station = (_COMPANY.sub("", part) if isinstance(part, str) else "" for part in place)
    if any(part and _ENDING.sub("", part) == _ENDING.sub("", wanted) for part in (city, county)):
        return True
    if not station:
        return False
    stem = _ENDING.sub("", county)
    before = f"(?:{re.escape(stem)}[县市区旗]?)?" if stem else ""
    own = re.sub(f"^{before}(?=.)", "", station)
    return bool(re.fullmatch(f"(?:{re.escape(city)})?{before}{re.escape(own)}", wanted))


def close_names(org: str, names: Iterable[str]) -> list[str]:
    """Names that somebody may have meant.

    Args:
        org: that was found nowhere.
        names: that there are.

    Returns:
        At most five, the closest first.
    """
    return difflib.get_close_matches(org, sorted(set(names)), n=5, cutoff=0.3)
