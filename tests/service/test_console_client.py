"""The console's client and sign-in against the real application, without a network."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.middleware.sessions import SessionMiddleware

from model.pipeline import Pipeline
from serving.api.roles import Role
from serving.console import signin
from serving.console.client import Api, ApiProblem, Service, ticket_path
from serving.console.headers import SafeHeaders
from serving.console.session import Person, Sessions
from serving.store.database import Database
from tests.office import SECRET, Served, served


@pytest.fixture
def office(database: Database, rules_pipeline: Pipeline) -> Iterator[Served]:
    with served(database, rules_pipeline) as one:
        yield one


def _service(office: Served) -> Service:
    return Service("http://triage", httpx2.ASGITransport(app=office.app))


def _asked(office: Served, role: Role, work: Callable[[Api], Any]) -> Any:
    async def ask() -> Any:
        service = _service(office)
        try:
            return await work(Api(service, office.tokens[role]))
        finally:
            await service.close()

    return asyncio.run(ask())


def _refused(office: Served, role: Role, work: Callable[[Api], Any]) -> ApiProblem:
    with pytest.raises(ApiProblem) as caught:
        _asked(office, role, work)
    return caught.value


def test_a_ticket_with_any_id_is_sent_and_read(office: Served) -> None:
    name = "工单/7 ?#%"
    body = {"ticket_id": name, "content": "停电三小时了没人管"}
    assert _asked(office, Role.ADMIN, lambda api: api.post("/v1/tickets", body))["ticket_id"] == name
    found = _asked(office, Role.REVIEWER, lambda api: api.get(ticket_path(name)))
    assert found["ticket_id"] == name


def test_a_problem_is_a_sentence_with_its_status_and_never_the_key(office: Served) -> None:
    problem = _refused(office, Role.REVIEWER, lambda api: api.get("/v1/tickets/none"))
    assert (problem.status, problem.code, problem.away) == (404, "not_found", False)
    assert "工单" in str(problem)
    forbidden = _refused(office, Role.INTAKE, lambda api: api.get("/v1/tickets"))
    assert forbidden.status == 403
    assert str(forbidden).startswith("您的密钥不能做这件事")
    assert office.tokens[Role.INTAKE] not in str(forbidden) + repr(Api(_service(office), office.tokens[Role.INTAKE]))
    invalid = _refused(office, Role.REVIEWER, lambda api: api.get("/v1/tickets", limit=0))
    assert invalid.status == 422
    assert invalid.errors[0]["field"].endswith("limit")


def test_a_service_that_is_not_there_is_away() -> None:
    async def ask() -> ApiProblem:
        service = Service("http://127.0.0.1:1")
        with pytest.raises(ApiProblem) as caught:
            await Api(service, None).get("/v1/me")
        assert not await service.alive()
        await service.close()
        return caught.value

    problem = asyncio.run(ask())
    assert problem.away
    assert "triage serve" in str(problem)


def test_a_sign_in_ends_when_it_is_idle_and_when_it_is_ended() -> None:
    time = [0.0]
    sessions = Sessions(lambda: time[0])
    person = Person("李工", "reviewer", "服务专责", None, Api(Service("http://x"), "tri_k"))
    number = sessions.start(person)
    time[0] += 9 * 3600
    assert sessions.find(number) is person
    time[0] += 9 * 3600
    assert sessions.find(number) is person  # it was used in between
    time[0] += 11 * 3600
    assert sessions.find(number) is None
    other = sessions.start(person)
    sessions.end(other)
    assert sessions.find(other) is None
    assert sessions.find(None) is None


@pytest.fixture
def door(office: Served) -> TestClient:
    """The sign-in of the console before the real service."""
    app = FastAPI()
    app.state.service, app.state.sessions = _service(office), Sessions()
    app.add_middleware(SessionMiddleware, secret_key=SECRET.decode(), session_cookie="triage_console", same_site="lax")
    app.add_middleware(SafeHeaders)
    signin.install(app)
    return TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 5), follow_redirects=False)


def test_signing_in_gives_a_cookie_that_holds_no_key(office: Served, door: TestClient) -> None:
    assert "访问密钥" in door.get("/sign-in").text
    answer = door.post("/sign-in", data={"key": office.tokens[Role.REVIEWER]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert office.tokens[Role.REVIEWER] not in answer.headers["set-cookie"]
    assert door.get("/sign-in").status_code == 303  # signed in already
    assert door.post("/sign-out").headers["location"] == "/sign-in"
    assert door.get("/sign-in").status_code == 200


@pytest.mark.parametrize(
    ("key", "headers", "status", "said"),
    [
        ("tri_wrong", {}, 401, "密钥"),
        ("", {}, 401, "请输入访问密钥"),
        ("reviewer", {"origin": "http://evil.example"}, 403, "其他网页"),
        ("reviewer", {"origin": "http://["}, 403, "其他网页"),
        ("intake", {}, 403, "受理系统"),
        ("", {"host": "console.example"}, 403, "请输入访问密钥"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    office: Served, door: TestClient, key: str, headers: dict[str, str], status: int, said: str
) -> None:
    token = office.tokens[Role(key)] if key in list(Role) else key
    answer = door.post("/sign-in", data={"key": token}, headers=headers)
    assert answer.status_code == status
    assert said in answer.text
    assert token not in answer.text or not token


def test_no_page_takes_anything_from_another_host(door: TestClient) -> None:
    answer = door.get("/sign-in")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "http://" not in answer.text
    assert "https://" not in answer.text
