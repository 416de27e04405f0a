"""The manifest of a bundle: format, signature, and the hash of every file, checked before any of them is opened."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from model.errors import BundleMissing, BundleRefused
from model.policy import FILES, LATER_FILES

FORMAT = 2
LINEAR = "linear.joblib"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.hmac"
FIT_ONE = "请先运行 make demo(线性,一分钟)或 make train(级联),或用 --bundle 指定"  # ends every message of a missing one
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")  # what may stand in the name of a folder


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
        raise BundleMissing(f"没有模型包:{folder};{FIT_ONE}")
    content = path.read_bytes()
    manifest, files = _read(content, path)
    if manifest.get("format") != FORMAT or {"id", "source", "taxonomy", "thresholds"} - set(manifest):
        raise BundleRefused(f"模型包被拒绝:清单格式 {manifest.get('format')!r},本程序读 {FORMAT};请用同版本程序训练")
    if key:
        _check_signature(folder / SIGNATURE, content, key)
    carried = (name for name in FILES if name not in LATER_FILES or (folder / "policy" / name).is_file())
    unlisted = {LINEAR, *(f"policy/{name}" for name in carried)} - set(files)
    if unlisted:
        raise BundleRefused(f"模型包被拒绝:清单没有列出 {sorted(unlisted)};请重新训练")
    for name, digest in files.items():
        _check_file(folder, name, digest)
    return manifest


def plain_name(value: object) -> str | None:
    """An id that can be the name of a folder, and of no other place.

    Args:
        value: as a manifest has it.

    Returns:
        The id; None where it is anything else, such as `../x`.
    """
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else None


def _read(content: bytes, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        manifest: dict[str, Any] = json.loads(content)
        files = dict(manifest["files"])
        named = plain_name(manifest.get("id", "none"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleRefused(f"模型包被拒绝:{path} 不是合法的清单;请重新复制或训练") from error
    tables = (manifest.get(name, {}) for name in ("data", "thresholds", "encoder"))
    told = (manifest.get(name, "") for name in ("source", "taxonomy"))
    if (
        not named
        or not all(isinstance(t, Mapping) for t in tables)
        or not all(isinstance(s, str) for s in (*files, *told))
    ):
        raise BundleRefused(f"模型包被拒绝:{path} 的编号、文件名或表格不合法;请重新复制或训练")
    return manifest, files


def _check_file(folder: Path, name: str, digest: object) -> None:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\\" in name:
        raise BundleRefused(f"模型包被拒绝:清单列出了包外的文件 {name!r}")
    try:
        linked = any(
            (folder / part).is_symlink() for part in (name, *map(str, PurePosixPath(name).parents)) if part != "."
        )
        sound = not linked and (folder / name).is_file() and file_digest(folder / name) == digest
    except OSError:  # a name longer than the disk takes, a file that may not be read
        sound = False
    if not sound:
        raise BundleRefused(f"模型包被拒绝:{name[:100]!r} 缺失、是链接或与清单的 SHA-256 不符;请重新复制或训练")


def _check_signature(path: Path, content: bytes, key: str) -> None:
    given = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else ""
    if not hmac.compare_digest(given.encode(), sign(content, key).encode()):
        raise BundleRefused("模型包被拒绝:签名缺失或与 TRIAGE_BUNDLE_KEY 不符;请确认来源")


def sign(content: bytes, key: str) -> str:
    """HMAC-SHA-256 of a manifest.

    Args:
        content: its bytes.
        key: shared with those who check.

    Returns:
        Hexadecimal digits.
    """
    return hmac.new(key.encode(), content, hashlib.sha256).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file.

    Args:
        path: the file.

    Returns:
        Hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
