"""The learning loop: `triage retrain`, `models`, `promote`, `rollback`, `label-studio`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.errors import InvalidLabels
from triage.cli.learn_ports import champion_of, crown, deleted_in_store, fitter, note_in_store, record, say, weights_of
from triage.cli.train import SAMPLES, Kind

if TYPE_CHECKING:
    from training.places import Places
    from training.retrain import Intake
    from triage.settings import Settings

_REFUSED = 1
_SHOWN = 20
Tracking = Annotated[
    str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="MLflow 地址;不设则为 artifacts/mlflow.db,未安装则不登记")
]
Note = Annotated[str, typer.Option(help="原因,记入日志")]


def retrain(
    labels: Annotated[list[Path], typer.Option(help="标注批次:CSV、XLSX、JSONL 或 Label Studio 的 JSON,可多次")],
    data: Annotated[list[Path] | None, typer.Option(help="原有标注(含 test 部分),可多次;默认 data/samples")] = None,
    recent: Annotated[list[Path] | None, typer.Option(help="近期已标注工单,只用来比较,可多次")] = None,
    classifier: Annotated[Kind | None, typer.Option(help="分类器种类;默认与在用的相同")] = None,
    worksheet: Annotated[Path | None, typer.Option(help="待改的行写到哪个 .xlsx;默认在模型包目录旁")] = None,
    gate: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="本单位的容许下降(YAML)")] = None,
    skip_bad_rows: Annotated[bool, typer.Option(help="跳过有问题的行")] = False,
    warm: Annotated[bool, typer.Option("--warm", help="接着在用的级联训练,快数倍;只用于级联")] = False,
    tracking: Tracking = "",
) -> None:
    """Fit a challenger on a labelled batch and compare it with the champion. Exit 1: refused, or rows left out."""
    from training.gate import Tolerances
    from training.retrain import Plan, make_challenger, take_in
    from triage.compose import build_policy, bundle_key, china_now
    from triage.settings import Settings

    settings = Settings()
    policy, base = build_policy(settings), data or [SAMPLES]
    places, champion = _places(settings), champion_of(settings, policy)
    tolerances = Tolerances.read(gate) if gate else Tolerances.read()
    plan = Plan(policy, tolerances, base, labels, recent or (), bundle_key(settings), deleted_in_store(settings))
    intake = take_in(plan, places, champion)
    _tell(intake, worksheet or places.root / "待改标注.xlsx", skip_bad_rows=skip_bad_rows)
    kind = classifier or Kind(champion.source if champion.bundle else Kind.linear)
    former = weights_of(champion, places, kind, intake.deleted) if warm else None
    fit = fitter(kind, policy, places.root / "runs", plan.key, former)
    outcome = make_challenger(plan, intake, places, champion, fit, now=china_now())
    note_in_store(settings, intake, outcome)
    record(outcome, intake, places, tracking)
    typer.echo(outcome.verdict.text(policy.taxonomy))
    name = outcome.folder.name
    after = f"triage promote {name}" if outcome.verdict.accepted else f"triage promote {name} --force(会记录在案)"
    typer.echo(f"全部结论:{outcome.folder};换上:{after}")
    if not outcome.verdict.accepted or intake.batch.problems:
        raise typer.Exit(_REFUSED)


def models() -> None:
    """List the champion, challengers with their verdicts, and former champions."""
    from rich.console import Console
    from rich.table import Table

    from training.places import BUNDLE, about
    from training.verdict import read_verdict
    from triage.settings import Settings

    places = _places(Settings())
    table = Table(title="模型包")
    for heading in ("角色", "编号", "训练时间", "工单数", "结论", "对比的在用模型"):
        table.add_column(heading, overflow="fold")
    rows: list[tuple[str, Path, Path | None]] = []
    rows += [("在用", places.champion, None)] if places.champion.exists() else []
    used = about(places.champion).get("id")
    rows += [("挑战者", f / BUNDLE, f) for f in reversed(places.all_challengers()) if f.name != used]
    rows += [("曾在用", bundle, None) for bundle in places.all_former()]
    for role, bundle, folder in rows:
        manifest, verdict = about(bundle), read_verdict(folder) if folder else None
        told = ("通过" if verdict.accepted else "不通过", verdict.sides.champion) if verdict else ("-", "-")
        count = str(manifest.get("data", {}).get("tickets", "-"))
        table.add_row(role, str(manifest.get("id", "无法读取")), str(manifest.get("created", "-")), count, *told)
    Console(width=None if Console().is_terminal else 140).print(table)


def promote(
    name: Annotated[str, typer.Argument(metavar="ID", help="挑战者编号,或其开头(triage models 列出)")],
    force: Annotated[bool, typer.Option("--force", help="结论不通过也换上;记录在案")] = False,
    note: Note = "",
    tracking: Tracking = "",
) -> None:
    """Make a challenger the champion if its verdict allows; running servers follow by themselves."""
    from training import promote as places_of
    from triage.compose import bundle_key, china_now
    from triage.settings import Settings

    settings = Settings()
    places = _places(settings)
    wish = places_of.Wish(bundle_key(settings), force, note)
    change = places_of.promote(places, name, wish, now=china_now())
    crown(change.bundle, places, tracking)
    typer.echo(f"已换上 {change.bundle} → {places.champion};原来在用 {change.former or '规则'};回退:triage rollback")


def rollback(note: Note = "", tracking: Tracking = "") -> None:
    """Bring the former champion back."""
    from training import promote as places_of
    from triage.compose import bundle_key, china_now
    from triage.settings import Settings

    settings = Settings()
    places = _places(settings)
    change = places_of.rollback(places, key=bundle_key(settings), note=note, now=china_now())
    crown(change.bundle, places, tracking)
    typer.echo(f"已恢复 {change.bundle} → {places.champion};换下 {change.former or '规则'}")


def label_studio(
    labels: Annotated[list[Path], typer.Argument(help="已标注的文件,导出为 Label Studio 任务,可多个")],
    output: Annotated[Path, typer.Option(help="任务写到哪个 .json;标注界面写在旁边的 .xml")],
) -> None:
    """Write labelled tickets as tasks for Label Studio, with the labelling screen; `retrain` reads what comes back."""
    from training.dataset import read_labelled
    from training.label_studio import label_config, tasks
    from triage.compose import build_policy
    from triage.settings import Settings

    taxonomy = build_policy(Settings()).taxonomy
    tickets = read_labelled(labels, taxonomy).tickets
    output.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(tasks(tickets, version=f"guideline-{taxonomy.guideline}"), ensure_ascii=False, indent=1)
    output.write_text(text, encoding="utf-8")
    output.with_suffix(".xml").write_text(label_config(taxonomy), encoding="utf-8")
    typer.echo(f"{len(tickets)} 条任务 → {output};标注界面 → {output.with_suffix('.xml')}")


def _places(settings: "Settings") -> "Places":
    from training.places import Places
    from triage.settings import CHAMPION

    return Places(settings.bundle or CHAMPION)


def _tell(intake: "Intake", worksheet: Path, *, skip_bad_rows: bool) -> None:
    """Say what was left out and why; stop where a person has to mend rows first."""
    from training.worksheet import write_worksheet

    for file in intake.gone:
        say(f"以前的批次 {file} 已不在或改动过,这次不再学它")
    if intake.batch.known:
        say(f"{intake.batch.known} 条与已有标注相同,不重复学")
    if intake.deleted:
        say(f"{intake.deleted} 条工单已从存储中删除,不再学")
    problems = intake.batch.problems
    if not problems:
        return
    write_worksheet(problems, worksheet)
    shown = "\n".join(map(str, problems[:_SHOWN]))
    where = f"{len(problems)} 行须改正,已写入 {worksheet}(行、问题、怎么改):\n{shown}"
    if not skip_bad_rows:
        raise InvalidLabels(f"{where}\n改好后把工作表交给 --labels,或加 --skip-bad-rows 跳过", list(map(str, problems)))
    say(f"跳过 {where}")
