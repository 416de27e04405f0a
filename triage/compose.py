"""The composition root: turns settings into a pipeline. The only place that decides what is used."""

import logging
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from model.bundle import Bundle, load_bundle
from model.errors import BundleError, BundleMissing, MissingExtra, StoreUnavailable, UnusableSettings
from model.pipeline import Pipeline
from model.policy import Policy, load_policy
from model.ticket import CHINA
from serving.delivery.destination import Destination
from serving.store.database import Database
from serving.store.secret import own_secret
from serving.store.upgrade import upgrade
from triage.settings import CHAMPION, Settings

if TYPE_CHECKING:
    from serving.api.office import Office

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


def build_pipeline(settings: Settings, named: Path | None = None, *, threads: int = 0) -> Pipeline:
    """A pipeline from the named bundle, the configured one, the champion, or rules alone where there is none.

    Args:
        settings: bundle, key, policy.
        named: a bundle named by the caller.
        threads: of one inference of the encoder; 0 takes every core.

    Returns:
        The pipeline.

    Raises:
        BundleError: the bundle is missing or refused; nothing is predicted.
    """
    folder = bundle_folder(settings, named)
    own = build_policy(settings) if settings.policy else None
    if folder is None:
        return Pipeline(own or load_policy())
    bundle = open_bundle(folder, settings, own, threads=threads)
    return Pipeline(own or bundle.policy, bundle)


def build_service_pipeline(settings: Settings, named: Path | None = None, *, threads: int = 0) -> Pipeline:
    """The same for a server, which never stays down: a refused bundle leaves rules to answer.

    Args:
        settings: bundle, key, policy.
        named: a bundle named on the command line.
        threads: of one inference of the encoder; 0 takes every core.

    Returns:
        The pipeline; its `missing` says why rules answer.
    """
    try:
        return build_pipeline(settings, named, threads=threads)
    except BundleError as error:
        reason = "bundle_missing" if isinstance(error, BundleMissing) else "bundle_refused"
        log.error("%s: %s", reason, error)
        return Pipeline(build_policy(settings), missing=reason)


def open_bundle(folder: Path, settings: Settings, policy: Policy | None = None, *, threads: int = 0) -> Bundle:
    """Verify and open a bundle with the configured key.

    Args:
        folder: the bundle.
        settings: the key.
        policy: the office's own policy, where it has one.
        threads: of one inference of the encoder; 0 takes every core.

    Returns:
        The bundle.
    """
    return load_bundle(folder, policy, bundle_key(settings), threads=threads)


def bundle_key(settings: Settings) -> str | None:
    """The signing key.

    Args:
        settings: may hold one.

    Returns:
        The key in plain text, or None.
    """
    return settings.bundle_key.get_secret_value() if settings.bundle_key else None


def build_store(settings: Settings) -> Database:
    """The store, in the shape that this program expects; a missing SQLite file is made.

    Args:
        settings: where it is.

    Returns:
        The store.

    Raises:
        StoreUnavailable: it cannot be reached or written.
    """
    database = Database(settings.database_url)
    upgrade(database)
    return database


def build_office(settings: Settings) -> "Office":
    """The store as the service uses it. It need not be reachable yet: the service starts without it.

    Args:
        settings: store, secret, retention, rate, customers.

    Returns:
        The office.

    Raises:
        UnreadableInput: the table of customers cannot be read.
    """
    from serving.api.office import Office

    database, customers = Database(settings.database_url), build_customers(settings.customers)
    secret = store_secret(settings, database)
    return Office(database, secret, settings.retention_days, settings.rate_per_minute, china_now, customers)


def build_customers(table: Path | None) -> Mapping[str, int]:
    """Customers by unit, the denominator of 万户投诉率.

    Args:
        table: a CSV file, where there is one.

    Returns:
        Empty without a table.

    Raises:
        UnreadableInput: the table cannot be read.
    """
    if table is None:
        return {}
    from serving.hotspots.customers import read_customers

    return read_customers(table)


def store_secret(settings: Settings, database: Database) -> bytes:
    """The secret of the HMACs: the configured one, else the file beside a SQLite store.

    Args:
        settings: may hold one.
        database: the store.

    Returns:
        The secret.

    Raises:
        StoreUnavailable: PostgreSQL without a configured secret, which all its servers must share.
    """
    if settings.secret:
        return settings.secret.get_secret_value().encode()
    if database.file is None:
        raise StoreUnavailable("使用 PostgreSQL 时须设置 TRIAGE_SECRET(各台服务器相同),否则重复工单与来电无法识别")
    return own_secret(database.file.with_suffix(".secret"))


def build_destination(settings: Settings, policy: Policy) -> Destination:
    """Where messages are delivered to: the office's addresses, else the broker.

    Args:
        settings: the table of addresses with allowed hosts and secret, or the broker.
        policy: names the desks.

    Returns:
        The destination; nothing is connected yet.

    Raises:
        UnusableSettings: neither is configured, or something is missing or not allowed.
        MissingExtra: the broker's client is not installed.
    """
    if settings.webhooks:
        from serving.delivery.webhook import Webhooks, read_addresses

        if settings.webhook_secret is None:
            raise UnusableSettings("投递到网址须设置 TRIAGE_WEBHOOK_SECRET(base64),接收方凭它验证签名")
        addresses = read_addresses(settings.webhooks, settings.webhook_hosts, policy.routing.desks)
        return Webhooks(addresses, settings.webhook_secret.get_secret_value(), china_now)
    url = broker_url(settings)
    from serving.delivery.broker import BrokerDesks

    return BrokerDesks(url)


def broker_url(settings: Settings) -> str:
    """The broker's address.

    Args:
        settings: may hold one.

    Returns:
        The address with user and password.

    Raises:
        UnusableSettings: none is configured.
        MissingExtra: the broker's client is not installed.
    """
    if settings.broker_url is None:
        raise UnusableSettings("没有设置 TRIAGE_BROKER_URL(RabbitMQ 地址);投递到网址请设置 TRIAGE_WEBHOOKS")
    if find_spec("faststream") is None or find_spec("aio_pika") is None:
        raise MissingExtra("RabbitMQ 需要 faststream:请运行 pip install 'complaint-triage[serve]'")
    return settings.broker_url.get_secret_value()


def china_now() -> datetime:
    """The clock.

    Returns:
        Now, in Asia/Shanghai.
    """
    return datetime.now(CHINA)
