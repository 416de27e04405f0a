"""Ray Data over the parts of an archive."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from model.errors import MissingExtra, UnusableOutput
from model.prediction import Versions
from triage.archive.parts import Part, Record, from_item, parts_of_file, parts_of_folder, to_item
from triage.archive.score import Scorer
from triage.output import write


@dataclass(frozen=True)
class Job:
    """What to score with, and who is told how far it has come."""

    bundle: Path | None
    versions: Versions
    explain: bool = False
    column: str | None = None
    limit: int | None = None


@dataclass
class Outcome:
    """Counts of a run: rows, how many of them are errors, parts left from a former run, files that cannot be read."""

    rows: int = 0
    errors: int = 0
    kept: int = 0
    problems: tuple[str, ...] = ()


def score_folder(folder: Path, output: Path, job: Job) -> Outcome:
    """Score every table under a folder; each becomes one Parquet file. Parts of a former run are kept.

    Args:
        folder: of tables.
        output: folder of the results.
        job: how.

    Returns:
        The counts.

    Raises:
        UnreadableInput: no table there.
        UnusableOutput: the folder holds results of another bundle.
        MissingExtra: Ray is not installed.
    """
    if job.limit is not None:
        raise UnusableOutput("--limit 只用于单个文件;目录请先挑出要算的文件")
    parts = parts_of_folder(folder, output, job.column)
    return _run(parts, Record(output, asdict(job.versions)), job)


def score_file(file: Path, output: Path | None, job: Job) -> Outcome:
    """Score one file: the same rows in the same order as the local engine writes.

    Args:
        file: a table or plain text.
        output: as `triage predict --output`; None writes JSON lines to standard output.
        job: how.

    Returns:
        The counts; where a run was cut off, the parts it finished lie beside the output and are used again.
    """
    work = output.with_name(f".{output.name}.parts") if output else Path(tempfile.mkdtemp(prefix="triage-"))
    try:
        parts = parts_of_file(file, work, rows=job.limit, column=job.column)
        outcome = _run(parts, Record(work, asdict(job.versions)), job)
        if not outcome.problems:
            for _ in write(_read_parts(parts), output):
                pass
            shutil.rmtree(work)
    finally:
        if output is None:
            shutil.rmtree(work, ignore_errors=True)
    return outcome


def _read_parts(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    for part in parts:
        with Path(part.output).open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _run(parts: Sequence[Part], record: Record, job: Job) -> Outcome:
    todo = list(record.open_parts(parts))
    problems = []
    for part, rows, errors, problem in _on_ray(todo, job) if todo else ():
        if problem:
            problems.append(problem)
        else:
            record.add(part, rows, errors)
    done = [kept for part in parts if (kept := record.of(part))]
    totals = (sum(one["rows"] for one in done), sum(one["errors"] for one in done))
    return Outcome(*totals, len(parts) - len(todo), tuple(problems))


def _on_ray(parts: Sequence[Part], job: Job) -> Iterator[tuple[Part, int, int, str]]:
    """Each part by an actor of Ray Data; an actor that dies is made anew and begins its part again."""
    if find_spec("ray") is None:
        raise MissingExtra("--engine ray 需要 Ray:请运行 pip install 'complaint-triage[ray]'")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # leaves CUDA_VISIBLE_DEVICES as it is
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its notes of every start would stand among the counts
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)

    own = not ray.is_initialized()
    if own:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    try:
        cores = ray.cluster_resources().get("CPU", 1)
        actors = max(1, min(len(parts), int(cores)))
        found = ray.data.from_items([to_item(part) for part in parts], override_num_blocks=len(parts)).map_batches(
            Scorer,
            fn_constructor_args=(str(job.bundle) if job.bundle else None, job.explain),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors, max_tasks_in_flight_per_actor=1),
            num_cpus=1,
        )
        for row in found.iter_rows():
            yield from_item(row["part"]), int(row["rows"]), int(row["errors"]), str(row["problem"])
    except ray.exceptions.RayError as error:
        raise UnusableOutput(f"Ray 中断({type(error).__name__});算完的部分已保存,再次运行同一命令会接着算") from error
    finally:
        if own:
            ray.shutdown()
