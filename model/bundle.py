"""The folder a trained classifier lives in (模型包): save, verify, load.

Files: manifest.json, manifest.hmac (where a key is set), linear.joblib, policy/, model_card.md.
Hashes and format are checked before any file is opened.
"""

import hashlib
import hmac
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

import joblib

from model import safe_joblib
from model.calibration import CUES, Calibration
from model.errors import BundleMissing, BundleRefused, TriageError, UnusableOutput
from model.linear import LinearClassifier
from model.policy import FILES, Policy, load_policy
from model.policy.load import find_file

FORMAT = 1
LINEAR = "linear.joblib"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.hmac"
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib", "jieba", "OpenCC")


@dataclass(frozen=True)
class Bundle:
    """A verified, opened bundle."""

    id: str
    source: str
    manifest: Mapping[str, Any]
    classifier: LinearClassifier
    calibration: Calibration
    policy: Policy


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle. `about` holds data hash, counts and metrics for the manifest; `card` is Markdown."""

    source: str
    classifier: LinearClassifier
    calibration: Calibration
    policy: Policy
    about: Mapping[str, Any]
    card: str


def save_bundle(contents: Contents, folder: Path, key: str | None = None) -> str:
    """Write a bundle: made whole beside its place, then moved there, so that a reader never sees a half.

    Args:
        contents: classifier, calibration, policy, description.
        folder: where; replaced if it is there.
        key: signs the manifest where given.

    Returns:
        The bundle's id.

    Raises:
        UnusableOutput: the folder holds something that is no bundle.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UnusableOutput(f"{folder} 不是空目录,也不是模型包,不会覆盖;请换一个目录")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        joblib.dump(contents.classifier.state(), work / LINEAR)
        for name in FILES:
            target = work / "policy" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(find_file(contents.policy.folder, name), target)
        (work / "model_card.md").write_text(contents.card, encoding="utf-8")
        manifest = _manifest(contents, work)
        text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
        (work / MANIFEST).write_text(text, encoding="utf-8")
        if key:
            (work / SIGNATURE).write_text(_sign(text.encode(), key), encoding="ascii")
        work.chmod(0o755)
        _swap(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return str(manifest["id"])


def load_bundle(folder: Path, policy: Policy | None = None, key: str | None = None) -> Bundle:
    """Check a bundle and open it.

    Args:
        folder: the bundle.
        policy: an office's own policy; None takes the one inside the bundle.
        key: where given, the manifest must carry its signature.

    Returns:
        The bundle.

    Raises:
        BundleMissing: there is none.
        BundleRefused: damaged, forged, of another format, or trained for other leaves.
    """
    manifest = verify_bundle(folder, key)
    try:
        return _open(folder, manifest, policy)
    except BundleRefused:
        raise
    except (TriageError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleRefused(f"模型包被拒绝:{folder} 的内容与清单不符({type(error).__name__});请重新训练") from error


def _open(folder: Path, manifest: Mapping[str, Any], policy: Policy | None) -> Bundle:
    policy = policy or load_policy(folder / "policy")
    state = safe_joblib.load(folder / LINEAR)
    classifier = LinearClassifier.from_state(state, folder / "policy" / "dictionary.txt")
    unknown = {str(code) for code in classifier.classes_} - set(policy.taxonomy.codes)
    if unknown:
        raise BundleRefused(
            f"模型包 {folder} 按类目体系 {manifest['taxonomy']} 训练,含现行体系 {policy.taxonomy.version} 没有的类别 "
            f"{sorted(unknown)};请用 triage train 重新训练"
        )
    calibration = Calibration.from_dict(manifest["thresholds"])
    if set(CUES) - set(calibration.cues):
        raise BundleRefused(f"模型包被拒绝:{folder} 的清单缺少线索阈值;请重新训练")
    return Bundle(manifest["id"], manifest["source"], manifest, classifier, calibration, policy)


def verify_bundle(folder: Path, key: str | None = None) -> dict[str, Any]:
    """Check format, signature and the hash of every file, without opening any of them.

    Args:
        folder: the bundle.
        key: where given, the manifest must carry its signature.

    Returns:
        The manifest.

    Raises:
        BundleMissing: no folder or no manifest.
        BundleRefused: anything else that is wrong.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleMissing(f"没有模型包:{folder};请先运行 make train,或用 --bundle 指定")
    content = path.read_bytes()
    try:
        manifest: dict[str, Any] = json.loads(content)
        files = dict(manifest["files"])
        wanted = {"id", "source", "format", "taxonomy", "thresholds"} - set(manifest)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleRefused(f"模型包被拒绝:{path} 不是合法的清单;请重新复制或训练") from error
    if wanted or manifest["format"] != FORMAT:
        raise BundleRefused(f"模型包被拒绝:清单格式 {manifest.get('format')!r},本程序读 {FORMAT};请用同版本程序训练")
    if key:
        _check_signature(folder / SIGNATURE, content, key)
    unlisted = {LINEAR, *(f"policy/{name}" for name in FILES)} - set(files)
    if unlisted:
        raise BundleRefused(f"模型包被拒绝:清单没有列出 {sorted(unlisted)};请重新训练")
    for name, digest in files.items():
        _check_file(folder, name, digest)
    return manifest


def _manifest(contents: Contents, work: Path) -> dict[str, Any]:
    files = {p.relative_to(work).as_posix(): _digest(p) for p in sorted(work.rglob("*")) if p.is_file()}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    short = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:8]
    taxonomy = contents.policy.taxonomy
    return {
        "format": FORMAT,
        "id": f"{contents.source}-{created[:10].replace('-', '')}-{short}",
        "source": contents.source,
        "created": created,
        "code_version": version("complaint-triage"),
        "taxonomy": taxonomy.version,
        "rules": contents.policy.rules_version,
        "guideline": taxonomy.guideline,
        "leaves": [str(code) for code in contents.classifier.classes_],
        "thresholds": contents.calibration.to_dict(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "files": files,
        **contents.about,
    }


def _check_file(folder: Path, name: str, digest: object) -> None:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\\" in name:
        raise BundleRefused(f"模型包被拒绝:清单列出了包外的文件 {name!r}")
    path = folder / name
    if path.is_symlink() or not path.is_file() or _digest(path) != digest:
        raise BundleRefused(f"模型包被拒绝:{name} 缺失或与清单的 SHA-256 不符;请重新复制或训练")


def _check_signature(path: Path, content: bytes, key: str) -> None:
    given = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else ""
    if not hmac.compare_digest(given.encode(), _sign(content, key).encode()):
        raise BundleRefused("模型包被拒绝:签名缺失或与 TRIAGE_BUNDLE_KEY 不符;请确认来源")


def _sign(content: bytes, key: str) -> str:
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _swap(work: Path, folder: Path) -> None:
    if not folder.exists():
        os.replace(work, folder)  # noqa: PTH105 - rename of a folder
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent)) / "bundle"
    os.replace(folder, old)  # noqa: PTH105
    try:
        os.replace(work, folder)  # noqa: PTH105
    except OSError:
        os.replace(old, folder)  # noqa: PTH105 - the former bundle comes back
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
