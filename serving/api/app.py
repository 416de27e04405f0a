"""The HTTP application around one pipeline."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import to_thread
from fastapi import FastAPI, Query
from fastapi_offline import FastAPIOffline
from starlette.requests import Request
from starlette.responses import Response

from model.errors import InvalidTicket
from model.pipeline import Pipeline
from model.ticket import Ticket, ticket_from
from serving.api import problems
from serving.api.limits import BodyLimits
from serving.api.metrics import Metrics, Timed
from serving.api.schemas import BatchIn, ModelOut, ReadyOut, TicketIn

_THREADS = 4  # predictions at a time; more only wait for the same cores
Explain = Annotated[bool, Query(description="给出逐词依据(较慢)")]


def create_app(build: Callable[[], Pipeline], version: str) -> FastAPI:
    """Make the application. Nothing is loaded until it starts.

    Args:
        build: makes the pipeline at start-up.
        version: of this program, for the documentation.

    Returns:
        The application; `/docs` works without internet.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pipeline = build()
        pipeline.warm()
        metrics.serves(pipeline)
        app.state.pipeline = pipeline
        to_thread.current_default_thread_limiter().total_tokens = _THREADS
        yield

    app: FastAPI = FastAPIOffline(title="complaint-triage", version=version, lifespan=lifespan, redoc_url=None)
    app.state.metrics = metrics
    app.add_middleware(BodyLimits)
    app.add_middleware(Timed, metrics=metrics)
    problems.install(app)
    _add_predictions(app, metrics)
    _add_state(app, metrics)
    return app


def _add_predictions(app: FastAPI, metrics: Metrics) -> None:
    @app.post("/v1/predict", responses=problems.RESPONSES, tags=["分拣"], summary="分拣一条工单,不存储")
    def predict(request: Request, body: TicketIn | str, explain: Explain = False) -> dict[str, Any]:
        prediction = request.app.state.pipeline.predict([_ticket(body)], explain=explain)[0]
        metrics.count(prediction)
        return {"row": 1, **prediction.to_dict()}

    @app.post(
        "/v1/predict/batch",
        responses=problems.RESPONSES,
        tags=["分拣"],
        summary="分拣至多 256 条,按原顺序,错误留在原位",
    )
    def predict_batch(request: Request, body: BatchIn, explain: Explain = False) -> list[dict[str, Any]]:
        rows = [_ticket_or_error(value) for value in body.tickets]
        tickets = [row for row in rows if isinstance(row, Ticket)]
        predictions = iter(request.app.state.pipeline.predict(tickets, explain=explain))
        answers: list[dict[str, Any]] = []
        for number, row in enumerate(rows, 1):
            if isinstance(row, Ticket):
                prediction = next(predictions)
                metrics.count(prediction)
                answers.append({"row": number, **prediction.to_dict()})
            else:
                answers.append({"row": number, "error": {"code": row.code, "message": str(row)}})
        return answers


def _add_state(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/v1/model", tags=["模型"], summary="在用的模型包")
    def model(request: Request) -> ModelOut:
        pipeline: Pipeline = request.app.state.pipeline
        taxonomy, manifest = pipeline.policy.taxonomy, pipeline.bundle.manifest if pipeline.bundle else {}
        name = pipeline.bundle.id if pipeline.bundle else None
        return ModelOut(
            bundle=name,
            level=pipeline.level,
            reason=pipeline.missing,
            source=pipeline.level,
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

    @app.get("/livez", tags=["运行"], summary="进程存活")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["运行"], summary="可以应答,以及由哪一层应答")
    async def readyz(request: Request) -> ReadyOut:
        pipeline: Pipeline = request.app.state.pipeline
        return ReadyOut(status="ready", level=pipeline.level, reason=pipeline.missing)

    @app.get("/metrics", tags=["运行"], summary="Prometheus 指标", response_class=Response)
    async def metrics_page() -> Response:
        return metrics.page()


def _ticket(body: TicketIn | str) -> Ticket:
    return ticket_from(body if isinstance(body, str) else body.model_dump(exclude_none=True))


def _ticket_or_error(value: Any) -> Ticket | InvalidTicket:
    try:
        return ticket_from(value)
    except InvalidTicket as error:
        return error
