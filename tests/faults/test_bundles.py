"""Bundles that are cut short, forged or foreign, put in the place of the one that a real server uses, under load."""

import hashlib
import json
import os
import pickle
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.faults.harness import tell
from tests.faults.processes import running, server, until

ASKERS = 4
TEXT = {"text": "停电三小时了没人管,电表也烧了"}


class Asker(threading.Thread):
    """Asks for predictions without a pause."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.seen: Counter[tuple[str, str | None]] = Counter()  # status and bundle
        self.stopped = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            while not self.stopped.is_set():
                try:
                    answer = client.post("/v1/predict", json=TEXT)
                    self.seen[str(answer.status_code), answer.json().get("versions", {}).get("bundle")] += 1
                except httpx.HTTPError as error:
                    self.seen[type(error).__name__, None] += 1
                    time.sleep(0.1)


class _Foreign:
    """What a forger would put into the pickle."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.marker),)


def _cut_short(folder: Path) -> None:
    os.truncate(folder / "linear.joblib", 1000)


def _wrong_hash(folder: Path) -> None:
    (folder / "model_card.md").write_text("forged", encoding="utf-8")


def _foreign(folder: Path) -> None:
    """Well described: the manifest has the right hash."""
    target = folder / "linear.joblib"
    target.unlink()
    target.write_bytes(pickle.dumps(_Foreign(folder.parent / "called")))
    _edit(folder, linear=hashlib.sha256(target.read_bytes()).hexdigest())


def _edit(folder: Path, name: str | None = None, linear: str | None = None) -> None:
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["id"] = name or manifest["id"]
    manifest["files"]["linear.joblib"] = linear or manifest["files"]["linear.joblib"]
    file.write_text(json.dumps(manifest), encoding="utf-8")


def _put(good: Path, place: Path, name: str, damage: Callable[[Path], None] | None = None) -> None:
    """Another bundle in the place of the one in use, by renaming, as `triage train` and `promote` do it."""
    work = Path(shutil.copytree(good, place.with_name(f"{name}-made")))
    _edit(work, name=name)
    if damage:
        damage(work)
    place.rename(place.with_name(f"before-{name}"))
    work.rename(place)


@pytest.mark.slow
def test_no_damaged_bundle_costs_a_request_or_is_opened(bundle: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(bundle, tmp_path / "champion"))
    settings = {
        "TRIAGE_BUNDLE": str(place),
        "TRIAGE_WATCH_SECONDS": "0.5",
        "TRIAGE_BUDGET_MS": "30000",
        "TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
    }
    api, url = server(settings, tmp_path / "serve.log")
    with running(api), httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        askers = [Asker(url) for _ in range(ASKERS)]
        for asker in askers:
            asker.start()
        for damage in (_cut_short, _wrong_hash, _foreign):
            _refused(client, lambda d=damage: _put(bundle, place, d.__name__.strip("_"), d))
            _taken(
                client, lambda d=damage: _put(bundle, place, f"good-after{d.__name__}"), f"good-after{damage.__name__}"
            )
        for asker in askers:
            asker.stopped.set()
            asker.join()
        seen = sum((asker.seen for asker in askers), Counter())
        assert client.get("/readyz").json()["level"] == "linear"
        assert not (tmp_path / "called").exists()
    tell("bundles", {f"{status} {name}": count for (status, name), count in seen.items()})
    assert {status for status, _ in seen} == {"200"}
    assert {name for _, name in seen} <= {json.loads((bundle / "manifest.json").read_text())["id"]} | {
        f"good-after{damage.__name__}" for damage in (_cut_short, _wrong_hash, _foreign)
    }


@pytest.mark.slow
def test_a_server_that_starts_with_a_foreign_bundle_answers_from_rules(bundle: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(bundle, tmp_path / "champion"))
    _put(bundle, place, "foreign", _foreign)
    settings = {"TRIAGE_BUNDLE": str(place), "TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}"}
    api, url = server(settings, tmp_path / "serve.log")
    with running(api):
        assert httpx.get(f"{url}/readyz").json() == {"status": "ready", "level": "rules", "reason": "bundle_refused"}
        answer = httpx.post(f"{url}/v1/predict", json=TEXT).json()
        assert (answer["answered_by"], answer["decision"]) == ("rules", "fallback")
        assert "triage_bundle_refused 1.0" in httpx.get(f"{url}/metrics").text
    assert not (tmp_path / "called").exists()


@pytest.mark.slow
def test_after_a_bundle_was_cut_short_where_it_lies_a_restarted_server_answers(bundle: Path, tmp_path: Path) -> None:
    """Written over instead of renamed, against the manual: its arrays are mapped, so that the system may end the server."""
    place = Path(shutil.copytree(bundle, tmp_path / "champion"))
    settings = {
        "TRIAGE_BUNDLE": str(place),
        "TRIAGE_WATCH_SECONDS": "0.5",
        "TRIAGE_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
    }
    api, url = server(settings, tmp_path / "serve.log")
    with running(api), httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        _cut_short(place)
        with suppress(httpx.HTTPError):
            assert client.post("/v1/predict", json=TEXT).status_code == 200
        survived = api.alive
        if not survived:
            api.start()
            assert client.get("/readyz").json()["reason"] == "bundle_refused"
        assert client.post("/v1/predict", json=TEXT).status_code == 200
        _put(bundle, place, "mended")
        until(lambda: client.get("/readyz").json()["level"] == "linear", 60, "the mended bundle")
    tell("bundle cut short where it lies", {"the server survived": survived})


def _refused(client: httpx.Client, put: Callable[[], None]) -> None:
    before = client.get("/v1/model").json()["bundle"]
    put()
    until(lambda: "triage_bundle_refused 1.0" in client.get("/metrics").text, 60, "a refused bundle")
    answer = client.post("/v1/model/reload")
    assert (answer.status_code, answer.json()["code"]) == (409, "bundle_refused")
    assert client.get("/v1/model").json()["bundle"] == before


def _taken(client: httpx.Client, put: Callable[[], None], name: str) -> None:
    put()
    until(lambda: client.get("/v1/model").json()["bundle"] == name, 60, f"{name} in use")
    assert "triage_bundle_refused 0.0" in client.get("/metrics").text
