"""Labelled batches on their way in: read, checked row by row, and compared with what is known already.

A row that fails comes back with what is wrong and how to mend it (`training.worksheet`); it is never mended here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.errors import InvalidTicket
from model.labels import text_hash
from model.rows import Row, read_rows
from model.taxonomy import Taxonomy
from model.ticket import LabelledTicket
from training.batch_schema import as_of_today, failures, normalised
from training.label_studio import is_label_studio, read_tasks
from training.near import near_pairs


@dataclass(frozen=True)
class BatchRow:
    """A ticket of a batch: the file and row it stands in, who labelled it, and when, as far as the file tells."""

    ticket: LabelledTicket
    file: Path
    number: int
    who: str | None = None
    when: str | None = None


@dataclass(frozen=True)
class Problem:
    """A row that a person has to look at: what is wrong, how to mend it, and its cells."""

    file: Path
    number: int
    what: str
    mend: str
    cells: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file.name} 第 {self.number} 行:{self.what};{self.mend}"


@dataclass(frozen=True)
class Batch:
    """Rows that passed every check, rows that did not, and how many were left out since they are known already."""

    rows: tuple[BatchRow, ...]
    problems: tuple[Problem, ...] = ()
    known: int = 0

    @property
    def tickets(self) -> tuple[LabelledTicket, ...]:
        """The tickets that passed."""
        return tuple(row.ticket for row in self.rows)


@dataclass(frozen=True)
class Known:
    """What a batch is compared with: tickets already learned from, and tickets that only ever measure."""

    learned: Sequence[LabelledTicket]
    measured: Sequence[LabelledTicket]

    def __iter__(self) -> Iterator[LabelledTicket]:
        yield from self.learned
        yield from self.measured


def read_batch(files: Sequence[Path], taxonomy: Taxonomy, known: Known) -> Batch:
    """Read labelled files and check each row.

    Args:
        files: CSV, XLSX, JSONL (UTF-8 or GB18030), or a JSON export of Label Studio.
        taxonomy: the codes allowed.
        known: what the project has already.

    Returns:
        The batch. A row that is known with the same labels, as in a second export of a store, is counted and left out.

    Raises:
        UnreadableInput: a file that cannot be read at all.
    """
    read, problems = _read(files, taxonomy)
    read, same = _compared(read, known, problems)
    read = _without_near(read, known, problems)
    return Batch(tuple(row for row, _ in read), tuple(sorted(problems, key=_place)), same)


def labels_of(ticket: LabelledTicket) -> tuple[object, ...]:
    """Everything that a person decided about a ticket.

    Args:
        ticket: labelled.

    Returns:
        Equal for equal labels.
    """
    first = (ticket.category, frozenset(ticket.secondary), ticket.flags, ticket.theft_role, ticket.filing)
    return (*first, ticket.safety, ticket.escalation)


_Read = list[tuple[BatchRow, Mapping[str, Any]]]


def _read(files: Sequence[Path], taxonomy: Taxonomy) -> tuple[_Read, list[Problem]]:
    """Rows that keep to the guideline, with their cells, and the problems of the others."""
    placed: list[tuple[Path, Row, dict[str, Any]]] = []
    problems: list[Problem] = []
    for file in files:
        for row in read_tasks(file) if is_label_studio(file) else read_rows(file):
            value = row.value if isinstance(row.value, Mapping) else {"text": row.value or ""}
            if row.error:
                problems.append(Problem(file, row.number, *_unreadable(row.error), cells=normalised(value)))
            else:
                placed.append((file, row, as_of_today(normalised(value), taxonomy)))
    wrong = failures([cells for *_, cells in placed], taxonomy)
    good: _Read = []
    for index, (file, row, cells) in enumerate(placed):
        if index in wrong:
            what, mend = (";".join(parts) for parts in zip(*wrong[index], strict=True))
            problems.append(Problem(file, row.number, what, mend, cells))
        else:
            good.append((_row(file, row.number, cells), cells))
    return good, problems


def _unreadable(error: InvalidTicket) -> tuple[str, str]:
    what, _, mend = str(error).partition(";")
    return what, mend or "请核对后改正这一行"


def ticket_of(cells: Mapping[str, Any], name: str) -> LabelledTicket:
    """The ticket of a row that passed every check.

    Args:
        cells: as `training.batch_schema.normalised` gives them.
        name: its id where the row has none.

    Returns:
        The ticket.
    """
    told = {key: cells[key] or None for key in ("theft_role", "filing", "channel", "author", "voice", "split")}
    labels = {key: cells[key] for key in ("text", "category", "secondary", "safety", "escalation")}
    values: dict[str, Any] = {**told, **labels, "flags": frozenset(cells["flags"])}
    return LabelledTicket(id=cells["id"] or name, **values)


def _row(file: Path, number: int, cells: Mapping[str, Any]) -> BatchRow:
    ticket = ticket_of(cells, f"{file.stem}-{number}")
    return BatchRow(ticket, file, number, cells["labelled_by"] or None, cells["labelled_at"] or None)


def _compared(read: _Read, known: Known, problems: list[Problem]) -> tuple[_Read, int]:
    """Leave out doubles; list texts with two labels, and numbers with two texts."""
    by_text = {text_hash(ticket.text): ticket for ticket in known}
    by_id = {ticket.id: text_hash(ticket.text) for ticket in known}
    contradicted = _contradicted(read)
    kept: _Read = []
    same = 0
    for row, cells in read:
        name, own = text_hash(row.ticket.text), row.ticket
        first = by_text.get(name)
        if name in contradicted or (first is not None and labels_of(first) != labels_of(own)):
            other = f"已有工单 {first.id}({first.category})" if first else "本批另一行"
            problems.append(_problem(row, cells, f"正文与{other}相同而标注不同", "核对后把两处标注改成一致,或删去其一"))
        elif first is not None:
            same += 1
        elif by_id.setdefault(own.id, name) != name:
            problems.append(_problem(row, cells, f"编号 {own.id} 已用于另一条工单", "换一个编号,或删去这一行"))
        else:
            by_text[name] = own
            kept.append((row, cells))
    return kept, same


def _contradicted(read: _Read) -> set[str]:
    labels: dict[str, set[tuple[object, ...]]] = {}
    for row, _ in read:
        labels.setdefault(text_hash(row.ticket.text), set()).add(labels_of(row.ticket))
    return {name for name, found in labels.items() if len(found) > 1}


def _without_near(read: _Read, known: Known, problems: list[Problem]) -> _Read:
    """List near-duplicates of known tickets: they teach nothing, and beside a measured one they spoil the measure."""
    others = list(known)
    pairs = near_pairs([row.ticket.text for row, _ in read], [ticket.text for ticket in others])
    for pair in pairs:
        row, cells = read[pair.row]
        side = "训练" if pair.other < len(known.learned) else "评测"
        what = f"与{side}工单 {others[pair.other].id} 近似({pair.similarity:.0%} 相同)"
        problems.append(_problem(row, cells, what, "确认是同一件事就删去这一行;不是则补全正文中的不同之处"))
    near = {pair.row for pair in pairs}
    return [item for number, item in enumerate(read) if number not in near]


def _problem(row: BatchRow, cells: Mapping[str, Any], what: str, mend: str) -> Problem:
    return Problem(row.file, row.number, what, mend, cells)


def _place(problem: Problem) -> tuple[str, int]:
    return str(problem.file), problem.number
