"""Whose key it is, over HTTP: programs show who is signed in."""

from fastapi import FastAPI, Request

from serving.api.office import caller_of
from serving.api.roles import ROLE_NAMES
from serving.api.schemas import MeOut


def install(app: FastAPI) -> None:
    """Add the call.

    Args:
        app: the application.
    """

    @app.get("/v1/me", tags=["运行"], summary="这个密钥是谁的:名称、角色、单位")
    def me(request: Request) -> MeOut:
        caller = caller_of(request)
        return MeOut(name=caller.name, role=caller.role, role_name=ROLE_NAMES[caller.role], unit=caller.unit)
