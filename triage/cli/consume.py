"""`triage consume`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.consume import Consumer
    from serving.engine.engine import Engine


def consume(
    prefetch: Annotated[int, typer.Option(min=1, max=1000, help="同时处理的工单数上限")] = 16,
) -> None:
    """Take tickets from RabbitMQ into the store until stopped; SIGTERM lets what is under way finish."""
    import asyncio
    import logging.config

    from triage.compose import broker_url, build_store, china_now, store_secret
    from triage.running import build_source, engine_options
    from triage.settings import Settings

    settings = Settings()
    url = broker_url(settings)
    from prometheus_client import CollectorRegistry

    from serving.api.logs import configuration
    from serving.consume import Consumer
    from serving.engine.engine import Engine
    from serving.engine.figures import Figures
    from serving.intake import Intake
    from serving.store.writer import TicketWriter

    logging.config.dictConfig(configuration(settings.log_level))
    database = build_store(settings)
    engine = Engine(build_source(settings), engine_options(settings), Figures(CollectorRegistry()))
    intake = Intake(
        writer=TicketWriter(database),
        predictor=engine,
        secret=store_secret(settings, database),
        retention_days=settings.retention_days,
        now=china_now,
    )
    try:
        asyncio.run(_run(Consumer(intake, url, prefetch=prefetch), engine))
    finally:
        database.close()


async def _run(consumer: "Consumer", engine: "Engine") -> None:
    import asyncio

    from faststream import FastStream

    broker = consumer.broker()
    await asyncio.to_thread(engine.start)
    watching = asyncio.create_task(engine.watch())

    async def prepare() -> None:  # FastStream awaits only what is declared as a coroutine function
        await consumer.declare_dead(broker)

    try:
        await FastStream(broker, logger=None, on_startup=[prepare]).run()
    finally:
        watching.cancel()
        await asyncio.to_thread(engine.stop)
