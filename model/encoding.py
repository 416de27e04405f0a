"""Tell UTF-8 from GB18030, and keep undecodable bytes so that their row can be reported."""

import codecs
import io
import re
from typing import IO, cast

_SAMPLE = 1_000_000
_ESCAPED = re.compile("[\udc80-\udcff]")


def open_text(raw: IO[bytes]) -> io.TextIOWrapper:
    """Wrap bytes as text in the encoding they are most likely in.

    Args:
        raw: an open binary file, read from its beginning.

    Returns:
        A text stream; bytes that cannot be decoded become lone surrogates (see `has_bad_bytes`).
    """
    buffered = io.BufferedReader(cast("io.RawIOBase", _Raw(raw)), _SAMPLE)
    encoding = detect(buffered.peek(_SAMPLE))
    return io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="")


def detect(sample: bytes) -> str:
    """The encoding of a sample: a byte order mark, else whichever reads more of its non-ASCII lines.

    Args:
        sample: the beginning of a file; its last line may be cut.

    Returns:
        `utf-8-sig`, `utf-16` or `gb18030`.
    """
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    lines = sample.splitlines()  # the last may be cut, and an unfinished character is no error
    telling = [line for line in lines if not line.isascii()]
    readable = sum(_decodes(line) for line in telling)
    return "utf-8-sig" if readable * 2 >= len(telling) else "gb18030"


def has_bad_bytes(text: str) -> bool:
    """Whether bytes of this text could not be decoded.

    Args:
        text: from `open_text`.

    Returns:
        True if so.
    """
    return bool(_ESCAPED.search(text))


def _decodes(line: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line, final=False)
    except UnicodeDecodeError:
        return False
    return True


class _Raw(io.RawIOBase):
    """Any readable binary stream as a raw one, so that it can be peeked far ahead."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """It is.

        Returns:
            True.
        """
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer.

        Args:
            buffer: where to.

        Returns:
            How many bytes; 0 at the end.
        """
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)
