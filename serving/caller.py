"""Who called, without saying who: a digest by which the tickets of one caller are told apart."""

import hashlib
import hmac
import re

from model.text import normalise

_MOBILE = re.compile(r"1[3-9]\d{9}")
_FEWEST_DIGITS = 7  # of a telephone number


def caller_digest(contact: str | None, account: str | None, secret: bytes) -> str | None:
    """The digest of a caller: by telephone number where there is one, else by account.

    Args:
        contact: as sent; a mobile number in it counts, else all its digits.
        account: number of the customer (户号).
        secret: of the office; without it the digest cannot be led back.

    Returns:
        HMAC-SHA256 in hexadecimal, the same for the same caller; None where neither is known.
    """
    digits = re.sub(r"\D", "", normalise(contact or "").text)
    mobile = _MOBILE.search(digits)
    if mobile or len(digits) >= _FEWEST_DIGITS:
        return keyed_digest("phone", mobile[0] if mobile else digits, secret)
    return keyed_digest("account", account.strip(), secret) if account and account.strip() else None


def keyed_digest(kind: str, value: str, secret: bytes) -> str:
    """A digest that only holders of the secret can make.

    Args:
        kind: of the value, so that equal values of two kinds differ.
        value: what is to be told apart.
        secret: of the office.

    Returns:
        HMAC-SHA256 in hexadecimal.
    """
    return hmac.new(secret, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
