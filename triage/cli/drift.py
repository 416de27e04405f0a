"""`triage drift`: what changed between two stretches of time, or between two files."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.ticket import Ticket
from triage.cli.periods import check_order, midnight

if TYPE_CHECKING:
    from model.pipeline import Pipeline
    from triage.settings import Settings

_DAYS = 14
_TIMES = 2  # how much longer the reference is
_MOST = 2_000  # tickets of each side; more are drawn from
_DAY_FORMS = ["%Y-%m-%d"]
Sample = tuple[list[Ticket], list[bool | None]]


class Format(StrEnum):
    """What is printed, where no file is named."""

    text = "text"
    json = "json"


def drift(
    since: Annotated[
        datetime | None, typer.Option(help="本期自哪天(含);默认截止日前 14 天", formats=_DAY_FORMS, metavar="D")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="本期到哪天(不含);默认到现在", formats=_DAY_FORMS, metavar="D")
    ] = None,
    against_since: Annotated[
        datetime | None, typer.Option(help="对照期自哪天(含);默认为本期两倍长", formats=_DAY_FORMS, metavar="D")
    ] = None,
    against_until: Annotated[
        datetime | None, typer.Option(help="对照期到哪天(不含);默认到本期开始", formats=_DAY_FORMS, metavar="D")
    ] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", help="本期的工单文件(有 category 列时也比较改判);不给则用存储")
    ] = None,
    reference: Annotated[Path | None, typer.Option(help="对照期的工单文件,与 --input 同用")] = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录;两期都用它重新预测")] = None,
    output: Annotated[Path | None, typer.Option(help="报告:.html 或 .json")] = None,
    format_: Annotated[Format, typer.Option("--format", help="屏幕上输出什么")] = Format.text,
) -> None:
    """Say what changed: leaf mix, length, unknown words, confidence, abstain and override rates, and words."""
    from training.drift_page import AboutDrift, as_json, told, write_drift
    from triage.compose import build_pipeline, china_now
    from triage.settings import Settings

    if (input_ is None) != (reference is None):
        raise typer.BadParameter("--input 与 --reference 须同时给出;都不给则用存储")
    settings = Settings()
    pipeline = build_pipeline(settings, bundle)
    if input_ is not None and reference is not None:
        names = (input_.name, reference.name)
        sides = [_from_file(file, pipeline) for file in (input_, reference)]
    else:
        spans = _spans((since, until), (against_since, against_until), china_now())
        names = (_span_name(spans[0]), _span_name(spans[1]))
        sides = _from_store(settings, pipeline, spans)
    report, notes = _compared(sides, pipeline)
    about, taxonomy = AboutDrift(*names, china_now().date(), notes), pipeline.policy.taxonomy
    for note in notes:
        typer.echo(f"注意:{note}", err=True)
    typer.echo(as_json(report, about, taxonomy) if format_ is Format.json else "\n".join(told(report, taxonomy)))
    if output:
        write_drift(report, about, taxonomy, output)
        typer.echo(f"报告:{output}", err=True)


def _compared(sides: Sequence[Sample], pipeline: "Pipeline") -> tuple[dict[str, Any], list[str]]:
    from training.drift import drift_report
    from training.drift_sample import drift_sample

    notes = []
    if pipeline.missing:
        notes.append("没有模型包,只用规则预测;不比较生词")
    if any(len(tickets) > _MOST for tickets, _ in sides):
        notes.append(f"工单多于 {_MOST} 条的一期,从中随机抽取 {_MOST} 条比较")
    drawn = [_drawn(*side) for side in sides]
    typer.echo(f"正在预测 {sum(len(tickets) for tickets, _ in drawn)} 条工单", err=True)
    now, before = (drift_sample(*side, pipeline) for side in drawn)
    return drift_report(now, before), notes


def _drawn(tickets: list[Ticket], decided: list[bool | None]) -> Sample:
    if len(tickets) <= _MOST:
        return tickets, decided
    kept = sorted(random.Random(0).sample(range(len(tickets)), _MOST))  # noqa: S311 - a sample, no secret
    return [tickets[n] for n in kept], [decided[n] for n in kept]


def _from_file(file: Path, pipeline: "Pipeline") -> Sample:
    """Tickets of a file; where people noted a leaf, whether it is another one than is proposed now."""
    from model.errors import InvalidTicket
    from model.rows import read_rows
    from model.ticket import ticket_from

    tickets: list[Ticket] = []
    labels: list[str | None] = []
    wrong = 0
    for row in read_rows(file):
        try:
            if row.error:
                raise row.error
            tickets.append(ticket_from(row.value))
        except InvalidTicket:
            wrong += 1
            continue
        labels.append(row.value.get("category") if isinstance(row.value, dict) else None)
    if wrong:
        typer.echo(f"{file.name}:{wrong} 行不是工单,未计入", err=True)
    return tickets, _overridden(tickets, labels, pipeline)


def _overridden(tickets: Sequence[Ticket], labels: Sequence[str | None], pipeline: "Pipeline") -> list[bool | None]:
    today = [pipeline.policy.taxonomy.today(label) if isinstance(label, str) else () for label in labels]
    asked = [ticket for ticket, leaves in zip(tickets, today, strict=True) if len(leaves) == 1]
    found = iter(pipeline.predict(asked))
    return [next(found).category.code != leaves[0] if len(leaves) == 1 else None for leaves in today]


def _from_store(settings: "Settings", pipeline: "Pipeline", spans: Sequence[tuple[datetime, datetime]]) -> list[Sample]:
    """Stored tickets with their masked text; whether a person chose another leaf than was proposed at the time."""
    from serving.store.history import Handled, handled
    from triage.compose import build_store

    taxonomy = pipeline.policy.taxonomy

    def overridden(one: Handled) -> bool | None:
        if not one.reviews:
            return None
        return taxonomy.today(one.reviews[-1][0]) != taxonomy.today(one.body["category"]["code"])

    database = build_store(settings)
    found = [handled(database, *span) for span in spans]
    database.close()
    return [([Ticket(one.text) for one in side], [overridden(one) for one in side]) for side in found]


def _spans(
    given: tuple[datetime | None, datetime | None], against: tuple[datetime | None, datetime | None], now: datetime
) -> list[tuple[datetime, datetime]]:
    """Both stretches of time; what was not typed follows from the rest."""
    until = midnight(given[1]) if given[1] else now
    since = midnight(given[0]) if given[0] else until - timedelta(days=_DAYS)
    check_order(since, until)
    end = midnight(against[1]) if against[1] else since
    begin = midnight(against[0]) if against[0] else end - _TIMES * (until - since)
    check_order(begin, end, "--against-since 与 --against-until")
    if end > since and begin < until:
        raise typer.BadParameter("对照期与本期重叠;请让 --against-until 不晚于 --since")
    return [(since, until), (begin, end)]


def _span_name(span: tuple[datetime, datetime]) -> str:
    return f"{span[0]:%Y-%m-%d} 至 {span[1]:%Y-%m-%d}(不含)"
