"""`triage predict`."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from model.rows import Row, read_rows

if TYPE_CHECKING:
    from triage.archive.run import Job


class Engine(StrEnum):
    """Where rows are predicted."""

    local = "local"
    ray = "ray"


def predict(
    file: Annotated[str | None, typer.Argument(help="输入文件;- 为标准输入;--engine ray 也可给目录")] = None,
    text: Annotated[str | None, typer.Option(help="直接给一条工单的正文")] = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
    output: Annotated[Path | None, typer.Option(help="输出文件,按扩展名决定格式")] = None,
    column: Annotated[str | None, typer.Option(help="正文列名")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="只处理前 N 行")] = None,
    explain: Annotated[bool, typer.Option(help="给出逐词依据")] = False,
    reproducible: Annotated[bool, typer.Option(help="结果与同批工单无关(本来如此:编码器逐条计算)")] = False,  # noqa: ARG001
    engine: Annotated[Engine, typer.Option(help="计算引擎:local 本进程;ray 多核多机,可中断后继续")] = Engine.local,
) -> None:
    """Predict tickets; one output row for each input row, in order."""
    from model.manifest import FIT_ONE
    from triage.archive.run import Job
    from triage.compose import build_pipeline, bundle_folder
    from triage.output import write
    from triage.settings import CHAMPION, Settings
    from triage.triage import Triage

    if (file is None) == (text is None):
        raise typer.BadParameter("请给出一个输入文件(或 -),或者 --text 正文,二者取一")
    triage = Triage(build_pipeline(Settings(), bundle))
    if triage.pipeline.missing:
        typer.echo(f"提示:没有模型包(当前目录没有 {CHAMPION}),只用规则回答(fallback);{FIT_ONE}", err=True)
    if engine is Engine.ray and file is not None:
        _on_ray(
            file, output, Job(bundle_folder(Settings(), bundle), triage.pipeline.versions(), explain, column, limit)
        )
        return
    rows = iter([Row(1, text)]) if text is not None else read_rows("-" if file is None else file, column)
    results = triage.predict_rows(islice(rows, limit), explain=explain)
    errors = sum("error" in result for result in _watched(write(results, output), quiet=text is not None))
    if errors:
        typer.echo(f"完成,其中 {errors} 行不是工单,见输出中的 error", err=True)
        raise typer.Exit(1)


def _on_ray(file: str, output: Path | None, job: "Job") -> None:
    from triage.archive.run import score_file, score_folder

    if file == "-":
        raise typer.BadParameter("--engine ray 需要文件或目录,不能读标准输入;请先存成文件")
    if Path(file).is_dir():
        if output is None:
            raise typer.BadParameter("输入为目录时须给 --output 目录")
        outcome = score_folder(Path(file), output, job)
    else:
        outcome = score_file(Path(file), output, job)
    kept = f",其中 {outcome.kept} 部分为上次所算" if outcome.kept else ""
    typer.echo(f"共 {outcome.rows} 行{kept}", err=True)
    for problem in outcome.problems:
        typer.echo(f"未能读取:{problem}", err=True)
    if outcome.errors:
        typer.echo(f"其中 {outcome.errors} 行不是工单,见输出中的 error", err=True)
    if outcome.errors or outcome.problems:
        raise typer.Exit(1)


def _watched(results: Iterable[dict[str, Any]], *, quiet: bool) -> Iterator[dict[str, Any]]:
    """Show a progress bar on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield from results
        return
    columns = (TextColumn("分拣"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("predict", total=None)
        for result in results:
            progress.advance(task)
            yield result
