"""YAML of an office's own files, which a typing error or a forger may have spoilt: a table, or one kind of error."""

import re
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH_MOST = 100  # of lists in lists; the loader in C counts on the stack and would end the process
_BEGINS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_ENDS = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
_INDENT = re.compile(r"^[ ?:-]*", re.MULTILINE)
_HARMLESS = 1000  # so many brackets and columns of indent cannot nest deep enough to do harm


class NotYaml(ValueError):
    """The text is no YAML; the message says where, in words for whoever wrote it."""


def parse_yaml(text: str) -> Any:
    """Read a text; only plain values are made, whatever its tags say.

    Args:
        text: of the file.

    Returns:
        Mappings, lists and plain values; None for an empty text.

    Raises:
        NotYaml: it cannot be read, nests without end, or holds a value that is none, such as the 13th month.
    """
    try:
        _refuse_depth(text)
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - safe loader, in C  # nosec B506
    except NotYaml:
        raise
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f"第 {place.line + 1} 行" if place else "位置不明"
        raise NotYaml(f"{where}:不是合法的 YAML;请检查缩进与引号,冒号须用半角且后留空格,不能用 Tab") from error
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:  # what its constructors let out
        raise NotYaml("有一处日期、数字或标签(!!)取值不对;请检查,文本请加引号") from error


def _refuse_depth(text: str) -> None:
    indent = max(map(len, _INDENT.findall(text)), default=0)
    if text.count("[") + text.count("{") + indent < _HARMLESS:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, _BEGINS) - isinstance(event, _ENDS)
        if depth > _DEPTH_MOST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise NotYaml(f"第 {line} 行:列表嵌套超过 {_DEPTH_MOST} 层;请检查括号")
