"""A person's decision about a ticket, over HTTP."""

from fastapi import FastAPI, Request

from serving.api.office import caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import ReviewIn, UndoIn
from serving.api.tickets import TAG, TicketId, shown
from serving.store.columns import Json
from serving.store.reviews import Verdict, review
from serving.store.undo import undo


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.post(
        "/v1/tickets/{ticket_id:path}/review",
        responses={404: RESPONSES[404], 409: RESPONSES[409]},
        tags=[TAG],
        summary="改判或认可:类别变了就改派;工单已被别人更新则 409",
    )
    def decide(request: Request, ticket_id: TicketId, body: ReviewIn) -> Json:
        office, policy = office_of(request), policy_of(request)
        verdict = Verdict(body.version, body.category, tuple(body.secondary), frozenset(body.flags), body.note)
        reviewer = caller_of(request).name
        review(office.store, ticket_id, verdict=verdict, policy=policy, reviewer=reviewer, now=office.now())
        with office.store.read() as session:
            return shown(session, ticket_id, policy, office)

    @app.post(
        "/v1/tickets/{ticket_id:path}/undo",
        responses={404: RESPONSES[404], 409: RESPONSES[409]},
        tags=[TAG],
        summary="撤销自己刚作出的复核:恢复此前的类别、班组与状态,留痕;之后有别的变动则 409",
    )
    def take_back(request: Request, ticket_id: TicketId, body: UndoIn) -> Json:
        office = office_of(request)
        undo(office.store, ticket_id, version=body.version, by=caller_of(request).name, now=office.now())
        with office.store.read() as session:
            return shown(session, ticket_id, policy_of(request), office)
