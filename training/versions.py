"""Data versions: which tickets a bundle learned from, by number, hash and label. Texts stay in the files of their owner.

A manifest names the batch files with their hash; a file that was changed or taken away is no longer learned from.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from model.errors import UnreadableInput
from model.labels import digest, text_hash
from model.manifest import file_digest, plain_name
from model.taxonomy import Taxonomy
from model.ticket import LabelledTicket
from training.batch import BatchRow, Known, read_batch

LEARNED, HELD = "learned", "held"


@dataclass(frozen=True)
class Side:
    """A row of a batch and whether it is `learned` from or `held` back for measuring."""

    row: BatchRow
    part: str


@dataclass(frozen=True)
class Version:
    """What a bundle learns from: the base (files of the project), and rows of batches, the oldest batch first."""

    base: tuple[LabelledTicket, ...]
    sides: tuple[Side, ...]

    @property
    def learned(self) -> tuple[LabelledTicket, ...]:
        """Everything to learn from."""
        return (*self.base, *self.of(LEARNED))

    @property
    def digest(self) -> str:
        """The name of this data version; a bundle's manifest has the same."""
        return digest(self.learned)

    def of(self, part: str) -> tuple[LabelledTicket, ...]:
        """Tickets of the batches.

        Args:
            part: `learned` or `held`.

        Returns:
            Those tickets.
        """
        return tuple(side.row.ticket for side in self.sides if side.part == part)

    def with_rows(self, sides: Sequence[Side]) -> "Version":
        """The same and a batch more.

        Args:
            sides: of the new batch.

        Returns:
            The next version.
        """
        return replace(self, sides=(*self.sides, *sides))


def write_version(version: Version, folder: Path, *, bundle: str, taxonomy: Taxonomy, now: datetime) -> Path:
    """Write the manifest; the same version again only notes the bundle.

    Args:
        version: what was learned from.
        folder: of manifests.
        bundle: that learned from it.
        taxonomy: its version and that of the guideline.
        now: when.

    Returns:
        The manifest's path.
    """
    path = _path(folder, version.digest)
    former = _json(path) if path.is_file() else {}
    files = {str(side.row.file.resolve()): side.row.file for side in version.sides}
    table = {
        "version": version.digest,
        "made_at": former.get("made_at", now.isoformat(timespec="seconds")),
        "guideline": taxonomy.guideline,
        "taxonomy": taxonomy.version,
        "files": {name: file_digest(file) for name, file in files.items()},
        "base": [_entry(ticket, "base") for ticket in version.base],
        "rows": [
            {**_entry(s.row.ticket, s.part), "who": s.row.who, "when": s.row.when, "file": str(s.row.file.resolve())}
            for s in version.sides
        ],
        "bundles": sorted({*former.get("bundles", []), bundle}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    work = path.with_suffix(".tmp")
    work.write_text(json.dumps(table, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(work, path)  # noqa: PTH105 - whole or not at all
    return path


def former_files(folder: Path, name: str) -> tuple[Path, ...]:
    """Files of the batches that a bundle learned from, as far as they are still there unchanged.

    Args:
        folder: of manifests.
        name: of the bundle's data version.

    Returns:
        In the order of their batches.
    """
    path = _path(folder, name)
    files = _json(path)["files"] if path.is_file() else {}
    return tuple(Path(file) for file, wanted in files.items() if _unchanged(Path(file), wanted))


def former_sides(folder: Path, name: str, taxonomy: Taxonomy) -> tuple[tuple[Side, ...], tuple[str, ...]]:
    """Rows of the batches that a bundle learned from, as far as their files are still there unchanged.

    Args:
        folder: of manifests.
        name: of the bundle's data version.
        taxonomy: the codes allowed.

    Returns:
        The rows in the order of their batches, and files that are gone or changed. Nothing where no batch is noted.
    """
    path = _path(folder, name)
    if not path.is_file():
        return (), ()
    table = _json(path)
    sides: list[Side] = []
    gone: list[str] = []
    for file, wanted in table["files"].items():
        if not _unchanged(Path(file), wanted):
            gone.append(file)
            continue
        parts = {(row["id"], row["text_hash"]): row["part"] for row in table["rows"] if row["file"] == file}
        sides += _again(Path(file), parts, taxonomy)
    return tuple(sides), tuple(gone)


def _unchanged(file: Path, wanted: str) -> bool:
    return file.is_file() and file_digest(file) == wanted


def _again(file: Path, parts: Mapping[tuple[str, str], str], taxonomy: Taxonomy) -> list[Side]:
    """Those rows of a batch file that its data version holds."""
    rows = read_batch([file], taxonomy, Known((), ())).rows
    keys = [(row.ticket.id, text_hash(row.ticket.text)) for row in rows]
    return [Side(row, parts[key]) for row, key in zip(rows, keys, strict=True) if key in parts]


def _entry(ticket: LabelledTicket, part: str) -> dict[str, Any]:
    return {
        "id": ticket.id, "text_hash": text_hash(ticket.text), "part": part, "author": ticket.author,
        "category": ticket.category, "secondary": list(ticket.secondary), "flags": sorted(ticket.flags),
        "theft_role": ticket.theft_role, "filing": ticket.filing or "none", "safety": ticket.safety,
        "escalation": ticket.escalation,
    }  # fmt: skip


def _path(folder: Path, name: str) -> Path:
    return folder / f"{plain_name(name[:16]) or 'none'}.json"


def _json(path: Path) -> dict[str, Any]:
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        sound = all(isinstance(word, str) for pair in table["files"].items() for word in pair) and all(
            isinstance(row[name], str) for row in table["rows"] for name in ("id", "text_hash", "part", "file")
        )
        sound = sound and all(isinstance(bundle, str) for bundle in table.get("bundles", []))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise UnreadableInput(f"{path} 不是可读的数据版本;请从备份恢复,或移走后重新训练")
    return table
