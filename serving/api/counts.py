"""How many tickets wait, over HTTP: the live figures of a console."""

from fastapi import FastAPI, Request

from serving.api.office import office_of
from serving.api.tickets import TAG
from serving.store import urgency
from serving.store.columns import Json


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.get(
        "/v1/counts",
        tags=[TAG],
        summary="件数:各状态;待处理中有安全风险、超期、将到期、升级风险、未自动派单的;以及未办结的超期",
    )
    def count(request: Request) -> Json:
        office = office_of(request)
        with office.store.read() as session:
            return urgency.counts(session, office.now())
