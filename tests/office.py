"""An application with a store for tests: keys of every role, a clock that tests set, rules that answer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.testclient import TestClient

from model.pipeline import Pipeline
from serving.api import keys
from serving.api.app import create_app
from serving.api.office import Office
from serving.api.roles import Caller, Role
from serving.store.database import Database

SECRET = b"a secret of the tests, long enough"
UNITS = {Role.REVIEWER: "客户服务中心", Role.ADMIN: "市公司营销部"}


@dataclass(frozen=True)
class Served:
    """A running application and a key for each role."""

    app: FastAPI
    client: TestClient
    tokens: dict[Role, str]

    def by(self, role: Role) -> dict[str, str]:
        """The header that shows a key."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


@contextmanager
def served(
    database: Database,
    pipeline: Pipeline,
    *,
    with_keys: bool = True,
    per_minute: int = 100_000,
    clock: Callable[[], datetime] = now,
    customers: Mapping[str, int] | None = None,
) -> Iterator[Served]:
    """A running application; without keys it is called from this machine."""  # fmt: skip
    tokens = {
        role: keys.create(database, Caller(str(role), role, UNITS.get(role)), by="test", now=clock())
        for role in (Role if with_keys else ())
    }
    office = Office(database, SECRET, 365, per_minute, clock, customers or {})
    app = create_app(lambda: pipeline, "test", office=office)
    near = {} if with_keys else {"base_url": "http://127.0.0.1:8000", "client": ("127.0.0.1", 1)}
    with TestClient(app, raise_server_exceptions=False, **near) as client:  # type: ignore[arg-type]
        yield Served(app, client, tokens)
