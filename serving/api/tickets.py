"""Stored tickets over HTTP: taken in, read, listed."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request, Response
from sqlalchemy.orm import Session

from model.policy import Policy
from serving.api.incidents import IncidentWatch
from serving.api.metrics import Metrics
from serving.api.office import Office, caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import NewTicketIn, TicketPage, TicketQuery
from serving.cues.cue import ENDED
from serving.cues.filings import decided_filing, marked_filing
from serving.cues.records import CueRecord
from serving.cues.store import cues_of
from serving.events.links import known_event_of
from serving.events.records import events_of, to_dict
from serving.intake import ID_MOST, incoming_from
from serving.store import audit
from serving.store.columns import Json
from serving.store.queue import Filters, Slice, page
from serving.store.reading import find, glances_of, load

TicketId = Annotated[str, Path(max_length=ID_MOST, description="工单编号;须作 URL 编码")]
TAG = "工单"


def install(app: FastAPI, metrics: Metrics) -> None:
    """Add the calls.

    Args:
        app: the application.
        metrics: counts what was decided.
    """
    incidents = IncidentWatch(app.state.office)

    @app.post(
        "/v1/tickets",
        status_code=201,
        responses={200: {"description": "此前已收:同一编号、同一内容,给出首次的应答"}, 409: RESPONSES[409]},
        tags=[TAG],
        summary="受理一条工单:先存储,后应答;可放心重试",
    )
    async def take_in(request: Request, response: Response, body: NewTicketIn) -> Json:
        incoming = incoming_from(body.model_dump(exclude_none=True))
        intake = await office_of(request).ready_intake()
        taken = await intake.answer(incoming, caller_of(request).name)
        if taken.new:
            metrics.count(taken.answer)
        else:
            response.status_code = 200
        return taken.answer

    @app.get("/v1/tickets", tags=[TAG], summary="列出工单:安全在前,其次最近的时限、升级风险、低置信度")
    def list_tickets(request: Request, wanted: Annotated[TicketQuery, Query()]) -> TicketPage:
        if wanted.fold:
            incidents.look_soon(policy_of(request))
        return _listed(request, wanted)

    @app.get(
        "/v1/tickets/{ticket_id:path}",
        responses={404: RESPONSES[404]},
        tags=[TAG],
        summary="一条工单:脱敏正文、预测、派单、改判、线索与经过",
    )
    def get_ticket(request: Request, ticket_id: TicketId) -> Json:
        office = office_of(request)
        with office.store.read() as session:
            return shown(session, ticket_id, policy_of(request), office)


def shown(session: Session, ticket_id: str, policy: Policy, office: Office) -> Json:
    """A stored ticket as people see it.

    Args:
        session: reads.
        ticket_id: which.
        policy: evidence lists of cues, kinds of events.
        office: gives the time.

    Returns:
        JSON-ready.

    Raises:
        NotFound: there is none.
    """
    ticket, row = load(session, ticket_id), find(session, ticket_id)
    cues, event = cues_of(session, ticket_id), known_event_of(session, row, policy.events)
    now, arrived_at = office.now(), row.accepted_at or row.received_at
    filing = decided_filing(ticket["prediction"]["filing"], _flags(ticket, cues), policy.taxonomy)
    return {
        **ticket,
        "cues": [record.to_dict(policy.cues, now) for record in cues],
        "known_event": event.to_dict(arrived_at) if event else None,
        "filing": marked_filing(filing, arrived_at, event.event if event else None),
        "history": audit.entries(session, f"ticket:{ticket_id}"),
    }


def _listed(request: Request, wanted: TicketQuery) -> TicketPage:
    filters = Filters(**wanted.model_dump(exclude={"cursor", "limit", "fold", "glance"}))
    office, policy = office_of(request), policy_of(request).events
    with office.store.read() as session:
        found = page(session, filters, Slice(wanted.cursor, wanted.limit, wanted.fold), office.now())
        glances = glances_of(session, [one["ticket_id"] for one in found.tickets]) if wanted.glance else None
        events = events_of(session, {ticket["event_id"] for ticket in found.tickets})
    shown = {event.id: to_dict(event, policy) for event in events}
    tickets = [{**ticket, "event": shown.get(ticket["event_id"])} for ticket in found.tickets]
    if glances is not None:
        tickets = [{**ticket, "glance": glances.get(ticket["ticket_id"])} for ticket in tickets]
    return TicketPage(tickets=tickets, cursor=found.cursor)


def _flags(ticket: Json, cues: list[CueRecord]) -> set[str]:
    """Flags that stand: as the last reviewer saw them, else as predicted; without those whose cue has ended."""
    predicted = [name for name, flag in ticket["prediction"]["flags"].items() if flag["raised"]]
    seen = ticket["reviews"][-1]["flags"] if ticket["reviews"] else predicted
    return set(seen) - {record.cue.flag for record in cues if record.cue.state in ENDED}
