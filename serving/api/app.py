"""The HTTP application around one engine, and around one store where there is one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import Response

from model.errors import InvalidTicket
from model.pipeline import Pipeline
from model.ticket import Ticket, ticket_from
from serving.api import (
    categories,
    counts,
    cues,
    documentation,
    events,
    handling,
    hotspot_report,
    hotspots,
    labels,
    me,
    model_use,
    problems,
    reviews,
    similar,
    tickets,
)
from serving.api.access import Access
from serving.api.backlog import Backlog
from serving.api.context import Context
from serving.api.guard import Guard
from serving.api.limits import BodyLimits
from serving.api.metrics import Metrics, Timed
from serving.api.office import Office
from serving.api.rates import Rates, charge
from serving.api.room import Room
from serving.api.schemas import BatchIn, ModelOut, ReadyOut, TicketIn
from serving.engine.engine import Engine, Source
from serving.engine.figures import Figures
from serving.engine.options import EngineOptions

Explain = Annotated[bool, Query(description="给出逐词依据(较慢)")]
Budget = Annotated[
    int | None,
    Header(alias="X-Time-Budget-Ms", ge=1, le=60_000, description="本次请求可用的毫秒数;来不及时由较快的一层应答"),
]


def create_app(
    build: Callable[[], Pipeline] | Source,
    version: str,
    options: EngineOptions | None = None,
    *,
    office: Office | None = None,
) -> FastAPI:
    """Make the application. Nothing is loaded until it starts.

    Args:
        build: makes the pipeline at start-up, or says where pipelines come from.
        version: of this program, for the documentation.
        options: bounds of the engine.
        office: the store with its keys; without it there are predictions only, and nobody is asked for a key.

    Returns:
        The application; `/docs` works without internet.
    """
    metrics = Metrics()
    source = build if isinstance(build, Source) else Source(build, build, lambda: None)
    figures = Figures(metrics.registry)

    app: FastAPI = FastAPIOffline(
        title="complaint-triage",
        version=version,
        lifespan=_lifespan(source, options or EngineOptions(), figures, office),
        redoc_url=None,
    )
    app.add_middleware(BodyLimits)
    if office:
        app.add_middleware(Room)
        app.add_middleware(Guard, access=Access(office), rates=Rates(office.per_minute), registry=metrics.registry)
    app.add_middleware(Timed, metrics=metrics)
    app.add_middleware(Context)
    problems.install(app)
    _add_predictions(app, metrics)
    _add_state(app, metrics, Backlog(office, metrics.registry) if office else None)
    if office:
        _add_office(app, metrics, office)
    documentation.install(app)
    return app


def _lifespan(
    source: Source, options: EngineOptions, figures: Figures, office: Office | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = app.state.engine = Engine(source, options, figures)
        await asyncio.to_thread(engine.start)
        if office:
            await asyncio.to_thread(office.start, engine)
        watching = asyncio.create_task(engine.watch())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await asyncio.to_thread(engine.stop)
        if office:
            office.database.close()

    return lifespan


def _add_office(app: FastAPI, metrics: Metrics, office: Office) -> None:
    app.state.office = office
    similar.install(app)  # before the ticket, whose path takes everything that follows
    tickets.install(app, metrics)
    reviews.install(app)
    handling.install(app)
    cues.install(app)
    labels.install(app)
    events.install(app)
    hotspots.install(app)
    hotspot_report.install(app)
    me.install(app)
    counts.install(app)
    categories.install(app)
    model_use.install(app)


def _add_predictions(app: FastAPI, metrics: Metrics) -> None:
    @app.post("/v1/predict", tags=["分拣"], summary="分拣一条工单,不存储")
    async def predict(
        request: Request, body: TicketIn | str, explain: Explain = False, budget: Budget = None
    ) -> dict[str, Any]:
        engine: Engine = request.app.state.engine
        (prediction,) = await engine.answer([_ticket(body)], explain=explain, budget_ms=budget)
        answer = prediction.to_dict()
        metrics.count(answer)
        return {"row": 1, **answer}

    @app.post("/v1/predict/batch", tags=["分拣"], summary="分拣至多 256 条,按原顺序,错误留在原位")
    async def predict_batch(
        request: Request, body: BatchIn, explain: Explain = False, budget: Budget = None
    ) -> list[dict[str, Any]]:
        charge(request, len(body.tickets))
        engine: Engine = request.app.state.engine
        rows = [_ticket_or_error(value) for value in body.tickets]
        tickets = [row for row in rows if isinstance(row, Ticket)]
        predictions = iter(await engine.answer(tickets, explain=explain, budget_ms=budget))
        answers: list[dict[str, Any]] = []
        for number, row in enumerate(rows, 1):
            if isinstance(row, Ticket):
                answer = next(predictions).to_dict()
                metrics.count(answer)
                answers.append({"row": number, **answer})
            else:
                answers.append({"row": number, "error": {"code": row.code, "message": str(row)}})
        return answers


def _add_state(app: FastAPI, metrics: Metrics, backlog: Backlog | None) -> None:
    @app.get("/v1/model", tags=["模型"], summary="在用的模型包")
    async def model(request: Request) -> ModelOut:
        return _model(request.app.state.engine)

    @app.post(
        "/v1/model/reload", responses={409: problems.RESPONSES[409]}, tags=["模型"], summary="重新读取模型包,不中断服务"
    )
    async def reload(request: Request) -> ModelOut:
        engine: Engine = request.app.state.engine
        await asyncio.to_thread(engine.reload)
        return _model(engine)

    @app.get("/livez", tags=["运行"], summary="进程存活")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["运行"], summary="可以应答,以及由哪一层应答")
    async def readyz(request: Request) -> ReadyOut:
        engine: Engine = request.app.state.engine
        return ReadyOut(status="ready", level=engine.level, reason=engine.reason)

    @app.get("/metrics", tags=["运行"], summary="Prometheus 指标", response_class=Response)
    async def metrics_page(request: Request) -> Response:
        engine: Engine = request.app.state.engine
        if backlog:
            await backlog.renew()
        metrics.serves(engine.level, refused=engine.refused)
        return metrics.page()


def _ticket(body: TicketIn | str) -> Ticket:
    return ticket_from(body if isinstance(body, str) else body.model_dump(exclude_none=True))


def _ticket_or_error(value: Any) -> Ticket | InvalidTicket:
    try:
        return ticket_from(value)
    except InvalidTicket as error:
        return error


def _model(engine: Engine) -> ModelOut:
    pipeline = engine.pipeline
    taxonomy, manifest = pipeline.policy.taxonomy, pipeline.bundle.manifest if pipeline.bundle else {}
    name = pipeline.bundle.id if pipeline.bundle else None
    return ModelOut(
        bundle=name,
        level=engine.level,
        reason=engine.reason,
        source=pipeline.source,
        created=manifest.get("created"),
        versions={
            "bundle": name,
            "taxonomy": taxonomy.version,
            "rules": pipeline.policy.rules_version,
            "guideline": taxonomy.guideline,
        },
        leaves=list(taxonomy.codes),
        metrics=dict(manifest.get("metrics", {})),
    )
