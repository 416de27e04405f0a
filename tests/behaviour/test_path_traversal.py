"""No name that comes from outside leads out of the folder it belongs to, or into a header."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from model.bundle import load_bundle
from model.errors import BundleError, BundleMissing, BundleRefused, UnreadableInput
from model.manifest import file_digest, plain_name, verify_bundle
from serving.console import sheet
from training.places import BUNDLE, Places
from training.promote import Wish, promote, rollback
from training.versions import former_files
from triage.archive.parts import parts_of_folder
from triage.output import write

ROOT = Path(__file__).parent.parent.parent
OUT = ["../outside.txt", "/etc/hostname", "policy/../../outside.txt", "..", ".", "", "a\\..\\b", "policy/\x00x", "\ud800", "a" * 300,
       "a/" * 3000 + "b", "policy//../../outside.txt", "./../outside.txt", "~/.bashrc/../../outside.txt"]  # fmt: skip
NO_IDS = [
    "../../../escaped",
    "/escaped",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "a\x00b",
    "a\nb",
    "\ud800",
    "-rf",
    "a" * 200,
    "模型",
    5,
    None,
    ["a"],
]
NAMES = ["../../x.csv", "/etc/x.csv", "..\\..\\x.csv", "x.csv\r\nSet-Cookie: a=b", 'x"; filename="y.exe', "\x00.csv", "\ud800.csv", "‮vsc.exe",
         "工单.csv", "a;b.csv", "x.csv%0d%0aX: y", "'", "/", ""]  # fmt: skip
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def copy(bundle_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path / "house" / "bundle"))


def _change(bundle: Path, **values: object) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    (bundle / "manifest.json").write_text(json.dumps({**manifest, **values}), encoding="utf-8")


def _listed(bundle: Path) -> dict[str, str]:
    files: dict[str, str] = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))["files"]
    return files


@pytest.mark.parametrize("name", OUT, ids=range(len(OUT)))
def test_a_manifest_cannot_name_a_file_elsewhere_even_with_its_right_hash(copy: Path, name: str) -> None:
    outside = copy.parent / "outside.txt"
    outside.write_text("secret", encoding="utf-8")
    digest = (
        file_digest(Path("/etc/hostname")) if name == "/etc/hostname" and Path(name).is_file() else file_digest(outside)
    )
    _change(copy, files={**_listed(copy), name: digest})
    with pytest.raises(BundleRefused):
        verify_bundle(copy)


@pytest.mark.parametrize("name", ["linear.joblib", "policy/taxonomy.yaml", "policy", "policy/rules"])
def test_a_bundle_with_a_link_in_it_is_refused_also_where_the_content_is_right(copy: Path, name: str) -> None:
    moved = copy.parent / "moved"
    (copy / name).rename(moved)
    (copy / name).symlink_to(moved)
    with pytest.raises(BundleRefused):
        load_bundle(copy)


@pytest.mark.parametrize("number", NO_IDS, ids=range(len(NO_IDS)))
def test_an_id_that_is_no_name_is_refused(copy: Path, number: object) -> None:
    assert plain_name(number) is None
    _change(copy, id=number)
    with pytest.raises(BundleRefused):
        verify_bundle(copy)


@pytest.fixture
def places(tmp_path: Path, bundle_folder: Path) -> Places:
    """A champion and a challenger."""
    found = Places(tmp_path / "house" / "deep" / "artifacts" / "champion")
    shutil.copytree(bundle_folder, found.champion)
    shutil.copytree(bundle_folder, found.challengers / verify_bundle(bundle_folder)["id"] / BUNDLE)
    return found


def _all(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("number", ["../../../../escaped", "/escaped", "x/../../../../escaped"])
def test_a_forged_champion_is_put_aside_inside_the_house(tmp_path: Path, places: Places, number: str) -> None:
    name = places.all_challengers()[0].name
    target = str(tmp_path / "escaped") if number.startswith("/") else number
    before = {path for path in _all(tmp_path) if not path.startswith("house/deep/artifacts")}
    _change(places.champion, id=target)
    promote(places, name, Wish(force=True), now=NOW)
    with pytest.raises(BundleRefused):
        rollback(places, key=None, now=NOW)
    (former,) = places.all_former()
    assert former.name == "0001-unreadable"
    shutil.rmtree(former)
    shutil.copytree(places.champion, former)
    _change(places.champion, id=target)
    rollback(places, key=None, now=NOW)
    assert {path for path in _all(tmp_path) if not path.startswith("house/deep/artifacts")} == before
    assert (places.challengers / "unreadable" / BUNDLE).is_dir()


@pytest.mark.parametrize(
    "name", ["../x", "/etc", "", ".", "..", "*", "a\x00b", "\ud800", "a" * 5000, "challengers/../champion"]
)
def test_only_a_listed_challenger_is_promoted(places: Places, name: str) -> None:
    (places.root / "x" / BUNDLE).mkdir(parents=True)
    shutil.copy(places.champion / "manifest.json", places.root / "x" / BUNDLE)
    with pytest.raises(BundleMissing):
        promote(places, name, Wish(force=True), now=NOW)


@pytest.mark.parametrize("name", ["../outside", "/outside", "..", "x/../../outside", "../../outside.json"])
def test_a_data_version_is_read_from_its_folder_only(tmp_path: Path, name: str) -> None:
    label = tmp_path / "labels.jsonl"
    label.write_text("{}", encoding="utf-8")
    table = {"files": {str(label): file_digest(label)}, "rows": []}
    (tmp_path / "data").mkdir()
    for place in (tmp_path, tmp_path.parent):
        (place / "outside.json").write_text(json.dumps(table), encoding="utf-8")
    assert former_files(tmp_path / "data", name) == ()


def test_a_shown_file_name_is_a_name_and_nothing_more() -> None:
    files = pytest.importorskip("serving.console.files", reason="the extra `console` is not installed")
    for name in NAMES:
        assert re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9%._~-]*", files.attachment(name)), name
    assert files.attachment("工单.csv").endswith("%E5%B7%A5%E5%8D%95.csv")


@pytest.mark.parametrize("name", [*NAMES, "x.csv/../../y", "x." + "c" * 5000, "x.cs\x00v", "x.csv.gz"], ids=ascii)
def test_a_dropped_file_is_written_nowhere_but_into_a_folder_that_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with suppress(UnreadableInput):
        rows = sheet.read("content\n停电\n".encode(), name)
        assert len(rows) in (1, 2)  # without an ending each line is a ticket
    assert list(tmp_path.iterdir()) == []


def test_results_of_an_archive_lie_below_their_folder(tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    for name in ("..csv", "...csv", "a/..b.csv", "a b\n.csv", "-rf.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("content\n停电\n", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.csv").write_text("content\n", encoding="utf-8")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    parts = parts_of_folder(folder, output)
    assert all(Path(part.output).resolve().is_relative_to(output.resolve()) for part in parts)
    assert (
        len({part.output for part in parts})
        == len(parts)
        == 5 - sum(p.name.startswith(".") for p in folder.rglob("*.csv"))
    )
    assert not any("secret" in part.source for part in parts)


def test_an_output_as_long_as_the_disk_allows_is_written_and_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("kept", encoding="utf-8")
    linked = tmp_path / "linked.csv"
    linked.symlink_to(kept)
    for output in (tmp_path / ("单" * 83 + ".csv"), linked):
        error = {"row": 1, "error": {"code": "bad_row", "message": "无"}}
        assert list(write([error], output)) == [error]
        assert "bad_row" in output.read_text(encoding="utf-8-sig")
    assert kept.read_text(encoding="utf-8") == "kept"
    assert len(list(tmp_path.iterdir())) == 3


def _kit(folder: Path) -> Path:
    (folder / "wheels").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "install.sh", folder)
    (folder / "wheels" / "x.whl").write_text("whole", encoding="ascii")
    sums = subprocess.run(["sha256sum", "wheels/x.whl"], cwd=folder, capture_output=True, text=True, check=True)
    (folder / "SHA256SUMS").write_text(sums.stdout, encoding="ascii")
    return folder


@pytest.mark.parametrize("more", ["wheels/complaint_triage-9.whl", "champion/policy/x.yaml", "encoder/x"])
def test_a_kit_with_a_file_that_its_sums_do_not_know_is_not_installed(tmp_path: Path, more: str) -> None:
    kit = _kit(tmp_path / "kit")
    (kit / more).parent.mkdir(parents=True, exist_ok=True)
    (kit / more).symlink_to("/etc/hostname")
    told = subprocess.run(
        ["sh", "install.sh", str(tmp_path / "home")], cwd=kit, capture_output=True, text=True, check=False
    )
    assert (told.returncode, "清单以外" in told.stderr) == (1, True)
    assert not (tmp_path / "home").exists()


def test_a_bundle_with_a_link_goes_into_no_kit(copy: Path) -> None:
    (copy / "linear.joblib").unlink()
    (copy / "linear.joblib").symlink_to("/etc/hostname")
    with pytest.raises(BundleError):
        verify_bundle(copy)
    command = [sys.executable, str(ROOT / "deploy" / "kit.py"), "--champion", str(copy), "--output", "kit.tar.gz"]
    told = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert told.returncode == 1
    assert "linear.joblib" in told.stderr
    assert not Path("kit.tar.gz").exists()
