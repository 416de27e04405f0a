"""Texts from outside the repository, which benchmarks read and never copy."""

import os
from pathlib import Path

from model.policy import load_policy
from model.rows import read_rows
from model.ticket import ticket_from
from training.dataset import read_labelled

SAMPLES = Path("data/samples")


def outside_path(given: Path | None) -> Path | None:
    """Where outside messages lie.

    Args:
        given: as named on the command line.

    Returns:
        The file; None where neither it nor `TRIAGE_BENCH_DATA` is given.
    """
    folder = os.environ.get("TRIAGE_BENCH_DATA")
    if given or not folder:
        return given
    path = Path(folder)
    return path / "messages_unlabelled.jsonl.gz" if path.is_dir() else path


def outside_texts(given: Path | None, limit: int | None = None) -> tuple[list[str], str]:
    """Real messages where there are any, else our own samples.

    Args:
        given: as named on the command line.
        limit: at most so many, evenly from the whole file.

    Returns:
        The texts, and where they come from.
    """
    path = outside_path(given)
    if path is None:
        print("没有 --messages 或 TRIAGE_BENCH_DATA:用本项目的样例测量")
        texts = [ticket.text for ticket in read_labelled([SAMPLES], load_policy().taxonomy).tickets]
    else:
        texts = [ticket_from(row.value).content for row in read_rows(path) if not row.error]
    step = max(1, len(texts) // limit) if limit else 1
    return texts[::step][:limit], "--messages" if path else "data/samples"
