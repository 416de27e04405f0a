"""The engine behind HTTP: slow encoder, overload, bundles swapped under load, a stop that loses nothing."""

import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from model.bundle import Bundle, Second
from model.calibration import Exits
from model.pipeline import Pipeline
from serving.api.app import create_app
from serving.engine.engine import Source
from serving.engine.options import EngineOptions
from triage.compose import build_pipeline, build_service_pipeline
from triage.compose import bundle_folder as bundle_folder_of
from triage.settings import Settings

TEXT = {"text": "停电三小时了没人管"}


class SlowEncoder:
    """An encoder that takes its time and knows nothing."""

    def __init__(self, bundle: Bundle) -> None:
        self.classes_, self.cues_, self.seconds = bundle.classifier.classes_, (), 0.0

    def scores(self, documents: list[object]) -> tuple[np.ndarray, np.ndarray]:
        time.sleep(self.seconds)
        return np.zeros((len(documents), len(self.classes_))), np.zeros((len(documents), 0))


@pytest.fixture
def slow(bundle: Bundle) -> tuple[Pipeline, SlowEncoder]:
    encoder = SlowEncoder(bundle)
    second = Second(encoder, bundle.calibration, Exits({}, {}))  # type: ignore[arg-type]
    return Pipeline(bundle.policy, replace(bundle, source="cascade", second=second)), encoder


def _renamed(folder: Path, name: str) -> None:
    """Another bundle, put in the place of the one that is there."""
    work = Path(shutil.copytree(folder, folder.with_name(f"{name}-made")))
    manifest = json.loads((work / "manifest.json").read_text(encoding="utf-8"))
    (work / "manifest.json").write_text(json.dumps(manifest | {"id": name}), encoding="utf-8")
    folder.rename(folder.with_name(f"before-{name}"))
    work.rename(folder)


