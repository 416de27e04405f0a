"""Logs as JSON lines on stdout, our own and uvicorn's. No ticket's text, no message of an exception."""

import logging
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from serving.api.context import place

_OURS = ("model", "serving", "triage", "uvicorn")
_EXTRA = ("method", "route", "status", "ms", "key")


def configuration(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`, and for uvicorn, which hands it to its worker processes.

    Args:
        level: of our own loggers. All others say warnings only: at DEBUG some print what they carry.

    Returns:
        The configuration.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{__name__}.formatter"}},
        "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
        "root": {"handlers": ["stdout"], "level": "WARNING"},
        "loggers": {name: {"level": level} for name in _OURS},
    }


def formatter() -> logging.Formatter:
    """Makes one JSON object of a record.

    Returns:
        The formatter.
    """
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=_EXTRA),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            _without_messages,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _without_messages(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Of an exception only its type and place."""
    found = event.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"], event["at"] = type(error).__name__, place(error)
        event["event"] = str(event["event"]).splitlines()[0] if event["event"] else ""
    return event
