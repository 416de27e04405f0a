"""Reviewed tickets like one ticket, over HTTP."""

from typing import Annotated

from fastapi import FastAPI, Query, Request

from serving.api.office import office_of
from serving.api.problems import RESPONSES
from serving.api.tickets import TAG, TicketId
from serving.store.columns import Json
from serving.store.similar import SHOWN, similar

Shown = Annotated[int, Query(ge=1, le=20, description="至多几张")]


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.get(
        "/v1/tickets/{ticket_id:path}/similar",
        responses={404: RESPONSES[404]},
        tags=[TAG],
        summary="最近复核过的工单中与它相像的,连同人定的类别",
    )
    def like(request: Request, ticket_id: TicketId, limit: Shown = SHOWN) -> Json:
        with office_of(request).store.read() as session:
            return {"tickets": similar(session, ticket_id, limit)}
