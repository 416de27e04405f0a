"""Score one part: what an actor does, with a bundle that it opened once."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from model.errors import TriageError
from model.rows import Row, read_rows
from triage.archive.parts import Part
from triage.output import write

Predict = Callable[[Iterable[Row]], Iterator[dict[str, Any]]]
_DEADLY = "预测这一行时进程被终止了两次;请单独检查这一行"
_STEP = 256  # rows between two notes of how far a part has come


def score(part: Part, predict: Predict) -> tuple[int, int]:
    """Read, predict and write a part; its output appears whole or not at all.

    A row that ends the process would end every process that takes the part up again. So the place is noted beside the
    output: after one death the rows of that stretch are predicted one by one, after another the row is left out as
    `bad_row`.

    Args:
        part: rows of a file.
        predict: one result for each row.

    Returns:
        Rows written, and how many of them are errors.
    """
    output = Path(part.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    journal = _Journal(output.with_name(f"{output.name}.at"))
    rows = islice(read_rows(part.source, part.column), part.first, part.stop)
    found = errors = 0
    for result in write(_predicted(rows, predict, journal), output):
        found += 1
        errors += "error" in result
    journal.end()
    return found, errors


class _Journal:
    """Where former processes died, and where this one is: row number → times it was begun."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.begun: dict[int, int] = {}
        if path.exists():
            with suppress(ValueError, TypeError, AttributeError, RecursionError):  # spoilt: as if nothing had died yet
                self.begun = {int(key): int(times) for key, times in json.loads(path.read_text()).items()}

    def begin(self, number: int) -> int:
        times = self.begun.get(number, 0)
        work = self._path.with_name(f"{self._path.name}-new")
        work.write_text(json.dumps({**self.begun, number: times + 1}))
        work.replace(self._path)  # a process that dies here leaves the note of before
        return times

    def end(self) -> None:
        self._path.unlink(missing_ok=True)


def _predicted(rows: Iterable[Row], predict: Predict, journal: _Journal) -> Iterator[dict[str, Any]]:
    rows = iter(rows)
    while stretch := list(islice(rows, _STEP)):
        if journal.begin(-stretch[0].number) == 0:  # stretches are noted by minus their first row
            yield from predict(stretch)
            continue
        for row in stretch:
            if journal.begin(row.number) > 0:
                yield {"row": row.number, "error": {"code": "bad_row", "message": _DEADLY}}
            else:
                yield from predict([row])


class Scorer:
    """What an actor holds: a bundle, opened once. Called with one part, gives its counts.

    Args:
        bundle: folder; None for the configured one.
        explain: give exact word reasons.
    """

    def __init__(self, bundle: str | None, explain: bool) -> None:
        from triage.compose import build_pipeline
        from triage.settings import Settings
        from triage.triage import Triage

        self._triage = Triage(build_pipeline(Settings(), Path(bundle) if bundle else None, threads=1))
        self._explain = explain

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Score a batch of one part.

        Args:
            batch: column `part`.

        Returns:
            Columns `part`, `rows`, `errors`, `problem` (why a part could not be read, else empty).
        """
        from triage.archive.parts import from_item

        (text,) = batch["part"]
        try:
            rows, errors = score(from_item(text), lambda rows: self._triage.predict_rows(rows, explain=self._explain))
        except (TriageError, OSError) as error:  # this file cannot be read; the others can
            return {"part": [text], "rows": [0], "errors": [0], "problem": [str(error)]}
        return {"part": [text], "rows": [rows], "errors": [errors], "problem": [""]}
