"""An archive cut into parts, each read, scored and written by itself, so that a run goes on where it was stopped."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.errors import UnreadableInput, UnusableOutput
from model.rows import KINDS, read_rows

PART_ROWS = 20_000  # of one file that is cut: about a minute of work for one core
RECORD = "_archive.json"
_LIKE = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class Part:
    """Rows `first` up to, not including, `stop` (counted from 0; None: to the end) of `source`, written to `output`."""

    source: str
    output: str
    first: int = 0
    stop: int | None = None
    column: str | None = None


def parts_of_folder(folder: Path, output: Path, column: str | None = None) -> list[Part]:
    """One part for each table under a folder, in the order of their paths.

    Args:
        folder: holds CSV, TSV, XLSX, JSONL or Parquet files, `.gz` too, at any depth.
        output: the folder of the Parquet files; `a/b.csv` becomes `a/b.csv.parquet`.
        column: name of the text column where it is none of the known names.

    Returns:
        At least one part.

    Raises:
        UnreadableInput: no table there.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and _is_table(p) and not p.name.startswith((".", "_")))
    files = [path for path in files if not path.resolve().is_relative_to(output.resolve())]
    if not files:
        raise UnreadableInput(f"{folder} 里没有表格文件;请放入 {' '.join(_LIKE)}(可加 .gz)")
    return [Part(str(p), str(output / f"{p.relative_to(folder)}.parquet"), column=column) for p in files]


def parts_of_file(file: Path, folder: Path, *, rows: int | None = None, column: str | None = None) -> list[Part]:
    """A file cut into parts of `PART_ROWS` rows; each part reads the file up to its own end.

    Args:
        file: a table or plain text.
        folder: of the parts' results, JSON lines.
        rows: read so many at most.
        column: name of the text column where it is none of the known names.

    Returns:
        Parts in order; none for an empty file.
    """
    total = sum(1 for _ in read_rows(file, column))
    total = total if rows is None else min(total, rows)
    starts = range(0, total, PART_ROWS)
    return [Part(str(file), str(folder / f"{n:05d}.jsonl"), start, min(start + PART_ROWS, total), column)
            for n, start in enumerate(starts)]  # fmt: skip


class Record:
    """What an output folder holds so far, and of which bundle: `_archive.json` beside the parts.

    Args:
        folder: of the outputs; made where missing.
        versions: of bundle and policy; results of others are never mixed with these.
    """

    def __init__(self, folder: Path, versions: Mapping[str, str | None]) -> None:
        self._folder, self._path, self._versions = folder, folder / RECORD, dict(versions)
        folder.mkdir(parents=True, exist_ok=True)
        self.done: dict[str, dict[str, int]] = {}
        if self._path.exists():
            kept = self._kept()
            if kept["versions"] != self._versions:
                raise UnusableOutput(
                    f"{folder} 里是另一个模型包的结果({kept['versions']},本次 {self._versions});请换一个输出目录,或删去它重算"
                )
            self.done = kept["done"]

    def _kept(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            sound = isinstance(kept["versions"], dict) and all(
                isinstance(one[name], int) for one in kept["done"].values() for name in ("rows", "errors", "mark")
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            sound = False
        if not sound:
            raise UnusableOutput(f"{self._path} 已损坏,不知哪些部分已算完;请换一个输出目录,或删去它重算")
        return kept

    def open_parts(self, parts: Sequence[Part]) -> Iterator[Part]:
        """Parts that still have to be scored: not done, changed since, or their output is gone.

        Args:
            parts: of the whole archive.

        Yields:
            Parts in order.
        """
        for part in parts:
            kept = self.of(part)
            if kept is None or not Path(part.output).exists() or kept["mark"] != mark(part):
                yield part

    def of(self, part: Part) -> dict[str, int] | None:
        """What is noted of a part.

        Args:
            part: of the archive.

        Returns:
            Its `rows` and `errors`, or None where it was not finished.
        """
        return self.done.get(self._name(part))

    def _name(self, part: Part) -> str:
        return Path(part.output).relative_to(self._folder).as_posix()

    def add(self, part: Part, rows: int, errors: int) -> None:
        """Note a finished part.

        Args:
            part: its output stands.
            rows: in it.
            errors: of them.
        """
        self.done[self._name(part)] = {"rows": rows, "errors": errors, "mark": mark(part)}
        text = json.dumps({"versions": self._versions, "done": self.done}, ensure_ascii=False, indent=1)
        work = self._path.with_suffix(".tmp")
        work.write_text(text, encoding="utf-8")
        work.replace(self._path)


def mark(part: Part) -> int:
    """Tells a file that was changed since.

    Args:
        part: of the file.

    Returns:
        A number made of size, time of change and the part's rows.
    """
    status = os.stat(part.source)  # noqa: PTH116 - one call for both
    words = (status.st_size, status.st_mtime_ns, part.first, part.stop or 0, *(ord(c) for c in part.column or ""))
    return hash(words)


def to_item(part: Part) -> dict[str, str]:
    """A part as a row of a Ray dataset.

    Args:
        part: any.

    Returns:
        One column, `part`.
    """
    return {"part": json.dumps(asdict(part), ensure_ascii=False)}


def from_item(text: str) -> Part:
    """The part again.

    Args:
        text: of `to_item`.

    Returns:
        The part.
    """
    return Part(**json.loads(text))


def _is_table(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return any(name.endswith(kind) for kind in _LIKE if kind in KINDS)
