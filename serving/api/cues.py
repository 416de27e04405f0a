"""Special-customer cues over HTTP: steps in their life, and the ledger of what became of them."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from sqlalchemy import select
from sqlalchemy.orm import Session

from model.ticket import CHINA
from serving.api.office import caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import CuePage, CueQuery, CueStepIn, LedgerQuery
from serving.api.tickets import TicketId
from serving.cues import listing
from serving.cues.cue import Attachment, Step, StepName
from serving.cues.draft import Matter, draft
from serving.cues.ledger import ledger, read_cases
from serving.cues.people import Person
from serving.cues.store import subject, take_step
from serving.store import audit
from serving.store.columns import Json
from serving.store.reading import find
from serving.store.tables import TicketText

Flag = Annotated[str, Path(max_length=20, description="malicious、unreasonable、theft 或 arrears")]
StepIn = Annotated[StepName, Path(description="补证据、确认、驳回、申诉、撤销、到期")]


def install(app: FastAPI) -> None:
    """Add the calls.

    Args:
        app: the application.
    """

    @app.post(
        "/v1/tickets/{ticket_id:path}/cues/{flag}/{step}",
        responses={404: RESPONSES[404], 409: RESPONSES[409]},
        tags=["线索"],
        summary="线索走一步;须两名不属于被投诉单位的人先后确认,每一步都留痕",
    )
    def step(request: Request, ticket_id: TicketId, flag: Flag, step: StepIn, body: CueStepIn) -> Json:
        office, caller, rules = office_of(request), caller_of(request), policy_of(request).cues
        now = office.now()
        wanted = Step(
            name=step,
            who=Person(caller.name, caller.unit),
            at=now,
            attachments=tuple(Attachment(one.item, one.reference, one.date) for one in body.evidence),
            unit=body.unit,
            reason=body.reason,
        )
        record = take_step(office.store, ticket_id, flag, wanted, version=body.version, rules=rules)
        return record.to_dict(rules, now)

    _add_reading(app)

    @app.get("/v1/cues/ledger", tags=["线索"], summary="线索台账:结果按类别与单位计数;来电人有理的排在最前")
    def show_ledger(request: Request, wanted: Annotated[LedgerQuery, Query()]) -> Json:
        with office_of(request).store.read() as session:
            return ledger(read_cases(session, wanted.since, wanted.until))

    @app.get(
        "/v1/cues/{flag}/{ticket_id:path}",
        responses={404: RESPONSES[404]},
        tags=["线索"],
        summary="一条线索:证据清单、经过、本人可走的步骤(不能则说明原因)、报备或最终答复草稿",
    )
    def show(request: Request, flag: Flag, ticket_id: TicketId) -> Json:
        with office_of(request).store.read() as session:
            return _shown(request, session, ticket_id, flag)


def _add_reading(app: FastAPI) -> None:
    @app.get("/v1/cues", tags=["线索"], summary="列出线索,最近出现的在前;各状态的条数")
    def list_cues(request: Request, wanted: Annotated[CueQuery, Query()]) -> CuePage:
        office, rules = office_of(request), policy_of(request).cues
        now, filters = office.now(), listing.CueFilters(wanted.state, wanted.flag)
        with office.store.read() as session:
            found = listing.page(session, filters, before=wanted.cursor, limit=wanted.limit)
            counts = listing.counts(session)
        cues = [{**record.to_dict(rules, now), "category": leaf} for record, leaf in found.cues]
        return CuePage(cues=cues, cursor=found.cursor, counts=counts)


def _shown(request: Request, session: Session, ticket_id: str, flag: str) -> Json:
    office, policy, caller = office_of(request), policy_of(request), caller_of(request)
    record, row, now = listing.one(session, ticket_id, flag), find(session, ticket_id), office.now()
    matter = Matter(row.accepted_at or row.received_at, row.category, _text(session, ticket_id))
    paper = draft(record, matter, policy)
    return {
        **record.to_dict(policy.cues, now),
        "flag_name": policy.taxonomy.flags[flag],
        "category": row.category,
        "arrived_at": matter.arrived_at.astimezone(CHINA).isoformat(),
        "steps": listing.next_steps(record.cue, Person(caller.name, caller.unit), now, policy.cues),
        "reasons": policy.cues.reasons,
        "history": audit.entries(session, subject(ticket_id, flag)),
        "draft": paper.to_dict() if paper else None,
    }


def _text(session: Session, ticket_id: str) -> str | None:
    return session.scalar(select(TicketText.text).where(TicketText.ticket_id == ticket_id))
