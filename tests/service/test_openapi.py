"""The service as its own description says: no 5xx, no status, type or body that is not described."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from model.pipeline import Pipeline
from serving.api.roles import CALLS as ROLES
from serving.api.roles import Role
from serving.store.database import Database
from serving.store.upgrade import upgrade
from tests.office import served

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
CALLS = [f"{method} {path}" for method, path in ROLES] + [f"GET /{page}" for page in ("livez", "readyz", "metrics")]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory, rules_pipeline: Pipeline) -> Iterator[Any]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'store.db'}")
    upgrade(database)
    with served(database, rules_pipeline) as desk:
        for number in range(3):
            ticket = {"ticket_id": str(number), "content": "停电三小时了没人管"}
            desk.client.post("/v1/tickets", json=ticket, headers=desk.by(Role.ADMIN))
        schema = schemathesis.openapi.from_asgi("/openapi.json", desk.app)
        schema.config.update(headers=desk.by(Role.ADMIN))
        yield schema
    database.close()


def _answers(described: Any, call: str, examples: int) -> Counter[int]:
    """How often each status came; raises where an answer is not as described, is a 5xx, or stops at the door."""
    method, path = call.split(" ")
    statuses: Counter[int] = Counter()

    @given(
        case=described[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE)
        | described[path][method].as_strategy()
    )
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    def answers_as_described(case: Case) -> None:
        status = case.call_and_validate(checks=CHECKS).status_code
        assert status != 401  # the key was shown, so more than the door answers
        statuses[status] += 1

    answers_as_described()
    return statuses


@pytest.mark.parametrize("call", CALLS)
def test_a_call_answers_as_described(described: Any, call: str) -> None:
    statuses = _answers(described, call, 15)
    assert statuses
    assert max(statuses) < 500


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS)
def test_a_call_answers_as_described_in_many_more_ways(described: Any, call: str) -> None:
    statuses = _answers(described, call, 500)
    assert statuses
    assert max(statuses) < 500
