"""A person's decision about a ticket, over HTTP."""

from fastapi import FastAPI, Request

from serving.api.office import caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import ReviewIn
from serving.api.tickets import TAG, TicketId, shown
from serving.store.columns import Json
from serving.store.reviews import Verdict, review


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
