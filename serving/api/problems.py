"""Errors as RFC 9457 problems: one table from our errors to HTTP, never a stack trace, never ticket text."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from model.errors import (
    BundleError,
    Conflict,
    InvalidField,
    InvalidTicket,
    NotFound,
    Overloaded,
    PolicyError,
    StoreUnavailable,
    TriageError,
    UnknownLeaf,
)
from model.ticket import type_word
from serving.api.rates import RateLimited
from serving.cues.errors import CueConflict, CueForbidden, CueInvalid, CueNotFound
from serving.events.errors import EventNotFound, InvalidEvents

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[TriageError], int], ...] = (
    (InvalidTicket, 422), (InvalidField, 422), (UnknownLeaf, 422), (CueInvalid, 422), (InvalidEvents, 422),
    (CueForbidden, 403), (NotFound, 404), (CueNotFound, 404), (EventNotFound, 404),
    (BundleError, 409), (PolicyError, 409), (Conflict, 409), (CueConflict, 409),
    (RateLimited, 429), (Overloaded, 503), (StoreUnavailable, 503), (TriageError, 500),
)  # fmt: skip
_RETRY_SECONDS = 5  # where an error does not know better
_CODES = {
    400: "malformed_json",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_DETAILS = {
    400: "请求体不是合法的 UTF-8 JSON;请检查编码、引号、逗号与括号,嵌套不要太深",
    404: "没有这个地址;接口目录见 /docs",
    405: "这个地址不支持该方法;见 /docs",
}
_WANTED = {  # beginnings of pydantic's error types
    "missing": "缺少这个字段",
    "string": "须为文本",
    "int": "须为文本或整数",
    "finite_number": "须为文本或整数",
    "bool": "须为 true 或 false",
    "list": "须为列表",
    "model": "须为对象",
    "dict": "须为对象",
}
_SAID = {  # by pydantic's whole error type
    "extra_forbidden": "没有这个字段,请检查拼写",
    "string_too_long": "至多 {max_length} 个字符",
    "string_too_short": "不能为空",
    "greater_than_equal": "须不小于 {ge}",
    "less_than_equal": "须不大于 {le}",
}
_OWN_TYPES = ("time", "place", "window", "year")  # whose messages are ours, and tell no value
_NO_FIELD = ("body", "query", "TicketIn", "OrgIn", "int")  # parts of a place that name a type, not a field


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
    for status in (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
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
    app.add_exception_handler(DataError, _unstorable)


def of_error(error: TriageError) -> JSONResponse:
    """The problem that one of our errors is.

    Args:
        error: raised anywhere.

    Returns:
        The response; 429 and 503 say when to come again.
    """
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    answer = problem(status, error.code, str(error), getattr(error, "problems", ()))
    if status in (429, 503):
        answer.headers["Retry-After"] = str(getattr(error, "retry_after", _RETRY_SECONDS))
    return answer


def unexpected() -> JSONResponse:
    """The problem that a mistake of ours is.

    Returns:
        The response, which tells nothing.
    """
    return problem(500, "internal_error", "服务内部错误,已记录;请稍后重试,仍不行请把 X-Request-Id 告诉管理员")


async def _ours(_: Request, error: Exception) -> JSONResponse:
    return of_error(error) if isinstance(error, TriageError) else unexpected()


async def _unstorable(_: Request, __: Exception) -> JSONResponse:
    return problem(422, "invalid_field", "含有存储不能接受的字符(如 NUL)或数值;请去掉后重试")


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    if any(item["type"] == "json_invalid" for item in found):
        return problem(400, "malformed_json", _DETAILS[400])
    fields = [
        {"field": ".".join(_path(item["loc"])), "message": _message(item), "type": item["type"]}
        for item in found
        if "str" not in item["loc"]  # the other branch of "a ticket or its bare text"
    ]
    first = f":{fields[0]['field'] or '请求体'} {fields[0]['message']}" if fields else ""
    return problem(422, "invalid_field", f"{len(fields)} 处不符合要求{first};字段说明见 /docs", fields)


def _message(item: dict[str, Any]) -> str:
    """What was wanted and what kind of value came; never the value."""
    context = item.get("ctx", {})
    if item["type"] == "literal_error":
        return f"须为 {str(context.get('expected')).replace(' or ', ' 或 ')}"
    if item["type"] == "too_long":
        return f"至多 {context.get('max_length')} 条,收到 {context.get('actual_length')} 条;请分批发送"
    if item["type"] in _OWN_TYPES:
        return str(item["msg"])
    if word := _SAID.get(item["type"]):
        return word.format(**context)
    wanted = next((word for kind, word in _WANTED.items() if item["type"].startswith(kind)), "不符合要求")
    return wanted if item["type"] == "missing" else f"{wanted},收到{type_word(item.get('input'))}"


async def _http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    answer = problem(status, _CODES.get(status, "http_error"), _DETAILS.get(status, HTTPStatus(status).phrase))
    answer.headers.update(dict(getattr(error, "headers", None) or {}))
    return answer


def _path(location: Sequence[Any]) -> list[str]:
    return [str(part) for part in location if part not in _NO_FIELD]
