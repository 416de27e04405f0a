"""Write an evaluation as report.html (one offline file), report.json and errors.csv."""

import csv
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from model.document import read
from model.pipeline import Pipeline
from model.spreadsheet import safe_cell
from model.taxonomy import Taxonomy
from model.ticket import Ticket
from training.evaluated import Evaluated

_SLICES = {
    "channel:asr": "话务转写", "channel:agent_note": "坐席记录", "channel:online": "网上留言", "channel:relay": "转办件",
    "difficulty:plain": "平淡", "difficulty:none": "一般", "difficulty:hard": "难",
    "length:短(≤30)": "短(30 字以内)", "length:中": "中等长度", "length:长(>200)": "长(200 字以上)",
}  # fmt: skip
_ERROR_COLUMNS = (
    "id",
    "author",
    "channel",
    "gold",
    "proposed",
    "confidence",
    "flags_gold",
    "flags_raised",
    "safety_gold",
    "safety_raised",
    "text",
)


def write_report(report: dict[str, Any], data: Evaluated, pipeline: Pipeline, folder: Path) -> None:
    """Write the three files.

    Args:
        report: from `training.evaluate.evaluate`.
        data: the predictions behind it.
        pipeline: what was measured.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    wrong = errors(data)
    with (folder / "errors.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, _ERROR_COLUMNS)
        writer.writeheader()
        writer.writerows({key: safe_cell(value) for key, value in row.items()} for row in wrong)
    environment = Environment(loader=PackageLoader("training", "templates"), autoescape=select_autoescape())
    page = environment.get_template("evaluation.html").render(
        report=report,
        names=_SLICES, errors=wrong, confusion=confusion(data, pipeline.policy.taxonomy), taxonomy=pipeline.policy.taxonomy,
        bundle=pipeline.bundle.id if pipeline.bundle else "只有规则",
    )  # fmt: skip
    (folder / "report.html").write_text(page, encoding="utf-8")


def errors(data: Evaluated) -> list[dict[str, Any]]:
    """Every ticket with a wrong leaf, flag or safety, masked.

    Args:
        data: predictions and labels.

    Returns:
        One mapping a ticket, missed danger first, then the most confident mistakes.
    """
    rows = []
    for ticket, prediction in zip(data.tickets, data.predictions, strict=True):
        raised = {name for name, cue in prediction.flags.items() if cue.raised}
        right = (ticket.category, set(ticket.flags), ticket.safety) == (
            prediction.category.code,
            raised,
            prediction.safety.raised,
        )
        if not right:
            values = (
                ticket.id, ticket.author, ticket.channel, ticket.category, prediction.category.code,
                round(prediction.category.confidence, 3), "|".join(sorted(ticket.flags)), "|".join(sorted(raised)),
                ticket.safety, prediction.safety.raised, read(Ticket(ticket.text)).text,
            )  # fmt: skip
            rows.append(dict(zip(_ERROR_COLUMNS, values, strict=True)))
    return sorted(rows, key=lambda row: (not (row["safety_gold"] and not row["safety_raised"]), -row["confidence"]))


def confusion(data: Evaluated, taxonomy: Taxonomy) -> list[tuple[str, list[int]]]:
    """How often each leaf was proposed for each labelled leaf.

    Args:
        data: predictions and labels.
        taxonomy: the order.

    Returns:
        (labelled leaf, counts in taxonomy order) for each leaf.
    """
    order = {code: number for number, code in enumerate(taxonomy.codes)}
    table = [[0] * len(order) for _ in order]
    for gold, found in zip(data.gold, data.found, strict=True):
        table[order[gold]][order[found]] += 1
    return [(code, table[number]) for code, number in order.items()]
