"""Errors as RFC 9457 problems: one table from our errors to HTTP, never a stack trace, never ticket text."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from model.errors import BundleError, InvalidTicket, TriageError

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[TriageError], int], ...] = ((InvalidTicket, 422), (BundleError, 409), (TriageError, 500))
_CODES = {
    400: "malformed_json",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_DETAILS = {
    400: "请求体不是合法的 UTF-8 JSON;请检查编码、引号与逗号",
    404: "没有这个地址;接口目录见 /docs",
    405: "这个地址不支持该方法;见 /docs",
}


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str = Field(description="HTTP 状态名")
    status: int
    code: str = Field(description="稳定的机器可读代码")
    detail: str = Field(description="哪里不对、如何改正")
    errors: list[dict[str, Any]] = []


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status in (400, 413, 415, 422)
}


def problem(status: int, code: str, detail: str, errors: Sequence[dict[str, Any]] = ()) -> JSONResponse:
    """A problem response.

    Args:
        status: HTTP status.
        code: stable, machine-readable.
        detail: what is wrong and how to mend it.
        errors: field by field, where known.

    Returns:
        The response.
    """
    body = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, errors=list(errors))
    return JSONResponse(body.model_dump(), status_code=status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Let every error of an app answer as a problem.

    Args:
        app: the application.
    """
    app.add_exception_handler(TriageError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return problem(status, getattr(error, "code", "triage_error"), str(error))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    if any(item["type"] == "json_invalid" for item in found):
        return problem(400, "malformed_json", "请求体不是合法的 JSON;请检查引号与逗号")
    fields = [
        {"field": ".".join(_path(item["loc"])), "message": item["msg"], "type": item["type"]}
        for item in found
        if "str" not in item["loc"]  # the other branch of "a ticket or its bare text"
    ]
    return problem(422, "invalid_field", "有字段不符合要求,见 errors", fields)


async def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    answer = problem(status, _CODES.get(status, "http_error"), _DETAILS.get(status, HTTPStatus(status).phrase))
    answer.headers.update(dict(getattr(error, "headers", None) or {}))
    return answer


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected %s", type(error).__name__)
    return problem(500, "internal_error", "服务内部错误,已记录;请稍后重试")


def _path(location: Sequence[Any]) -> list[str]:
    return [str(part) for part in location if part not in ("body", "query", "TicketIn")]
