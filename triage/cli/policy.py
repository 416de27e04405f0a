"""`triage policy copy`, `triage rules report` and `triage routes check`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

policy_app = typer.Typer(help="策略", no_args_is_help=True)
rules_app = typer.Typer(help="规则", no_args_is_help=True)
routes_app = typer.Typer(help="派单", no_args_is_help=True)


@policy_app.callback()
def _policy() -> None:
    """Policy."""


@rules_app.callback()
def _rules() -> None:
    """Rules."""


@routes_app.callback()
def _routes() -> None:
    """Routes."""


@policy_app.command("copy", help="把现行策略复制到一个目录,供本单位修改;改好后 TRIAGE_POLICY 指向它")
def policy_copy(
    folder: Annotated[Path, typer.Argument(help="复制到哪个目录")],
    files: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="只复制这些文件;默认全部")] = None,
) -> None:
    """Copy the policy in force, to be changed. A file that is there already is never written over."""
    from shutil import copyfile

    from model.errors import UnusableOutput
    from model.policy import FILES
    from model.policy.load import find_file
    from triage.compose import build_policy
    from triage.settings import Settings

    names = files or list(FILES)
    if unknown := [name for name in names if name not in FILES]:
        raise typer.BadParameter(f"没有策略文件 {'、'.join(unknown)};可用:{'、'.join(FILES)}")
    if there := [name for name in names if (folder / name).exists()]:
        raise UnusableOutput(f"{folder} 里已有 {'、'.join(there)},不会覆盖;请换一个目录,或先移走它们")
    source = build_policy(Settings()).folder
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copyfile(find_file(source, name), folder / name)
    typer.echo(f"已复制 {'、'.join(names)} → {folder}")
    typer.echo(f"改完检查:TRIAGE_POLICY={folder} triage routes check;没有改动的文件可以删去,删去的用内置的")


@rules_app.command("report", help="每条规则的命中、准确率、覆盖率;从未命中与被遮蔽的规则")
def rules_report(
    data: Annotated[list[Path] | None, typer.Option(help="标注文件或目录;默认 data/samples")] = None,
    split: Annotated[str, typer.Option(help="用哪一部分统计")] = "train",
) -> None:
    """Measure every rule on labelled tickets."""
    from training.dataset import read_labelled
    from training.rules_report import rules_report as report
    from training.rules_report import to_text
    from triage.cli.train import SAMPLES
    from triage.compose import build_policy
    from triage.settings import Settings

    policy = build_policy(Settings())
    tickets = read_labelled(data or [SAMPLES], policy.taxonomy).split(split)
    typer.echo(to_text(report(tickets, policy)))


@routes_app.command("check", help="检查派单表并打印:每个类别的班组、协办、承诺")
def routes_check() -> None:
    """Load the policy, which checks it, and show where each leaf goes."""
    from model.policy import BUILT_IN, own_files
    from triage.compose import build_policy
    from triage.settings import Settings

    policy = build_policy(Settings())
    table = Table(title=f"派单表 {policy.routing.version}(自 {policy.routing.effective_from} 起)")
    for heading in ("类别", "名称", "班组", "协办", "不得派给", "服务承诺"):
        table.add_column(heading, overflow="fold")
    for leaf in policy.taxonomy:
        entry = policy.routing.routes[leaf.code]
        table.add_row(leaf.code, leaf.name, entry.desk, "、".join(entry.support), "、".join(entry.never), entry.promise)
    Console().print(table)
    typer.echo(
        f"涉及人身安全:{policy.routing.safety.desk} + {policy.routing.safety.person};待审:{policy.routing.review_desk}"
    )
    own = own_files(policy.folder) if policy.folder != BUILT_IN else ()
    typer.echo(f"策略目录:{policy.folder};本单位文件:{'、'.join(own) or '无'};其余用内置")
    typer.echo("派单表无误")
