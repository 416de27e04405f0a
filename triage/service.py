"""Composition root of the HTTP service; uvicorn calls `create` in each worker process."""

from importlib.metadata import version

from fastapi import FastAPI

from serving.api.app import create_app
from triage.compose import build_office
from triage.running import build_source, engine_options
from triage.settings import Settings


def create() -> FastAPI:
    """The application as the environment configures it.

    Returns:
        The application; its pipeline is built when it starts.
    """
    settings = Settings()
    options, office = engine_options(settings), build_office(settings)
    return create_app(build_source(settings), version("complaint-triage"), options, office=office)
