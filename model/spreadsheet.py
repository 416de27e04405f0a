"""Cells that no spreadsheet program takes for a formula."""

from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
ILLEGAL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(55296, 57344), 65534, 65535), "�")


def safe_cell(value: Any) -> Any:
    """A table cell that no spreadsheet takes for a formula.

    Args:
        value: any value.

    Returns:
        Numbers and truth values as they are; a text that begins like a formula gets a leading apostrophe.
    """
    if not isinstance(value, str):
        return value
    text = value.translate(ILLEGAL)
    return f"'{text}" if text.lstrip(" \ufeff").startswith(_FORMULA) else text
