"""Write an evaluation as report.html (one offline file), report.json and errors.csv."""

import csv
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from model.pipeline import Pipeline
from model.spreadsheet import safe_cell
from model.ticket import LabelledTicket
from training.evaluated import Evaluated, Table
from training.mistakes import COLUMNS, Mistake, beginning, mistakes

KINDS = {"channel": "渠道", "length": "长度", "difficulty": "难度", "dialect": "方言", "noise": "错字与伪装"}
SLICES = {
    "channel:asr": "话务转写", "channel:agent_note": "坐席记录", "channel:online": "网上留言", "channel:relay": "转办件",
    "difficulty:plain": "平淡", "difficulty:none": "一般", "difficulty:hard": "难",
    "length:short": "短(30 字以内)", "length:middle": "中等长度", "length:long": "长(200 字以上)",
    "dialect:any": "含方言词", "dialect:none": "不含方言词", "noise:none": "无",
    "noise:asr": "转写错字(停店、教表)", "noise:typo": "其他渠道错字", "noise:disguised": "伪装(拆字、拼音、夹符号)",
}  # fmt: skip
_BASELINES = {
    "majority": "总猜最多的一类", "rules": "只有规则", "linear": "只有线性部分",
    "char_svm": "字符 TF-IDF + 线性 SVM", "frozen_encoder": "冻结编码器 + 逻辑回归",
}  # fmt: skip
_CUES = {"safety": "人身安全", "escalation": "升级风险"}
_SOURCES = {"linear": "线性分类器", "encoder": "编码器", "cascade": "级联", "rules": "只有规则"}
_CHANNELS = {name.removeprefix("channel:"): shown for name, shown in SLICES.items() if name.startswith("channel:")}
_MOST_CONFUSED = 6


def write_report(
    report: Table, data: Evaluated, *, pipeline: Pipeline, folder: Path, train: Sequence[LabelledTicket] = ()
) -> None:
    """Write the three files.

    Args:
        report: from `training.evaluate.evaluate`.
        data: the predictions behind it.
        pipeline: what was measured.
        folder: made if it is not there.
        train: what it learned from; mistakes are shown beside the nearest of these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    wrong = mistakes(data, pipeline, train)
    with (folder / "errors.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({key: safe_cell(value) for key, value in mistake.row().items()} for mistake in wrong)
    (folder / "report.html").write_text(page(report, wrong, pipeline), encoding="utf-8")


def page(report: Table, wrong: Sequence[Mistake], pipeline: Pipeline) -> str:
    """The report as one HTML page that loads nothing.

    Args:
        report: from `training.evaluate.evaluate`.
        wrong: from `training.mistakes.mistakes`.
        pipeline: what was measured.

    Returns:
        HTML.
    """
    taxonomy = pipeline.policy.taxonomy
    environment = Environment(
        loader=PackageLoader("training", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("evaluation.html").render(
        report=report,
        mistakes=wrong,
        leaves={leaf.code: leaf.name for leaf in taxonomy},
        cues={**taxonomy.flags, **_CUES},
        slices=by_kind(report["slices"]),
        confused=most_confused(report["confusion"]),
        names={"slices": SLICES, "baselines": _BASELINES, "channels": _CHANNELS, "source": _SOURCES[pipeline.level]},
        beginning=beginning,
        made=date.today().isoformat(),
    )


def by_kind(slices: Table) -> dict[str, Table]:
    """Slices under the name of their kind.

    Args:
        slices: the report's `slices`.

    Returns:
        Slices by kind, in Chinese.
    """
    found: dict[str, Table] = {}
    for name in sorted(slices, key=lambda name: [*SLICES, name].index(name)):
        kind = name.split(":")[0]
        found.setdefault(KINDS.get(kind, kind), {})[name] = slices[name]
    return found


def most_confused(confusion: Table) -> list[tuple[int, str, str]]:
    """The commonest mistakes about the leaf.

    Args:
        confusion: the report's `confusion`.

    Returns:
        (count, labelled leaf, proposed leaf), the commonest first.
    """
    pairs = [(n, gold, found) for gold, row in confusion.items() for found, n in row.items() if gold != found]
    return sorted(pairs, key=lambda pair: (-pair[0], *pair[1:]))[:_MOST_CONFUSED]
