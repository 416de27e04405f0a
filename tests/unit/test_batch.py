"""A labelled batch on its way in: which rows pass, what is said of the others, and what a person gets to mend."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from model.errors import UnreadableInput
from model.policy import Policy
from model.ticket import LabelledTicket
from training.batch import Batch, Known, read_batch
from training.holdout import hold_out
from training.near import near_groups, near_pairs
from training.versions import HELD, LEARNED, Side, Version, former_sides, write_version
from training.worksheet import write_worksheet

GOOD = {"id": "1", "text": "停电三小时了没有人来看", "category": "other.outage", "secondary": [], "flags": [], "theft_role": None, "filing": "none", "safety": False, "escalation": False}  # fmt: skip
LONG = "换表那天没人通知我,底数也没让我看,旧表直接拿走了,现在电费多出来一百二十块,我要求把旧表拿回来当面核对"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
NOTHING = Known((), ())


def _write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def _read(path: Path, policy: Policy, known: Known = NOTHING) -> Batch:
    return read_batch([path], policy.taxonomy, known)


def test_every_labelled_ticket_of_the_project_passes(policy: Policy, labelled: tuple[LabelledTicket, ...]) -> None:
    folder = Path(__file__).parent.parent.parent / "data" / "samples"
    batch = read_batch(sorted(folder.glob("a0*.jsonl")), policy.taxonomy, NOTHING)
    assert batch.problems == ()
    known = {ticket.id: ticket for ticket in labelled}
    assert batch.tickets
    assert all(ticket == known[ticket.id] for ticket in batch.tickets)


@pytest.mark.parametrize(
    ("change", "what", "mend"),
    [
        ({"category": "billing.water"}, "billing.water", "类目体系"),
        ({"category": None}, "没有类别", "标注规范"),
        ({"text": " "}, "没有正文", "补上"),
        ({"flags": ["angry"]}, "angry", "malicious"),
        ({"secondary": ["nowhere"]}, "nowhere", "代码"),
        ({"secondary": ["billing.charge", "billing.tariff", "other.misc"]}, "多于两个", "至多留两个"),
        ({"secondary": ["other.outage"]}, "与主类别相同", "去掉主类别"),
        ({"theft_role": "maybe"}, "maybe", "admits"),
        ({"theft_role": "denies"}, "与线索矛盾", "theft"),
        ({"theft_role": "reports_other", "flags": ["theft"]}, "与线索矛盾", "reports_other"),
        ({"filing": "R9"}, "R9", "none"),
        ({"filing": "R5_MALICIOUS"}, "与线索矛盾", "malicious"),
        ({"safety": "perhaps"}, "perhaps", "true"),
        ({"split": "later"}, "later", "train"),
    ],
)
def test_a_wrong_row_comes_back_with_its_place_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, policy: Policy, change: dict, what: str, mend: str
) -> None:
    batch = _read(_write(tmp_path / "a.jsonl", GOOD, {**GOOD, "id": "2", "text": "电费多扣了", **change}), policy)
    assert [row.ticket.id for row in batch.rows] == ["1"]
    (problem,) = batch.problems
    assert (problem.file.name, problem.number) == ("a.jsonl", 2)
    assert what in problem.what
    assert mend in problem.mend


def test_all_that_is_wrong_with_a_row_is_told_at_once(tmp_path: Path, policy: Policy) -> None:
    (problem,) = _read(
        _write(tmp_path / "a.jsonl", {**GOOD, "category": "x", "flags": ["y"], "safety": "z"}), policy
    ).problems
    assert all(word in problem.what for word in ("类别代码不存在:x", "线索代码不存在:y", "safety 不是真假值:z"))


@pytest.mark.parametrize("name", ["a.csv", "gb.csv", "a.xlsx", "a.jsonl"])
def test_every_kind_of_file_gives_the_same_batch(tmp_path: Path, policy: Policy, name: str) -> None:
    row = {**GOOD, "secondary": "billing.charge|other.misc", "flags": "theft|arrears", "theft_role": "denies"}
    row |= {"labelled_by": "reviewer-3", "labelled_at": "2026-03-02T08:30:00+08:00", "备注": "随便写"}
    frame = pd.DataFrame([row])
    path = tmp_path / name
    if name == "gb.csv":
        path.write_bytes(frame.to_csv(index=False).encode("gb18030"))
    elif name == "a.csv":
        frame.to_csv(path, index=False)
    elif name == "a.xlsx":
        frame.to_excel(path, index=False)
    else:
        _write(path, row)
    (found,) = _read(path, policy).rows
    assert (found.ticket.text, found.ticket.theft_role) == (GOOD["text"], "denies")
    assert (found.ticket.secondary, found.ticket.flags) == (("billing.charge", "other.misc"), {"theft", "arrears"})
    assert (found.who, found.when) == ("reviewer-3", "2026-03-02T08:30:00+08:00")


def test_rows_that_cannot_be_read_are_listed_among_the_others(tmp_path: Path, policy: Policy) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(GOOD) + '\n{"text": \n[1]\n"只有正文"\n', encoding="utf-8")
    batch = _read(path, policy)
    assert len(batch.rows) == 1
    assert [problem.number for problem in batch.problems] == [2, 3, 4]
    assert "没有类别" in batch.problems[2].what


def test_a_missing_file_is_unreadable_input(tmp_path: Path, policy: Policy) -> None:
    with pytest.raises(UnreadableInput):
        _read(tmp_path / "nowhere.jsonl", policy)


def test_a_known_ticket_with_the_same_labels_is_left_out_and_counted(tmp_path: Path, policy: Policy) -> None:
    known = Known([LabelledTicket("old", "停电三小时了 没有人来看", "other.outage")], [])
    batch = _read(_write(tmp_path / "a.jsonl", GOOD), policy, known)
    assert (batch.rows, batch.problems, batch.known) == ((), (), 1)


def test_a_known_ticket_with_another_label_is_a_contradiction(tmp_path: Path, policy: Policy) -> None:
    known = Known([LabelledTicket("old", str(GOOD["text"]), "other.power_quality")], [])
    batch = _read(_write(tmp_path / "a.jsonl", GOOD), policy, known)
    assert batch.rows == ()
    assert "old(other.power_quality)" in batch.problems[0].what


def test_two_labels_for_one_text_bring_back_both_rows(tmp_path: Path, policy: Policy) -> None:
    batch = _read(_write(tmp_path / "a.jsonl", GOOD, {**GOOD, "id": "2", "category": "other.misc"}), policy)
    assert batch.rows == ()
    assert [problem.number for problem in batch.problems] == [1, 2]


def test_one_number_for_two_tickets_is_told(tmp_path: Path, policy: Policy) -> None:
    batch = _read(_write(tmp_path / "a.jsonl", GOOD, {**GOOD, "text": "表箱发烫了"}), policy)
    assert [row.number for row in batch.rows] == [1]
    assert "编号 1" in batch.problems[0].what


@pytest.mark.parametrize("side", ["训练", "评测"])
def test_a_near_duplicate_says_of_which_ticket_on_which_side(tmp_path: Path, policy: Policy, side: str) -> None:
    old = [LabelledTicket("old", LONG, "metering.replacement")]
    known = Known(old, []) if side == "训练" else Known([], old)
    near = {**GOOD, "text": LONG.replace("一百二十块", "一百三十块"), "category": "metering.replacement"}
    batch = _read(_write(tmp_path / "a.jsonl", near), policy, known)
    assert batch.rows == ()
    assert f"与{side}工单 old 近似" in batch.problems[0].what


def test_near_pairs_finds_the_nearest_and_leaves_short_and_other_texts_alone() -> None:
    known = ["电费多扣了两百块钱,打了三次电话都没人回,请尽快查清楚", LONG, LONG + "谢谢", "停电了"]
    (pair,) = near_pairs(
        ["停电了", LONG.replace("当面", "当场"), "表箱门坏了好几个月,小孩伸手就能摸到里面的线,太危险"], known
    )
    assert (pair.row, pair.other) == (1, 1)
    assert 0.5 <= pair.similarity < 1
    assert near_groups([LONG, "停电了", LONG + "谢谢", "停电了"])[0] == near_groups([LONG, "停电了", LONG + "谢谢"])[2]
    assert near_pairs([], known) == near_pairs(["停电"], []) == []


def test_the_worksheet_can_be_mended_and_given_back(tmp_path: Path, policy: Policy) -> None:
    rows = [{**GOOD, "id": "=1+1", "category": "停电", "text": "我叫张伟,电话13812345678,停电了没人管"}]
    write_worksheet(_read(_write(tmp_path / "a.jsonl", *rows), policy).problems, tmp_path / "改.xlsx")
    book = openpyxl.load_workbook(tmp_path / "改.xlsx")
    sheet = book.active
    names = [cell.value for cell in sheet[1]]
    values = dict(zip(names, (cell.value for cell in sheet[2]), strict=True))
    assert values["行"] == 1
    assert "停电" in values["问题"]
    assert values["怎么改"]
    assert values["id"] == "'=1+1"
    assert "13812345678" not in str(list(values.values()))
    sheet.cell(2, names.index("category") + 1).value = "other.outage"
    book.save(tmp_path / "改.xlsx")
    batch = _read(tmp_path / "改.xlsx", policy)
    assert batch.problems == ()
    assert batch.tickets[0].category == "other.outage"


def _batch_of(authors: int, each: int = 5) -> list[LabelledTicket]:
    words = "电表停快慢冒烟跳闸欠费户号邻居线路变压器窗口排队发票"
    return [
        LabelledTicket(f"{a}-{n}", f"{words[a]}{words[n + a]}第{a * each + n}件", "other.misc", author=f"a{a}")
        for a in range(authors)
        for n in range(each)
    ]


def test_an_author_stands_on_one_side_and_the_order_of_rows_does_not_matter() -> None:
    tickets = _batch_of(12)
    held = dict(zip((t.id for t in tickets), hold_out(tickets), strict=True))
    for author in range(12):
        assert len({held[f"{author}-{n}"] for n in range(5)}) == 1
    assert 0.25 <= sum(held.values()) / len(tickets) <= 0.4
    turned = tickets[::-1]
    assert dict(zip((t.id for t in turned), hold_out(turned), strict=True)) == held


def test_near_texts_of_two_authors_stand_on_one_side() -> None:
    tickets = _batch_of(12)
    for author in range(1, 12):
        one = replace(tickets[author * 5], text=LONG + "谢谢" * author)
        tickets[author * 5] = one
    assert set(hold_out(tickets)[5:]) in ({True}, {False})


def test_a_split_that_is_told_is_kept_and_one_group_alone_is_learned_from() -> None:
    told = [replace(ticket, split="test" if n % 2 else "train") for n, ticket in enumerate(_batch_of(4))]
    assert hold_out(told) == [bool(n % 2) for n in range(20)]
    assert not any(hold_out(_batch_of(1)))
    assert hold_out([]) == []


def _sides(batch: Batch) -> tuple[Side, ...]:
    return tuple(Side(row, HELD if number % 2 else LEARNED) for number, row in enumerate(batch.rows))


def _tickets(count: int) -> Sequence[dict]:
    return [{**GOOD, "id": str(n), "text": f"第{n}次停电,没有人来看"} for n in range(count)]


def test_a_data_version_names_tickets_by_hash_and_gives_its_batches_back(tmp_path: Path, policy: Policy) -> None:
    file = _write(tmp_path / "a.jsonl", *_tickets(4))
    version = Version((LabelledTicket("base", LONG, "metering.replacement"),), _sides(_read(file, policy)))
    for bundle in ("linear-1", "linear-2"):
        path = write_version(version, tmp_path / "data", bundle=bundle, taxonomy=policy.taxonomy, now=NOW)
    table = json.loads(path.read_text(encoding="utf-8"))
    assert table["bundles"] == ["linear-1", "linear-2"]
    assert (table["guideline"], len(table["base"]), len(table["rows"])) == (policy.taxonomy.guideline, 1, 4)
    assert "停电,没有人" not in path.read_text(encoding="utf-8")
    assert LONG not in path.read_text(encoding="utf-8")
    assert former_sides(tmp_path / "data", version.digest, policy.taxonomy) == (version.sides, ())
    assert former_sides(tmp_path / "data", "0" * 64, policy.taxonomy) == ((), ())
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert former_sides(tmp_path / "data", version.digest, policy.taxonomy) == ((), (str(file),))
