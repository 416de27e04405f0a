"""Composition root of the HTTP service; uvicorn calls `create` in each worker process."""

from importlib.metadata import version

from fastapi import FastAPI

from serving.api.app import create_app
from serving.engine.engine import Source
from serving.engine.options import EngineOptions
from triage.compose import build_office, build_pipeline, build_service_pipeline, bundle_folder
from triage.settings import Settings


def create() -> FastAPI:
    """The application as the environment configures it.

    Returns:
        The application; its pipeline is built when it starts.
    """
    settings = Settings()
    source = Source(
        first=lambda: build_service_pipeline(settings),
        renew=lambda: build_pipeline(settings),
        folder=lambda: bundle_folder(settings),
    )
    options = EngineOptions(budget_ms=settings.budget_ms, queue=settings.queue, watch_seconds=settings.watch_seconds)
    return create_app(source, version("complaint-triage"), options, office=build_office(settings))
