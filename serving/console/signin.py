"""Signing in by key: a plain form, so that a password manager can fill it and the key travels once."""

import ipaddress
from urllib.parse import urlsplit

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving.console.client import Api, ApiProblem, Service
from serving.console.session import COOKIE, Person, Sessions
from serving.console.templating import render

_LONGEST_KEY = 200
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_NEEDS_KEY = "请输入访问密钥;没有密钥请向管理员索取(triage keys create)"
_LOCAL_ONLY = "分拣服务还没有访问密钥,只有在本机打开控制台时才能不用密钥进入;请先用 triage keys create 建密钥"
_FOREIGN = "拒绝来自其他网页的登录"
_NO_CONSOLE = "这个密钥属于受理系统,不能进入控制台;请使用服务专责、分析员或管理员的密钥"


def install(app: FastAPI) -> None:
    """Add the form, its answer, and the way out.

    Args:
        app: the console.
    """

    @app.get("/sign-in")
    def form(request: Request) -> Response:
        if request.app.state.sessions.find(request.session.get(COOKIE)):
            return RedirectResponse("/", 303)
        return _page(None)

    @app.post("/sign-in")
    async def sign_in(request: Request, key: str = Form("", max_length=_LONGEST_KEY)) -> Response:
        service: Service = request.app.state.service
        sessions: Sessions = request.app.state.sessions
        wrong = _door(request, key.strip())
        if wrong:
            return _page(wrong, 403)
        try:
            person = await _who(Api(service, key.strip() or None))
        except ApiProblem as problem:
            return _page(_NEEDS_KEY if problem.code == "key_missing" else str(problem), problem.status or 503)
        if person.role == "intake":
            return _page(_NO_CONSOLE, 403)
        wanted = _own(request.session.get("wanted"))
        sessions.end(request.session.get(COOKIE))
        request.session.clear()  # a new number, and a new session of the pages
        request.session[COOKIE] = sessions.start(person)
        return RedirectResponse(wanted, 303)

    @app.post("/sign-out")
    def sign_out(request: Request) -> Response:
        request.app.state.sessions.end(request.session.get(COOKIE))
        request.session.clear()
        return RedirectResponse("/sign-in", 303)

    @app.get("/livez")
    def livez() -> dict[str, str]:
        return {"status": "alive"}


async def _who(api: Api) -> Person:
    me = await api.get("/v1/me")
    return Person(me["name"], me["role"], me["role_name"], me["unit"], api)


def _door(request: Request, key: str) -> str | None:
    """Why nobody is let in here: a form of another site, or no key from another machine."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    try:
        foreign = origin not in (None, "null") and urlsplit(str(origin)).netloc != host
        local = urlsplit(f"//{host}").hostname in _LOCAL_NAMES
    except ValueError:  # such as http://[
        return _FOREIGN
    if foreign:
        return _FOREIGN
    return None if key or (local and _loopback(request)) else _NEEDS_KEY


def _loopback(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _own(wanted: str | None) -> str:
    """A page of ours to go on to; never another host."""
    return wanted if wanted and wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else "/"


def _page(wrong: str | None, status: int = 200) -> HTMLResponse:
    return HTMLResponse(render("signin.html", wrong=wrong), status)
