"""Public face: `from triage import Triage` for analysts, `triage` for the shell."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triage.triage import Triage

__all__ = ["Triage"]


def __getattr__(name: str) -> Any:
    """Load the public class on first use, so that importing the package costs nothing."""
    if name == "Triage":
        return import_module("triage.triage").Triage
    raise AttributeError(f"module 'triage' has no attribute {name!r}")
