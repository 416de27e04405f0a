"""Rules and words of a policy against the rest of it: what they name exists, expressions compile, the dictionary can be read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import PolicyError
from model.policy.schema import RuleEntry

if TYPE_CHECKING:
    from model.policy.load import Policy


def check_rules(policy: "Policy") -> None:
    """Each rule by itself and beside the others.

    Args:
        policy: with a checked taxonomy.

    Raises:
        PolicyError: a rule leads nowhere, stands twice, names an unknown word list, or does not compile.
    """
    targets = {*policy.taxonomy.codes, *policy.taxonomy.flags, "safety", "escalation", "not_a_complaint"}
    targets |= {filing.code for filing in policy.taxonomy.filings} | {"theft_role"}
    seen: set[str] = set()
    for flag, name in policy.decision.flag_needs.items():
        if name not in policy.context.lexicons:
            raise PolicyError(f"decision.yaml:flag_needs → {flag}:词表 {name!r} 未定义;请加入 context.yaml 的 lexicons")
    words = policy.decision.power_words
    if words is not None and words not in policy.context.lexicons:
        raise PolicyError(f"decision.yaml:power_words:词表 {words!r} 未定义;请加入 context.yaml 的 lexicons")
    for rule in policy.rules:
        if rule.id in seen:
            raise PolicyError(f"rules:{rule.id}:规则编号重复,请改名")
        seen.add(rule.id)
        if rule.to not in targets:
            raise PolicyError(f"rules:{rule.id}:to: {rule.to!r} 不是类别、线索或报备;请检查拼写")
        if not rule.all and not rule.regex:
            raise PolicyError(f"rules:{rule.id}:all 与 regex 至少要有一个")
        for wording in (w for group in (*rule.all, rule.unless, rule.unless_anywhere) for w in group):
            if wording.startswith("@") and wording[1:] not in policy.context.lexicons:
                raise PolicyError(f"rules:{rule.id}:词表 {wording} 未定义;请加入 context.yaml 的 lexicons")
        _check_expression(rule)


def check_dictionary(path: Path) -> None:
    """The segmenter's words, each with a frequency and a tag where it has them.

    Args:
        path: of dictionary.txt.

    Raises:
        PolicyError: a line that is no word; the message names it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}:不是 UTF-8 编码;请另存为 UTF-8") from error
    for number, line in enumerate(lines, 1):
        _, frequency, _, more, *_ = [*line.split(), *[""] * 4]
        whole = not frequency or (frequency.isascii() and frequency.isdigit() and len(frequency) < 10)
        if more or not whole or "\x00" in line:
            raise PolicyError(f"{path}:第 {number} 行:须为 词 频次 词性(后两项可省),频次为 0–999999999 的整数;请改正")


def _check_expression(rule: RuleEntry) -> None:
    try:
        re.compile(rule.regex or "")
    except (re.error, OverflowError, RecursionError) as error:
        raise PolicyError(f"rules:{rule.id}:regex 不是合法的正则表达式({error});请改正,或改用 all 词表") from error
