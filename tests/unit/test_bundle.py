import json
import pickle
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest

from model import safe_joblib
from model.bundle import Bundle, load_bundle
from model.errors import BundleMissing, BundleRefused
from model.manifest import verify_bundle
from model.policy import load_policy


@pytest.fixture
def copy(bundle_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))


def _change(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, **values}), encoding="utf-8")


def test_a_bundle_survives_a_round_trip(bundle: Bundle, bundle_folder: Path) -> None:
    again = load_bundle(bundle_folder)
    texts = ["停电三小时没人管", "电费多扣了两百块"]
    assert again.id == bundle.id
    np.testing.assert_allclose(again.classifier.predict_proba(texts), bundle.classifier.predict_proba(texts))


def test_the_manifest_says_what_is_inside(bundle: Bundle, bundle_folder: Path) -> None:
    for key in (
        "format",
        "created",
        "code_version",
        "taxonomy",
        "rules",
        "guideline",
        "data",
        "metrics",
        "thresholds",
        "libraries",
        "files",
    ):
        assert key in bundle.manifest
    assert {"linear.joblib", "policy/dictionary.txt", "model_card.md"} <= set(bundle.manifest["files"])
    size = sum(path.stat().st_size for path in bundle_folder.rglob("*") if path.is_file())
    assert size <= 60_000_000


def test_no_ticket_text_is_in_the_manifest(bundle_folder: Path, train_side) -> None:  # type: ignore[no-untyped-def]
    manifest = (bundle_folder / "manifest.json").read_text(encoding="utf-8")
    assert not any(ticket.text[:20] in manifest for ticket in train_side)


def test_a_missing_bundle_is_named_missing(tmp_path: Path) -> None:
    with pytest.raises(BundleMissing, match="make train"):
        load_bundle(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["linear.joblib", "policy/dictionary.txt", "policy/taxonomy.yaml", "model_card.md"])
def test_a_changed_file_is_refused(copy: Path, name: str) -> None:
    with (copy / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleRefused, match=name):
        load_bundle(copy)


def test_a_truncated_file_is_refused(copy: Path) -> None:
    content = (copy / "linear.joblib").read_bytes()
    (copy / "linear.joblib").write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleRefused):
        load_bundle(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "linear.joblib").unlink()
    with pytest.raises(BundleRefused):
        load_bundle(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 1}'])
def test_a_manifest_that_is_none_is_refused(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleRefused):
        load_bundle(copy)


def test_another_format_is_refused(copy: Path) -> None:
    _change(copy, format=99)
    with pytest.raises(BundleRefused, match="99"):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "policy/../../x", "a\\b"])
def test_a_file_outside_the_bundle_is_refused(copy: Path, name: str) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    _change(copy, files={**manifest["files"], name: "0"})
    with pytest.raises(BundleRefused):
        verify_bundle(copy)


def test_with_a_key_an_unsigned_bundle_is_refused(copy: Path) -> None:
    with pytest.raises(BundleRefused, match="签名"):
        load_bundle(copy, key="secret")


def test_leaves_the_taxonomy_does_not_have_are_refused_politely(copy: Path, tmp_path: Path) -> None:
    import yaml

    from model.policy import BUILT_IN

    own = tmp_path / "own"
    own.mkdir()
    renamed = {"billing.charge": "billing.amount"}
    for name in ("taxonomy.yaml", "routing.yaml", "measures.yaml", "rules/leaves.yaml"):
        text = (BUILT_IN / name).read_text(encoding="utf-8").replace("billing.charge", renamed["billing.charge"])
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).write_text(text, encoding="utf-8")
    assert yaml.safe_load((own / "taxonomy.yaml").read_text(encoding="utf-8"))
    with pytest.raises(BundleRefused, match=r"billing\.charge"):
        load_bundle(copy, load_policy(own))


class _Evil:
    """Would leave a trace if it were ever called."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('evil').touch()",))


def test_a_foreign_type_is_neither_imported_nor_called(tmp_path: Path) -> None:
    path = tmp_path / "x.joblib"
    path.write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(BundleRefused, match="eval"):
        safe_joblib.load(path)
    assert not Path("evil").exists()


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.joblib"
    joblib.dump(np.array([_Evil(), 1], dtype=object), path)
    with pytest.raises(BundleRefused):
        safe_joblib.load(path)
    assert not Path("evil").exists()


def test_rubbish_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.joblib"
    path.write_bytes(b"\x80\x04not a pickle")
    with pytest.raises(BundleRefused):
        safe_joblib.load(path)
