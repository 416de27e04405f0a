"""`triage consume`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.consume import Consumer


def consume(
    prefetch: Annotated[int, typer.Option(min=1, max=1000, help="同时处理的工单数上限")] = 16,
) -> None:
    """Take tickets from RabbitMQ into the store until stopped; SIGTERM lets what is under way finish."""
    import asyncio
    import logging

    from triage.compose import broker_url, build_service_pipeline, build_store, china_now, store_secret
    from triage.settings import Settings

    settings = Settings()
    url = broker_url(settings)
    from serving.consume import Consumer
    from serving.intake import Intake
    from serving.store.writer import TicketWriter

    logging.basicConfig(level=settings.log_level)
    database = build_store(settings)
    intake = Intake(
        writer=TicketWriter(database),
        predictor=build_service_pipeline(settings),
        secret=store_secret(settings, database),
        retention_days=settings.retention_days,
        now=china_now,
    )
    try:
        asyncio.run(_run(Consumer(intake, url, prefetch=prefetch)))
    finally:
        database.close()


async def _run(consumer: "Consumer") -> None:
    from faststream import FastStream

    broker = consumer.broker()

    async def prepare() -> None:  # FastStream awaits only what is declared as a coroutine function
        await consumer.declare_dead(broker)

    await FastStream(broker, logger=None, on_startup=[prepare]).run()
