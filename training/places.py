"""Where the learning loop keeps things: all beside the champion, on one disk, so that folders can be exchanged whole."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import BundleMissing
from model.manifest import MANIFEST

BUNDLE = "bundle"


@dataclass(frozen=True)
class Places:
    """Folders and files around the champion's folder."""

    champion: Path

    @property
    def root(self) -> Path:
        """Of everything."""
        return self.champion.parent

    @property
    def challengers(self) -> Path:
        """A folder for each challenger: its bundle and its verdict."""
        return self.root / "challengers"

    @property
    def former(self) -> Path:
        """Former champions, numbered in the order in which they were replaced."""
        return self.root / "former"

    @property
    def data(self) -> Path:
        """Manifests of data versions."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """Every promotion and rollback, a JSON line each; only ever added to."""
        return self.root / "promotions.jsonl"

    def challenger(self, name: str) -> Path:
        """The folder of one challenger.

        Args:
            name: its bundle's id, or the beginning of it.

        Returns:
            The folder.

        Raises:
            BundleMissing: none, or several, of that name.
        """
        found = [folder for folder in self.all_challengers() if folder.name == name]
        found = found or [folder for folder in self.all_challengers() if name and folder.name.startswith(name)]
        if len(found) != 1:
            why = f"有 {len(found)} 个" if found else "没有"
            raise BundleMissing(f"{why}编号为 {name} 的挑战者;请用 triage models 查看编号")
        return found[0]

    def all_challengers(self) -> list[Path]:
        """Folders of challengers, the oldest first."""
        folders = [path.parent.parent for path in self.challengers.glob(f"*/{BUNDLE}/{MANIFEST}")]
        return sorted(folders, key=lambda folder: (str(about(folder / BUNDLE).get("created")), folder.name))

    def all_former(self) -> list[Path]:
        """Bundles of former champions, the last one first."""
        return sorted((path.parent for path in self.former.glob(f"*/{MANIFEST}")), reverse=True)


def about(bundle: Path) -> dict[str, Any]:
    """A bundle's manifest as it stands there; for lists, nothing is verified.

    Args:
        bundle: its folder.

    Returns:
        The manifest; empty where it cannot be read.
    """
    try:
        found = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    data = found.get("data")
    return {**found, "data": data if isinstance(data, dict) else {}}
