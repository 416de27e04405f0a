"""kill -9 of the API, of the deliverer and of the consumer, again and again, while eight clients bring tickets."""

import threading
import time
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.harness import DEAD, QUEUE, TICKETS, broker, broker_reachable, depth, place, publish, tell
from tests.faults.load import Tally, bring, ticket
from tests.faults.processes import Process, running, until
from tests.faults.receiver import Receiver

_BY_BROKER = 5  # every fifth ticket comes by the broker
_KILLS = 12


class Killer(threading.Thread):
    """Kills the processes in turn, each time a share of the tickets is acknowledged, and starts them again at once."""

    def __init__(self, processes: list[Process], tally: Tally, tickets: int) -> None:
        super().__init__(daemon=True)
        self.processes, self.tally, self.tickets = processes, tally, tickets
        self.failed: BaseException | None = None

    def run(self) -> None:
        turns = cycle(self.processes)
        try:
            for kill in range(1, _KILLS + 1):
                while self.tally.acknowledged < self.tickets * kill // (_KILLS + 1):
                    time.sleep(0.02)
                process = next(turns)
                process.kill()
                process.start()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.failed = error


@pytest.mark.slow
def test_no_ticket_is_lost_or_doubled_when_processes_are_killed(store: str, bundle: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        by_broker = broker_reachable()
        if by_broker:
            stack.enter_context(broker())
        at = stack.enter_context(place(tmp_path, store, bundle, Receiver(refuses=0.03, hangs_up=0.01)))
        api, url = at.api()
        deliverer, consumer = at.deliverer(), at.consumer()
        processes = [api, deliverer, *([consumer] if by_broker else [])]
        stack.enter_context(running(*processes))
        bodies = [ticket(number, at.run) for number in range(TICKETS)]
        over_broker = bodies[1::_BY_BROKER] if by_broker else []
        over_http = [body for number, body in enumerate(bodies) if not by_broker or number % _BY_BROKER != 1]
        tally, began = Tally(), time.monotonic()
        killer = Killer(processes, tally, len(over_http))
        killer.start()
        publisher = threading.Thread(target=publish, args=(over_broker, tally), daemon=True)
        publisher.start()
        bring(url, over_http, tally, reviews_every=10)
        publisher.join()
        killer.join()
        assert killer.failed is None, killer.failed
        seconds = time.monotonic() - began
        if by_broker:
            until(lambda: depth(QUEUE) == 0, 120, "an empty queue")
            until(lambda: len(checks.rows(at.url, "SELECT 1 FROM tickets")) == TICKETS, 120, "all tickets")
            assert consumer.stop() == 0, consumer.log.read_text(errors="replace")[-2000:]
            assert (depth(QUEUE), depth(DEAD)) == (0, 0)
            for body in over_broker:
                tally.answers.setdefault(body["ticket_id"], [])
        at.settle(deliverer)
        figures = at.check(tally, bodies)
        kills = {process.command[1]: process.kills for process in processes}
        tell(
            f"kill -9, {store.split(':')[0]}",
            {"tickets": TICKETS, "seconds": round(seconds), "kills": kills, **figures},
        )
        assert figures["acknowledged"] == figures["stored"] == TICKETS
        assert sum(kills.values()) == _KILLS
        assert tally.reviewed
