"""A process of the program with a fault inside: `python troubled.py small-disk|slow-encoder COMMAND …`. For tests only."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from sqlalchemy import event
from sqlalchemy.pool import Pool

from model.bundle import Bundle, Second
from model.calibration import Exits
from model.pipeline import Pipeline
from serving.api.app import create_app
from serving.api.logs import configuration
from serving.engine.engine import Source
from serving.engine.options import EngineOptions
from triage.cli.main import run
from triage.compose import build_office, build_pipeline
from triage.settings import Settings

PAGES, SECONDS = "FAULT_PAGES", "FAULT_SECONDS"  # environment: a file with SQLite's page limit; how slow


def main() -> None:
    """Put the fault in and go on as always."""
    fault, *command = sys.argv[1:]
    if fault == "small-disk":
        event.listen(Pool, "checkout", _limit)
        sys.argv = ["triage", *command]
        run()
    else:
        settings = Settings()
        source = Source(first=lambda: _slow(settings), renew=lambda: _slow(settings), folder=lambda: None)
        options = EngineOptions(budget_ms=settings.budget_ms)
        app = create_app(source, "test", options, office=build_office(settings))
        uvicorn.run(app, port=settings.port, log_config=configuration("INFO"), access_log=False)


def _limit(connection: Any, *_: object) -> None:
    connection.execute(f"PRAGMA max_page_count={Path(os.environ[PAGES]).read_text(encoding='ascii')}").close()


class _SlowEncoder:
    """Takes its time and knows nothing."""

    def __init__(self, bundle: Bundle) -> None:
        self.classes_, self.cues_ = bundle.classifier.classes_, ()

    def scores(self, documents: list[object]) -> tuple[Any, Any]:
        time.sleep(float(os.environ[SECONDS]))
        return np.zeros((len(documents), len(self.classes_))), np.zeros((len(documents), 0))


def _slow(settings: Settings) -> Pipeline:
    bundle = build_pipeline(settings).bundle
    assert bundle is not None
    second = Second(_SlowEncoder(bundle), bundle.calibration, Exits({}, {}))  # type: ignore[arg-type]
    return Pipeline(bundle.policy, replace(bundle, source="cascade", second=second))


if __name__ == "__main__":
    main()
