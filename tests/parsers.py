"""Every parser of outside input, called as the product calls it, with what must hold whatever comes.

A parser takes bytes and either ends with an error of ours or keeps its promise: every row is a ticket or a problem.
`tests/behaviour/test_fuzz_parsers.py` feeds them; HTTP has `tests/service/test_fuzz_requests.py`.
"""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from model import safe_joblib
from model.bundle import load_bundle
from model.labels import digest
from model.manifest import MANIFEST
from model.pipeline import Pipeline
from model.policy import load_policy
from model.rows import read_rows
from model.segmenter import Segmenter
from model.ticket import parse_time
from serving.console import sheet
from serving.console.client import Api
from serving.delivery.webhook import read_addresses
from serving.events.table import read_events
from serving.hotspots.customers import read_customers
from training.batch import Known, read_batch
from training.dataset import read_labelled
from training.fit import FitSettings
from training.gate import Tolerances
from training.label_studio import is_label_studio, read_tasks
from training.shadow import Assumptions
from training.shadow_rows import cases_from_rows
from training.versions import former_files, former_sides
from training.worksheet import write_worksheet
from triage.archive.parts import Part, Record
from triage.cli.training_config import filled, read_config
from triage.output import write
from triage.reporting import load
from triage.triage import Triage

ROWS = (".jsonl", ".json", ".csv", ".tsv", ".xlsx", ".parquet", ".txt", ".csv.gz")
LABELS = (".jsonl", ".json", ".csv", ".xlsx")
POLICY = ("taxonomy.yaml", "routing.yaml", "decision.yaml", "rules/leaves.yaml", "rules/context.yaml", "dictionary.txt")
_CODES = ("empty_text", "bad_row", "bad_encoding")


@dataclass(frozen=True)
class House:
    """What parsers need beside the bytes: a folder for files, a pipeline of rules, a copy of a bundle."""

    folder: Path
    pipeline: Pipeline
    bundle: Path

    def file(self, name: str, data: bytes) -> Path:
        """Write bytes into a file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


Parser = Callable[[bytes, House], object]


def _tickets(ending: str) -> Parser:
    def parse(data: bytes, house: House) -> int:
        path = house.file(f"in{ending}", data)
        results = list(write(Triage(house.pipeline).predict_rows(read_rows(path)), house.folder / "out.csv"))
        assert [result["row"] for result in results] == list(range(1, len(results) + 1))
        assert all(result["error"]["code"] in _CODES for result in results if "error" in result)
        if ending in (".jsonl", ".txt") and data.isascii() and b"\0" not in data:
            lines = io.StringIO(data.decode("ascii"), newline="").readlines()
            assert len(results) == len(lines)
        return len(results)

    return parse


def _labels(ending: str) -> Parser:
    def parse(data: bytes, house: House) -> None:
        path, taxonomy = house.file(f"labels{ending}", data), house.pipeline.policy.taxonomy
        read = read_tasks(path) if is_label_studio(path) else list(read_rows(path))
        batch = read_batch([path], taxonomy, Known((), ()))
        assert len(batch.rows) + len(batch.problems) + batch.known == len(read)
        assert all(str(problem) for problem in batch.problems)
        write_worksheet(batch.problems, house.folder / "worksheet.xlsx")
        digest(batch.tickets)
        found = read_labelled([path], taxonomy, skip_bad_rows=True)
        json.dumps(found.problems, ensure_ascii=False)
        digest(found.tickets)

    return parse


def _policy(name: str) -> Parser:
    def parse(data: bytes, house: House) -> None:
        folder = house.folder / f"policy-{name.replace('/', '-')}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        policy = load_policy(folder)
        Segmenter(policy.dictionary).warm()
        (result,) = Triage(Pipeline(policy)).predict(["客户:停电三小时了,电表箱冒烟,我没有偷电"])
        assert result["category"]["code"] in policy.taxonomy

    return parse


def shadow_rows(data: bytes, house: House) -> None:
    """Tickets that people routed, for a shadow run."""
    rows = list(read_rows(house.file("shadow.jsonl", data)))
    cases, problems = cases_from_rows(rows, house.pipeline)
    assert len(cases) + len(problems) == len(rows)


def report_rows(data: bytes, house: House) -> None:
    """Tickets of a file for a report."""
    rows = list(read_rows(house.file("report.jsonl", data)))
    found = load(iter(rows), house.pipeline)
    assert len(found.records) + len(found.errors) == len(rows)


def manifest(data: bytes, house: House) -> None:
    """A bundle's manifest; the files beside it are sound."""
    (house.bundle / MANIFEST).write_bytes(data)
    bundle = load_bundle(house.bundle)
    Pipeline(bundle.policy, bundle).predict([])


