"""The composition root: turns settings into a pipeline. The only place that decides what is used."""

import logging
from pathlib import Path

from model.bundle import Bundle, load_bundle
from model.errors import BundleError, BundleMissing
from model.pipeline import Pipeline
from model.policy import Policy, load_policy
from triage.settings import CHAMPION, Settings

log = logging.getLogger(__name__)


def build_policy(settings: Settings) -> Policy:
    """The office's policy, else the built-in one.

    Args:
        settings: where it lies.

    Returns:
        The policy.
    """
    return load_policy(settings.policy)


def bundle_folder(settings: Settings, named: Path | None = None) -> Path | None:
    """Which bundle to use.

    Args:
        settings: `TRIAGE_BUNDLE`.
        named: a bundle named by the caller; wins.

    Returns:
        The folder, or None where there is none at all.
    """
    if named or settings.bundle:
        return named or settings.bundle
    return CHAMPION if CHAMPION.exists() else None


def build_pipeline(settings: Settings, named: Path | None = None) -> Pipeline:
    """A pipeline from the named bundle, the configured one, the champion, or rules alone where there is none.

    Args:
        settings: bundle, key, policy.
        named: a bundle named by the caller.

    Returns:
        The pipeline.

    Raises:
        BundleError: the bundle is missing or refused; nothing is predicted.
    """
    folder = bundle_folder(settings, named)
    own = build_policy(settings) if settings.policy else None
    if folder is None:
        return Pipeline(own or load_policy())
    bundle = open_bundle(folder, settings, own)
    return Pipeline(own or bundle.policy, bundle)


def build_service_pipeline(settings: Settings, named: Path | None = None) -> Pipeline:
    """The same for a server, which never stays down: a refused bundle leaves rules to answer.

    Args:
        settings: bundle, key, policy.
        named: a bundle named on the command line.

    Returns:
        The pipeline; its `missing` says why rules answer.
    """
    try:
        return build_pipeline(settings, named)
    except BundleError as error:
        reason = "bundle_missing" if isinstance(error, BundleMissing) else "bundle_refused"
        log.error("%s: %s", reason, error)
        return Pipeline(build_policy(settings), missing=reason)


def open_bundle(folder: Path, settings: Settings, policy: Policy | None = None) -> Bundle:
    """Verify and open a bundle with the configured key.

    Args:
        folder: the bundle.
        settings: the key.
        policy: the office's own policy, where it has one.

    Returns:
        The bundle.
    """
    return load_bundle(folder, policy, bundle_key(settings))


def bundle_key(settings: Settings) -> str | None:
    """The signing key.

    Args:
        settings: may hold one.

    Returns:
        The key in plain text, or None.
    """
    return settings.bundle_key.get_secret_value() if settings.bundle_key else None
