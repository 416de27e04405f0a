"""The learning loop beside things that run: a server that answers all the while, and MLflow."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from model.policy import Policy
from model.ticket import LabelledTicket
from training.fit import FitSettings, fit_bundle
from training.registry import Record, Registry
from training.verdict import Sides, Verdict, write_verdict

Command = Callable[..., tuple[int, str, str]]
CHAMPION = Path("artifacts/champion")


@pytest.fixture(scope="module")
def bundles(
    tmp_path_factory: pytest.TempPathFactory, train_side: tuple[LabelledTicket, ...], policy: Policy
) -> dict[str, Path]:
    """Two small bundles by their ids, the one in use first."""
    folder = tmp_path_factory.mktemp("live")
    found = {}
    for name, authors in (("old", ("a02", "a03")), ("new", ("a02", "a03", "a04"))):
        tickets = [ticket for ticket in train_side if ticket.author in authors]
        found[fit_bundle(tickets, policy, folder / name, FitSettings(folds=2), progress=lambda _: None)] = folder / name
    return found


@contextmanager
def _server() -> Iterator[str]:
    """A real process that looks for a new champion five times a second."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"import sys; sys.argv = ['triage', 'serve', '--port', '{port}']; from triage.cli.main import run; run()"
    environment = {**os.environ, "TRIAGE_WATCH_SECONDS": "0.2", "TRIAGE_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


class _Caller(threading.Thread):
    """Asks one question after the other and keeps every answer's status and bundle."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address, self._ending = address, threading.Event()
        self.answers: list[tuple[int, str | None]] = []

    def run(self) -> None:
        with httpx.Client(timeout=30) as client:
            while not self._ending.is_set():
                answer = client.post(f"{self._address}/v1/predict", json={"text": "停电三小时了没人管"})
                body = answer.json()
                self.answers.append((answer.status_code, body.get("versions", {}).get("bundle")))

    def end(self) -> None:
        self._ending.set()
        self.join()

    def until(self, bundle: str, seconds: float = 60) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.answers and self.answers[-1][1] == bundle:
                return True
            time.sleep(0.05)
        return False


def _alive(address: str, seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return True
        except httpx.HTTPError:
            time.sleep(0.2)
    return False


@pytest.mark.slow
def test_a_running_server_follows_promotion_and_rollback_without_a_failed_request(
    triage: Command, bundles: dict[str, Path], policy: Policy
) -> None:
    old, new = bundles
    shutil.copytree(bundles[old], CHAMPION)
    place = Path("artifacts/challengers") / new
    shutil.copytree(bundles[new], place / "bundle")
    write_verdict(Verdict(Sides(old, new, "d" * 64, "1"), {}, (), (), 0), policy.taxonomy, place)
    with _server() as address:
        assert _alive(address)
        callers = [_Caller(address) for _ in range(4)]
        for caller in callers:
            caller.start()
        for _ in range(3):
            assert all(caller.until(old) for caller in callers)
            assert triage("promote", new)[0] == 0
            assert all(caller.until(new) for caller in callers)
            assert triage("rollback")[0] == 0
        assert all(caller.until(old) for caller in callers)
        for caller in callers:
            caller.end()
    answers = [answer for caller in callers for answer in caller.answers]
    assert {status for status, _ in answers} == {200}
    assert {bundle for _, bundle in answers} == {old, new}
    print(f"{len(answers)} requests over 6 changes of the champion, none failed")


@pytest.mark.slow
def test_mlflow_keeps_parameters_figures_bundle_and_moves_its_aliases(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="needs the extra `registry`")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"id": name}), encoding="utf-8")
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "files")
    for name in ("first", "second"):
        figures = {"frozen.leaf:billing.charge": 0.9}
        registry.record(Record(name, {"folds": 5}, figures, {"data": "d" * 64}, {"bundle": tmp_path / name}))
    assert registry.aliases() == {"challenger": "second"}
    assert registry.crown("first")
    assert registry.aliases() == {"challenger": "second", "champion": "first"}
    assert registry.crown("second")
    assert registry.aliases() == {"champion": "second"}
    assert not registry.crown("fitted elsewhere")
    assert registry.aliases() == {}
    kept = sorted((tmp_path / "files").rglob("manifest.json"))
    assert {json.loads(path.read_text(encoding="utf-8"))["id"] for path in kept} == {"first", "second"}


@pytest.mark.slow
def test_promotion_goes_on_where_mlflows_server_is_away(
    triage: Command, bundles: dict[str, Path], policy: Policy
) -> None:
    pytest.importorskip("mlflow", reason="needs the extra `registry`")
    old, new = bundles
    shutil.copytree(bundles[old], CHAMPION)
    place = Path("artifacts/challengers") / new
    shutil.copytree(bundles[new], place / "bundle")
    write_verdict(Verdict(Sides(old, new, "d" * 64, "1"), {}, (), (), 0), policy.taxonomy, place)
    code, out, err = triage("promote", new, "--tracking", "http://127.0.0.1:9")
    assert code == 0
    assert new in out
    assert "未登记" in err
    assert "Traceback" not in err
