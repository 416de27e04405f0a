"""The folder a trained classifier lives in (模型包): save, verify, load.

Files: manifest.json, manifest.hmac (where a key is set), linear.joblib, policy/, model_card.md.
Hashes and format are checked before any file is opened.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from model import encoder, safe_joblib
from model.calibration import CUES, Calibration, Exits
from model.errors import BundleOutdated, BundleRefused, UnusableOutput
from model.linear import LinearClassifier
from model.manifest import FORMAT, LINEAR, MANIFEST, SIGNATURE, file_digest, sign, verify_bundle
from model.policy import FILES, LATER_FILES, Policy, load_policy
from model.policy.load import find_file
from model.shared import shared_copy
from model.taxonomy import Taxonomy

_SHOWN = 40  # characters of a long name that its work folder bears
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib", "jieba", "OpenCC")


@dataclass(frozen=True)
class Second:
    """What a cascade has behind the linear classifier: an encoder, how all are joined, who may leave before it."""

    encoder: encoder.Encoder
    calibration: Calibration
    exits: Exits


@dataclass(frozen=True)
class Bundle:
    """A verified, opened bundle; `second` in a cascade only."""

    id: str
    source: str
    manifest: Mapping[str, Any]
    classifier: LinearClassifier
    calibration: Calibration
    policy: Policy
    second: Second | None = None


@dataclass(frozen=True)
class EncoderFiles:
    """An exported encoder on its way into a bundle: a folder with `model.encoder.FILES`."""

    folder: Path
    calibration: Calibration
    exits: Exits


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle. `about` holds data hash, counts and metrics for the manifest; `card` is Markdown."""

    source: str
    classifier: LinearClassifier
    calibration: Calibration
    policy: Policy
    about: Mapping[str, Any]
    card: str
    encoder: EncoderFiles | None = None


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
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name[:_SHOWN]}-", dir=folder.parent))
    try:
        safe_joblib.dump(contents.classifier.state(), work / LINEAR)
        for name in FILES:
            if name in LATER_FILES and not (contents.policy.folder / name).is_file():
                continue  # the built-in one is not the office's: its codes need not be those of this taxonomy
            target = work / "policy" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(find_file(contents.policy.folder, name), target)
        if contents.encoder:
            for name in encoder.FILES:
                shutil.copyfile(contents.encoder.folder / name, work / name)
        (work / "model_card.md").write_text(contents.card, encoding="utf-8")
        manifest = _manifest(contents, work)
        text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
        (work / MANIFEST).write_text(text, encoding="utf-8")
        if key:
            (work / SIGNATURE).write_text(sign(text.encode(), key), encoding="ascii")
        work.chmod(0o755)
        _swap(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return str(manifest["id"])


def load_bundle(folder: Path, policy: Policy | None = None, key: str | None = None, *, threads: int = 0) -> Bundle:
    """Check a bundle and open it.

    Args:
        folder: the bundle.
        policy: an office's own policy; None takes the one inside the bundle.
        key: where given, the manifest must carry its signature.
        threads: of one inference of the encoder; 0 takes every core.

    Returns:
        The bundle.

    Raises:
        BundleMissing: there is none.
        BundleRefused: damaged, forged, of another format, or trained for other leaves.
    """
    manifest = verify_bundle(folder, key)
    try:
        return _open(folder, manifest, policy, threads)
    except BundleRefused:
        raise
    except Exception as error:  # what a forged file makes its reader throw is anybody's guess
        raise BundleRefused(f"模型包被拒绝:{folder} 的内容与清单不符({type(error).__name__});请重新训练") from error


def _open(folder: Path, manifest: Mapping[str, Any], policy: Policy | None, threads: int) -> Bundle:
    policy = policy or load_policy(folder / "policy")
    _check_taxonomy(folder, manifest, policy.taxonomy)
    copy = shared_copy(folder / LINEAR, manifest["files"][LINEAR])
    state = safe_joblib.load(copy or folder / LINEAR, mapped=copy is not None)
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
    second = _second(folder, manifest, threads)
    return Bundle(manifest["id"], manifest["source"], manifest, classifier, calibration, policy, second)


def _check_taxonomy(folder: Path, manifest: Mapping[str, Any], taxonomy: Taxonomy) -> None:
    """Leaves of another version may have the same codes and mean something else."""
    if manifest["taxonomy"] == taxonomy.version:
        return
    learned, codes = set(manifest.get("leaves", ())), set(taxonomy.codes)
    found = {"不再有": sorted(learned - codes), "新增": sorted(codes - learned)}
    changed = (
        ";".join(f"{word} {'、'.join(named)}" for word, named in found.items() if named) or "代码相同,含义可能已变"
    )
    raise BundleOutdated(
        f"模型包 {folder} 按类目体系 {manifest['taxonomy']} 训练,现行体系是 {taxonomy.version}({changed});"
        f"请用 triage retrain 或 triage train 按 {taxonomy.version} 重新训练,或让 TRIAGE_POLICY 仍用 {manifest['taxonomy']} 的类目"
    )


def _second(folder: Path, manifest: Mapping[str, Any], threads: int) -> Second | None:
    if "encoder" not in manifest:
        return None
    if set(encoder.FILES) - set(manifest["files"]):
        raise BundleRefused(f"模型包被拒绝:{folder} 的清单没有列出编码器的全部文件;请重新训练")
    calibration = Calibration.from_dict(manifest["encoder"]["thresholds"])
    return Second(encoder.Encoder.load(folder, threads), calibration, Exits.from_dict(manifest["encoder"]["exits"]))


def _manifest(contents: Contents, work: Path) -> dict[str, Any]:
    files = {p.relative_to(work).as_posix(): file_digest(p) for p in sorted(work.rglob("*")) if p.is_file()}
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
        **({"encoder": _about_encoder(contents.encoder)} if contents.encoder else {}),
        **contents.about,
    }


def _about_encoder(files: EncoderFiles) -> dict[str, Any]:
    return {"thresholds": files.calibration.to_dict(), "exits": files.exits.to_dict()}


def _swap(work: Path, folder: Path) -> None:
    if not folder.exists():
        os.replace(work, folder)  # noqa: PTH105 - rename of a folder
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name[:_SHOWN]}-old-", dir=folder.parent)) / "bundle"
    os.replace(folder, old)  # noqa: PTH105
    try:
        os.replace(work, folder)  # noqa: PTH105
    except OSError:
        os.replace(old, folder)  # noqa: PTH105 - the former bundle comes back
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
