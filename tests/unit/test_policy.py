import shutil
from pathlib import Path

import pytest
import yaml

from model.errors import PolicyError, UnknownLeaf
from model.policy import BUILT_IN, FILES, Policy, load_policy
from model.taxonomy import FLAGS


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the built-in policy that a test may spoil."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(BUILT_IN / name, tmp_path / name)
    return tmp_path


def _edit(path: Path, change) -> None:  # type: ignore[no-untyped-def]
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")


def test_the_built_in_policy_has_thirteen_leaves_and_four_flags(policy: Policy) -> None:
    assert len(policy.taxonomy.codes) == 13
    assert tuple(policy.taxonomy.flags) == FLAGS
    assert len(policy.taxonomy.filings) == 7


def test_every_leaf_has_a_desk_measures_and_a_card(policy: Policy) -> None:
    for code in policy.taxonomy.codes:
        assert policy.routing.routes[code].desk in policy.routing.desks
        entry = policy.measures.leaves[code]
        assert entry.measures
        assert len(entry.card.ask) == 3


def test_the_article_leaves_name_their_section(policy: Policy) -> None:
    assert policy.measures.leaves["hall.staff_attitude"].section == "2.1"
    assert policy.measures.leaves["billing.charge"].section == "2.2"
    assert policy.measures.leaves["metering.verification"].section == "2.3"


def test_an_unknown_leaf_is_an_error(policy: Policy) -> None:
    with pytest.raises(UnknownLeaf, match="可用"):
        policy.taxonomy.leaf("billing.water")


def test_an_office_may_bring_one_file_only(tmp_path: Path) -> None:
    shutil.copyfile(BUILT_IN / "routing.yaml", tmp_path / "routing.yaml")
    _edit(tmp_path / "routing.yaml", lambda d: d["clock"].update(answer_working_days=3))
    assert load_policy(tmp_path).routing.clock.answer_working_days == 3
    assert load_policy(tmp_path).taxonomy.codes == load_policy().taxonomy.codes


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("routing.yaml", lambda d: d["routes"].pop("billing.charge"), ["routing.yaml", "billing.charge", "缺少"]),
        ("routing.yaml", lambda d: d["routes"]["billing.charge"].update(desk="火星班"), ["routing.yaml", "火星班", "desks"]),
        ("routing.yaml", lambda d: d["routes"]["billing.charge"].pop("promise"), ["routing.yaml", "promise", "缺少"]),
        ("routing.yaml", lambda d: d["clock"].update(hours=1), ["routing.yaml", "clock", "拼写"]),
        ("routing.yaml", lambda d: d["routes"]["other.field_conduct"].update(support=["供电所"]), ["other.field_conduct", "never"]),
        ("taxonomy.yaml", lambda d: d["leaves"][0].update(group="nowhere"), ["taxonomy.yaml", "nowhere", "groups"]),
        ("taxonomy.yaml", lambda d: d["leaves"].append(d["leaves"][0]), ["taxonomy.yaml", "重复"]),
        ("taxonomy.yaml", lambda d: d["leaves"][0].update(causes=["moon"]), ["taxonomy.yaml", "moon", "causes"]),
        ("decision.yaml", lambda d: d.update(auto_confidence=7), ["decision.yaml", "auto_confidence"]),
        ("decision.yaml", lambda d: d.update(auto_leaves=["billing.water"]), ["decision.yaml", "auto_leaves", "billing.water", "all"]),
        ("decision.yaml", lambda d: d.update(auto_leaves="some"), ["decision.yaml", "auto_leaves"]),
        ("measures.yaml", lambda d: d["leaves"]["billing.charge"]["card"].update(ask=["一个问题"]), ["measures.yaml", "ask"]),
        ("rules/flags.yaml", lambda d: d["rules"][0].update(to="malice"), ["malice", "拼写"]),
        ("rules/flags.yaml", lambda d: d["rules"].append(d["rules"][0]), ["重复"]),
        ("rules/leaves.yaml", lambda d: d["rules"][0].update(all=[["@nowhere"]], regex=None), ["@nowhere", "context.yaml"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_place_and_mend(own: Path, file: str, change, words: list[str]) -> None:  # type: ignore[no-untyped-def]
    _edit(own / file, change)
    with pytest.raises(PolicyError) as caught:
        load_policy(own)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_broken_yaml_is_named_with_its_line(own: Path) -> None:
    (own / "routing.yaml").write_text("version: '1'\nroutes: [\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="第 3 行"):
        load_policy(own)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="不存在"):
        load_policy(tmp_path / "nowhere")


def test_the_policy_copies_no_run_of_the_article(policy: Policy) -> None:
    """Measures are short paraphrases: none is longer than 80 characters."""
    longest = max(len(m) for entry in policy.measures.leaves.values() for m in entry.measures)
    assert longest <= 80


def test_a_folder_without_policy_files_or_with_a_misspelt_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="没有任何策略文件"):
        load_policy(tmp_path)
    (tmp_path / "route.yaml").write_text("version: '1'", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"route\.yaml"):
        load_policy(tmp_path)
