"""A copy of a bundle's large file under its hash, whose pages all processes of this user share.

The bundle itself is not mapped: whoever writes over a mapped file kills the processes that read it.
"""

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from model.manifest import file_digest

_UNUSED_DAYS = 7


def shared_copy(path: Path, digest: str) -> Path | None:
    """The copy to map, made where there is none yet.

    Args:
        path: the bundle's file.
        digest: hexadecimal SHA-256 that it must have.

    Returns:
        The copy, or None where none can be made (no room, read-only disk) or the file has another hash.
    """
    try:
        folder = user_cache_path("complaint-triage") / "shared"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = folder / digest
        if not (copy.is_file() and file_digest(copy) == digest):
            _make(path, copy)
            _clear(folder)
        copy.touch()
        return copy if file_digest(copy) == digest else None
    except OSError:
        return None


def _make(path: Path, copy: Path) -> None:
    number, name = tempfile.mkstemp(dir=copy.parent)
    os.close(number)
    try:
        shutil.copyfile(path, name)
        Path(name).replace(copy)
    finally:
        Path(name).unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Copies that nobody opened for a week; a process that still maps one keeps its pages."""
    for old in folder.iterdir():
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _UNUSED_DAYS * 86400:
                old.unlink()
