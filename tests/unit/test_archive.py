"""Parts of an archive: cut, scored, noted, taken up again."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from model.errors import UnreadableInput, UnusableOutput
from model.rows import Row
from triage.archive import parts as archive
from triage.archive.parts import Part, Record, from_item, parts_of_file, parts_of_folder, to_item
from triage.archive.score import score

VERSIONS = {"bundle": "linear-1", "rules": "1"}


class Died(BaseException):
    """Stands for a process that ended: no handler of ours catches it."""


def _tickets(path: Path, texts: Iterable[str]) -> Path:
    path.write_text("".join(json.dumps({"content": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def _predict(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if "deadly" in row.value["content"]:
            raise Died
        yield {"row": row.number, "said": row.value["content"]}


def _results(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_a_folder_becomes_one_part_for_each_table_in_order(tmp_path: Path) -> None:
    (tmp_path / "in" / "b").mkdir(parents=True)
    for name in ("z.csv", "b/a.parquet", "readme.md", ".hidden.csv", "a.jsonl.gz"):
        (tmp_path / "in" / name).write_text("")
    found = parts_of_folder(tmp_path / "in", tmp_path / "in" / "out")
    assert [Path(part.output).relative_to(tmp_path / "in" / "out").as_posix() for part in found] == [
        "a.jsonl.gz.parquet", "b/a.parquet.parquet", "z.csv.parquet",
    ]  # fmt: skip


def test_results_inside_the_folder_are_no_input_of_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("content\n停电\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv.parquet").write_text("")
    assert [part.source for part in parts_of_folder(tmp_path, tmp_path / "out")] == [str(tmp_path / "a.csv")]


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="没有表格文件"):
        parts_of_folder(tmp_path, tmp_path / "out")


def test_a_file_is_cut_without_losing_or_doubling_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PART_ROWS", 4)
    file = _tickets(tmp_path / "t.jsonl", [f"第{n}条" for n in range(11)])
    found = parts_of_file(file, tmp_path / "parts")
    assert [(part.first, part.stop) for part in found] == [(0, 4), (4, 8), (8, 11)]
    for part in found:
        score(part, _predict)
    assert [row["row"] for part in found for row in _results(part.output)] == list(range(1, 12))
    assert [(part.first, part.stop) for part in parts_of_file(file, tmp_path / "parts", rows=5)] == [(0, 4), (4, 5)]


def test_a_row_that_ends_the_process_is_left_out_after_two_deaths_and_no_other_is_lost(tmp_path: Path) -> None:
    texts = [f"第{n}条" for n in range(600)]
    texts[300] = "deadly"
    file = _tickets(tmp_path / "t.jsonl", texts)
    part = Part(str(file), str(tmp_path / "out.jsonl"))
    for _ in range(2):
        with pytest.raises(Died):
            score(part, _predict)
        assert not (tmp_path / "out.jsonl").exists()
    assert score(part, _predict) == (600, 1)
    rows = _results(part.output)
    assert [row["row"] for row in rows] == list(range(1, 601))
    assert rows[300]["error"]["code"] == "bad_row"
    assert [row["said"] for row in rows if "said" in row] == [text for text in texts if text != "deadly"]
    assert {path.name for path in tmp_path.iterdir()} == {"t.jsonl", "out.jsonl"}


def test_finished_parts_are_skipped_unless_the_file_or_the_output_changed(tmp_path: Path) -> None:
    parts = [
        Part(str(_tickets(tmp_path / f"{n}.jsonl", ["停电"])), str(tmp_path / "out" / f"{n}.jsonl")) for n in range(3)
    ]
    record = Record(tmp_path / "out", VERSIONS)
    for part in parts:
        record.add(part, *score(part, _predict))
    assert list(Record(tmp_path / "out", VERSIONS).open_parts(parts)) == []
    _tickets(tmp_path / "1.jsonl", ["停电", "又停电"])
    Path(parts[2].output).unlink()
    assert list(Record(tmp_path / "out", VERSIONS).open_parts(parts)) == parts[1:]
    assert record.of(parts[0]) is not None


def test_results_of_another_bundle_are_never_mixed_in(tmp_path: Path) -> None:
    part = Part(str(_tickets(tmp_path / "t.jsonl", ["停电"])), str(tmp_path / "out" / "t.jsonl"))
    Record(tmp_path / "out", VERSIONS).add(part, *score(part, _predict))
    with pytest.raises(UnusableOutput, match="另一个模型包"):
        Record(tmp_path / "out", {**VERSIONS, "bundle": "linear-2"})


def test_a_part_survives_the_way_through_a_dataset() -> None:
    part = Part("in/投诉.csv", "out/投诉.csv.parquet", 5, None, "正文")
    assert from_item(to_item(part)["part"]) == part