def joblib_file(data: bytes, house: House) -> None:
    """The part of a bundle that pickles could hide in."""
    safe_joblib.load(house.file("x.joblib", data))


def customers(data: bytes, house: House) -> None:
    """Households by place."""
    found = read_customers(house.file("customers.csv", data))
    assert all(count > 0 for count in found.values())


def events(data: bytes, house: House) -> None:
    """The register of known events as a table."""
    read_events(data, house.pipeline.policy.events)


def training_config(data: bytes, house: House) -> None:
    """`triage train --config`."""
    given = read_config(house.file("config.yaml", data))
    filled(FitSettings(), given, "--config")


def gate(data: bytes, house: House) -> None:
    """`triage retrain --gate`."""
    Tolerances.read(house.file("gate.yaml", data))


def assumptions(data: bytes, house: House) -> None:
    """`triage shadow --assumptions`."""
    Assumptions.read(house.file("assumptions.yaml", data))


def addresses(data: bytes, house: House) -> None:
    """`TRIAGE_WEBHOOKS`."""
    desks = house.pipeline.policy.routing.desks
    table = read_addresses(house.file("webhooks.yaml", data), "desk.example,http://127.0.0.1:9", desks)
    assert all("desk.example" in url or "127.0.0.1" in url for url in table.desks.values())


def moment(data: bytes, house: House) -> None:
    """A time as tickets write it."""
    found = parse_time(data.decode("utf-8", "surrogateescape"))
    assert found is None or (found.tzinfo is not None and 2000 <= found.year <= 2101)


def data_version(data: bytes, house: House) -> None:
    """The manifest of a data version, beside the champion."""
    house.file("data/0123456789abcdef.json", data)
    taxonomy = house.pipeline.policy.taxonomy
    assert isinstance(former_files(house.folder / "data", "0123456789abcdef"), tuple)
    former_sides(house.folder / "data", "0123456789abcdef", taxonomy)


def archive_record(data: bytes, house: House) -> None:
    """What an interrupted archive run left behind."""
    source = house.file("archive/_archive.json", data)
    record = Record(source.parent, {"bundle": "b"})
    list(record.open_parts([Part(str(source), str(source.parent / "a.parquet"))]))


@dataclass
class _Service:
    """Answers like the service, and reads what it is sent as the service does."""

    asked: list[Any] = field(default_factory=list)

    async def post(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        sent = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))["tickets"]
        self.asked += sent
        return [{"row": n, "error": {"code": "bad_row", "message": "无"}} for n, _ in enumerate(sent, 1)]


def dropped_sheet(data: bytes, house: House) -> None:
    """A file dropped into the console; its first line is its name."""
    name, _, content = data.partition(b"\n")
    shown = name.decode("utf-8", "replace")
    rows = sheet.read(content, shown)
    done = asyncio.run(sheet.predict(cast("Api", _Service()), rows, lambda *_: None))
    assert [one.number for one in done] == [row.number for row in rows]
    sheet.workbook(done, shown)


PARSERS: dict[str, Parser] = {
    **{f"tickets{ending}": _tickets(ending) for ending in ROWS},
    **{f"labels{ending}": _labels(ending) for ending in LABELS},
    **{f"policy-{name.replace('/', '-')}": _policy(name) for name in POLICY},
    **{
        parse.__name__: parse
        for parse in (
            shadow_rows, report_rows, manifest, joblib_file, customers, events, training_config, gate, assumptions,
            addresses, moment, data_version, archive_record, dropped_sheet,
        )
    },
}  # fmt: skip
