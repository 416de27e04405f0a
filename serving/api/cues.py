"""Special-customer cues over HTTP: steps in their life, and the ledger of what became of them."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request

from serving.api.office import caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import CueStepIn, LedgerQuery
from serving.api.tickets import TicketId
from serving.cues.cue import Attachment, Step, StepName
from serving.cues.ledger import ledger, read_cases
from serving.cues.people import Person
from serving.cues.store import take_step
from serving.store.columns import Json

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

    @app.get("/v1/cues/ledger", tags=["线索"], summary="线索台账:结果按类别与单位计数;来电人有理的排在最前")
    def show_ledger(request: Request, wanted: Annotated[LedgerQuery, Query()]) -> Json:
        with office_of(request).store.read() as session:
            return ledger(read_cases(session, wanted.since, wanted.until))
