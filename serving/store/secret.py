"""The secret behind the HMACs over callers and bodies, where none is configured."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from model.errors import StoreUnavailable

FEWEST = 16  # characters


def own_secret(path: Path) -> bytes:
    """The secret of a store on this machine; made once, readable by its owner only.

    Args:
        path: its file.

    Returns:
        The secret.

    Raises:
        StoreUnavailable: the file is damaged, or cannot be written or read.
    """
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes().strip()
    except OSError as error:
        raise StoreUnavailable(f"密钥文件 {path} 不能读写;请检查权限,或设置 TRIAGE_SECRET") from error
    if len(secret) < FEWEST:
        raise StoreUnavailable(f"密钥文件 {path} 已损坏;请从备份恢复,或设置 TRIAGE_SECRET")
    return secret


def _make(path: Path) -> None:
    """Written aside and linked into place: of two processes that start at once one wins, and none reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()
