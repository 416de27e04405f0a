"""`triage evaluate`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from model.pipeline import Pipeline
from model.ticket import LabelledTicket


def evaluate(
    data: Annotated[list[Path], typer.Option(help="标注文件或目录,可多次")],
    split: Annotated[str, typer.Option(help="评测哪一部分;文件没有 split 时用全部")] = "test",
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
    output: Annotated[Path | None, typer.Option(help="写出 report.html、report.json、errors.csv 的目录")] = None,
    skip_bad_rows: Annotated[bool, typer.Option(help="跳过有问题的行")] = False,
) -> None:
    """Measure a bundle on labelled tickets; the last line of standard output is one JSON object."""
    from training import evaluate as measure
    from training.dataset import read_labelled
    from training.report import write_report
    from triage.compose import build_pipeline
    from triage.settings import Settings

    pipeline = build_pipeline(Settings(), bundle)
    dataset = read_labelled(data, pipeline.policy.taxonomy, skip_bad_rows=skip_bad_rows)
    for problem in dataset.problems:
        typer.echo(f"跳过:{problem}", err=True)
    tickets = dataset.split(split)
    if not tickets:
        raise typer.BadParameter(f"没有 split={split} 的工单;请检查 --split 与 --data")
    _warn_of_seen_rows(pipeline, tickets)
    report, evaluated = measure.evaluate(pipeline, tickets)
    if output:
        write_report(report, evaluated, pipeline, output)
        typer.echo(f"报告:{output / 'report.html'}", err=True)
    typer.echo(json.dumps(report, ensure_ascii=False))


def _warn_of_seen_rows(pipeline: Pipeline, tickets: Sequence[LabelledTicket]) -> None:
    from training.dataset import text_hash

    seen = set(pipeline.bundle.manifest["data"]["rows"].values()) if pipeline.bundle else set()
    count = sum(text_hash(ticket.text)[:16] in seen for ticket in tickets)
    if count:
        typer.echo(f"警告:其中 {count} 条工单参加过该模型包的训练,分数会偏高", err=True)
