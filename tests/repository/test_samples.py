"""The corpus keeps what its card promises."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from model.policy import load_policy
from training.dataset import read_labelled

SAMPLES = Path(__file__).parent.parent.parent / "data" / "samples"
FILES = sorted(SAMPLES.glob("a*.jsonl"))
POLICY = load_policy()
FLAGS = tuple(POLICY.taxonomy.flags)
KEYS = (
    "id", "channel", "text", "category", "secondary", "flags", "theft_role", "filing", "safety", "escalation",
    "author", "voice", "split", "origin", "difficulty", "hard_negative_for", "boundary",
)  # fmt: skip
RUN = 12
LEAST = {"tickets": 520, "leaf": 40, "flag": 45, "hard_negative": 45, "safety": 45, "authors": 8, "test_authors": 2}
_STOCK = re.compile(r"客服代表[:：]|客户[:：]|\s")


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return [json.loads(line) for path in FILES for line in path.read_text(encoding="utf-8").splitlines()]


def _runs(text: str) -> set[str]:
    bare = _STOCK.sub("", text)
    return {bare[i : i + RUN] for i in range(len(bare) - RUN + 1)}


def test_one_file_an_author() -> None:
    for path in FILES:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert {row["author"] for row in rows} == {path.stem}
        assert len({row["split"] for row in rows}) == 1
        assert len(rows) <= 90


def test_every_record_has_the_fields_of_the_guideline(rows: list[dict]) -> None:
    for row in rows:
        assert tuple(sorted(row)) == tuple(sorted(KEYS)), row["id"]
        assert row["origin"] == "written"
        assert row["channel"] in ("asr", "agent_note", "online", "relay")
        assert row["split"] in ("train", "dev", "test")
        assert row["voice"].startswith(row["author"] + "-")


def test_every_label_is_a_known_code() -> None:
    assert not read_labelled([SAMPLES], POLICY.taxonomy).problems


def test_ids_are_unique(rows: list[dict]) -> None:
    assert max(Counter(row["id"] for row in rows).values()) == 1


def test_flags_and_filings_belong_together(rows: list[dict]) -> None:
    for row in rows:
        flags = set(row["flags"])
        assert ("theft" in flags) == (row["theft_role"] in ("admits", "denies", "found")), row["id"]
        assert ("malicious" in flags) == (row["filing"] == "R5_MALICIOUS"), row["id"]
        assert "unreasonable" in flags or row["filing"] != "R4_UNREASONABLE", row["id"]
        assert not flags & set(row["hard_negative_for"]), row["id"]


def test_there_is_enough_of_everything(rows: list[dict]) -> None:
    leaves = Counter(row["category"] for row in rows)
    assert len(rows) >= LEAST["tickets"]
    assert min(leaves[code] for code in POLICY.taxonomy.codes) >= LEAST["leaf"]
    for flag in FLAGS:
        assert sum(flag in row["flags"] for row in rows) >= LEAST["flag"]
        assert sum(flag in row["hard_negative_for"] for row in rows) >= LEAST["hard_negative"]
    assert sum(row["safety"] for row in rows) >= LEAST["safety"]
    assert {row["channel"] for row in rows} == {"asr", "agent_note", "online", "relay"}
    assert len({row["author"] for row in rows}) >= LEAST["authors"]
    assert len({row["author"] for row in rows if row["split"] == "test"}) >= LEAST["test_authors"]


def test_no_two_texts_share_a_run_of_twelve_characters(rows: list[dict]) -> None:
    seen: dict[str, str] = {}
    shared = defaultdict(set)
    for row in rows:
        for run in _runs(row["text"]):
            first = seen.setdefault(run, row["id"])
            if first != row["id"]:
                shared[(first, row["id"])].add(run)
    assert not shared, dict(list(shared.items())[:5])


def test_callers_seldom_know_the_name_of_their_category(rows: list[dict]) -> None:
    names = ("人员服务态度", "计量装置", "轮换户表改造", "表计线路接错", "业扩报装")
    assert sum(any(name in row["text"] for name in names) for row in rows) <= len(rows) / 10


def test_lengths_vary(rows: list[dict]) -> None:
    lengths = sorted(len(row["text"]) for row in rows)
    assert sum(length <= 30 for length in lengths) >= len(rows) * 0.03
    assert sum(length >= 200 for length in lengths) >= len(rows) * 0.08
    assert 60 <= lengths[len(lengths) // 2] <= 160


def test_a_third_is_plain(rows: list[dict]) -> None:
    assert sum(row["difficulty"] == "plain" for row in rows) >= len(rows) * 0.28
    assert sum(row["difficulty"] == "hard" for row in rows) >= len(rows) * 0.25


def test_no_public_mobile_prefix_is_combined_with_a_valid_looking_identity_card(rows: list[dict]) -> None:
    """Invented numbers only: no text holds an 18-digit identity number with a right check digit."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    for row in rows:
        for number in re.findall(r"(?<!\d)\d{17}[\dXx](?!\d)", row["text"]):
            check = "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11]
            assert number[-1].upper() != check, row["id"]
