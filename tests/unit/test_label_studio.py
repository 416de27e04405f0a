"""Label Studio both ways: what goes out comes back, and annotators' quarrels come back to a person."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from model.errors import UnreadableInput
from model.policy import Policy
from model.taxonomy import FLAGS, THEFT_ROLES
from model.ticket import LabelledTicket
from training.batch import Batch, Known, labels_of, read_batch
from training.label_studio import label_config, tasks


def _read(path: Path, content: object, policy: Policy) -> Batch:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return read_batch([path], policy.taxonomy, Known((), ()))


def _annotated(task: dict, *annotations: dict) -> dict:
    """What Label Studio exports for a task that somebody has submitted."""
    return {"id": 7, "data": task["data"], "annotations": list(annotations), "predictions": task["predictions"]}


def _annotation(result: list, who: object = 3, **more: object) -> dict:
    return {"completed_by": who, "updated_at": "2026-03-02T00:30:00Z", "result": result, **more}


def _choice(name: str, *values: str) -> dict:
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(values)}}


def test_labels_survive_the_way_out_and_back(
    tmp_path: Path, policy: Policy, train_side: tuple[LabelledTicket, ...]
) -> None:
    some = [ticket for ticket in train_side if ticket.flags or ticket.secondary or ticket.safety][:60]
    sent = tasks(some, version="linear-1")
    back = [_annotated(task, _annotation(task["predictions"][0]["result"])) for task in sent]
    batch = _read(tmp_path / "export.json", back, policy)
    assert batch.problems == ()
    assert [ticket.id for ticket in batch.tickets] == [ticket.id for ticket in some]
    for ticket, found in zip(some, batch.rows, strict=True):
        assert labels_of(found.ticket) == labels_of(ticket)
        assert found.ticket.author == ticket.author
        assert (found.who, found.when) == ("3", "2026-03-02T00:30:00Z")


def test_no_phone_number_leaves_the_house(tmp_path: Path) -> None:
    (task,) = tasks([LabelledTicket("1", "我叫张伟,电话13812345678,停电了", "other.outage")], version="v")
    assert "13812345678" not in json.dumps(task, ensure_ascii=False)
    assert task["predictions"][0]["model_version"] == "v"


def test_the_labelling_screen_offers_every_code_under_the_fields_that_are_read_back(policy: Policy) -> None:
    root = ElementTree.fromstring(label_config(policy.taxonomy))  # noqa: S314 - our own
    offered = {
        element.attrib["name"]: [choice.attrib["alias"] for choice in element] for element in root.iter("Choices")
    }
    assert offered["category"] == offered["secondary"] == list(policy.taxonomy.codes)
    assert offered["flags"] == list(FLAGS)
    assert offered["theft_role"] == list(THEFT_ROLES)
    assert offered["filing"] == [filing.code for filing in policy.taxonomy.filings]
    assert offered["safety"] == offered["escalation"] == ["true"]


def test_two_annotators_who_disagree_bring_the_task_back(tmp_path: Path, policy: Policy) -> None:
    (task,) = tasks([LabelledTicket("1", "停电了没人管", "other.outage")], version="v")
    first, second = _annotation([_choice("category", "other.outage")]), _annotation([_choice("category", "other.misc")])
    batch = _read(tmp_path / "e.json", [_annotated(task, first, second)], policy)
    assert batch.rows == ()
    assert "2 位标注员意见不一(category)" in batch.problems[0].what
    assert _read(tmp_path / "f.json", [_annotated(task, first, first)], policy).problems == ()


def test_a_cancelled_annotation_is_none_and_a_task_without_any_comes_back(tmp_path: Path, policy: Policy) -> None:
    (task,) = tasks([LabelledTicket("1", "停电了没人管", "other.outage")], version="v")
    gone = _annotation([_choice("category", "other.outage")], was_cancelled=True)
    batch = _read(tmp_path / "e.json", [_annotated(task, gone), _annotated(task)], policy)
    assert batch.rows == ()
    assert all("没有类别" in problem.what for problem in batch.problems)


def test_of_an_annotator_only_the_number_is_kept(tmp_path: Path, policy: Policy) -> None:
    (task,) = tasks([LabelledTicket("1", "停电了没人管", "other.outage")], version="v")
    who = {"id": 5, "email": "a@example.org", "first_name": "某"}
    (row,) = _read(
        tmp_path / "e.json", [_annotated(task, _annotation([_choice("category", "other.outage")], who))], policy
    ).rows
    assert row.who == "5"


def test_the_short_form_is_read_too(tmp_path: Path, policy: Policy) -> None:
    short = {
        "id": 7, "ticket_id": "T7", "text": "停电了没人管", "category": "other.outage", "annotator": 3,
        "flags": {"choices": ["theft", "arrears"]}, "theft_role": "denies", "secondary": "billing.charge",
        "safety": "true", "updated_at": "2026-03-02T00:30:00Z",
    }  # fmt: skip
    (row,) = _read(tmp_path / "min.json", [short], policy).rows
    assert (row.ticket.id, row.who, row.ticket.safety) == ("T7", "3", True)
    assert (row.ticket.flags, row.ticket.secondary) == ({"theft", "arrears"}, ("billing.charge",))


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[1]"])
def test_other_json_is_unreadable_input(tmp_path: Path, policy: Policy, content: str) -> None:
    (tmp_path / "e.json").write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableInput, match="Label Studio"):
        read_batch([tmp_path / "e.json"], policy.taxonomy, Known((), ()))
