"""Tell UTF-8 from GB18030, mark undecodable bytes so that their row can be reported, and keep rows to a size."""

import codecs
import io
from collections.abc import Iterator
from typing import IO, cast

from model.errors import InvalidTicket, UnreadableInput

ROW_MOST = 10_000_000  # characters of one row; what a person wrote is a thousand times shorter
UNREADABLE = "\udcff"  # stands where bytes could not be decoded
_SAMPLE = 1_000_000
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),  # before UTF-16, whose mark they begin with
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_NO_TEXT = (
    (b"PK\x03\x04", "ZIP 或 XLSX"), (b"\x1f\x8b", "gzip"), (b"\xd0\xcf\x11\xe0", "旧版 Office 文件"),
    (b"%PDF-", "PDF"), (b"\x89PNG", "PNG 图片"), (b"\xff\xd8\xff", "JPEG 图片"), (b"PAR1\x15", "Parquet"),
    (b"SQLite format 3\x00", "SQLite 数据库"), (b"\x7fELF", "程序"), (b"Rar!\x1a", "RAR"), (b"7z\xbc\xaf", "7z"),
)  # fmt: skip


def open_text(raw: IO[bytes]) -> io.TextIOWrapper:
    """Wrap bytes as text in the encoding they are most likely in.

    Args:
        raw: an open binary file, read from its beginning.

    Returns:
        A text stream; bytes that cannot be decoded become `UNREADABLE` (see `has_bad_bytes`).

    Raises:
        UnreadableInput: these bytes are a file of another kind, such as a PDF or an archive.
    """
    buffered = io.BufferedReader(cast("io.RawIOBase", _Raw(raw)), _SAMPLE)
    sample = buffered.peek(_SAMPLE)
    found = next((name for magic, name in _NO_TEXT if sample.startswith(magic)), None)
    if found:
        raise UnreadableInput(f"内容不是文本,而是 {found};请另存为 CSV 或 JSONL,或把扩展名改成实际的类型")
    codecs.register_error("triage.mark", _mark)
    return io.TextIOWrapper(buffered, encoding=detect(sample), errors="triage.mark", newline="")


def detect(sample: bytes) -> str:
    """The encoding of a sample: a byte order mark, else whichever reads more of its non-ASCII lines.

    Args:
        sample: the beginning of a file; its last line may be cut.

    Returns:
        `utf-8-sig`, `utf-16`, `utf-32` or `gb18030`.
    """
    marked = next((encoding for mark, encoding in _MARKS if sample.startswith(mark)), None)
    if marked:
        return marked
    lines = sample.splitlines(keepends=True)
    telling = [line for line in lines if not line.isascii()]
    utf_8, gb18030 = (sum(_decodes(line, encoding) for line in telling) for encoding in ("utf-8", "gb18030"))
    return "utf-8-sig" if utf_8 >= gb18030 else "gb18030"  # GB18030 also reads much that is UTF-8, hardly the reverse


def has_bad_bytes(text: str) -> bool:
    """Whether bytes of this text could not be decoded.

    Args:
        text: from `open_text`.

    Returns:
        True if so.
    """
    return UNREADABLE in text


class Lines(Iterator[str]):
    """Lines of a text with their ends. A row may take several; set `left` anew before each row.

    A row that is longer than `left` is skipped to the end of its line and raises `InvalidTicket`; the next call
    goes on behind it. So even a file without any line break is read in little memory.

    Args:
        text: an open text, read from where it stands.
        most: characters that a row may hold.
    """

    def __init__(self, text: IO[str], most: int = ROW_MOST) -> None:
        self._text = text
        self.most = self.left = most

    def __next__(self) -> str:
        """The next line.

        Returns:
            The line with its end.

        Raises:
            InvalidTicket: `bad_row`, the row is too long.
        """
        line = self._text.readline(self.left + 1)
        if not line:
            raise StopIteration
        if len(line) <= self.left:
            self.left -= len(line)
            return line
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(_SAMPLE)
        raise InvalidTicket("bad_row", f"这一行超过 {self.most} 个字,没有读出;请检查换行和引号,一行只放一条工单")


def _mark(error: UnicodeError) -> tuple[str, int]:
    return UNREADABLE, cast("UnicodeDecodeError", error).end


def _decodes(line: bytes, encoding: str) -> bool:
    whole = line.endswith((b"\n", b"\r"))  # in a line that was cut, an unfinished character is no error
    try:
        codecs.getincrementaldecoder(encoding)().decode(line, final=whole)
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
