"""The life of a cue: which steps are legal, who may take them, and that no walk leads to a tag without two people."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from model.errors import TriageError
from model.policy import Policy, load_policy
from model.policy.cue_schema import CuesFile
from serving.cues.cue import Attachment, Cue, State, Step
from serving.cues.errors import CueConflict, CueForbidden, CueInvalid
from serving.cues.life import take
from serving.cues.people import Person, same_name, within

CALLED = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)  # 8:30 in China
NOW = CALLED + timedelta(days=2)
UNIT = "城东供电所"
WANG, LI, ZHAO = Person("wang", "县公司服务专责"), Person("li", "合规部"), Person("zhao", "市公司营销部")
FULL = {  # written out once more, from domain.md, section 3
    "malicious": (Attachment("earlier_dispute", "用检〔2026〕31号", date(2026, 10, 8)), Attachment("fault_disproved", "录像 12")),
    "unreasonable": (
        Attachment("facts_checked", "a"), Attachment("rule_cited", "b"), Attachment("dated_answer", "c", date(2026, 11, 24)),
        Attachment("compensation_offered", "d"), Attachment("remedies_told", "e"), Attachment("superior_approval", "f"),
    ),
    "theft": tuple(Attachment(code, "x") for code in ("two_inspectors", "photos_video", "notice", "calculation")),
    "arrears": (Attachment("bill_status", "y"),),
}  # fmt: skip


@pytest.fixture(scope="module")
def rules(policy: Policy) -> CuesFile:
    return policy.cues


def _complete(rules: CuesFile, flag: str = "malicious", unit: str | None = UNIT) -> Cue:
    return take(Cue(flag, CALLED, unit), Step("evidence", ZHAO, NOW, FULL[flag]), rules)


def _active(rules: CuesFile, flag: str = "malicious") -> Cue:
    cue = take(_complete(rules, flag), Step("confirm", WANG, NOW), rules)
    return take(cue, Step("confirm", LI, NOW), rules)


def _refused(kind: type[TriageError], code: str, call: Callable[[], Cue]) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    return str(caught.value)


@pytest.mark.parametrize("flag", ["malicious", "unreasonable", "theft"])
def test_a_cue_is_active_after_complete_evidence_and_two_people(rules: CuesFile, flag: str) -> None:
    cue = _complete(rules, flag)
    assert cue.state is State.COMPLETE
    cue = take(cue, Step("confirm", WANG, NOW), rules)
    assert cue.state is State.COMPLETE
    assert not cue.in_force(NOW)
    cue = take(cue, Step("confirm", LI, NOW), rules)
    assert cue.state is State.ACTIVE
    assert cue.in_force(NOW)


@pytest.mark.parametrize("flag", list(FULL))
def test_every_item_of_the_evidence_list_is_needed(rules: CuesFile, flag: str) -> None:
    for left_out in FULL[flag]:
        rest = tuple(item for item in FULL[flag] if item is not left_out)
        cue = Cue(flag, CALLED, UNIT)
        cue = take(cue, Step("evidence", ZHAO, NOW, rest), rules) if rest else cue
        assert cue.state is State.CANDIDATE
        with pytest.raises(CueConflict):
            take(cue, Step("confirm", WANG, NOW), rules)


def test_one_person_does_not_confirm_twice_also_under_another_spelling(rules: CuesFile) -> None:
    cue = take(_complete(rules), Step("confirm", WANG, NOW), rules)
    for name in ("wang", "WANG ", "WANG"):
        again = Step("confirm", Person(name, "合规部"), NOW)
        with pytest.raises(CueForbidden) as caught:
            take(cue, again, rules)
        assert caught.value.code == "same_reviewer"
    assert take(cue, Step("confirm", LI, NOW), rules).state is State.ACTIVE  # another person does


@pytest.mark.parametrize("unit", ["城东供电所", "兴隆县城东供电所", "供电所", "城东供电所营业班", " 城东 供电所"])
def test_nobody_of_the_unit_complained_of_confirms(rules: CuesFile, unit: str) -> None:
    complained = "兴隆县城东供电所" if unit == "供电所" else UNIT
    cue = _complete(rules, unit=complained)
    with pytest.raises(CueForbidden) as caught:
        take(cue, Step("confirm", Person("sun", unit), NOW), rules)
    assert caught.value.code == "own_unit"
    assert take(cue, Step("confirm", Person("sun", "合规部"), NOW), rules).confirmed_by  # of another unit


def test_a_reviewer_without_a_unit_does_not_confirm_and_learns_how_to_mend_it(rules: CuesFile) -> None:
    for unit in (None, "", "  "):
        words = _refused(
            CueForbidden,
            "unit_unknown",
            lambda u=unit: take(_complete(rules), Step("confirm", Person("sun", u), NOW), rules),  # type: ignore[misc]
        )
        assert "管理员" in words


def test_without_a_unit_complained_of_nobody_confirms_until_another_person_names_it(rules: CuesFile) -> None:
    cue = _complete(rules, unit=None)
    _refused(CueConflict, "complained_unit_unknown", lambda: take(cue, Step("confirm", WANG, NOW), rules))
    named = take(cue, Step("evidence", ZHAO, NOW, unit=UNIT), rules)
    assert take(named, Step("confirm", WANG, NOW), rules).confirmed_by


def test_nobody_becomes_eligible_by_naming_another_unit(rules: CuesFile) -> None:
    insider = Person("sun", UNIT)
    cue = take(_complete(rules), Step("evidence", insider, NOW, unit="城西供电所"), rules)
    with pytest.raises(CueForbidden) as caught:
        take(cue, Step("confirm", insider, NOW), rules)
    assert caught.value.code == "named_unit"
    assert cue.confirmed_by == ()


def test_new_evidence_voids_a_first_confirmation(rules: CuesFile) -> None:
    cue = take(_complete(rules), Step("confirm", WANG, NOW), rules)
    cue = take(cue, Step("evidence", ZHAO, NOW, (Attachment("fault_disproved", "录像 13"),)), rules)
    assert cue.confirmed_by == ()
    assert take(cue, Step("confirm", LI, NOW), rules).state is State.COMPLETE


@pytest.mark.parametrize("dated", [date(2026, 11, 23), date(2026, 11, 24), None, date(2027, 1, 1)])
def test_malice_needs_a_dispute_dated_before_the_day_of_the_call(rules: CuesFile, dated: date | None) -> None:
    step = Step("evidence", ZHAO, NOW, (Attachment("earlier_dispute", "用检〔2026〕31号", dated),))
    words = _refused(CueInvalid, "bad_evidence", lambda: take(Cue("malicious", CALLED, UNIT), step, rules))
    assert "日" in words  # says that it is about a day


def test_the_day_of_the_call_is_that_of_china(rules: CuesFile) -> None:
    called = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # one o'clock on the 23rd in China
    item = Attachment("earlier_dispute", "x", date(2026, 11, 22))
    assert take(Cue("malicious", called, UNIT), Step("evidence", ZHAO, NOW, (item,)), rules).evidence


@pytest.mark.parametrize("given_items", [(Attachment("gossip", "x"),), (Attachment("notice", "  "),), ()])
def test_unknown_empty_and_missing_evidence_is_refused(rules: CuesFile, given_items: tuple[Attachment, ...]) -> None:
    with pytest.raises(CueInvalid):
        take(Cue("theft", CALLED, UNIT), Step("evidence", ZHAO, NOW, given_items), rules)


@pytest.mark.parametrize("name", ["confirm", "appeal", "remove", "expire"])
def test_arrears_is_never_confirmed(rules: CuesFile, name: str) -> None:
    cue = _complete(rules, "arrears")
    words = _refused(CueConflict, "no_confirmation", lambda: take(cue, Step(name, WANG, NOW), rules))  # type: ignore[arg-type]
    assert "差异化服务" in words
    assert take(cue, Step("reject", WANG, NOW, reason="raised_in_error"), rules).state is State.REJECTED


def test_an_appeal_is_decided_by_a_third_person(rules: CuesFile) -> None:
    cue = take(_active(rules), Step("appeal", Person("anyone"), NOW), rules)
    assert cue.state is State.APPEALED
    assert not cue.in_force(NOW)
    for one in (WANG, LI):
        _refused(CueForbidden, "same_reviewer", lambda p=one: take(cue, Step("confirm", p, NOW), rules))  # type: ignore[misc]
        _refused(
            CueForbidden,
            "same_reviewer",
            lambda p=one: take(cue, Step("remove", p, NOW, reason="caller_right"), rules),  # type: ignore[misc]
        )
    assert take(cue, Step("remove", ZHAO, NOW, reason="caller_right"), rules).state is State.REMOVED
    kept = take(cue, Step("confirm", ZHAO, NOW + timedelta(days=9)), rules)
    assert (kept.state, kept.expires_at) == (State.ACTIVE, cue.expires_at)


def test_an_open_appeal_is_not_buried_by_ending_the_cue_early(rules: CuesFile) -> None:
    cue = take(_active(rules), Step("appeal", ZHAO, NOW), rules)
    _refused(CueConflict, "appeal_open", lambda: take(cue, Step("expire", WANG, NOW), rules))
    assert take(cue, Step("expire", WANG, NOW + timedelta(days=366)), rules).state is State.EXPIRED


def test_a_cue_ends_within_twelve_months(rules: CuesFile) -> None:
    cue = _active(rules)
    assert cue.expires_at is not None
    assert cue.expires_at <= NOW.replace(year=NOW.year + 1)
    assert not cue.in_force(cue.expires_at)
    late = Step("confirm", ZHAO, cue.expires_at)
    _refused(CueConflict, "expired", lambda: take(replace(cue, state=State.APPEALED), late, rules))


@pytest.mark.parametrize("name", ["reject", "remove"])
def test_an_end_needs_a_reason_from_the_list(rules: CuesFile, name: str) -> None:
    cue = _active(rules) if name == "remove" else _complete(rules)
    for reason in (None, "because"):
        with pytest.raises(CueInvalid) as caught:
            take(cue, Step(name, ZHAO, NOW, reason=reason), rules)  # type: ignore[arg-type]
        assert caught.value.code == "unknown_reason"
        assert all(code in str(caught.value) for code in rules.reasons)  # and which there are


@pytest.mark.parametrize("state", [State.EXPIRED, State.REMOVED, State.REJECTED])
@pytest.mark.parametrize("name", ["evidence", "confirm", "reject", "appeal", "remove", "expire"])
def test_nothing_follows_an_end(rules: CuesFile, state: State, name: str) -> None:
    step = Step(name, ZHAO, NOW, FULL["theft"], reason="caller_right")  # type: ignore[arg-type]
    words = _refused(CueConflict, "illegal_step", lambda: take(Cue("theft", CALLED, UNIT, state), step, rules))
    assert "已经了结" in words


def test_a_row_that_claims_to_be_active_without_two_people_is_not_believed(rules: CuesFile) -> None:
    with pytest.raises(ValueError, match="2 people"):
        Cue("malicious", CALLED, UNIT, State.ACTIVE)
    with pytest.raises(ValueError, match="2 people"):
        replace(_active(rules), confirmed_by=_active(rules).confirmed_by[:1])


def test_a_company_is_not_within_one_of_its_stations() -> None:
    assert not within("兴隆县供电公司", "兴隆县供电公司城东供电所")
    assert within("城东供电所", "城西供电所、城东供电所")


PEOPLE = st.builds(
    Person,
    st.sampled_from(["wang", "WANG", "li", "zhao", "sun", "admin"]),
    st.sampled_from([None, "", UNIT, "兴隆县城东供电所", "合规部", "县公司", "市公司"]),
)
ITEMS = st.builds(
    Attachment,
    st.sampled_from([item.item for full in FULL.values() for item in full] + ["@unit", "gossip"]),
    st.sampled_from(["", "案卷 1", "案卷 2"]),
    st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1)),
)
STEPS = st.builds(
    Step,
    st.sampled_from(["evidence", "confirm", "confirm", "confirm", "reject", "appeal", "remove", "expire"]),
    PEOPLE,
    st.datetimes(datetime(2026, 11, 20), datetime(2028, 11, 20), timezones=st.just(UTC)),
    st.lists(ITEMS, max_size=4).map(tuple),
    st.sampled_from([None, None, None, "城西供电所"]),
    st.sampled_from([None, "caller_right", "because"]),
)


class Walk(RuleBasedStateMachine):
    """Any steps by anybody in any order; what was accepted is written down apart from the cue."""

    lists = load_policy().cues

    @initialize(flag=st.sampled_from(list(FULL)), unit=st.sampled_from([None, UNIT]))
    def begin(self, flag: str, unit: str | None) -> None:
        self.cue = Cue(flag, CALLED, unit)
        self.eligible: set[str] = set()  # who confirmed since the last new evidence, as this test sees it
        self.attached: dict[str, Attachment] = {}
        self.activated: datetime | None = None

    @rule(step=STEPS)
    def anything(self, step: Step) -> None:
        self._take(step)

    @rule(at=st.just(NOW))
    def full_evidence(self, at: datetime) -> None:
        self._take(Step("evidence", ZHAO, at, FULL[self.cue.flag], unit=self.cue.unit or UNIT))

    @rule(left_out=st.integers(0, 6), days=st.integers(-3, 3))
    def nearly_full_evidence(self, left_out: int, days: int) -> None:
        """All but one item, or all, with a dispute around the day of the call."""
        dated = CALLED.date() + timedelta(days=days)
        items = [replace(item, dated=dated if item.dated else None) for item in FULL[self.cue.flag]]
        given_items = tuple(items[:left_out] + items[left_out + 1 :])
        self._take(Step("evidence", ZHAO, NOW + timedelta(days=9), given_items, unit=self.cue.unit or UNIT))

    @rule(who=st.sampled_from([WANG, LI]))
    def confirmed_by_a_good_person(self, who: Person) -> None:
        self._take(Step("confirm", who, NOW))

    @rule(who=PEOPLE)
    def confirmed_by_anybody(self, who: Person) -> None:
        self._take(Step("confirm", who, NOW))

    def _take(self, step: Step) -> None:
        before = self.cue
        try:
            self.cue = take(before, step, self.lists)
        except TriageError:
            return
        if step.name == "evidence":
            self.eligible = set()
            self.attached.update({item.item: item for item in step.attachments})
        if step.name == "confirm" and step.who.unit and self.cue.unit and self.cue.unit not in step.who.unit:
            self.eligible.add(same_name(step.who.name))
        if before.state is State.COMPLETE and self.cue.state is State.ACTIVE:
            self.activated = step.at

    @invariant()
    def active_only_with_two_eligible_people_and_all_evidence(self) -> None:
        if not hasattr(self, "cue") or self.cue.state is not State.ACTIVE:
            return
        assert self.cue.flag != "arrears"
        assert len(self.eligible) >= 2
        needed = {item.item for item in FULL[self.cue.flag]}
        assert needed <= set(self.attached)
        assert all(self.attached[item].reference for item in needed)
        if self.cue.flag == "malicious":
            dated = self.attached["earlier_dispute"].dated
            assert dated is not None
            assert dated < date(2026, 11, 23)

    @invariant()
    def never_longer_than_a_year(self) -> None:
        if self.activated is not None:
            assert self.cue.expires_at is not None
            assert self.cue.expires_at - self.activated <= timedelta(days=365)


Walk.TestCase.settings = settings(max_examples=200, stateful_step_count=15, deadline=None)
TestWalk = Walk.TestCase


def test_the_walk_does_reach_active_cues() -> None:
    """Otherwise the invariant above would hold of nothing."""
    walk = Walk()
    walk.begin("malicious", None)
    walk.full_evidence(NOW)
    for who in (WANG, LI):
        walk.confirmed_by_a_good_person(who)
    walk.active_only_with_two_eligible_people_and_all_evidence()
    assert walk.cue.state is State.ACTIVE


@given(st.lists(STEPS, min_size=1, max_size=12), st.sampled_from(list(FULL)))
@settings(max_examples=100, deadline=None)
def test_a_step_is_taken_or_refused_in_words_and_never_breaks(steps: list[Step], flag: str) -> None:
    rules, cue = Walk.lists, Cue(flag, CALLED, UNIT)
    codes = set()
    for step in steps:
        try:
            cue = take(cue, step, rules)
        except (CueConflict, CueForbidden, CueInvalid) as error:
            codes.add(error.code)
    assert cue.flag == flag
    assert codes <= {
        "illegal_step", "no_confirmation", "evidence_incomplete", "expired", "same_reviewer", "unit_unknown",
        "own_unit", "named_unit", "complained_unit_unknown", "appeal_open", "unknown_reason", "unknown_item",
        "bad_evidence", "nothing_attached",
    }  # fmt: skip
