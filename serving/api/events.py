"""The register of known events over HTTP."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import FastAPI, Path, Query, Request, Response

from serving.api.office import caller_of, office_of, policy_of
from serving.api.problems import RESPONSES
from serving.api.schemas import ID_MOST, EventList, EventQuery
from serving.events import register
from serving.events.entry import EventEntry
from serving.events.records import kinds, listed, ticket_counts, to_dict
from serving.store.columns import Json

_TAG = "已知事件"
_TABLE: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}},
}


def install(app: FastAPI) -> None:
    """Add the calls.

    Args:
        app: the application.
    """
    _add_entering(app)

    @app.get("/v1/events", tags=[_TAG], summary="列出已登记的事件,最晚开始的在前")
    def list_events(request: Request, wanted: Annotated[EventQuery, Query()]) -> EventList:
        policy = policy_of(request).events
        with office_of(request).store.read() as session:
            found = listed(session, since=wanted.since, until=wanted.until)
            counts = ticket_counts(session)
        events = [{**to_dict(event, policy), "tickets": counts.get(event.id, 0)} for event in found]
        return EventList(events=events, kinds=kinds(policy))

    @app.delete(
        "/v1/events/{event_id}",
        status_code=204,
        responses={404: RESPONSES[404]},
        tags=[_TAG],
        summary="从登记簿移除;工单照常办理",
    )
    def remove(request: Request, event_id: Annotated[int, Path(ge=1, le=ID_MOST)]) -> None:
        office = office_of(request)
        register.remove(office.store, event_id, by=caller_of(request).name, at=office.now())


def _add_entering(app: FastAPI) -> None:
    @app.post(
        "/v1/events",
        status_code=201,
        responses={200: {"description": "此前已登记"}},
        tags=[_TAG],
        summary="登记一个事件(计划停电、系统升级、恶劣天气预警、批量换表……)",
    )
    def enter(request: Request, response: Response, body: EventEntry) -> Json:
        office, policy = office_of(request), policy_of(request).events
        entered = register.enter(office.store, body, policy, by=caller_of(request).name, at=office.now())
        response.status_code = 201 if entered.new else 200
        return to_dict(entered.event, policy)

    @app.post(
        "/v1/events/import",
        openapi_extra=_TABLE,
        tags=[_TAG],
        summary="按 CSV 表登记(UTF-8 或 GB18030):全部登记,或指出每一行的问题而一行也不登记",
    )
    async def import_table(request: Request) -> EventList:
        office, policy, by = office_of(request), policy_of(request).events, caller_of(request).name
        content = await request.body()
        entered = await to_thread.run_sync(
            lambda: register.import_table(office.store, content, policy, by=by, at=office.now())
        )
        return EventList(events=[to_dict(one.event, policy) for one in entered], kinds=kinds(policy))
