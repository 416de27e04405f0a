"""How the classifier does in this office, over HTTP."""

from typing import Annotated

from fastapi import FastAPI, Query, Request

from serving.api.office import office_of
from serving.store.columns import Json
from serving.store.usage import usage

DAYS, DAYS_MOST = 30, 366
Days = Annotated[int, Query(ge=1, le=DAYS_MOST, description="最近几天;与此前同样长的一段对照")]


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.get(
        "/v1/model/use", tags=["模型"], summary="模型在本单位的表现:类别构成、改判、置信度是否可靠;不足 5 条只给件数"
    )
    def use(request: Request, days: Days = DAYS) -> Json:
        office = office_of(request)
        with office.store.read() as session:
            return usage(session, office.now(), days)
