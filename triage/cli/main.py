"""The `triage` command: sub-commands, and the one table from errors to exit codes."""

import os
import sys

import typer
import yaml
from pydantic import ValidationError

from model.errors import BundleError, TriageError
from triage.cli import (
    console,
    consume,
    curate,
    deliver,
    demo,
    drift,
    evaluate,
    keys,
    learn,
    policy,
    predict,
    report,
    serve,
    shadow,
    store,
    train,
)
from triage.cli.wrong_settings import tell

OK, SOME_ROWS_WRONG, WRONG_USAGE, BUNDLE_REFUSED = 0, 1, 2, 3

app = typer.Typer(
    help="95598 投诉工单分拣:类别、班组、时限、线索。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("predict", help="分拣工单(CSV/TSV/XLSX/JSONL/Parquet/纯文本,可 .gz;- 为标准输入)")(predict.predict)
app.command("train", help="用已标注工单训练分类器,写出模型包")(train.train)
app.command("evaluate", help="在已标注工单上评测,最后一行输出 JSON")(evaluate.evaluate)
app.command("retrain", help="用标注批次训练挑战者,与在用模型比较")(learn.retrain)
app.command("models", help="列出在用、挑战者与曾在用的模型包")(learn.models)
app.command("promote", help="换上一个挑战者(须比较通过)")(learn.promote)
app.command("rollback", help="恢复上一个在用的模型包")(learn.rollback)
app.command("suspects", help="哪些标注可能有误,请人再看一眼(不改标注)")(curate.suspects)
app.command("choose", help="下一批标注哪些工单最值得")(curate.choose)
app.command("shadow", help="影子运行:与人工派单比较,哪些小类可以开启自动派单")(shadow.shadow)
app.command("drift", help="两期工单比较:小类占比、用语、把握、改判变了没有")(drift.drift)
app.command("label-studio", help="把已标注工单写成 Label Studio 的任务与标注界面")(learn.label_studio)
app.command("serve", help="启动 HTTP 服务")(serve.serve)
app.command("console", help="启动网页控制台(另需 triage serve)")(console.console)
app.command("deliver", help="把待投递消息送到各班组(网址或 RabbitMQ),并提醒将到期与超期工单")(deliver.deliver)
app.command("consume", help="从 RabbitMQ 收工单入库")(consume.consume)
app.command("demo", help="分拣十余条样例工单,打印表格")(demo.demo)
app.add_typer(report.report_app, name="report")
app.add_typer(store.db_app, name="db")
app.add_typer(keys.keys_app, name="keys")
app.add_typer(policy.policy_app, name="policy")
app.add_typer(policy.rules_app, name="rules")
app.add_typer(policy.routes_app, name="routes")


def run() -> None:
    """Run the command and leave with the contract's exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        app()
    except TriageError as error:
        typer.echo(f"错误:{error}", err=True)
        sys.exit(exit_code(error))
    except (ValidationError, yaml.YAMLError) as error:
        typer.echo(f"错误:{tell(error)}", err=True)
        sys.exit(WRONG_USAGE)
    except BrokenPipeError:  # the reader (head, less) left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OK)
    except OSError as error:
        typer.echo(f"错误:{error.filename or ''} {error.strerror or error};请检查路径、权限与磁盘空间", err=True)
        sys.exit(WRONG_USAGE)


def exit_code(error: TriageError) -> int:
    """The contract's exit code for an error that ended the command.

    Args:
        error: what was raised.

    Returns:
        3 for a bundle that is missing or refused, else 2.
    """
    return BUNDLE_REFUSED if isinstance(error, BundleError) else WRONG_USAGE
