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
    "author", "voice", "split", "origin", "difficulty", "hard_negative_for", "boundary", "no_complaint",
)  # fmt: skip
RUN = 12
LEAST = {
    "tickets": 3000, "authors": 36, "leaf": 180, "flag": 160, "hard_negative": 160, "safety": 150, "escalation": 250,
    "filing": 25, "no_complaint": 200, "boundary": 20, "dev_authors": 4, "test_authors": 6,
}  # fmt: skip
_STOCK = re.compile(r"客服代表[:：]|客户[:：]|\s")


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return [json.loads(line) for path in FILES for line in path.read_text(encoding="utf-8").splitlines()]


def _runs(text: str, length: int = RUN) -> set[str]:
    bare = _STOCK.sub("", text)
    return {bare[i : i + length] for i in range(len(bare) - length + 1)}


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
    filings = Counter(row["filing"] for row in rows)
    boundary = Counter(number for row in rows for number in row["boundary"])
    assert len(rows) >= LEAST["tickets"]
    assert min(leaves[code] for code in POLICY.taxonomy.codes) >= LEAST["leaf"]
    for flag in FLAGS:
        assert sum(flag in row["flags"] for row in rows) >= LEAST["flag"]
        assert sum(flag in row["hard_negative_for"] for row in rows) >= LEAST["hard_negative"]
    assert sum(row["safety"] for row in rows) >= LEAST["safety"]
    assert sum(row["escalation"] for row in rows) >= LEAST["escalation"]
    assert min(filings[filing.code] for filing in POLICY.taxonomy.filings) >= LEAST["filing"]
    assert sum(row["no_complaint"] is not None for row in rows) >= LEAST["no_complaint"]
    assert min(boundary[number] for number in range(1, 22)) >= LEAST["boundary"]


def test_channels_are_mixed_as_in_real_flow(rows: list[dict]) -> None:
    share = {channel: count / len(rows) for channel, count in Counter(row["channel"] for row in rows).items()}
    for channel, wanted in {"asr": 0.30, "agent_note": 0.30, "online": 0.25, "relay": 0.15}.items():
        assert abs(share[channel] - wanted) <= 0.06, share


def test_authors_stand_on_one_side_each(rows: list[dict]) -> None:
    sides = {side: {row["author"] for row in rows if row["split"] == side} for side in ("train", "dev", "test")}
    assert len(set.union(*sides.values())) >= LEAST["authors"]
    assert len(sides["dev"]) >= LEAST["dev_authors"]
    assert len(sides["test"]) >= LEAST["test_authors"]
    assert not sides["train"] & sides["test"]
    assert not sides["train"] & sides["dev"]
    share = Counter(row["split"] for row in rows)
    assert 0.68 <= share["train"] / len(rows) <= 0.78
    assert 0.09 <= share["dev"] / len(rows) <= 0.13
    assert 0.13 <= share["test"] / len(rows) <= 0.20


def test_no_near_duplicates_anywhere(rows: list[dict]) -> None:
    """MinHash over runs of 4 characters finds candidates; none shares half of its runs with another."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.4, num_perm=64)
    runs = {row["id"]: _runs(row["text"], 4) for row in rows}
    found = []
    for name, own in runs.items():
        if len(own) >= 8:
            hashed = MinHash(num_perm=64)
            hashed.update_batch([run.encode() for run in own])
            candidates = index.query(hashed)
            found += [(name, other) for other in candidates if len(own & runs[other]) >= 0.5 * len(own | runs[other])]
            index.insert(name, hashed)
    assert not found


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


@pytest.mark.parametrize("card", ["README.md", "README.zh-CN.md"])
def test_the_data_card_counts_what_is_there(rows: list[dict], card: str) -> None:
    text = (SAMPLES / card).read_text(encoding="utf-8")
    counts = [len(rows), *(sum(row["split"] == side for row in rows) for side in ("train", "dev", "test"))]
    counts += [
        sum(row["safety"] for row in rows),
        sum(row["escalation"] for row in rows),
        len({row["author"] for row in rows}),
    ]
    for count in counts:
        assert f"{count:,}" in text, count
