"""`triage deliver`."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.delivery.deliverer import Deliverer
    from serving.delivery.metrics import DeliveryMetrics
    from serving.delivery.service import Watches
    from serving.store.database import Database
    from triage.settings import Settings

ACTOR = "command line"  # in the audit log


def deliver(
    once: Annotated[bool, typer.Option("--once", help="送完当前到期的消息即结束(供定时任务)")] = False,
    release_parked: Annotated[bool, typer.Option("--release-parked", help="先把搁置的消息放回待投递")] = False,
    metrics_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Prometheus 指标页的端口")] = None,
    metrics_host: Annotated[str, typer.Option(help="指标页的监听地址")] = "127.0.0.1",
) -> None:
    """Bring messages to their desks until stopped; SIGTERM lets what is under way finish."""
    import asyncio
    import logging.config

    from serving.api.logs import configuration
    from serving.delivery.metrics import DeliveryMetrics
    from triage.compose import build_store
    from triage.settings import Settings

    settings = Settings()
    logging.config.dictConfig(configuration(settings.log_level))
    database = build_store(settings)
    metrics = DeliveryMetrics()
    try:
        if release_parked:
            _release(database)
        listen = partial(metrics.listen, metrics_host, metrics_port) if metrics_port else None
        asyncio.run(_run(settings, database, metrics, listen, once=once))
    finally:
        database.close()


def _release(database: "Database") -> None:
    from serving.delivery.claims import release_parked
    from triage.compose import china_now

    with database.write() as session:
        count = release_parked(session, ACTOR, china_now())
    typer.echo(f"放回搁置的消息 {count} 条", err=True)


async def _run(
    settings: "Settings", database: "Database", metrics: "DeliveryMetrics", listen: Callable[[], None] | None, *, once: bool
) -> None:
    """Listens last: whoever sees the figures may send SIGTERM and find it heard."""
    import asyncio
    import signal

    from serving.delivery.service import run

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    deliverer, watches = _compose(settings, database, metrics)
    if listen:
        listen()
    try:
        await run(deliverer, watches, stop, once=once)
    finally:
        await deliverer.destination.close()


def _compose(settings: "Settings", database: "Database", metrics: "DeliveryMetrics") -> "tuple[Deliverer, Watches]":
    from datetime import timedelta

    from serving.delivery.claims import Pace
    from serving.delivery.clock_watch import ClockWatch
    from serving.delivery.deliverer import Deliverer
    from serving.delivery.service import Watches
    from triage.compose import build_destination, build_service_pipeline, china_now
    from triage.running import renewed_policy

    policy = build_service_pipeline(settings).policy  # the intake's: an office's own, else the bundle's
    deliverer = Deliverer(
        database=database,
        destination=build_destination(settings, policy),
        routing=policy.routing,
        pace=Pace(park_after=settings.park_after),
        now=china_now,
        metrics=metrics,
    )
    leads = timedelta(hours=settings.due_soon_hours), timedelta(minutes=settings.arrive_soon_minutes)
    return deliverer, Watches(ClockWatch(database, *leads, now=china_now), policy.cues, renewed_policy(settings))
