"""Long-running processes notice another policy by themselves; one with a mistake leaves the former in use."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import model.policy
from model.pipeline import Pipeline
from model.policy import Policy
from serving.api.app import create_app
from serving.delivery.claims import Pace
from serving.delivery.clock_watch import ClockWatch
from serving.delivery.deliverer import Deliverer
from serving.delivery.metrics import DeliveryMetrics
from serving.delivery.service import Watches, run
from serving.engine.folder import Watched
from serving.engine.options import EngineOptions
from serving.intake import Intake, incoming_from
from serving.store.database import Database
from serving.store.outbox import KINDS
from serving.store.upgrade import upgrade
from serving.store.writer import TicketWriter
from tests.service.conftest import Clock, Take
from triage.running import build_source, renewed_policy
from triage.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A policy that a test may change."""
    source = Path(model.policy.__file__).parent
    return Path(shutil.copytree(source, tmp_path / "policy", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def _put(folder: Path, version: str) -> None:
    """Another version of the rules; `[` makes them unreadable."""
    for file in (folder / "rules").glob("*.yaml"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        rest = "".join(line for line in lines if not line.startswith("version:"))
        file.write_text(f"version: {version}\n{rest}", encoding="utf-8")


def test_folders_have_changed_once_they_are_at_rest(folder: Path) -> None:
    places: list[Path | None] = [folder, None]
    watched = Watched(lambda: places)
    assert not watched.changed()
    _put(folder, '"9.1"')
    assert [watched.changed(), watched.changed(), watched.changed()] == [False, True, True]
    watched.use()
    assert not watched.changed()
    away = folder.rename(folder.with_name("away"))
    assert [watched.changed(), watched.changed()] == [False, False]
    away.rename(folder)
    places[1] = folder
    assert [watched.changed(), watched.changed()] == [False, True]


def test_a_renewed_policy_is_given_once_and_a_wrong_one_never(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    renewed = renewed_policy(Settings(policy=folder))
    assert renewed() is None
    _put(folder, '"9.2"')
    found = [renewed(), renewed(), renewed()]
    assert [policy and policy.rules_version for policy in found] == [None, "9.2", None]
    _put(folder, "[")
    assert [renewed(), renewed(), renewed()] == [None, None, None]
    assert "bad_policy" in caplog.text


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    options = EngineOptions(watch_seconds=0.05)
    with TestClient(create_app(build_source(Settings(policy=folder)), "test", options)) as client:
        yield client


def _rules(client: TestClient) -> str:
    return str(client.get("/v1/model").json()["versions"]["rules"])


def test_the_service_takes_over_a_changed_policy_and_refuses_a_wrong_one(folder: Path, client: TestClient) -> None:
    _put(folder, '"9.3"')
    while _rules(client) != "9.3":
        time.sleep(0.02)
    _put(folder, "[")
    answer = client.post("/v1/model/reload")
    assert (answer.status_code, answer.json()["code"]) == (409, "bad_policy")
    assert _rules(client) == "9.3"
    assert "triage_bundle_refused 0.0" in client.get("/metrics").text


def test_the_deliverer_goes_by_the_policy_that_was_put_in_place(
    database: Database, take: Take, policy: Policy, clock: Clock
) -> None:
    class Nowhere:
        async def send(self, _: object) -> None:
            """Taken."""

        async def close(self) -> None:
            """Nothing is held."""

    other = policy.routing.model_copy(deep=True)
    take("T1", "停电三小时了没人管")
    clock.goes_on(days=30)
    metrics = DeliveryMetrics()
    deliverer = Deliverer(database, Nowhere(), policy.routing, Pace(park_after=3), clock, metrics)
    watch = ClockWatch(database, timedelta(hours=4), timedelta(minutes=15), clock)

    class Renewed:
        routing, cues = other, policy.cues

    watches = Watches(watch, policy.cues, lambda: Renewed)  # type: ignore[arg-type, return-value]
    asyncio.run(run(deliverer, watches, asyncio.Event(), once=True))
    assert deliverer.routing is other
    overdue = {clock: _value(metrics, "triage_tickets_overdue", clock=clock) for clock in ("contact_due_at", "due_at")}
    assert overdue == {"contact_due_at": 1.0, "due_at": 1.0}


def _value(metrics: DeliveryMetrics, name: str, **labels: str) -> Any:
    return metrics.registry.get_sample_value(name, labels)


def test_the_deliverers_counters_are_there_from_the_start() -> None:
    metrics = DeliveryMetrics()
    assert {_value(metrics, "triage_outbox_delivered_total", kind=kind) for kind in KINDS} == {0.0}
    assert _value(metrics, "triage_outbox_failed_total", reason="timeout") == 0.0


def test_the_deliverer_logs_json_without_addresses(tmp_path: Path, policy: Policy) -> None:
    store_url = f"sqlite:///{tmp_path / 'store.db'}"
    table = tmp_path / "webhooks.yaml"
    table.write_text("default: https://127.0.0.1:9/secret-place\n", encoding="utf-8")
    database = Database(store_url)
    upgrade(database)
    intake = Intake(TicketWriter(database), Pipeline(policy), b"s" * 32, 365, lambda: datetime.now(UTC))
    intake.take_in(incoming_from({"ticket_id": "T1", "content": "停电三小时了没人管"}), "test")
    database.close()
    settings = {
        "TRIAGE_DATABASE_URL": store_url, "TRIAGE_WEBHOOKS": str(table), "TRIAGE_WEBHOOK_HOSTS": "127.0.0.1:9",
        "TRIAGE_WEBHOOK_SECRET": "YSBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXRlcw==", "TRIAGE_SECRET": "s" * 32,
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("triage")), "deliver", "--once"]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(event["event"].endswith("not taken: connection") for event in events)
    assert "secret-place" not in done.stdout + done.stderr
