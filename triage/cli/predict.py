"""`triage predict`."""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from model.rows import Row, read_rows


class Engine(StrEnum):
    """Where rows are predicted."""

    local = "local"


def predict(
    file: Annotated[str | None, typer.Argument(help="输入文件;- 为标准输入")] = None,
    text: Annotated[str | None, typer.Option(help="直接给一条工单的正文")] = None,
    bundle: Annotated[Path | None, typer.Option(help="模型包目录")] = None,
    output: Annotated[Path | None, typer.Option(help="输出文件,按扩展名决定格式")] = None,
    column: Annotated[str | None, typer.Option(help="正文列名")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="只处理前 N 行")] = None,
    explain: Annotated[bool, typer.Option(help="给出逐词依据")] = False,
    reproducible: Annotated[bool, typer.Option(help="结果与同批工单无关(本来如此:编码器逐条计算)")] = False,  # noqa: ARG001
    engine: Annotated[Engine, typer.Option(help="计算引擎")] = Engine.local,  # noqa: ARG001
) -> None:
    """Predict tickets; one output row for each input row, in order."""
    from triage.compose import build_pipeline
    from triage.output import write
    from triage.settings import Settings
    from triage.triage import Triage

    if (file is None) == (text is None):
        raise typer.BadParameter("请给出一个输入文件(或 -),或者 --text 正文,二者取一")
    triage = Triage(build_pipeline(Settings(), bundle))
    if triage.pipeline.missing:
        typer.echo("提示:没有模型包,只用规则回答(fallback);可运行 make train", err=True)
    rows = iter([Row(1, text)]) if text is not None else read_rows("-" if file is None else file, column)
    results = triage.predict_rows(islice(rows, limit), explain=explain)
    errors = sum("error" in result for result in _watched(write(results, output), quiet=text is not None))
    if errors:
        typer.echo(f"完成,其中 {errors} 行不是工单,见输出中的 error", err=True)
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
