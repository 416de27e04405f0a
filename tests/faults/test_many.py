"""Beyond one machine: three API processes, two deliverers and two consumers on one PostgreSQL and one broker.

Any of them is killed under load. What an API, a deliverer or a consumer holds is in the store, so none of them needs another.
"""

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.harness import (
    DEAD,
    QUEUE,
    TICKETS,
    broker,
    broker_reachable,
    depth,
    place,
    postgres_database,
    publish,
    tell,
)
from tests.faults.load import Tally, bring, ticket
from tests.faults.processes import running, until
from tests.faults.receiver import Receiver
from tests.faults.test_kills import Killer

_APIS, _DELIVERERS, _CONSUMERS = 3, 2, 2
_BY_BROKER = 5
_CLOCK = "SELECT ticket_id, kind, count(*) FROM outbox WHERE kind IN ('due_soon', 'overdue') GROUP BY ticket_id, kind, desk, CAST(body AS TEXT)"


@pytest.mark.slow
def test_any_process_of_several_is_killed_and_nothing_is_lost_doubled_or_misled(bundle: Path, tmp_path: Path) -> None:
    if not broker_reachable():
        pytest.skip("no RabbitMQ whose queues nobody uses; set TRIAGE_TEST_RABBIT")
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        stack.enter_context(broker())
        at = stack.enter_context(place(tmp_path, url, bundle, Receiver(refuses=0.03, hangs_up=0.01)))
        servers = [at.api() for _ in range(_APIS)]
        deliverers = [at.deliverer() for _ in range(_DELIVERERS)]
        consumers = [at.consumer() for _ in range(_CONSUMERS)]
        turns = [servers[0][0], deliverers[0], consumers[0], servers[1][0], deliverers[1], consumers[1], servers[2][0]]
        stack.enter_context(running(*turns))
        bodies = [ticket(number, at.run) for number in range(TICKETS)]
        over_broker, over_http = bodies[1::_BY_BROKER], [b for n, b in enumerate(bodies) if n % _BY_BROKER != 1]
        tally, began = Tally(), time.monotonic()
        killer = Killer(turns, tally, len(over_http))
        killer.start()
        publisher = threading.Thread(target=publish, args=(over_broker, tally), daemon=True)
        publisher.start()
        bring([address for _, address in servers], over_http, tally, reviews_every=10)
        publisher.join()
        killer.join()
        assert killer.failed is None, killer.failed
        seconds = time.monotonic() - began
        until(lambda: depth(QUEUE) == 0, 120, "an empty queue")
        until(lambda: len(checks.rows(at.url, "SELECT 1 FROM tickets")) == TICKETS, 120, "all tickets")
        for consumer in consumers:
            assert consumer.stop() == 0, consumer.log.read_text(errors="replace")[-2000:]
        assert (depth(QUEUE), depth(DEAD)) == (0, 0)
        for body in over_broker:
            tally.answers.setdefault(body["ticket_id"], [])
        until(lambda: checks.waiting(at.url) == 0, 240, "an empty outbox")
        assert deliverers[1].stop() == 0
        at.settle(deliverers[0])
        figures = at.check(tally, bodies)
        twice = [row for row in checks.rows(at.url, _CLOCK) if row[2] != 1]
        assert not twice, f"a reminder of one clock came more than once: {twice[:5]}"
        kills = sum(process.kills for process in turns)
        tell("several of each, postgresql", {"tickets": TICKETS, "seconds": round(seconds), "kills": kills, **figures})
        assert figures["acknowledged"] == figures["stored"] == TICKETS
        assert kills == 12
