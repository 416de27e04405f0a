"""Composition for processes that go on for long: what they predict with, and how they notice another bundle or policy."""

import logging
from collections.abc import Callable

from model.encoder import usable_cores
from model.errors import BundleError, PolicyError
from model.policy import Policy
from serving.engine.engine import Source
from serving.engine.folder import Watched
from serving.engine.options import EngineOptions
from triage.compose import build_pipeline, build_service_pipeline, bundle_folder
from triage.settings import Settings

log = logging.getLogger(__name__)


def build_source(settings: Settings) -> Source:
    """Where a server's pipelines come from, now and whenever bundle or policy have changed.

    Args:
        settings: bundle, key, policy.

    Returns:
        The source; nothing is opened yet.
    """
    threads = _threads(settings)
    return Source(
        first=lambda: build_service_pipeline(settings, threads=threads),
        renew=lambda: build_pipeline(settings, threads=threads),
        folder=lambda: bundle_folder(settings),
        policy=lambda: settings.policy,
    )


def _threads(settings: Settings) -> int:
    """Of one inference, so that all that run at once share the cores: threads that wait for a core spin on another's."""
    return max(1, usable_cores() // (settings.workers * EngineOptions().workers))


def engine_options(settings: Settings) -> EngineOptions:
    """How a server's engine behaves.

    Args:
        settings: time budget, queue, how often to look at folders.

    Returns:
        The options.
    """
    return EngineOptions(budget_ms=settings.budget_ms, queue=settings.queue, watch_seconds=settings.watch_seconds)


def renewed_policy(settings: Settings) -> Callable[[], Policy | None]:
    """A watch over bundle and policy, for a process that predicts nothing.

    Args:
        settings: where they lie.

    Returns:
        Gives the policy once after each change, as soon as the folders are at rest; None else. What cannot be read is
        logged, and the policy in use stays.
    """
    watched = Watched(lambda: (bundle_folder(settings), settings.policy))

    def renewed() -> Policy | None:
        if not settings.watch_seconds or not watched.changed():
            return None
        watched.use()
        try:
            policy = build_pipeline(settings).policy
        except (BundleError, PolicyError) as error:
            log.error("%s: %s", error.code, error)
            return None
        log.info("policy in use: rules %s", policy.rules_version)
        return policy

    return renewed
