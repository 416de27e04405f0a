"""Prometheus metrics of the deliverer. Labels hold kinds and reason codes, never desks' addresses or text."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from serving.delivery.claims import Backlog
from serving.delivery.destination import REASONS
from serving.store.outbox import KINDS


class DeliveryMetrics:
    """Counters of one deliverer, and the outbox as it last saw it, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.delivered = Counter("triage_outbox_delivered", "Messages delivered", ("kind",), registry=self.registry)
        self.failed = Counter("triage_outbox_failed", "Tries that failed", ("reason",), registry=self.registry)
        self.clock_events = Counter("triage_clock_events", "Due-soon and overdue events", registry=self.registry)
        for kind in KINDS:  # there from the start, so that a first event is seen as a rise
            self.delivered.labels(kind)
        for reason in REASONS:
            self.failed.labels(reason)
        self._overdue = Gauge(
            "triage_tickets_overdue", "Running tickets out of time", ("clock",), registry=self.registry
        )
        self._parked = Gauge("triage_outbox_parked", "Messages parked until a person looks", registry=self.registry)
        self._waiting = Gauge("triage_outbox_waiting", "Messages not yet delivered", registry=self.registry)
        self._age = Gauge("triage_outbox_age_seconds", "Age of the oldest undelivered message", registry=self.registry)

    def saw(self, backlog: Backlog, overdue: Mapping[str, int]) -> None:
        """Note the state of the outbox and of the clocks.

        Args:
            backlog: just read.
            overdue: running tickets out of time, by clock.
        """
        for clock, count in overdue.items():
            self._overdue.labels(clock).set(count)
        self._parked.set(backlog.parked)
        self._waiting.set(backlog.waiting)
        self._age.set(backlog.oldest_seconds)

    def listen(self, host: str, port: int) -> None:
        """Serve the metrics page from a thread of its own.

        Args:
            host: address.
            port: of the page.
        """
        start_http_server(port, host, registry=self.registry)
