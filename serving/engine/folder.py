"""Whether folders changed, seen from outside: that of the bundle, that of the office's own policy."""

from collections.abc import Callable, Sequence
from pathlib import Path

Stamp = tuple[tuple[str, int, int, int], ...] | None


def stamp(folder: Path | None) -> Stamp:
    """What tells one state of a folder from another without reading its files.

    Args:
        folder: of a bundle or a policy.

    Returns:
        Name, inode, time and size of each file; None where there is no file, or a change is under way.
    """
    if folder is None:
        return None
    try:
        found = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    except OSError:
        return None
    return tuple((str(p.relative_to(folder)), s.st_ino, s.st_mtime_ns, s.st_size) for p, s in found) or None


class Watched:
    """Tells when folders have changed and are at rest again.

    Args:
        folders: which; a place may be None for now.
    """

    def __init__(self, folders: Callable[[], Sequence[Path | None]]) -> None:
        self._folders = folders
        self._used = self._before = self._look()

    def use(self) -> None:
        """Take the folders as they are now for the state in use; called before they are read."""
        self._used = self._look()

    def changed(self) -> bool:
        """Whether there is something else than in use, and it has not changed since the last time this was asked.

        Returns:
            False too while a folder that is in use is away: it is about to be replaced.
        """
        now, before = self._look(), self._before
        self._before = now
        here = all(new is not None or used is None for new, used in zip(now, self._used, strict=True))
        return here and now == before != self._used

    def _look(self) -> list[Stamp]:
        return [stamp(folder) for folder in self._folders()]
