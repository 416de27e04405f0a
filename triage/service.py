"""Composition root of the HTTP service; uvicorn calls `create` in each worker process."""

from importlib.metadata import version

from fastapi import FastAPI

from serving.api.app import create_app
from triage.compose import build_service_pipeline
from triage.settings import Settings


def create() -> FastAPI:
    """The application as the environment configures it.

    Returns:
        The application; its pipeline is built when it starts.
    """
    settings = Settings()
    return create_app(lambda: build_service_pipeline(settings), version("complaint-triage"))
