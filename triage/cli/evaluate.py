"""`triage evaluate`."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from model.errors import TriageError
from model.pipeline import Pipeline
from model.ticket import LabelledTicket
from triage.cli.train import SAMPLES


class Baselines(StrEnum):
    """Which baselines are measured in the same run."""

    quick = "quick"
    all = "all"


def evaluate(
    data: Annotated[list[Path], typer.Option(help="标注文件或目录,可多次")],
    split: Annotated[str, typer.Option(help="评测哪一部分;文件没有 split 时用全部")] = "test",
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
    output: Annotated[Path | None, typer.Option(help="写出 report.html、report.json、errors.csv 的目录")] = None,
    train: Annotated[
        list[Path] | None,
        typer.Option(help="训练用的标注文件或目录,供基线学习、给错误找近邻;默认 data/samples(若有)"),
    ] = None,
    baselines: Annotated[
        Baselines, typer.Option(help="all 另跑冻结编码器:需 train 扩展,每千条约两分钟")
    ] = Baselines.quick,
    skip_bad_rows: Annotated[bool, typer.Option(help="跳过有问题的行")] = False,
) -> None:
    """Measure a bundle on labelled tickets; the last line of standard output is one JSON object."""
    from model.manifest import FIT_ONE
    from training import evaluate as measure
    from training.dataset import read_labelled
    from training.report import write_report
    from triage.compose import build_pipeline
    from triage.settings import CHAMPION, Settings

    pipeline = build_pipeline(Settings(), bundle)
    if pipeline.missing:
        typer.echo(f"提示:没有模型包(当前目录没有 {CHAMPION}),评测的是规则;{FIT_ONE}", err=True)
    dataset = read_labelled(data, pipeline.policy.taxonomy, skip_bad_rows=skip_bad_rows)
    for problem in dataset.problems:
        typer.echo(f"跳过:{problem}", err=True)
    tickets = dataset.split(split)
    if not tickets:
        raise typer.BadParameter(f"没有 split={split} 的工单;请检查 --split 与 --data")
    learned = _learned(pipeline, train, tickets, skip_bad_rows=skip_bad_rows)
    if baselines is Baselines.all:
        typer.echo(f"冻结编码器要逐条读 {len(learned) + len(tickets)} 条工单,需要几分钟", err=True)
    report, evaluated = measure.evaluate(pipeline, tickets, train=learned, frozen=baselines is Baselines.all)
    _tell(report["about"]["seen_in_training"], report["baselines_skipped"])
    if output:
        write_report(report, evaluated, pipeline=pipeline, folder=output, train=learned)
        typer.echo(f"报告:{output / 'report.html'}", err=True)
    typer.echo(json.dumps(report, ensure_ascii=False))


def _learned(
    pipeline: Pipeline, given: list[Path] | None, measured: Sequence[LabelledTicket], *, skip_bad_rows: bool
) -> tuple[LabelledTicket, ...]:
    """Tickets that baselines may learn from; without `--train` those of data/samples, if it is there and readable."""
    from training.dataset import read_labelled
    from training.seen import learned_from

    try:
        dataset = read_labelled(given or [SAMPLES], pipeline.policy.taxonomy, skip_bad_rows=skip_bad_rows or not given)
    except TriageError:
        if given:
            raise
        return ()
    return learned_from(pipeline, dataset.split("train"), measured)


def _tell(seen: int, skipped: dict[str, str]) -> None:
    if seen:
        typer.echo(f"警告:其中 {seen} 条工单参加过该模型包的训练,分数会偏高", err=True)
    for name, why in skipped.items():
        typer.echo(f"基线 {name} 未跑:{why}", err=True)
