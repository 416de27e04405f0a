"""`triage train --config FILE`: YAML with the settings of the linear classifier, and `encoder:` with the encoder's."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from model.errors import UnreadableInput
from model.yaml_text import parse_yaml

Settings = TypeVar("Settings")


def read_config(path: Path | None) -> dict[str, Any]:
    """Read the file.

    Args:
        path: of the file, or None.

    Returns:
        What stands in it; nothing where no file was named.

    Raises:
        UnreadableInput: no such file, or no YAML mapping.
    """
    if path is None:
        return {}
    if not path.is_file():
        raise UnreadableInput(f"找不到训练参数 {path};请检查 --config")
    try:
        given = parse_yaml(path.read_text(encoding="utf-8")) or {}
    except ValueError as error:
        raise UnreadableInput(f"{path}:不是 UTF-8 的 YAML;请检查缩进与引号") from error
    if not isinstance(given, dict):
        raise UnreadableInput(f"{path}:应为 名称: 值 的列表,收到 {type(given).__name__}")
    return given


def filled(defaults: Settings, given: Any, place: str) -> Settings:
    """Settings with some values changed.

    Args:
        defaults: a frozen dataclass; its simple fields may be set.
        given: names and values.
        place: where they stand, for the message.

    Returns:
        The settings.

    Raises:
        UnreadableInput: an unknown name, a value of another type, or one out of range.
    """
    known = {f.name: getattr(defaults, f.name) for f in fields(defaults)}  # type: ignore[arg-type]
    known = {name: value for name, value in known.items() if not is_dataclass(value)}
    if not isinstance(given, Mapping) or set(given) - set(known):
        wrong = sorted(map(str, set(given) - set(known))) if isinstance(given, Mapping) else given
        raise UnreadableInput(f"{place}:不认识的参数 {wrong};可用:{sorted(known)}")
    for name, value in given.items():
        wanted = type(known[name])
        if isinstance(value, bool) or not isinstance(value, (int, float) if wanted is float else wanted):
            raise UnreadableInput(f"{place} → {name} 须为 {wanted.__name__},收到 {value!r}")
    try:
        return replace(defaults, **given)  # type: ignore[type-var]
    except ValueError as error:
        raise UnreadableInput(f"{place}:{error};请改正") from error
