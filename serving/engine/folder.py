"""Whether a bundle's folder changed, seen from outside."""

from pathlib import Path

Stamp = tuple[tuple[str, int, int, int], ...] | None


def stamp(folder: Path | None) -> Stamp:
    """What tells one state of a folder from another without reading its files.

    Args:
        folder: of a bundle.

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
