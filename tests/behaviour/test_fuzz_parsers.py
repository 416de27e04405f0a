"""Whatever comes into a parser, it ends as the contract says: rows and problems, or one error of ours.

First the corpus in `tests/data/corpus/<parser>/` is replayed (`.b64`: base64), then Hypothesis goes on from it. What it finds
is mended and its input put into the corpus.
"""

import base64
import gzip
import io
import json
import os
import random
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import TriageError, UnreadableInput
from model.pipeline import Pipeline
from tests.parsers import PARSERS, House, Parser

CORPUS = Path(__file__).parent.parent / "data" / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())
READ = "read"
_TICKET = {"empty_text", "bad_row", "bad_encoding"}  # codes of an `InvalidTicket`
SLOW = ("policy-", "manifest", "labels.")  # parsers that read much beside their input
TIMES = int(os.environ.get("FUZZ_TIMES", "1"))  # more for a longer search by hand
EXAMPLES = {True: 8 * TIMES, False: 40 * TIMES}
TOKENS = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b"\n\n", b'"', b'""', b",", b"\t", b"\\ud800", b"NaN", b"null",
    b"-1", b"1e999", b"9" * 400, b"[" * 50, b"{", b"}", b"]", b"&a ", b"*a", b"!!timestamp x", b"2026-13-45", b"../", b"/",
    "停电".encode(), "停电".encode("gb18030"), b"=1+1", b"|", b": ", b"- ", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x1f\x8b",
]  # fmt: skip
ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1e308,
        float("nan"),
        10**30,
        "",
        "x",
        "\ud800",
        "../x",
        "\x00",
        "a" * 300,
        [],
        {},
        [[]],
        {"a": []},
    ]
)


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    return base64.b64decode(data) if path.suffix == ".b64" else data


def _workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (
        ["ticket_id", "content", "category"],
        [1, "停电三小时", "other.outage"],
        [None, None, None],
        [2, "=1", 5],
    ):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"content": ["停电三小时", None, ""], "ticket_id": [1, 2, 3]}), out)
    return out.getvalue()


def _joblib() -> bytes:
    out = io.BytesIO()
    joblib.dump({"classes": np.array(["a", "b"]), "weights": np.ones((2, 3), np.float32), "cues": ("x",)}, out)
    return out.getvalue()


MADE = {
    "tickets.xlsx": _workbook, "labels.xlsx": _workbook, "tickets.parquet": _parquet, "joblib_file": _joblib,
    "tickets.csv.gz": lambda: gzip.compress("content\n停电三小时\n".encode(), mtime=0),
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, rules_pipeline: Pipeline, bundle_folder: Path) -> House:
    folder = tmp_path_factory.mktemp("fuzz")
    return House(folder, rules_pipeline, Path(shutil.copytree(bundle_folder, folder / "bundle")))


@pytest.fixture(scope="module")
def seeds(house: House, bundle_folder: Path) -> dict[str, list[bytes]]:
    """What mutation starts from: the corpus, whole files of binary kinds, the policy and manifest in force."""
    found = {name: [_content(path) for path in FILES if path.parent.name == name] for name in PARSERS}
    for name, make in MADE.items():
        found[name].append(make())
    policy = house.pipeline.policy.folder
    for path in (path for path in policy.rglob("*") if path.suffix in (".yaml", ".txt")):
        found.get(f"policy-{path.relative_to(policy).as_posix().replace('/', '-')}", []).append(path.read_bytes())
    found["manifest"].append((bundle_folder / "manifest.json").read_bytes())
    return found


def _codes(kind: type[TriageError] = TriageError) -> set[str]:
    """Of all errors of ours that say what they are."""
    return ({kind.code} - {TriageError.code}).union(*map(_codes, kind.__subclasses__()))


OUTCOMES = {READ} | _TICKET | _codes()


def _feed(name: str, data: bytes, house: House, parsers: Mapping[str, Parser] = PARSERS) -> str:
    """`READ`, or the code of the error of ours. Any other exception is a failure and goes on to the test."""
    try:
        parsers[name](data, house)
    except TriageError as error:
        return error.code if 0 < len(str(error)) < 5000 else f"{error.code}, with a message of no use"
    return READ


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (UnreadableInput("文件读不出"), "unreadable_input"),
        (UnreadableInput(""), "unreadable_input, with a message of no use"),
        (TriageError("?"), "triage_error"),
    ],
)
def test_an_error_is_told_by_its_code(house: House, raised: TriageError, outcome: str) -> None:
    def parse(data: bytes, house: House) -> None:
        raise raised

    assert _feed("made", b"", house, {"made": parse}) == outcome
    assert (outcome in OUTCOMES) is (outcome == "unreadable_input")


