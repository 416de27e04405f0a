"""Cells that no spreadsheet program takes for a formula."""

import unicodedata
from typing import Any

_FORMULA = frozenset("=+-@|%")
_CONTROL = ("\t", "\r", "\n")  # a spreadsheet may drop them and read on
ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(55296, 57344), 65534, 65535), "�")


def safe_cell(value: Any) -> Any:
    """A table cell that no spreadsheet takes for a formula.

    Args:
        value: any value.

    Returns:
        Numbers and truth values as they are; a text that begins like a formula, also behind blanks, invisible
        characters or in full width, gets a leading apostrophe.
    """
    if not isinstance(value, str):
        return value
    text = value.translate(ILLEGAL)
    return f"'{text}" if text.startswith(_CONTROL) or _first_seen(text) in _FORMULA else text


def _first_seen(text: str) -> str:
    """The first character that is neither blank nor invisible, half width."""
    first = next((character for character in text if unicodedata.category(character)[0] not in "ZC"), "")
    return unicodedata.normalize("NFKC", first)
