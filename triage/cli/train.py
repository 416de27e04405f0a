"""`triage train`."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from model.errors import MissingExtra
from triage.cli.training_config import filled, read_config
from triage.settings import SAMPLES as SAMPLES


class Kind(StrEnum):
    """Which classifier to fit."""

    linear = "linear"
    encoder = "encoder"
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
    given = read_config(config)
    if classifier is Kind.linear:
        name = _linear(tickets, policy, output, given, key)
    else:
        given["encoder_alone"] = classifier is Kind.encoder
        name = _cascade(tickets, policy, (output, work), encoder, given, key)
    typer.echo(f"已写出模型包 {name} → {output}")


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _linear(tickets: Any, policy: Any, output: Path, config: dict[str, Any], key: str | None) -> str:
    from training.fit import FitSettings, fit_bundle

    return fit_bundle(tickets, policy, output, filled(FitSettings(), config, "--config"), key=key, progress=_say)


def _cascade(
    tickets: Any, policy: Any, folders: tuple[Path, Path], source: str, config: dict[str, Any], key: str | None
) -> str:
    try:
        from training.finetune import FinetuneSettings
        from training.fit_cascade import CascadeSettings, fit_cascade
    except ImportError as error:
        raise MissingExtra(
            f"训练级联需要 {error.name};请运行 pip install 'complaint-triage[train]'(见 README)"
        ) from error
    from training.fit import FitSettings

    encoder = filled(FinetuneSettings(), config.pop("encoder", {}), "--config encoder")
    alone = bool(config.pop("encoder_alone"))
    folds = filled(CascadeSettings(), {k: config.pop(k) for k in ("encoder_folds",) if k in config}, "--config")
    linear = filled(FitSettings(), config, "--config")
    settings = replace(folds, linear=linear, encoder=encoder, source=source, encoder_alone=alone)
    return fit_cascade(tickets, policy, *folders, settings, key=key, progress=_say)
