"""Label Studio both ways: tasks with what is proposed so far, and what annotators decided (JSON and JSON-MIN).

The names of the fields are those of annotation-guideline.md, section 5. `alias` puts codes, not names, into results.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from model.document import read
from model.errors import InvalidTicket, UnreadableInput
from model.rows import Row
from model.taxonomy import THEFT_ROLES, Taxonomy
from model.ticket import LabelledTicket, Ticket

_SINGLE, _MULTIPLE = ("category", "theft_role", "filing"), ("secondary", "flags")
_TRUTHS = ("safety", "escalation")
_FIELDS = (*_SINGLE, *_MULTIPLE, *_TRUTHS)
_KEPT = ("channel", "author", "voice", "split")
_ROLES = dict(zip(THEFT_ROLES, ("本人承认", "本人否认", "已被查出", "举报他人"), strict=True))


def tasks(tickets: Sequence[LabelledTicket], *, version: str) -> list[dict[str, Any]]:
    """Tickets as tasks to import into Label Studio, with their labels as predictions to correct.

    Args:
        tickets: n labelled, or proposed, tickets.
        version: of what proposed the labels, e.g. a bundle's id.

    Returns:
        n tasks with masked texts.
    """
    return [
        {
            "data": {
                "ticket_id": ticket.id, "text": read(Ticket(ticket.text)).text,
                **{name: getattr(ticket, name) for name in _KEPT if getattr(ticket, name)},
            },
            "predictions": [{"model_version": version, "result": _results(ticket)}],
        }
        for ticket in tickets
    ]  # fmt: skip


def label_config(taxonomy: Taxonomy) -> str:
    """The labelling screen, to be pasted into a Label Studio project (Settings → Labeling Interface → Code).

    Args:
        taxonomy: leaves, flags, filings and their names.

    Returns:
        XML.
    """
    leaves = {leaf.code: leaf.name for leaf in taxonomy}
    yes = {"true": "是"}
    parts = (
        _choices("category", "类别", leaves, 'choice="single" required="true"'),
        _choices("secondary", "次要类别(至多两个)", leaves, 'choice="multiple"'),
        _choices("flags", "线索", taxonomy.flags, 'choice="multiple"'),
        _choices("theft_role", "窃电角色", _ROLES, 'choice="single"'),
        _choices("filing", "报备事项", {f.code: f.name for f in taxonomy.filings}, 'choice="single"'),
        _choices("safety", "人身安全(当下危险)", yes, 'choice="single"'),
        _choices("escalation", "升级风险", yes, 'choice="single"'),
    )
    return "\n".join(("<View>", '  <Text name="text" value="$text"/>', *parts, "</View>", ""))


def is_label_studio(path: Path) -> bool:
    """Whether a file is an export of Label Studio: a JSON list of tasks.

    Args:
        path: any file.

    Returns:
        True for `.json`, the only form that Label Studio's two JSON exports have.
    """
    return path.suffix.lower() == ".json"


def read_tasks(path: Path) -> list[Row]:
    """What annotators decided, task by task.

    Args:
        path: a JSON or JSON-MIN export, UTF-8.

    Returns:
        A row for each task, numbered from 1; an error where two annotators of a task disagree.

    Raises:
        UnreadableInput: no such file, or none of Label Studio's.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableInput(f"{path} 不是可读的 JSON;请从 Label Studio 重新导出 JSON") from error
    if not isinstance(found, list) or not all(isinstance(task, dict) for task in found):
        raise UnreadableInput(f"{path} 应为任务的列表;请从 Label Studio 导出 JSON 或 JSON-MIN,其他标注请用 .jsonl")
    return [_row(number, task) for number, task in enumerate(found, 1)]


def _row(number: int, task: Mapping[str, Any]) -> Row:
    if "data" not in task:  # JSON-MIN: columns lie beside each other, and so do those of JSON records
        annotator = {"labelled_by": task.get("annotator"), "labelled_at": task.get("updated_at")}
        return Row(number, {**annotator, **task, "id": task.get("ticket_id") or task.get("id")})
    data, given = _mapping(task["data"]), _list(task.get("annotations"))
    done = [annotation for annotation in map(_mapping, given) if not annotation.get("was_cancelled")]
    labels = [_labels(annotation) for annotation in done]
    if any(other != labels[0] for other in labels[1:]):
        fields = sorted({name for other in labels for name in _FIELDS if other.get(name) != labels[0].get(name)})
        return Row(number, data, InvalidTicket("bad_row", f"{len(labels)} 位标注员意见不一({'、'.join(fields)})"))
    value = {**data, "id": data.get("ticket_id") or data.get("id") or f"ls-{task.get('id', number)}"}
    if done:
        who = {"labelled_by": _person(done[-1].get("completed_by")), "labelled_at": done[-1].get("updated_at")}
        value |= {**dict.fromkeys(_FIELDS), **labels[0], **who}
    return Row(number, value)


def _labels(annotation: Mapping[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    for result in map(_mapping, _list(annotation.get("result"))):
        name, choices = result.get("from_name"), _list(_mapping(result.get("value")).get("choices"))
        if name in _FIELDS and choices:
            labels[str(name)] = sorted(map(str, choices)) if name in _MULTIPLE else str(choices[0])
    return labels


def _results(ticket: LabelledTicket) -> list[dict[str, Any]]:
    chosen = {
        **{name: [value] for name in _SINGLE if (value := getattr(ticket, name))},
        "secondary": list(ticket.secondary), "flags": sorted(ticket.flags),
        **{name: ["true"] for name in _TRUTHS if getattr(ticket, name)},
    }  # fmt: skip
    return [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": values}}
        for name, values in chosen.items()
        if values
    ]


def _choices(name: str, title: str, options: Mapping[str, str], how: str) -> str:
    lines = [f"    <Choice value={quoteattr(shown)} alias={quoteattr(code)}/>" for code, shown in options.items()]
    head = f'  <Header value={quoteattr(title)}/>\n  <Choices name="{name}" toName="text" {how}>'
    return "\n".join((head, *lines, "  </Choices>"))


def _person(value: Any) -> Any:
    """An annotator's number; with a full export it stands in a mapping beside name and address, which stay out."""
    return value.get("id") if isinstance(value, Mapping) else value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
