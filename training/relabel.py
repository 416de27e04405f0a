"""Labels of leaves that were split since: nobody can tell which part they mean, so a person labels them again."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from model.labels import text_hash
from model.privacy import mask
from model.rows import read_rows
from model.taxonomy import Taxonomy
from training.batch import Problem
from training.batch_schema import as_of_today, failures, normalised
from training.dataset import label_files


def split_rows(paths: Sequence[Path], taxonomy: Taxonomy) -> list[Problem]:
    """Rows of label files whose category or secondary leaf was split.

    Args:
        paths: files or folders.
        taxonomy: knows its changes.

    Returns:
        The rows, for the worksheet of `triage retrain`; none where no leaf was ever split.

    Raises:
        UnreadableInput: a path holds no readable label file.
    """
    if not any(len(became) > 1 for change in taxonomy.changes for became in change.parts.values()):
        return []
    found: list[Problem] = []
    for file in (file for path in paths for file in label_files(path)):
        rows = [(row.number, row.value) for row in read_rows(file) if isinstance(row.value, dict)]
        cells = [as_of_today(normalised(value), taxonomy) for _, value in rows]
        unclear = [n for n, row in enumerate(cells) if _is_split(row["category"], row["secondary"], taxonomy)]
        told = failures([cells[n] for n in unclear], taxonomy)
        for place, n in enumerate(unclear):
            what, mend = (";".join(parts) for parts in zip(*told[place], strict=True))
            found.append(Problem(file, rows[n][0], what, mend, cells[n]))
    return found


def unanswered(problems: Sequence[Problem], texts: Iterable[str]) -> list[Problem]:
    """Rows that nobody has labelled again yet.

    Args:
        problems: of `split_rows`.
        texts: of tickets with labels of today. The worksheet holds masked texts, so masked texts are compared.

    Returns:
        Those whose text is not among them.
    """
    again = {_name(text) for text in texts} if problems else set()
    return [problem for problem in problems if _name(str(problem.cells["text"])) not in again]


def _is_split(category: str, secondary: Sequence[str], taxonomy: Taxonomy) -> bool:
    return any(len(taxonomy.today(code)) > 1 for code in (category, *secondary))


def _name(text: str) -> str:
    return text_hash(mask(text).text)
