"""The monthly hotspot report over HTTP, as a file that the console hands on. One report at a time."""

import threading
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response

from model.errors import InvalidField, StoreUnavailable
from model.policy import Policy
from serving.api.hotspot_schemas import ReportQuery
from serving.api.office import Office, office_of, policy_of

DAYS_MOST = 400
WAIT_SECONDS = 60.0
Format = Literal["html", "docx", "xlsx"]
_OFFICE = "application/vnd.openxmlformats-officedocument"
TYPES: dict[Format, str] = {
    "html": "text/html",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
}
_CONTENT: dict[str, Any] = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in TYPES.values()}


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application, with an office.
    """
    turn = threading.Lock()

    @app.get(
        "/v1/hotspots/report",
        response_class=Response,
        responses={200: {"description": "报告文件", "content": _CONTENT}},
        tags=["热点"],
        summary="月度投诉热点分析及管控措施:网页、Word 或 Excel",
    )
    def report(request: Request, wanted: Annotated[ReportQuery, Query()]) -> Response:
        if not 0 < (wanted.until - wanted.since).days <= DAYS_MOST:
            raise InvalidField(f"since 须早于 until(截止日不含在内),相距至多 {DAYS_MOST} 天")
        if not turn.acquire(timeout=WAIT_SECONDS):
            raise StoreUnavailable("正在为别人生成报告;请稍后重试")
        try:
            content = _made(office_of(request), policy_of(request), wanted)
        finally:
            turn.release()
        named = f'attachment; filename="hotspots-{wanted.since}-{wanted.until}.{wanted.format}"'
        return Response(content, media_type=TYPES[wanted.format], headers={"Content-Disposition": named})


def _made(office: Office, policy: Policy, wanted: ReportQuery) -> bytes:
    from serving.hotspots.analyse import Background
    from serving.hotspots.periods import midnight
    from serving.reports.files import CONTENT
    from serving.reports.monthly.build import monthly
    from serving.reports.stored import Time, month_of

    asked = Time(midnight(wanted.since), midnight(wanted.until), wanted.by)
    known = Background(customers=office.customers, as_of=office.now())
    with office.store.read() as session:
        analysis, material = month_of(session, asked, policy, known)
    return CONTENT[f".{wanted.format}"](monthly(analysis, material))
