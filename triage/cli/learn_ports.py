"""What the learning loop's commands are wired to: fitting, the store, MLflow."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from model.errors import BundleOutdated, MissingExtra, StoreUnavailable, UnusableEncoder
from triage.cli.train import Kind

if TYPE_CHECKING:
    from model.pipeline import Pipeline
    from model.policy import Policy
    from serving.store.database import Database
    from training.places import Places
    from training.registry import Registry
    from training.retrain import Fit, Intake, Outcome
    from triage.settings import Settings

TRACKING_FILE = "mlflow.db"


def say(line: str) -> None:
    """Tell the person at the terminal.

    Args:
        line: for standard error.
    """
    typer.echo(line, err=True)


def fitter(kind: Kind, policy: "Policy", work: Path, key: str | None, warm: Path | None = None) -> "Fit":
    """How a classifier of a kind is fitted, with the settings of `triage train`.

    Args:
        kind: linear, encoder or cascade.
        policy: taxonomy, rules, thresholds.
        work: folder of a cascade's checkpoints.
        key: signs the bundle.
        warm: weights of an earlier cascade to go on from, or None.

    Returns:
        Fits on tickets and writes a bundle.

    Raises:
        MissingExtra: an encoder needs the extra `train`.
    """
    from training.fit import FitSettings, fit_bundle

    if kind is Kind.linear:
        return lambda tickets, output: fit_bundle(tickets, policy, output, FitSettings(), key=key, progress=say)
    try:
        from training.fit_cascade import CascadeSettings, fit_cascade
    except ImportError as error:
        raise MissingExtra(
            f"训练级联需要 {error.name};请运行 pip install 'complaint-triage[train]',或加 --classifier linear"
        ) from error
    settings = CascadeSettings(encoder_alone=kind is Kind.encoder, warm=warm)
    return lambda tickets, output: fit_cascade(tickets, policy, output, work, settings, key=key, progress=say)


def weights_of(champion: "Pipeline", places: "Places", kind: Kind, deleted: int) -> Path:
    """The trainable weights that the champion's training left behind.

    Args:
        champion: in use.
        places: where runs lie.
        kind: what is to be fitted.
        deleted: tickets of its data that were deleted since.

    Returns:
        The folder `weights-<hash>`.

    Raises:
        UnusableEncoder: there is nothing to go on from, or the weights know deleted tickets.
    """
    anew = "请从头训练(去掉 --warm)"
    if kind is Kind.linear or champion.bundle is None or champion.source != kind.value:
        raise UnusableEncoder(f"--warm 只能接着同类的级联训练;在用的是 {champion.source},要训练的是 {kind.value}。{anew}")
    if deleted:
        raise UnusableEncoder(f"在用模型可能学过 {deleted} 条已删除的工单,不能接着它训练。{anew}")
    name = str(champion.bundle.manifest.get("weights", ""))
    found = next((places.root / "runs").rglob(name), None) if name else None
    if found is None:
        raise UnusableEncoder(f"{places.root / 'runs'} 里没有在用模型的 {name or '权重'}(在别处训练,或已清理)。{anew}")
    return found


def champion_of(settings: "Settings", policy: "Policy") -> "Pipeline":
    """What a challenger is compared with.

    Args:
        settings: where the champion is.
        policy: in force.

    Returns:
        The champion; rules where there is none, or where it knows only a former taxonomy.

    Raises:
        BundleError: the champion is damaged.
    """
    from model.pipeline import Pipeline
    from triage.compose import build_pipeline

    try:
        champion = build_pipeline(settings)
        if champion.policy.taxonomy.version == policy.taxonomy.version:
            return champion
        old = champion.policy.taxonomy.version
        say(f"在用模型按类目体系 {old} 训练,现行体系是 {policy.taxonomy.version}")
    except BundleOutdated as error:
        say(str(error))
    say("在用模型不能按现行类目比较,这次改与规则比较;换上时须加 --force(会记录在案)")
    return Pipeline(policy, missing="bundle_refused")


def deleted_in_store(settings: "Settings") -> frozenset[tuple[str, str]]:
    """Exported tickets that were deleted since.

    Args:
        settings: where the store is.

    Returns:
        Pairs of ticket id and text hash; none where this office has no store.

    Raises:
        StoreUnavailable: there is a store and it is away: what must not be learned from is not known.
    """
    from serving.store.learned import deleted_tickets

    database = office_store(settings)
    return deleted_tickets(database) if database else frozenset()


def note_in_store(settings: "Settings", intake: "Intake", outcome: "Outcome") -> None:
    """Note the bundle with the store's exports that it learned from, so that a deletion can name it.

    Args:
        settings: where the store is.
        intake: what was learned from.
        outcome: the challenger.
    """
    from model.labels import text_hash
    from serving.store.learned import note_learned

    tickets = {ticket.id: text_hash(ticket.text) for ticket in intake.version.learned}
    database = office_store(settings)
    if database and (noted := note_learned(database, tickets, outcome.folder.name)):
        say(f"已在存储中记下:{noted} 个导出批次的工单参加了这次训练")


def record(outcome: "Outcome", intake: "Intake", places: "Places", tracking: str) -> None:
    """Write the challenger down in MLflow, where that is installed.

    Args:
        outcome: the challenger.
        intake: what it learned from.
        places: where the default tracking file lies.
        tracking: URL, or nothing for the default.
    """
    from training.gate_plot import draw_verdict
    from training.places import BUNDLE, about
    from training.registry import Record

    manifest = about(outcome.folder / BUNDLE)
    sides = outcome.verdict.sides
    parameters = {k: v for k, v in manifest.get("settings", {}).items() if isinstance(v, int | float | str)}
    figures = {f"{c.part}.{c.figure}": c.values[1] for c in outcome.verdict.checks}
    figures |= {f"change.{c.part}.{c.figure}": c.change for c in outcome.verdict.checks}
    figures |= {f"out_of_fold.{k}": v for k, v in manifest.get("metrics", {}).get("out_of_fold", {}).items()}
    tags = {
        "data": sides.data, "compared_with": sides.champion, "tolerances": sides.tolerances,
        "accepted": str(outcome.verdict.accepted).lower(), "source": str(manifest.get("source")),
        "new_tickets": str(len(intake.batch.rows)),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        plot = Path(folder) / "changes.png"
        files = {"bundle": outcome.folder / BUNDLE, "data": outcome.data}
        files |= {"gate": plot} if draw_verdict(outcome.verdict, plot) else {}
        entry = Record(outcome.folder.name, parameters, figures, tags, files)
        with _may_fail():
            version = _registry(places, tracking).record(entry)
            say(f"MLflow:已登记为第 {version} 版,别名 challenger")


def crown(bundle: str, places: "Places", tracking: str) -> None:
    """Move MLflow's alias `champion`, where MLflow is installed.

    Args:
        bundle: in use now.
        places: where the default tracking file lies.
        tracking: URL, or nothing for the default.
    """
    with _may_fail():
        if not _registry(places, tracking).crown(bundle):
            say(f"MLflow:没有登记过 {bundle},别名 champion 空着")


@contextmanager
def _may_fail() -> Iterator[None]:
    """The registry is a record, not a part: without it the rest goes on, and says so."""
    try:
        yield
    except (MissingExtra, StoreUnavailable) as error:
        say(f"未登记(不影响结果):{error}")


def _registry(places: "Places", tracking: str) -> "Registry":
    from training.registry import Registry

    default = f"sqlite:///{(places.root / TRACKING_FILE).absolute()}"
    return Registry(tracking or default, places.root / "mlflow")


def office_store(settings: "Settings") -> "Database | None":
    """The office's store, if it has one: nothing is made here.

    Args:
        settings: where the store is.

    Returns:
        The store, or None where its SQLite file is not there.

    Raises:
        StoreUnavailable: there is a store and it is away.
    """
    from serving.store.database import Database
    from serving.store.upgrade import upgrade

    database = Database(settings.database_url)
    if database.file is not None and not database.file.is_file():
        return None
    upgrade(database)
    return database
