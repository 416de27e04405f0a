"""How the engine behaves; the defaults of the matching settings stand here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Bounds of the engine.

    `budget_ms`: time a request may take; `queue`: tickets that may wait; `batch`: tickets predicted together;
    `characters`: a batch takes no further ticket beyond so many; `workers`: threads that predict;
    `stuck`: encoder calls out of time that may still run; `rest_seconds`: how long a rung that failed stays closed;
    `watch_seconds`: how often the bundle's folder is looked at, 0 for never.
    """

    budget_ms: int = 1000
    queue: int = 512
    batch: int = 16
    characters: int = 6000
    workers: int = 2
    stuck: int = 2
    rest_seconds: float = 10.0
    watch_seconds: float = 5.0
