"""One character for another: full width, traditional, variants, twins of other alphabets. Part of `model.text`."""

import unicodedata
from functools import cache
from typing import Any

import opencc

_COMPATIBLE = (range(0x80, 0xD800), range(0xE000, 0x10000), range(0x1D400, 0x1D800), range(0x1F100, 0x1F200), range(0x1FBF0, 0x1FBFA), range(0x2F800, 0x2FA20))  # fmt: skip
_CIRCLES = (0x2474, 0x2488, 0x24F5, 0x2776, 0x2780, 0x278A)  # ⑴ ⒈ ⓵ ❶ ➀ ➊
_LETTER_TWINS = {
    "A": "АΑ", "B": "ВΒ", "C": "С", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "J": "Ј", "K": "КΚ", "M": "МΜ", "N": "Ν", "O": "ОΟ",
    "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "ҮΥ", "Z": "Ζ", "a": "а", "c": "с", "d": "ԁ", "e": "е", "h": "һ",
    "i": "і", "j": "ј", "o": "оο", "p": "р", "s": "ѕ", "v": "ѵν", "w": "ԝ", "x": "х", "y": "у",
}  # fmt: skip


def simplified(text: str) -> str:
    """Traditional characters simplified, each by itself where a phrase would change the length.

    Args:
        text: any text without lone surrogates.

    Returns:
        A string of the same length.
    """
    found: str = _converter().convert(text)
    return found if len(found) == len(text) else "".join(map(_one, text))


@cache
def one_for_one() -> dict[int, str]:
    """Characters that stand for one other character: full width, other alphabets' twins, digits in circles, variants.

    Returns:
        A table for `str.translate`.
    """
    table = {code: unicodedata.normalize("NFKC", chr(code)) for part in _COMPATIBLE for code in part}
    single = {code: form for code, form in table.items() if len(form) == 1 and form != chr(code)}
    return {**_variants(), **single, **_twins(), ord("　"): " ", ord("。"): "。"}


def _variants() -> dict[int, str]:
    """Japanese forms that input methods offer (圧, 戸, 庁), where neither Chinese script has the character."""
    odd = [chr(code) for code in range(0x4E00, 0xA000) if not _in_gb2312(chr(code))]
    chinese = _converter().convert(opencc.OpenCC("jp2t").convert("\n".join(odd))).split("\n")
    kept = _converter().convert("\n".join(odd)).split("\n")
    rows = zip(odd, chinese, kept, strict=True)
    found = {ord(c): form for c, form, same in rows if same == c != form and len(form) == 1 and _in_gb2312(form)}
    return {**found, ord("戸"): "户", ord("髙"): "高"}


def _in_gb2312(character: str) -> bool:
    try:
        return bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def _twins() -> dict[int, str]:
    """Cyrillic and Greek letters with a Latin twin, and digits in circles that have no compatibility form."""
    twins = {ord(twin): latin for latin, alike in _LETTER_TWINS.items() for twin in alike}
    circles = {first + n: str(n + 1) for first in _CIRCLES for n in range(9)}
    return {**twins, **circles, 0x24EA: "0", 0x24FF: "0"}


def _one(character: str) -> str:
    converted: str = _converter().convert(character)
    return converted if len(converted) == 1 else character


@cache
def _converter() -> Any:
    return opencc.OpenCC("t2s")
