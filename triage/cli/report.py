"""`triage report hotspots`, `briefing`, `worklists` and `handover`."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.reports.material import LeftOut
    from serving.reports.report import Report

report_app = typer.Typer(help="报告:月度热点、晨会简报、工作单、交接说明", no_args_is_help=True)


class By(StrEnum):
    """Periods of a monthly report."""

    week = "week"
    month = "month"


class List(StrEnum):
    """Worklists."""

    all = "all"
    miswiring_homes = "miswiring_homes"
    high_bill_visits = "high_bill_visits"
    new_connection_callbacks = "new_connection_callbacks"
    tariff_not_executed = "tariff_not_executed"
    wrong_phones = "wrong_phones"


Since = Annotated[str, typer.Option(metavar="D", help="起始日(含),如 2026-11-01")]
Until = Annotated[str, typer.Option(metavar="D", help="截止日(不含),如 2026-12-01")]
Input = Annotated[Path | None, typer.Option("--input", help="从文件出报告(每行一张工单);不给则从存储")]
Column = Annotated[str | None, typer.Option(help="文件的正文列名")]
Bundle = Annotated[Path | None, typer.Option(help="从文件出报告时用的模型包目录")]
Output = Annotated[Path | None, typer.Option(help="输出文件,按扩展名决定格式;不给则打印")]


@report_app.callback()
def _report() -> None:
    """Reports."""


@report_app.command("hotspots", help="月度投诉热点分析及管控措施(.html .docx .xlsx)")
def hotspots(
    since: Since,
    until: Until,
    file: Input = None,
    output: Output = None,
    by: Annotated[By | None, typer.Option(help="按周或按月比较;不给时整月用月,其余用周")] = None,
    customers: Annotated[Path | None, typer.Option(help="各单位户数表(CSV),用于万户投诉率;不给则用 TRIAGE_CUSTOMERS")] = None,
    bundle: Bundle = None,
    column: Column = None,
) -> None:
    """Write the monthly report."""
    from serving.reports.files import PAGES, check
    from serving.reports.monthly.build import monthly
    from triage.report_sources import Source, time_of

    asked = time_of(_day("--since", since), _day("--until", until), by.value if by else None)
    check(output, PAGES)
    analysis, material = Source(file, column, bundle).of_time(asked, customers)
    _finish(monthly(analysis, material), output, material.left_out)


@report_app.command("briefing", help="营业厅或供电所的一页晨会简报(.html .docx,或打印)")
def briefing(
    date_: Annotated[str, typer.Option("--date", metavar="D", help="哪一天的晨会,如 2026-11-23")],
    org: Annotated[str, typer.Option(help="营业厅、供电所或县,如 城关供电所")],
    file: Input = None,
    output: Output = None,
    bundle: Bundle = None,
    column: Column = None,
) -> None:
    """Write the morning briefing."""
    from serving.reports.briefing import Briefing
    from serving.reports.files import PAGES, check
    from serving.reports.places import close_names
    from triage.report_sources import Source

    day = _day("--date", date_)
    check(output, PAGES)
    page = Briefing(Source(file, column, bundle).before(day), day, org)
    if page.unknown:
        near = "、".join(close_names(org, page.names)) or "无"
        typer.echo(f"提示:一年内没有「{org}」的工单;相近的单位:{near}", err=True)
    _finish(page.report(), output, page.material.left_out)


@report_app.command("worklists", help="工作单:走访、回访、稽查、更正电话(.xlsx .csv)")
def worklists(
    kind: Annotated[List, typer.Option(help="哪一种工作单")] = List.all,
    since: Annotated[str | None, typer.Option(metavar="D", help="受理自哪一天起(含);不给则不限")] = None,
    until: Annotated[str | None, typer.Option(metavar="D", help="受理至哪一天止(不含);不给则不限")] = None,
    file: Input = None,
    output: Output = None,
    bundle: Bundle = None,
    column: Column = None,
) -> None:
    """Write worklists."""
    from serving.reports.files import LISTS, check
    from serving.reports.report import Report
    from serving.reports.worklists import Worklists, entries
    from triage.compose import china_now
    from triage.report_sources import Source, time_of

    check(output, LISTS)
    first, last = _day("--since", since) if since else None, _day("--until", until) if until else None
    if first and last:
        time_of(first, last, None)
    material = Source(file, column, bundle).between(first, last)
    kinds = tuple(entries()) if kind is List.all else (kind.value,)
    sections = Worklists(material.policy).sections(material.frame, kinds)
    period = f"{first or '不限'} 至 {last or '不限'}(不含)"
    report = Report("工作单", period, china_now(), sections, material.left_out.sentences())
    _finish(report, output, material.left_out)


@report_app.command("handover", help="给接任服务专责的交接说明(.docx .html)")
def handover(output: Output = None) -> None:
    """Write the handover note."""
    from serving.reports.files import PAGES, check
    from triage.report_sources import handover_of

    check(output, PAGES)
    _finish(handover_of().report(), output, None)


def _day(option: str, text: str) -> date:
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"):
        try:
            found = datetime.strptime(text, form).date()
        except ValueError:
            continue
        if 2000 <= found.year <= 2100:
            return found
    raise typer.BadParameter(f"{option} 须为日期,如 2026-11-01,收到 {text!r};请改正")


def _finish(report: "Report", output: Path | None, left_out: "LeftOut | None") -> None:
    """Write or print the report; rows that were not counted are told of, and are the exit code 1."""
    from rich.console import Console

    from serving.reports.files import write
    from serving.reports.terminal import print_report

    if output is None:
        console = Console()
        print_report(report, console if console.is_terminal else Console(width=140))
    else:
        write(report, output)
        typer.echo(f"已写出 {output}", err=True)
    if left_out is None:
        return
    for sentence in left_out.sentences():
        typer.echo(f"提示:{sentence}", err=True)
    if left_out.wrong:
        raise typer.Exit(1)