@pytest.mark.parametrize("raised", [ValueError("x"), KeyError("x"), RecursionError(), AssertionError("promise")])
def test_an_exception_that_is_not_ours_fails_the_search(house: House, raised: Exception) -> None:
    def parse(data: bytes, house: House) -> None:
        raise raised

    with pytest.raises(type(raised)):
        _feed("made", b"", house, {"made": parse})


def test_the_corpus_has_inputs_for_the_parsers_of_text_and_no_others() -> None:
    named = {path.parent.name for path in FILES}
    assert named <= set(PARSERS)
    assert set(PARSERS) - named == {name for name in MADE if name != "joblib_file"}
    assert all(path.stat().st_size < 20_000 for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_input_that_was_kept_is_read_or_refused(house: House, path: Path) -> None:
    outcome = _feed(path.parent.name, _content(path), house)
    assert outcome in OUTCOMES
    if path.stem == "whole":
        assert outcome in (READ, "bundle_refused")


@pytest.mark.parametrize("name", PARSERS)
def test_bytes_of_any_kind_are_read_or_refused(house: House, name: str) -> None:
    @settings(max_examples=EXAMPLES[name.startswith(SLOW)], deadline=None)
    @given(st.one_of(st.binary(max_size=200), st.text(max_size=60).map(lambda t: t.encode("utf-8", "surrogatepass"))))
    def check(data: bytes) -> None:
        assert _feed(name, data, house) in OUTCOMES

    check()


@pytest.mark.parametrize("name", PARSERS)
def test_a_spoilt_file_is_read_or_refused(house: House, seeds: dict[str, list[bytes]], name: str) -> None:
    @settings(max_examples=EXAMPLES[name.startswith(SLOW)], deadline=None)
    @given(st.sampled_from(seeds[name]), st.integers(0, 2**32))
    def check(seed: bytes, number: int) -> None:
        spoilt = _spoilt(seed, random.Random(number))  # noqa: S311 - repeatable, no secret
        assert _feed(name, spoilt, house) in OUTCOMES

    check()


def _spoilt(data: bytes, rng: random.Random) -> bytes:
    """A few bytes changed, cut, doubled or put in; of a workbook in one of its parts, so that the rest is whole."""
    if zipfile.is_zipfile(io.BytesIO(data)) and rng.random() < 0.8:
        return _spoilt_part(data, rng)
    for _ in range(rng.randint(1, 4)):
        at, more = rng.randint(0, len(data)), rng.choice(TOKENS)
        far = min(len(data), at + rng.randint(0, 20))
        data = rng.choice(
            (
                data[:at] + more + data[at:],
                data[:at] + more + data[far:],
                data[:at] + data[far:],
                data[:far] + data[at:],
                data[:at],
                data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
            )
        )
    return data


def _spoilt_part(data: bytes, rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, _spoilt(content, rng) if name == chosen else content)
    return out.getvalue()


TABLES = ("manifest", "data_version", "archive_record", "labels.json", "labels.jsonl", "shadow_rows", "report_rows")


@pytest.mark.parametrize("name", TABLES)
def test_an_odd_value_in_any_place_is_read_or_refused(house: House, seeds: dict[str, list[bytes]], name: str) -> None:
    whole = [table for table in map(_table, seeds[name]) if table]

    @settings(max_examples=2 * EXAMPLES[name.startswith(SLOW)], deadline=None)
    @given(st.sampled_from(whole), st.integers(0, 2**32), ODD)
    def check(table: Any, number: int, value: object) -> None:
        changed = _put(json.loads(json.dumps(table)), random.Random(number), value)  # noqa: S311
        assert _feed(name, json.dumps(changed).encode(), house) in OUTCOMES

    check()


def _table(data: bytes) -> Any:
    try:
        return json.loads(data.splitlines()[0] if data.count(b"}\n{") else data)
    except (ValueError, RecursionError, IndexError):
        return None


def _put(table: Any, rng: random.Random, value: object) -> Any:
    """The value in one place of the table, whatever stood there."""
    keys = list(table) if isinstance(table, dict) else list(range(len(table))) if isinstance(table, list) else []
    if not keys or rng.random() < 0.2:
        return value
    key = rng.choice(keys)
    table[key] = _put(table[key], rng, value)
    return table


def test_an_exception_of_another_kind_would_be_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARSERS, "gate", lambda data, _: json.loads(data))
    with pytest.raises(ValueError, match="Expecting"):
        _feed("gate", b"{", house)
