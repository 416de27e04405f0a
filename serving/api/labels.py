"""Reviewed tickets as a labelled batch, over HTTP."""

import json
from collections.abc import Iterator

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from serving.api.office import caller_of, office_of, policy_of
from serving.store.labels import Batch, export_labels

_LINES = "application/x-ndjson"


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.get(
        "/v1/labels/export",
        response_class=StreamingResponse,
        responses={200: {"description": "每行一条已标注工单", "content": {_LINES: {"schema": {"type": "string"}}}}},
        tags=["标注"],
        summary="改判过的工单,作为已标注批次(JSONL);X-Data-Version 是这一批的编号",
    )
    def export(request: Request) -> StreamingResponse:
        office, taxonomy = office_of(request), policy_of(request).taxonomy
        batch = export_labels(office.store, taxonomy=taxonomy, actor=caller_of(request).name, now=office.now())
        return StreamingResponse(_lines(batch), media_type=_LINES, headers={"X-Data-Version": batch.digest})


def _lines(batch: Batch) -> Iterator[str]:
    for record in batch.records:
        yield json.dumps(record, ensure_ascii=False) + "\n"
