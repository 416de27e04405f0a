"""A taxonomy of a later year: what becomes of labels and bundles of the former one."""

import json
from pathlib import Path

import pytest
import yaml

from model.bundle import Bundle, Contents, load_bundle, save_bundle
from model.errors import BundleOutdated, InvalidLabels, PolicyError
from model.manifest import verify_bundle
from model.policy import Policy, load_policy
from model.taxonomy import Taxonomy
from model.ticket import LabelledTicket
from tests.changed_policy import VERSION, write_changed_policy
from training.batch import Known, read_batch
from training.dataset import read_labelled
from training.relabel import split_rows, unanswered
from training.worksheet import write_worksheet

OLD = [
    {"id": "1", "text": "这个月电费多扣了两百块", "category": "billing.charge"},
    {"id": "2", "text": "电表黑屏了不走字", "category": "metering.device", "secondary": ["metering.verification"]},
    {"id": "3", "text": "我叫张伟,电话13812345678,门口的杆子歪了", "category": "other.grid_facility"},
    {"id": "4", "text": "停电三小时了没有人来看", "category": "other.outage", "secondary": ["other.grid_facility"]},
]


@pytest.fixture
def later(tmp_path: Path) -> Policy:
    return load_policy(write_changed_policy(tmp_path / "policy"))


@pytest.fixture
def old_labels(tmp_path: Path) -> Path:
    path = tmp_path / "old.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in OLD), encoding="utf-8")
    return path


def test_a_former_code_is_read_as_what_became_of_it(later: Policy) -> None:
    taxonomy = later.taxonomy
    assert taxonomy.today("billing.charge") == ("billing.bill",)
    assert taxonomy.today("metering.verification") == taxonomy.today("metering.device") == ("metering.meter",)
    assert taxonomy.today("other.grid_facility") == ("other.poles", "other.crops")
    assert taxonomy.today("other.outage") == ("other.outage",)
    assert taxonomy.today("billing.water") == ()


def test_changes_of_several_years_follow_one_another(later: Policy, tmp_path: Path) -> None:
    path = tmp_path / "policy" / "taxonomy.yaml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    table["changes"].insert(
        0, {"version": "2026.9", "effective_from": "2026-12-01", "renamed": {"fees": "billing.charge", "lines": "other.grid_facility"}}
    )  # fmt: skip
    path.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    taxonomy = load_policy(tmp_path / "policy").taxonomy
    assert taxonomy.today("fees") == ("billing.bill",)
    assert taxonomy.today("lines") == ("other.poles", "other.crops")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"renamed": {"other.outage": "other.misc"}}, ["other.outage", "仍在 leaves"]),
        ({"renamed": {"gone": "nowhere"}}, ["gone", "nowhere", "不在 leaves"]),
        ({"split": {"other.misc": ["other.misc", "other.outage"]}}, ["other.misc", "新代码"]),
        ({"renamed": {"gone": "other.misc"}, "split": {"gone": ["other.misc", "other.outage"]}}, ["gone", "两次"]),
        ({"split": {"gone": ["other.misc"]}}, ["split", "gone"]),
        ({"effective_from": "2026-01-01"}, ["effective_from", "由早到晚"]),
    ],
)
def test_a_wrong_change_is_named_with_its_mend(later: Policy, tmp_path: Path, change: dict, words: list[str]) -> None:
    path = tmp_path / "policy" / "taxonomy.yaml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    table["changes"].append({"version": "2028.1", "effective_from": "2028-01-01", **change})
    path.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path / "policy")
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_labels_of_renamed_and_merged_leaves_are_read_and_those_of_split_ones_refused(
    later: Policy, old_labels: Path
) -> None:
    with pytest.raises(InvalidLabels) as caught:
        read_labelled([old_labels], later.taxonomy)
    assert len(caught.value.problems) == 2
    assert all("other.poles(杆塔线路)、other.crops(青苗占地)" in problem for problem in caught.value.problems)
    kept = read_labelled([old_labels], later.taxonomy, skip_bad_rows=True).tickets
    assert [(ticket.category, ticket.secondary) for ticket in kept] == [("billing.bill", ()), ("metering.meter", ())]


def test_a_batch_maps_the_same_and_brings_back_the_split_ones_with_the_codes_to_choose_from(
    later: Policy, old_labels: Path
) -> None:
    batch = read_batch([old_labels], later.taxonomy, Known((), ()))
    assert [(t.category, t.secondary) for t in batch.tickets] == [("billing.bill", ()), ("metering.meter", ())]
    first, second = batch.problems
    assert (first.number, second.number) == (3, 4)
    assert "自 2027.1 起(2027-01-01)拆分为 other.poles" in first.what
    assert "重新标注 category" in first.mend
    assert "重新标注 secondary" in second.mend


def test_a_row_that_was_labelled_again_in_the_worksheet_is_no_longer_asked_for(
    later: Policy, old_labels: Path, tmp_path: Path
) -> None:
    import openpyxl

    problems = split_rows([old_labels], later.taxonomy)
    assert [problem.number for problem in problems] == [3, 4]
    write_worksheet(problems, tmp_path / "改.xlsx")
    book = openpyxl.load_workbook(tmp_path / "改.xlsx")
    sheet = book.active
    names = [cell.value for cell in sheet[1]]
    sheet.cell(2, names.index("category") + 1).value = "other.poles"
    sheet.delete_rows(3)
    book.save(tmp_path / "改.xlsx")
    again = read_batch([tmp_path / "改.xlsx"], later.taxonomy, Known((), ())).tickets
    assert [ticket.category for ticket in again] == ["other.poles"]
    left = unanswered(problems, (ticket.text for ticket in again))
    assert [problem.number for problem in left] == [4]


def test_without_a_split_no_file_is_read(policy: Policy, tmp_path: Path) -> None:
    assert split_rows([tmp_path / "nowhere"], policy.taxonomy) == []


def test_a_bundle_of_another_taxonomy_is_refused_with_both_versions_and_what_to_do(
    later: Policy, bundle_folder: Path, policy: Policy
) -> None:
    with pytest.raises(BundleOutdated) as caught:
        load_bundle(bundle_folder, later)
    message = str(caught.value)
    assert policy.taxonomy.version in message
    assert VERSION in message
    assert all(word in message for word in ("triage retrain", "TRIAGE_POLICY", "billing.charge", "billing.bill"))
    assert load_bundle(bundle_folder).policy.taxonomy.version == policy.taxonomy.version


def test_the_built_in_taxonomy_has_never_changed(policy: Policy, labelled: tuple[LabelledTicket, ...]) -> None:
    taxonomy: Taxonomy = policy.taxonomy
    assert taxonomy.changes == ()
    assert all(taxonomy.today(ticket.category) == (ticket.category,) for ticket in labelled)


def test_kinds_of_events_follow_the_leaves(later: Policy) -> None:
    leaves = later.events.kinds["meter_campaign"].leaves
    assert leaves == ("metering.replacement", "metering.miswiring", "metering.meter", "billing.bill")
    assert "other.crops" in later.events.kinds["storm_warning"].leaves


def test_a_bundle_made_under_the_later_taxonomy_can_be_opened_again(
    later: Policy, bundle: Bundle, tmp_path: Path
) -> None:
    contents = Contents("linear", bundle.classifier, bundle.calibration, later, {"data": {}}, "card")
    save_bundle(contents, tmp_path / "made")
    assert load_policy(tmp_path / "made" / "policy").taxonomy.version == VERSION
    assert "policy/events.yaml" not in verify_bundle(tmp_path / "made")["files"]
