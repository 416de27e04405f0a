"""`triage train`."""

from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from model.errors import UnreadableInput

SAMPLES = Path("data/samples")


class Kind(StrEnum):
    """Which classifier to fit."""

    linear = "linear"


def train(
    output: Annotated[Path, typer.Option(help="模型包写到哪个目录")],
    data: Annotated[list[Path] | None, typer.Option(help="标注文件或目录,可多次;默认 data/samples")] = None,
    classifier: Annotated[Kind, typer.Option(help="分类器种类")] = Kind.linear,  # noqa: ARG001 - one kind so far
    config: Annotated[Path | None, typer.Option(help="训练参数 YAML")] = None,
    skip_bad_rows: Annotated[bool, typer.Option(help="跳过有问题的行")] = False,
) -> None:
    """Fit a classifier on the training split and write its bundle."""
    from training.dataset import read_labelled
    from training.fit import fit_bundle
    from triage.compose import build_policy, bundle_key
    from triage.settings import Settings

    settings = Settings()
    policy = build_policy(settings)
    dataset = read_labelled(data or [SAMPLES], policy.taxonomy, skip_bad_rows=skip_bad_rows)
    for problem in dataset.problems:
        typer.echo(f"跳过:{problem}", err=True)
    name = fit_bundle(
        dataset.split("train"),
        policy,
        output,
        _settings(config),
        key=bundle_key(settings),
        progress=lambda line: typer.echo(line, err=True),
    )
    typer.echo(f"已写出模型包 {name} → {output}")


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
