"""Files of two gigabytes in bounded memory.

Predicting two gigabytes would take an hour, so it is shown in two parts, each in a process of its own whose highest
memory use (VmHWM) counts:

- reader and writer, which see every byte: two gigabytes of CSV, JSON lines or plain text, as a `.gz` that unpacks to
  that size, and as files of two gigabytes on disk that are one single line (sparse, so they take no room). The writer
  gets a ready prediction for each row;
- the whole command from end to end, with N and with 4N rows: its memory must not grow with their number.
"""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from model.pipeline import Pipeline
from model.ticket import LabelledTicket
from triage.triage import Triage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]
ROOT = Path(__file__).parent.parent.parent
SIZE = 2_000_000_000
READER_MOST = 150  # MB, whatever the size of the file
GROWTH_MOST = 12  # MB between N and 4N rows; holding the results would take twice that
TEXT = "停电三小时了没人管。" * 500  # 15 kB
PEAK = 'print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))'
READ_AND_WRITE = f"""
import json, sys
from pathlib import Path
from model.rows import read_rows
from triage.output import write
source, ready, output = map(Path, sys.argv[1:])
ready = json.loads(ready.read_text(encoding="utf-8"))
def results():
    for row in read_rows(source):
        if row.error:
            yield {{"row": row.number, "error": {{"code": row.error.code, "message": str(row.error)}}}}
        else:
            yield {{**ready, "row": row.number}}
count = {{True: 0, False: 0}}
for result in write(results(), output):
    count["error" in result] += 1
print(count[False], count[True])
{PEAK}
"""
COMMAND = f"""
import sys
from triage.cli.main import run
sys.argv = ["triage", *sys.argv[1:]]
try:
    run()
except SystemExit as left:
    print(left.code or 0)
{PEAK}
"""


def _run(code: str, *arguments: object) -> list[int]:
    """What a process of its own prints: numbers, the last its peak memory in MB."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", timeout=900, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


@pytest.fixture
def ready(tmp_path: Path, rules_pipeline: Pipeline) -> Path:
    path = tmp_path / "ready.json"
    path.write_text(json.dumps(Triage(rules_pipeline).predict(TEXT)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "head", "row"),
    [
        ("in.csv.gz", "id,content\n", f'1,"{TEXT}"\n'),
        ("in.jsonl.gz", "", json.dumps({"content": TEXT}, ensure_ascii=False) + "\n"),
        ("in.txt.gz", "", TEXT + "\n"),
    ],
)
def test_two_gigabytes_of_rows_are_read_and_written_in_little_memory(
    tmp_path: Path, ready: Path, name: str, head: str, row: str
) -> None:
    rows_a_piece = 20_000_000 // len(row.encode())
    piece = gzip.compress(row.encode() * rows_a_piece, 1)
    pieces = SIZE // (rows_a_piece * len(row.encode())) + 1
    with (tmp_path / name).open("wb") as file:  # gzip members that follow each other are one file
        file.write(gzip.compress(head.encode()))
        for _ in range(pieces):
            file.write(piece)
    good, bad, peak = _run(READ_AND_WRITE, tmp_path / name, ready, tmp_path / "out.csv")
    assert (good, bad) == (pieces * rows_a_piece, 0)
    assert peak < READER_MOST


@pytest.mark.parametrize(
    ("name", "head"), [("in.csv", "content\n"), ("in.csv", 'content\n"'), ("in.jsonl", ""), ("in.txt", "")]
)
def test_a_single_line_of_two_gigabytes_is_a_bad_row(tmp_path: Path, ready: Path, name: str, head: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(head.encode())
        file.truncate(SIZE)
    good, bad, peak = _run(READ_AND_WRITE, tmp_path / name, ready, tmp_path / "out.jsonl")
    assert (good, bad) == (0, 1)
    assert peak < READER_MOST


@pytest.mark.parametrize("output", ["out.jsonl", "out.csv", "out.xlsx", "out.parquet"])
def test_the_whole_command_takes_no_more_memory_for_four_times_the_rows(
    tmp_path: Path, bundle_folder: Path, held_side: tuple[LabelledTicket, ...], output: str
) -> None:
    draw = random.Random(7)  # noqa: S311 - texts for a test
    peaks = []
    for count in (1_000, 4_000):
        with (tmp_path / "in.jsonl").open("w", encoding="utf-8") as file:
            for number in range(count):
                text = f"{draw.choice(held_side).text} {number} {draw.choice(held_side).text}"
                file.write(json.dumps({"ticket_id": str(number), "content": text}, ensure_ascii=False) + "\n")
        code, peak = _run(
            COMMAND, "predict", tmp_path / "in.jsonl", "--bundle", bundle_folder, "--output", tmp_path / output
        )
        assert code == 0
        peaks.append(peak)
    assert peaks[1] < peaks[0] + GROWTH_MOST


def test_tickets_of_enormous_length_are_predicted_in_small_batches(tmp_path: Path, bundle_folder: Path) -> None:
    line = json.dumps({"content": "停电三小时了没人管。" * 300_000, "x": [[]] * 500_000}, ensure_ascii=False)
    peaks = []
    for count in (10, 40):
        (tmp_path / "in.jsonl").write_text(f"{line}\n" * count, encoding="utf-8")
        code, peak = _run(
            COMMAND, "predict", tmp_path / "in.jsonl", "--bundle", bundle_folder, "--output", tmp_path / "out.jsonl"
        )
        assert code == 0
        peaks.append(peak)
    assert peaks[1] < peaks[0] + GROWTH_MOST
