"""Known events: what may be entered, which tickets may belong to one, and how tickets are folded."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from model.bundle import load_bundle
from model.errors import BundleRefused, PolicyError
from model.manifest import verify_bundle
from model.policy import BUILT_IN, LATER_FILES, Policy, load_policy
from model.policy.cue_schema import EventsFile
from model.ticket import Org
from serving.cues.filings import marked_filing
from serving.events.entry import EventEntry, faults, messages
from serving.events.errors import InvalidEvents
from serving.events.fold import Incident, fold
from serving.events.match import Event, Sighting, match
from serving.events.table import ROWS_MOST, read_events

START = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # 8 o'clock in China
END = START + timedelta(hours=4)
ENTERED = START - timedelta(days=3)


@pytest.fixture(scope="module")
def kinds(policy: Policy) -> EventsFile:
    return policy.events


def _event(**fields: object) -> Event:
    usual = {
        "id": 1,
        "kind": "planned_outage",
        "county": "兴隆县",
        "station": "城东供电所",
        "text": "10 千伏城东线检修",
    }
    return Event(**{"starts_at": START, "ends_at": END, "entered_at": ENTERED, **usual, **fields})  # type: ignore[arg-type]


def _seen(
    text: str = "停电了", at: datetime = START + timedelta(hours=1), leaf: str = "other.outage", **org: str
) -> Sighting:
    return Sighting(at, (leaf,), text, Org(**org) if org else None)  # type: ignore[arg-type]


def test_a_ticket_of_the_station_within_the_window_may_belong(kinds: EventsFile) -> None:
    found = match(_seen(county="兴隆县", station="城东供电所"), [_event()], kinds)
    shown = found[0].to_dict(START + timedelta(hours=1))
    assert shown == {
        "id": 1,
        "text": "可能属于:计划停电(2026-11-23 08:00 至 12:00)10 千伏城东线检修",
        "entered_after": False,
        "reason": "同属城东供电所;受理时间在事件时段内;诉求类别相符",
        "filing": None,
    }


@pytest.mark.parametrize(
    ("event", "org"),
    [
        ({}, {"station": "兴隆县城东供电所"}),
        ({"station": None}, {"county": "兴隆县", "station": "城西供电所"}),
        ({"station": None}, {"county": "国网兴隆县供电公司"}),
        ({"station": None}, {"station": "兴隆县城西供电所"}),
        ({"station": None, "county": None, "city": "承德市"}, {"city": "承德市"}),
        ({"station": None, "county": None, "kind": "system_upgrade"}, {}),
    ],
)
def test_an_area_may_be_written_in_several_ways(kinds: EventsFile, event: dict[str, str], org: dict[str, str]) -> None:
    leaf = "billing.charge" if event.get("kind") else "other.outage"
    assert match(_seen(leaf=leaf, **org), [_event(**event)], kinds)


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        ({}, {"county": "兴隆县", "station": "城西供电所"}),
        ({}, {"county": "滦平县", "station": "城东供电所"}),  # many counties have a station of this name
        ({}, {"station": "供电所"}),
        ({}, {}),
        ({"station": None}, {"county": "滦平县"}),
        ({"places": ("新华路",)}, {"county": "滦平县", "text": "新华路停电了"}),
        ({"station": None, "county": None, "places": ("新华路",)}, {"text": "停电了"}),
        ({"station": None, "county": None, "city": "承德市"}, {"text": "停电了"}),
    ],
)
def test_another_area_does_not_match(kinds: EventsFile, event: dict[str, object], seen: dict[str, str]) -> None:
    assert not match(_seen(**seen), [_event(**event)], kinds)


def test_a_place_named_in_the_text_is_enough_where_the_area_is_unknown(kinds: EventsFile) -> None:
    found = match(_seen("李家庄这边一直没电"), [_event(places=("新华路", "李家庄"))], kinds)
    assert found[0].reason.startswith("正文提到「李家庄」")


@pytest.mark.parametrize(
    ("after_start", "matches"),
    [
        (timedelta(microseconds=-1), False), (timedelta(0), True), (timedelta(hours=4), True),
        (timedelta(hours=16), True), (timedelta(hours=16, microseconds=1), False),
    ],
)  # fmt: skip
def test_the_window_ends_some_hours_after_the_event(kinds: EventsFile, after_start: timedelta, matches: bool) -> None:
    assert bool(match(_seen(at=START + after_start, station="城东供电所"), [_event()], kinds)) is matches


def test_the_margin_is_policy(kinds: EventsFile) -> None:
    short = kinds.kinds["planned_outage"].model_copy(update={"margin_hours": 0})
    policy = kinds.model_copy(update={"kinds": {"planned_outage": short}})
    assert not match(_seen(at=END + timedelta(seconds=1), station="城东供电所"), [_event()], policy)


def test_another_topic_does_not_match(kinds: EventsFile) -> None:
    assert not match(_seen(leaf="billing.tariff", station="城东供电所"), [_event()], kinds)
    assert not match(_seen(station="城东供电所"), [_event(kind="of another policy")], kinds)


def test_the_closest_event_comes_first(kinds: EventsFile) -> None:
    wide = _event(id=1, station=None, kind="storm_warning")
    near, later = _event(id=2), _event(id=3, starts_at=START + timedelta(minutes=5))
    found = match(_seen(county="兴隆县", station="城东供电所"), [wide, near, later], kinds)
    assert [one.event.id for one in found] == [3, 2, 1]


@pytest.mark.parametrize(("entered", "after"), [(-1, False), (0, True), (1, True)])
def test_an_event_entered_after_the_complaint_is_marked(kinds: EventsFile, entered: int, after: bool) -> None:
    """Hard rule 4."""
    arrived = START + timedelta(hours=1)
    event = _event(entered_at=arrived + timedelta(seconds=entered))
    found = match(_seen(at=arrived, station="城东供电所"), [event], kinds)
    assert found[0].to_dict(arrived)["entered_after"] is after


def test_a_filing_is_after_the_complaint_unless_it_was_registered_beforehand() -> None:
    """Hard rule 4: what a text suggests always comes after the complaint."""
    filing = {"code": "R1_GOV", "name": "配合政府停限电", "basis": "suggested"}
    cases = [
        (None, True, None),
        (_event(filing="R1_GOV"), False, 1),
        (_event(filing="R1_GOV", entered_at=END), True, 1),
        (_event(filing=None), True, None),  # known beforehand, but nobody registered the filing
        (_event(filing="R3_DISASTER"), True, None),
    ]
    for event, after, event_id in cases:
        found = marked_filing(filing, START, event)
        assert found == {**filing, "after_complaint": after, "event_id": event_id}
    assert marked_filing(None, START, _event(filing="R1_GOV")) is None


@given(st.lists(st.tuples(st.text(max_size=3), st.none() | st.integers(1, 3)), unique_by=lambda pair: pair[0]))
def test_folding_keeps_every_ticket_once(links: list[tuple[str, int | None]]) -> None:
    found = fold(links)
    assert sorted(i for one in found for i in one.ticket_ids) == sorted(ticket_id for ticket_id, _ in links)
    events = [event_id for _, event_id in links]
    assert len(found) == len(set(events) - {None}) + events.count(None)
    assert all(dict(links)[ticket_id] == one.event_id for one in found for ticket_id in one.ticket_ids)


def test_calls_about_a_storm_are_one_incident() -> None:
    assert fold([("a", 7), ("b", None), ("c", 7), ("d", None)]) == (
        Incident(7, ("a", "c")),
        Incident(None, ("b",)),
        Incident(None, ("d",)),
    )


def _entry(**fields: object) -> EventEntry:
    usual = {"kind": "planned_outage", "station": "城东供电所", "text": "检修"}
    times = {"starts_at": "2026-11-23 08:00", "ends_at": "2026-11-23 12:00"}
    return EventEntry.model_validate({**usual, **times, **fields})


def test_times_without_a_zone_are_those_of_china() -> None:
    assert (_entry().starts_at, _entry().ends_at) == (START, END)


def test_personal_data_in_a_notice_is_masked() -> None:
    assert _entry(text="检修,联系人张建国 13800138000").text == "检修,联系人⟦姓名⟧ ⟦电话⟧"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ends_at": "2026-11-23 08:00"}, "结束时间须晚于开始时间"),
        ({"starts_at": "soon"}, "starts_at:时间无法识别"),
        ({"starts_at": ""}, "starts_at:缺少时间"),
        ({"text": " "}, "text:不能为空"),
        ({"places": ["阳光小区3号楼2单元"]}, "地名过细"),
        ({"places": "村"}, "地名至少两个字"),
        ({"colour": "red"}, "colour:没有这个字段"),
        ({"places": ["甲乙"] * 201}, "places:至多 200 个"),
    ],
)
def test_a_wrong_entry_is_named_with_its_field(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _entry(**fields)
    assert words in ";".join(messages(caught.value.errors()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "holiday"}, "planned_outage(计划停电)"),
        ({"station": None}, "须写明地区"),
        ({"ends_at": "2028-11-23 08:00"}, "366 天"),
        ({"filing": "R5_MALICIOUS"}, "请留空"),
        ({"kind": "storm_warning", "filing": "R1_GOV"}, "只能是 R3_DISASTER"),
    ],
)
def test_what_the_policy_does_not_allow_is_said(kinds: EventsFile, fields: dict[str, object], words: str) -> None:
    assert words in ";".join(faults(_entry(**fields), kinds))


def test_a_filing_of_the_kind_may_be_given_or_left_out(kinds: EventsFile) -> None:
    assert not faults(_entry(kind="government_cut", filing="R1_GOV"), kinds)
    assert not faults(_entry(kind="government_cut", filing=""), kinds)
    assert not faults(_entry(kind="system_upgrade", station=None), kinds)


HEAD = "类型,区县,供电所,地名,开始时间,结束时间,内容,报备\n"
GOOD = '计划停电,兴隆县,城东供电所,"新华路、李家庄",2026-11-23 08:00,2026/11/23 12:00,10千伏城东线检修,\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_read_in_the_encodings_that_offices_use(kinds: EventsFile, encoding: str) -> None:
    found = read_events((HEAD + GOOD + "\n").encode(encoding), kinds)
    assert [(e.kind, e.places, e.starts_at, e.filing) for e in found] == [
        ("planned_outage", ("新华路", "李家庄"), START, None)
    ]


def test_every_wrong_row_is_named_and_nothing_is_read(kinds: EventsFile) -> None:
    wrong = "计划停电,,,,2026-11-23 08:00,2026-11-23 12:00,检修,\n放假,兴隆县,,,昨天,2026-11-23 12:00,,\n"
    with pytest.raises(InvalidEvents) as caught:
        read_events((HEAD + GOOD + wrong).encode(), kinds)
    assert [problem["row"] for problem in caught.value.problems] == [2, 3, 3]
    assert "一行也没有登记" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"a,b\n1,2\n", (HEAD.replace("内容", "正文") + GOOD).encode(),
        (HEAD.replace("报备", "内容") + GOOD).encode(), (HEAD + '"计划停电,兴隆县\n').encode(),
        HEAD.encode() + b"\xff\xfe\x80,\x81,,,,,,\n",
        (HEAD + GOOD.strip() + ",more\n").encode(),
    ],
)  # fmt: skip
def test_a_spoilt_table_is_refused_in_words(kinds: EventsFile, content: bytes) -> None:
    with pytest.raises(InvalidEvents, match="须改正"):
        read_events(content, kinds)


def test_a_table_that_is_too_long_is_refused(kinds: EventsFile) -> None:
    with pytest.raises(InvalidEvents, match="分批"):
        read_events((HEAD + GOOD * (ROWS_MOST + 1)).encode(), kinds)


def test_every_kind_and_flag_of_the_built_in_policy_is_sound(policy: Policy) -> None:
    filings = {kind.filing for kind in policy.events.kinds.values()} - {None}
    assert filings == {"R1_GOV", "R2_SYSTEM", "R3_DISASTER", "R6_NEWBIZ"}
    assert {leaf for kind in policy.events.kinds.values() for leaf in kind.leaves} <= set(policy.taxonomy.codes)
    assert [len(policy.cues.flags[flag].items) for flag in policy.taxonomy.flags] == [2, 6, 4, 1]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("events.yaml", "R3_DISASTER", "R9_MOON", "R9_MOON"),
        ("events.yaml", "other.grid_facility", "other.moon", "other.moon"),
        ("events.yaml", "margin_hours: 48", "margin_hours: -1", "margin_hours"),
        ("cues.yaml", "  arrears:", "  arrear:", "arrear"),
        ("cues.yaml", "confirmable: false", "confirmable: true", "arrears"),
        ("cues.yaml", ", date: before_call", "", "before_call"),
        ("cues.yaml", "active_days: 365", "active_days: 366", "active_days"),
        ("cues.yaml", "filing: R5_MALICIOUS", "filing: R5_MALICE", "R5_MALICE"),
    ],
)
def test_a_mistake_in_cues_or_events_is_named(tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    text = (BUILT_IN / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        load_policy(tmp_path)


def _without_later_files(bundle_folder: Path, tmp_path: Path) -> Path:
    """A bundle as it was made before cues.yaml and events.yaml were part of a policy."""
    import json

    folder = Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in LATER_FILES:
        (folder / "policy" / name).unlink()
        del manifest["files"][f"policy/{name}"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_a_bundle_carries_cues_and_events(bundle_folder: Path) -> None:
    assert {f"policy/{name}" for name in LATER_FILES} <= set(verify_bundle(bundle_folder)["files"])


def test_an_older_bundle_without_cues_and_events_still_loads(bundle_folder: Path, tmp_path: Path) -> None:
    found = load_bundle(_without_later_files(bundle_folder, tmp_path)).policy
    assert (found.cues, found.events) == (load_policy().cues, load_policy().events)


def test_a_policy_file_slipped_into_an_older_bundle_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    folder = _without_later_files(bundle_folder, tmp_path)
    shutil.copyfile(BUILT_IN / "cues.yaml", folder / "policy" / "cues.yaml")
    with pytest.raises(BundleRefused, match="cues"):
        load_bundle(folder)
