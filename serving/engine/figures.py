"""Prometheus figures of one engine."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SIZES = (1, 2, 4, 8, 16, 32)
_WAITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Figures:
    """What an engine tells about itself.

    Args:
        registry: where Prometheus reads.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queue = Gauge("triage_queue_tickets", "Tickets that wait for a prediction", registry=registry)
        self.stuck = Gauge("triage_stuck_calls", "Encoder calls out of time that still run", registry=registry)
        self.batches = Histogram(
            "triage_batch_tickets", "Tickets predicted together", buckets=_SIZES, registry=registry
        )
        self.waits = Histogram("triage_wait_seconds", "Seconds in the queue", buckets=_WAITS, registry=registry)
        self.answers = Counter("triage_answers", "Tickets by the rung they were given", ("rung",), registry=registry)
        self.left_out = Counter(
            "triage_rung_left_out", "Batches that left a rung out, by reason", ("rung", "reason"), registry=registry
        )
        self.overloads = Counter("triage_overloads", "Requests refused since the queue was full", registry=registry)
        self.reloads = Counter("triage_reloads", "Bundles loaded anew, by outcome", ("outcome",), registry=registry)
