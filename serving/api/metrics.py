"""Prometheus metrics of one application. No label ever holds ticket text."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.store.columns import Json


class Metrics:
    """Counters and histograms in a registry of their own, so that two applications do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "triage_request_seconds", "Seconds by route and status", ("route", "status"), registry=self.registry
        )
        self.decisions = Counter(
            "triage_predictions", "Predictions by decision and leaf", ("decision", "category"), registry=self.registry
        )
        self.cues = Counter("triage_cues_raised", "Cues raised", ("cue",), registry=self.registry)
        self.failures = Counter("triage_model_unavailable", "Predictions that rules answered", registry=self.registry)
        self.refused = Gauge(
            "triage_bundle_refused", "1 while the configured bundle is refused or missing", registry=self.registry
        )
        self.level = Gauge("triage_level", "1 for the rung of the ladder in use", ("level",), registry=self.registry)

    def serves(self, level: str, *, refused: bool) -> None:
        """Note which rung of the ladder answers.

        Args:
            level: the rung.
            refused: whether the configured bundle is refused or missing.
        """
        self.level.clear()
        self.level.labels(level).set(1)
        self.refused.set(refused)

    def count(self, answer: Json) -> None:
        """Count one prediction.

        Args:
            answer: the contract's form of it.
        """
        self.decisions.labels(answer["decision"], answer["category"]["code"]).inc()
        raised = [name for name, cue in answer["flags"].items() if cue["raised"]]
        raised += [name for name in ("safety", "escalation") if answer[name]["raised"]]
        for name in raised:
            self.cues.labels(name).inc()
        if "model_unavailable" in answer["reasons"]:
            self.failures.inc()

    def page(self) -> Response:
        """The page Prometheus reads.

        Returns:
            The response.
        """
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


class Timed:
    """ASGI middleware that times requests by route.

    Args:
        app: what to time.
        metrics: where to.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request.

        Args:
            scope: of the request.
            receive: its body.
            send: the answer.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 499  # the client left before an answer

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            status = 500
            raise
        finally:
            route = scope["template"] or "other"
            self.metrics.requests.labels(route, str(status)).observe(time.perf_counter() - began)
