"""The customer was contacted, somebody is on the spot, the ticket is closed: reported by people, over HTTP."""

from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request

from serving.api.office import caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import ArriveIn, CloseIn, ContactIn
from serving.api.tickets import TAG, TicketId, shown
from serving.store.columns import Json
from serving.store.handling import ARRIVED, CONTACTED, Closing, FirstTime, close, report_first


def install(app: FastAPI) -> None:
    """Add the calls.

    Args:
        app: the application.
    """
    problems: dict[int | str, dict[str, Any]] = {404: RESPONSES[404], 409: RESPONSES[409]}

    @app.post(
        "/v1/tickets/{ticket_id:path}/close",
        responses=problems,
        tags=[TAG],
        summary="办结:时限停止,各队列得到通知,可注明是否属实;再次改判即重新打开",
    )
    def end(request: Request, ticket_id: TicketId, body: CloseIn) -> Json:
        office = office_of(request)
        by = caller_of(request).name
        close(office.store, ticket_id, closing=Closing(body.version, body.note, body.upheld), by=by, now=office.now())
        return _shown(request, ticket_id)

    @app.post(
        "/v1/tickets/{ticket_id:path}/contact",
        responses=problems,
        tags=[TAG],
        summary="已首次联系客户:联系时限停止;再次提交不改变首次的时间",
    )
    def contact(request: Request, ticket_id: TicketId, body: ContactIn) -> Json:
        return _reported(request, ticket_id, CONTACTED, body.at)

    @app.post(
        "/v1/tickets/{ticket_id:path}/arrive",
        responses=problems,
        tags=[TAG],
        summary="已到场:到场时限停止;再次提交不改变首次的时间",
    )
    def arrive(request: Request, ticket_id: TicketId, body: ArriveIn) -> Json:
        return _reported(request, ticket_id, ARRIVED, body.at)


def _reported(request: Request, ticket_id: str, step: FirstTime, at: datetime | None) -> Json:
    office = office_of(request)
    report_first(office.store, ticket_id, step, at=at, by=caller_of(request).name, now=office.now())
    return _shown(request, ticket_id)


def _shown(request: Request, ticket_id: str) -> Json:
    office = office_of(request)
    with office.store.read() as session:
        return shown(session, ticket_id, policy_of(request), office)
