"""The copy of a bundle's large file that processes share."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model import safe_joblib, shared
from model.bundle import Contents, load_bundle, save_bundle
from model.manifest import LINEAR
from model.pipeline import Pipeline
from model.shared import shared_copy
from model.ticket import Ticket


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shared, "user_cache_path", lambda _: tmp_path / "cache")
    return tmp_path / "cache"


def _file(tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "large"
    path.write_bytes(b"weights" * 1000)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_copy_is_made_once_and_found_again(tmp_path: Path, cache: Path) -> None:
    path, digest = _file(tmp_path)
    first = shared_copy(path, digest)
    assert first
    made = first.stat().st_ino
    assert shared_copy(path, digest) == first
    assert first.stat().st_ino == made
    assert [p.name for p in (cache / "shared").iterdir()] == [digest]


def test_a_damaged_copy_is_made_again(tmp_path: Path, cache: Path) -> None:
    path, digest = _file(tmp_path)
    copy = shared_copy(path, digest)
    assert copy
    copy.write_bytes(b"damaged")
    again = shared_copy(path, digest)
    assert again
    assert again.read_bytes() == path.read_bytes()


def test_a_file_with_another_hash_is_not_shared(tmp_path: Path, cache: Path) -> None:
    path, _ = _file(tmp_path)
    assert shared_copy(path, "0" * 64) is None


def test_without_a_place_for_it_there_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, digest = _file(tmp_path)
    monkeypatch.setattr(shared, "user_cache_path", lambda _: path)  # a file stands where the folder would be
    assert shared_copy(path, digest) is None


def test_a_bundle_cut_short_in_place_does_not_harm_who_has_opened_it(
    bundle_folder: Path, tmp_path: Path, cache: Path
) -> None:
    import shutil

    copy = Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))
    script = (
        "import sys; from pathlib import Path; from model.bundle import load_bundle; from model.pipeline import Pipeline;"
        "from model.ticket import Ticket; b = load_bundle(Path(sys.argv[1])); p = Pipeline(b.policy, b);"
        f"open(Path(sys.argv[1]) / '{LINEAR}', 'r+b').truncate(100);"
        "print(p.predict([Ticket('换表没通知我,底数也没让看')])[0].answered_by)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(copy)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "linear"), done.stderr


def test_a_bundle_that_was_opened_can_be_saved_again(bundle_folder: Path, tmp_path: Path, cache: Path) -> None:
    bundle = load_bundle(bundle_folder)
    about = {name: bundle.manifest[name] for name in ("data", "metrics")}
    save_bundle(
        Contents("linear", bundle.classifier, bundle.calibration, bundle.policy, about, "card"), tmp_path / "again"
    )
    again = load_bundle(tmp_path / "again")
    ticket = Ticket("换表没通知我,底数也没让看")
    assert (
        Pipeline(again.policy, again).predict([ticket])[0].candidates
        == Pipeline(bundle.policy, bundle).predict([ticket])[0].candidates
    )


def test_what_is_dumped_is_what_is_loaded(tmp_path: Path) -> None:
    value = {"weights": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "b"]), "more": {"n": np.float64(2.5)}}
    safe_joblib.dump(value, tmp_path / "x")
    for mapped in (False, True):
        found = safe_joblib.load(tmp_path / "x", mapped=mapped)
        assert (found["weights"] == value["weights"]).all()
        assert found["names"].tolist() == ["a", "b"]
        assert found["more"]["n"] == 2.5
