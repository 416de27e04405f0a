"""A store to break: a new SQLite file, and a database of its own on PostgreSQL where there is one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import BUNDLE, postgres_database


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store that is not yet made."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    with postgres_database() as url:
        yield url


@pytest.fixture(scope="session")
def bundle(request: pytest.FixtureRequest) -> Path:
    """The bundle that is served: the one named from outside, else a linear one fitted once."""
    return BUNDLE or Path(request.getfixturevalue("bundle_folder"))
