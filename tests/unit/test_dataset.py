import json
from pathlib import Path

import pandas as pd
import pytest

from model.errors import InvalidLabels, UnreadableInput
from model.labels import digest
from model.policy import Policy
from training.dataset import read_labelled
from training.split import author_folds

GOOD = {"id": "1", "text": "停电三小时", "category": "other.outage", "secondary": [], "flags": [], "theft_role": None, "filing": "none", "safety": False, "escalation": False}  # fmt: skip


def _write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_a_good_row_is_read(tmp_path: Path, policy: Policy) -> None:
    ticket = read_labelled([_write(tmp_path / "a.jsonl", GOOD)], policy.taxonomy).tickets[0]
    assert (ticket.category, ticket.flags, ticket.filing, ticket.safety) == ("other.outage", frozenset(), None, False)


def test_csv_and_xlsx_hold_lists_joined_by_bars(tmp_path: Path, policy: Policy) -> None:
    row = {
        **GOOD,
        "secondary": "billing.charge|other.misc",
        "flags": "theft|arrears",
        "theft_role": "denies",
        "safety": "true",
    }
    frame = pd.DataFrame([row])
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.csv", "a.xlsx"):
        ticket = read_labelled([tmp_path / name], policy.taxonomy).tickets[0]
        assert ticket.secondary == ("billing.charge", "other.misc")
        assert ticket.flags == {"theft", "arrears"}
        assert ticket.safety is True


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"category": "billing.water"}, "billing.water"),
        ({"category": None}, "category"),
        ({"text": " "}, "text"),
        ({"flags": ["angry"]}, "angry"),
        ({"secondary": ["nowhere"]}, "nowhere"),
        ({"theft_role": "maybe"}, "maybe"),
        ({"filing": "R9"}, "R9"),
        ({"safety": "perhaps"}, "safety"),
    ],
)
def test_a_wrong_row_is_named_with_its_number(tmp_path: Path, policy: Policy, change: dict, word: str) -> None:
    path = _write(tmp_path / "a.jsonl", GOOD, {**GOOD, "id": "2", "text": "电费多扣", **change})
    with pytest.raises(InvalidLabels) as caught:
        read_labelled([path], policy.taxonomy)
    assert "第 2 行" in str(caught.value)
    assert word in str(caught.value)


def test_bad_rows_may_be_skipped_and_are_still_listed(tmp_path: Path, policy: Policy) -> None:
    path = _write(tmp_path / "a.jsonl", GOOD, [1], {**GOOD, "text": ""})
    dataset = read_labelled([path], policy.taxonomy, skip_bad_rows=True)
    assert len(dataset.tickets) == 1
    assert len(dataset.problems) == 2


def test_one_text_with_two_labels_is_a_contradiction(tmp_path: Path, policy: Policy) -> None:
    path = _write(tmp_path / "a.jsonl", GOOD, {**GOOD, "id": "2", "category": "other.misc"})
    with pytest.raises(InvalidLabels, match="标注不同"):
        read_labelled([path], policy.taxonomy)


def test_an_exact_double_counts_once(tmp_path: Path, policy: Policy) -> None:
    path = _write(tmp_path / "a.jsonl", GOOD, {**GOOD, "id": "2", "text": "停电 三小时"})
    assert len(read_labelled([path], policy.taxonomy).tickets) == 1


def test_a_folder_without_label_files_is_unreadable(tmp_path: Path, policy: Policy) -> None:
    with pytest.raises(UnreadableInput):
        read_labelled([tmp_path], policy.taxonomy)


def test_without_splits_every_row_is_used(tmp_path: Path, policy: Policy) -> None:
    dataset = read_labelled([_write(tmp_path / "a.jsonl", GOOD)], policy.taxonomy)
    assert len(dataset.split("train")) == len(dataset.split("test")) == 1


def test_the_digest_changes_with_a_label_and_not_with_the_order(labelled) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    some = list(labelled[:20])
    assert digest(some) == digest(reversed(some))
    assert digest(some) != digest([replace(some[0], safety=not some[0].safety), *some[1:]])


def test_no_author_is_on_both_sides_of_a_fold(labelled) -> None:  # type: ignore[no-untyped-def]
    folds = author_folds(labelled, 5)
    assert len(folds) == 5
    for train, held in folds:
        assert not {labelled[i].author for i in train} & {labelled[i].author for i in held}
    assert sorted(i for _, held in folds for i in held) == list(range(len(labelled)))
