"""The OpenAPI description: what the guard, the body limits and the error table answer stands with every call."""

from typing import Any

from fastapi import FastAPI

from serving.api.problems import RESPONSES
from serving.api.roles import CALLS, ROLE_NAMES

_SCHEME = "key"
_DOOR = (401, 403, 429, 503)
_BODY = (408, 413, 415)


def install(app: FastAPI) -> None:
    """Let an application describe itself in full.

    Args:
        app: the application with all its calls.
    """
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(plain())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    about = {
        "type": "http",
        "scheme": "bearer",
        "description": "triage keys create 所建的密钥;没有建过密钥时只应答本机",
    }
    schema.setdefault("components", {})["securitySchemes"] = {_SCHEME: about}
    for path, calls in schema["paths"].items():
        for method, call in calls.items():
            roles = CALLS.get((method.upper(), path))
            if roles is not None:
                call["security"] = [{_SCHEME: []}]
                call["description"] = (
                    f"可用的密钥:{'、'.join(name for role, name in ROLE_NAMES.items() if role in roles)}"
                )
            for status in _statuses(method, call, protected=roles is not None):
                call["responses"][str(status)] = RESPONSES[status]
            call["responses"] = dict(sorted(call["responses"].items()))
    return schema


def _statuses(method: str, call: dict[str, Any], *, protected: bool) -> list[int]:
    """Problems that a call may answer beyond those of its own."""
    found = list(_DOOR) if protected else []
    if method == "post":
        found += _BODY
    if "requestBody" in call:
        found.append(400)
    if "requestBody" in call or "parameters" in call:
        found.append(422)
    return found