def _until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def _resident() -> float:
    """Memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.fixture
def own(bundle_folder: Path, tmp_path: Path) -> Path:
    """A bundle that a test may change."""
    return Path(shutil.copytree(bundle_folder, tmp_path / "champion"))


@pytest.fixture
def client(own: Path) -> Iterator[TestClient]:
    """A service with that bundle, which looks at its folder all the time."""
    settings = Settings(bundle=own)
    source = Source(
        first=lambda: build_service_pipeline(settings),
        renew=lambda: build_pipeline(settings),
        folder=lambda: bundle_folder_of(settings),
    )
    with TestClient(create_app(source, "test", EngineOptions(budget_ms=30_000, watch_seconds=0.1))) as client:
        yield client


def test_a_slow_encoder_holds_up_nobody(slow: tuple[Pipeline, SlowEncoder]) -> None:
    pipeline, encoder = slow
    with TestClient(create_app(lambda: pipeline, "test", EngineOptions(rest_seconds=60))) as client:
        assert client.get("/readyz").json()["level"] == "cascade"
        encoder.seconds = 3.0
        for _ in range(2):
            began = time.monotonic()
            answer = client.post("/v1/predict", json=TEXT, headers={"X-Time-Budget-Ms": "600"}).json()
            assert time.monotonic() - began < 2.5
            assert answer["answered_by"] == "linear"
            assert "over_time" in answer["reasons"]
        assert client.get("/readyz").json() == {"status": "ready", "level": "linear", "reason": "over_time"}
        page = client.get("/metrics").text
        assert 'triage_level{level="linear"} 1.0' in page
        assert 'triage_rung_left_out_total{reason="out_of_time",rung="cascade"} 2.0' in page
        assert "triage_stuck_calls 2.0" in page


def test_a_full_queue_is_a_503_that_says_when_to_come_again(slow: tuple[Pipeline, SlowEncoder]) -> None:
    pipeline, encoder = slow
    options = EngineOptions(queue=4, workers=1, batch=1)
    with TestClient(create_app(lambda: pipeline, "test", options)) as client, ThreadPoolExecutor(12) as pool:
        encoder.seconds = 0.3
        answers = list(pool.map(lambda _: client.post("/v1/predict", json=TEXT), range(12)))
        assert {answer.status_code for answer in answers} == {200, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.json()["code"] == "overloaded"
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/livez").status_code == 200
        assert client.post("/v1/predict", json=TEXT).status_code == 200


@pytest.mark.parametrize("budget", ["0", "-1", "x", "99999999"])
def test_a_time_budget_that_is_none_is_refused(slow: tuple[Pipeline, SlowEncoder], budget: str) -> None:
    with TestClient(create_app(lambda: slow[0], "test")) as client:
        answer = client.post("/v1/predict", json=TEXT, headers={"X-Time-Budget-Ms": budget})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")


def test_bundles_are_swapped_under_load_without_one_failed_request(own: Path, client: TestClient) -> None:
    seen: list[tuple[int, str]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answer = client.post("/v1/predict", json=TEXT)
            seen.append((answer.status_code, answer.json().get("versions", {}).get("bundle")))

    def last() -> str | None:
        return seen[-1][1] if seen else None

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            _renamed(own, "asked-for")
            assert client.post("/v1/model/reload").json()["bundle"] == "asked-for"
            assert _until(lambda: last() == "asked-for")
            _renamed(own, "noticed")
            assert _until(lambda: last() == "noticed")
        finally:
            done.set()
        for each in asking:
            each.result()
    assert {status for status, _ in seen} == {200}


def test_a_refused_bundle_keeps_the_old_one_and_a_mended_one_is_noticed(own: Path, client: TestClient) -> None:
    before = client.get("/v1/model").json()
    card = own / "model_card.md"
    good = card.read_bytes()
    card.write_bytes(b"forged")
    answer = client.post("/v1/model/reload")
    assert (answer.status_code, answer.json()["code"]) == (409, "bundle_refused")
    assert client.get("/v1/model").json() == before
    assert "triage_bundle_refused 1.0" in client.get("/metrics").text
    assert client.post("/v1/predict", json=TEXT).json()["answered_by"] == "linear"
    card.write_bytes(good)
    assert _until(lambda: "triage_bundle_refused 0.0" in client.get("/metrics").text)
    shutil.rmtree(own)
    assert client.post("/v1/model/reload").status_code == 409
    assert client.get("/readyz").json()["level"] == "linear"


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A real process that answers on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["triage", "serve", "--port", str(port), "--bundle", str(folder)]
    code = f"import sys; sys.argv = {command!r}; from triage.cli.main import run; run()"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        address = f"http://127.0.0.1:{port}"
        assert _until(lambda: _alive(address), 60)
        yield process, address
    finally:
        process.kill()
        process.wait()


def _alive(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow
def test_a_stopped_server_answers_what_it_has_taken_in_and_ends(bundle_folder: Path) -> None:
    with _server(bundle_folder) as (process, address), ThreadPoolExecutor(2) as pool:
        batch = {"tickets": ["停电三小时了没人管,电费也不对" * 40] * 200}
        asked = [pool.submit(httpx.post, f"{address}/v1/predict/batch", json=batch, timeout=60) for _ in range(2)]
        assert _until(lambda: "triage_queue_tickets 0.0" not in httpx.get(f"{address}/metrics", timeout=30).text)
        process.send_signal(signal.SIGTERM)
        answers = [future.result() for future in asked]
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(row["category"]["code"] for answer in answers for row in answer.json())


@pytest.mark.slow
def test_fifty_swaps_leave_no_memory_behind(client: TestClient) -> None:
    used = []
    for _ in range(50):
        assert client.post("/v1/model/reload").status_code == 200
        assert client.post("/v1/predict", json=TEXT).status_code == 200
        gc.collect()
        used.append(_resident())
    assert max(used[40:]) - max(used[5:15]) < 25, used  # a bundle takes several times that
