"""Wrong settings told in words: which one, what came, what it must be."""

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError

_MUST_BE = {  # by pydantic's error type
    "int_parsing": "须为整数",
    "float_parsing": "须为数字",
    "bool_parsing": "须为 true 或 false",
    "greater_than_equal": "须不小于 {ge}",
    "less_than_equal": "须不大于 {le}",
    "too_short": "至少 {min_length} 个字符",
    "string_pattern_mismatch": "不合要求的写法",
}


def tell(error: ValidationError | yaml.YAMLError) -> str:
    """What a person reads who set something wrong.

    Args:
        error: of the settings, or of a file of parameters.

    Returns:
        One sentence or several; a secret is never repeated.
    """
    if isinstance(error, ValidationError) and error.title == "Settings":
        return "".join(_setting(item) for item in error.errors()) + "请改正环境变量或 .env(见 README 的设置表)"
    return f"设置或参数文件有误({str(error).splitlines()[0]});请对照 README 的设置表改正"


def _setting(item: Mapping[str, Any]) -> str:
    from triage.settings import Settings

    field = str(item["loc"][0])
    secret = "Secret" in str(Settings.model_fields[field].annotation)
    came = "" if secret else f",收到「{str(item['input'])[:40]}」"
    must = _MUST_BE.get(item["type"], item["msg"]).format(**item.get("ctx", {}))
    return f"设置 TRIAGE_{field.upper()} 有误{came},{must}({Settings.model_fields[field].description});"
