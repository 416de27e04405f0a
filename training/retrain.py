"""From a labelled batch to a challenger with a verdict. Reads from top to bottom."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import compress
from pathlib import Path

from model.bundle import load_bundle
from model.errors import InvalidLabels
from model.labels import text_hash
from model.pipeline import Pipeline
from model.policy import Policy
from model.ticket import LabelledTicket
from training.batch import Batch, BatchRow, Known, read_batch
from training.dataset import read_labelled
from training.gate import Tolerances, judge_challenger
from training.holdout import hold_out
from training.places import BUNDLE, Places, about
from training.relabel import split_rows, unanswered
from training.verdict import Verdict, write_verdict
from training.versions import HELD, LEARNED, Side, Version, former_files, former_sides, write_version

Fit = Callable[[Sequence[LabelledTicket], Path], str]
_RECENT_MOST = 500


@dataclass(frozen=True)
class Plan:
    """What a retraining starts from.

    `policy` and `tolerances`: in force; `base`: files of the project, with their splits; `labels`: the new batch;
    `recent`: labelled tickets of late that only measure, where the office has some; `key`: signs bundles;
    `deleted`: (id, text hash) of tickets deleted in the store, which nothing may learn from again.
    """

    policy: Policy
    tolerances: Tolerances
    base: Sequence[Path]
    labels: Sequence[Path]
    recent: Sequence[Path] = ()
    key: str | None = None
    deleted: frozenset[tuple[str, str]] = frozenset()

    def allowed(self, rows: Iterable[BatchRow]) -> list[bool]:
        """Whether tickets may be learned from.

        Args:
            rows: n rows of batches.

        Returns:
            n truth values.
        """
        return [(row.ticket.id, text_hash(row.ticket.text)) not in self.deleted for row in rows]


@dataclass(frozen=True)
class Intake:
    """A batch beside what is known.

    `parts`: what the gate measures on; `gone`: files of former batches that are no longer there unchanged;
    `deleted`: how many tickets were left out since they were deleted.
    """

    batch: Batch
    version: Version
    parts: dict[str, tuple[LabelledTicket, ...]]
    gone: tuple[str, ...] = ()
    deleted: int = 0


@dataclass(frozen=True)
class Outcome:
    """A challenger: its folder, its verdict, and the manifest of its data version."""

    folder: Path
    verdict: Verdict
    data: Path


def take_in(plan: Plan, places: Places, champion: Pipeline) -> Intake:
    """Read the batch, compare it with everything known, and decide what is kept back for measuring.

    Args:
        plan: files.
        places: where data versions lie.
        champion: its data version says which batches were learned from before.

    Returns:
        The intake; its batch may have problems, which the caller shows.

    Raises:
        UnreadableInput: a file cannot be read at all.
        InvalidLabels: the base has rows that must be mended.
    """
    taxonomy = plan.policy.taxonomy
    name = _data_version(champion, places)
    unclear = split_rows((*plan.base, *former_files(places.data, name)), taxonomy)
    known_rows = {(problem.file, problem.number) for problem in unclear}
    base = read_labelled(list(plan.base), taxonomy, without=known_rows).tickets
    measured = tuple(ticket for ticket in base if ticket.split not in ("train", None))
    before, gone = former_sides(places.data, name, taxonomy)
    allowed = compress(before, plan.allowed(side.row for side in before))
    version = Version(tuple(ticket for ticket in base if ticket.split in ("train", None)), tuple(allowed))
    recent = read_batch(plan.recent, taxonomy, Known(version.learned, ()))
    known = Known(version.learned, (*measured, *version.of(HELD), *recent.tickets))
    batch = read_batch(plan.labels, taxonomy, known)
    rows = tuple(compress(batch.rows, plan.allowed(batch.rows)))
    deleted = len(batch.rows) - len(rows) + len(before) - len(version.sides)
    unclear = unanswered(unclear, (ticket.text for ticket in (*known, *batch.tickets)))
    batch = replace(batch, rows=rows, problems=(*batch.problems, *recent.problems, *unclear))
    sides = [Side(row, HELD if held else LEARNED) for row, held in zip(rows, hold_out(batch.tickets), strict=True)]
    late = (*version.of(HELD), *recent.tickets)[-_RECENT_MOST:]
    parts = {
        "frozen": tuple(ticket for ticket in measured if ticket.split == "test"),
        "holdout": tuple(side.row.ticket for side in sides if side.part == HELD),
        "recent": late,
    }
    return Intake(batch, version.with_rows(sides), parts, gone, deleted)


def _data_version(champion: Pipeline, places: Places) -> str:
    """Its name; a champion of a former taxonomy cannot be opened, but says what it learned from."""
    manifest = champion.bundle.manifest if champion.bundle else about(places.champion)
    return str(manifest.get("data", {}).get("digest", ""))


def make_challenger(
    plan: Plan, intake: Intake, places: Places, champion: Pipeline, fit: Fit, *, now: datetime
) -> Outcome:
    """Fit a challenger, compare it with the champion, and write down both the verdict and the data version.

    Args:
        plan: policy, tolerances, key.
        intake: from `take_in`.
        places: where challengers lie.
        champion: in use.
        fit: fits a classifier on tickets and writes its bundle; gives its id.
        now: for the data version.

    Returns:
        The challenger.

    Raises:
        InvalidLabels: nothing new to learn from.
        BundleError: the new bundle cannot be opened.
    """
    if not intake.batch.rows:
        known = f"({intake.batch.known} 条已学过)" if intake.batch.known else ""
        raise InvalidLabels(f"这一批没有可学的新工单{known};请检查 --labels", [])
    places.challengers.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".work-", dir=places.challengers))
    try:
        name = fit(intake.version.learned, work / BUNDLE)
        verdict = _judged(work, plan, intake, champion)
        folder = places.challengers / name
        shutil.rmtree(folder, ignore_errors=True)
        work.chmod(0o755)
        os.replace(work, folder)  # noqa: PTH105 - whole or not at all
    finally:
        shutil.rmtree(work, ignore_errors=True)
    data = write_version(intake.version, places.data, bundle=name, taxonomy=plan.policy.taxonomy, now=now)
    return Outcome(folder, verdict, data)


def _judged(folder: Path, plan: Plan, intake: Intake, champion: Pipeline) -> Verdict:
    bundle = load_bundle(folder / BUNDLE, key=plan.key)
    challenger = Pipeline(bundle.policy, bundle)
    verdict = judge_challenger(champion, challenger, intake.parts, plan.tolerances, data=intake.version.digest)
    write_verdict(verdict, bundle.policy.taxonomy, folder)
    return verdict
