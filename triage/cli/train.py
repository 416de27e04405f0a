"""`triage train`."""

from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from model.errors import MissingExtra, UnreadableInput

SAMPLES = Path("data/samples")


class Kind(StrEnum):
    """Which classifier to fit."""

    linear = "linear"
    cascade = "cascade"


def train(
    output: Annotated[Path, typer.Option(help="模型包写到哪个目录")],
    data: Annotated[list[Path] | None, typer.Option(help="标注文件或目录,可多次;默认 data/samples")] = None,
    classifier: Annotated[Kind, typer.Option(help="分类器种类")] = Kind.linear,
    config: Annotated[Path | None, typer.Option(help="训练参数 YAML")] = None,
    encoder: Annotated[str, typer.Option(help="级联用的预训练编码器:本地目录或模型库编号;默认随包自带")] = "",
    work: Annotated[Path, typer.Option(help="级联训练的检查点目录,中断后从这里继续")] = Path("artifacts/runs"),
    skip_bad_rows: Annotated[bool, typer.Option(help="跳过有问题的行")] = False,
) -> None:
    """Fit a classifier on the training split and write its bundle."""
    from training.dataset import read_labelled
    from triage.compose import build_policy, bundle_key
    from triage.settings import Settings

    settings = Settings()
    policy = build_policy(settings)
    dataset = read_labelled(data or [SAMPLES], policy.taxonomy, skip_bad_rows=skip_bad_rows)
    for problem in dataset.problems:
        typer.echo(f"跳过:{problem}", err=True)
    tickets, key = dataset.split("train"), bundle_key(settings)
    linear = _settings(config)
    if classifier is Kind.cascade:
        name = _cascade()(tickets, policy, output, work, linear, encoder, key=key, progress=_say)
    else:
        from training.fit import fit_bundle

        name = fit_bundle(tickets, policy, output, linear, key=key, progress=_say)
    typer.echo(f"已写出模型包 {name} → {output}")


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _cascade() -> Any:
    """The way to a cascade, which needs the extra `train`."""
    try:
        from training.fit_cascade import CascadeSettings, fit_cascade
    except ImportError as error:
        raise MissingExtra(f"训练级联需要 {error.name};请运行 pip install 'complaint-triage[train]'(见 README)") from error

    def fit(tickets: Any, policy: Any, output: Path, work: Path, linear: Any, source: str, **more: Any) -> str:
        return fit_cascade(tickets, policy, output, work, CascadeSettings(linear, source=source), **more)

    return fit


def _settings(config: Path | None) -> Any:
    from training.fit import FitSettings

    if config is None:
        return FitSettings()
    if not config.is_file():
        raise UnreadableInput(f"找不到训练参数 {config};请检查 --config")
    given = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    known = {field.name for field in fields(FitSettings)} - {"read"}
    if not isinstance(given, dict) or set(given) - known:
        raise UnreadableInput(
            f"{config}:不认识的参数 {sorted(set(given) - known) if isinstance(given, dict) else given!r};可用:{sorted(known)}"
        )
    for name, value in given.items():
        if not isinstance(value, type(getattr(FitSettings(), name))) or isinstance(value, bool):
            raise UnreadableInput(f"{config}:{name} 须为 {type(getattr(FitSettings(), name)).__name__},收到 {value!r}")
    return FitSettings(**given)
