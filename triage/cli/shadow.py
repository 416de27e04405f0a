"""`triage shadow`: beside people who route by hand; which leaves may be switched on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.errors import UnreadableInput
from triage.cli.periods import check_order, midnight

if TYPE_CHECKING:
    from model.pipeline import Pipeline
    from training.shadow_case import ShadowCase
    from triage.settings import Settings

_SHOWN = 20
_DAYS = 14


def shadow(
    input_: Annotated[
        Path | None,
        typer.Option(
            "--input", help="人工派过的工单(列 category 或 desk;最终为 final_category、final_desk);不给则用存储"
        ),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="存储:自哪天收到(含);默认截止日前 14 天", formats=["%Y-%m-%d"], metavar="D")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="存储:到哪天(不含);默认到现在", formats=["%Y-%m-%d"], metavar="D")
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录(只用于 --input;存储用收单时的预测)")] = None,
    column: Annotated[str | None, typer.Option(help="正文列名")] = None,
    assumptions: Annotated[
        Path | None, typer.Option(help="本单位的每步分钟数与置信水平(YAML,见 training/shadow.yaml)")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="报告:.html、.xlsx 或 .json")] = None,
) -> None:
    """Compare proposals with what people decided. Exit 1: some rows of the file could not be used."""
    from training.shadow import Assumptions, shadow_report
    from training.shadow_page import About, disagreements, told, write_shadow
    from triage.compose import build_pipeline, china_now
    from triage.settings import Settings

    settings, now = Settings(), china_now()
    counted = Assumptions.read(assumptions) if assumptions else Assumptions.read()
    pipeline = build_pipeline(settings, bundle)
    if input_ is None:
        end = midnight(until) if until else now
        found = _from_store(settings, pipeline, midnight(since) if since else end - timedelta(days=_DAYS), end)
    else:
        found = _from_file(input_, column, pipeline)
    if not found.cases:
        raise UnreadableInput(f"{found.source}:没有人工决定过的工单;" + (";".join(found.notes) or "请检查日期或文件"))
    report, rows = shadow_report(found.cases, pipeline.policy, counted), disagreements(found.cases, pipeline.policy)
    for note in found.notes:
        typer.echo(f"注意:{note}", err=True)
    typer.echo(told(report, rows))
    if output:
        write_shadow(report, rows, About(found.source, now.date(), found.notes), output)
        typer.echo(f"报告:{output}", err=True)
    if found.bad_rows:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Found:
    """Tickets of a run, where they come from, and what has to be said of them."""

    cases: "list[ShadowCase]"
    source: str
    notes: list[str]
    bad_rows: int = 0


def _from_file(file: Path, column: str | None, pipeline: "Pipeline") -> _Found:
    from model.rows import read_rows
    from training.shadow_rows import cases_from_rows

    cases, problems = cases_from_rows(list(read_rows(file, column)), pipeline)
    for problem in problems[:_SHOWN]:
        typer.echo(problem, err=True)
    notes = [f"{len(problems)} 行未能使用(前 {_SHOWN} 行的原因见屏幕)"] if problems else []
    if pipeline.missing:
        notes.append("没有模型包,只用规则回答,没有工单会自动派出")
    return _Found(cases, f"文件 {file.name}", notes, len(problems))


def _from_store(settings: "Settings", pipeline: "Pipeline", since: datetime, until: datetime) -> _Found:
    from serving.store.history import handled
    from training.shadow_rows import Decided, cases_from_store
    from triage.compose import build_store

    check_order(since, until)
    database = build_store(settings)
    tickets = handled(database, since, until)
    database.close()
    decided = [Decided(one.ticket_id, one.text, one.body, one.reviews) for one in tickets if one.reviews]
    cases, split = cases_from_store(decided, pipeline.policy)
    notes = [f"{split} 条的小类后来拆分了,未计入"] if split else []
    if len(decided) < len(tickets):
        left = len(tickets) - len(decided)
        notes.append(
            f"{left} 条没有人审核过,未计入;已开启自动的小类因此只剩有异议的工单,数字不可信,影子期请用 auto_leaves: []"
        )
    return _Found(cases, f"存储 {since:%Y-%m-%d} 至 {until:%Y-%m-%d %H:%M}", notes)
