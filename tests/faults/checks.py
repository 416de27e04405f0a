"""What must hold after every fault, read from the store and from what arrived at the desks."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import create_engine, text

from tests.faults.load import Tally
from tests.faults.receiver import Delivery

_ONCE = {  # one row of each for every ticket, however often it came
    "tickets": "SELECT ticket_id, count(*) FROM tickets GROUP BY ticket_id",
    "texts": "SELECT ticket_id, count(*) FROM ticket_texts GROUP BY ticket_id",
    "predictions": "SELECT ticket_id, count(*) FROM predictions GROUP BY ticket_id",
    "routes": "SELECT ticket_id, count(*) FROM routes WHERE reason = 'intake' GROUP BY ticket_id",
    "audit": "SELECT substr(subject, 8), count(*) FROM audit WHERE action = 'ticket.taken_in' GROUP BY subject",
}
_OUTBOX = "SELECT id, key, ticket_id, kind, desk, urgent, delivered_at, parked_at FROM outbox ORDER BY id"
_AT_INTAKE = "SELECT ticket_id, body FROM routes WHERE reason = 'intake'"


def rows(url: str, query: str) -> list[Any]:
    """What the store holds, by plain SQL."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)))
    finally:
        engine.dispose()


def waiting(url: str) -> int:
    """Messages not yet delivered."""
    return int(rows(url, "SELECT count(*) FROM outbox WHERE delivered_at IS NULL")[0][0])


def stored_once(url: str, sent: Collection[str], acknowledged: Collection[str]) -> dict[str, int]:
    """Every acknowledged ticket stands there once with all that belongs to it, and none that was never sent."""
    found: dict[str, int] = {}
    for name, query in _ONCE.items():
        count = dict(map(tuple, rows(url, query)))
        twice = {ticket: n for ticket, n in count.items() if n != 1}
        assert not twice, f"{name}: more than once: {list(twice.items())[:5]}"
        lost = set(acknowledged) - count.keys()
        assert not lost, f"{name}: {len(lost)} acknowledged and not there, such as {sorted(lost)[:5]}"
        assert not count.keys() - set(sent), f"{name}: never sent"
        found[name] = len(count)
    assert len(set(found.values())) == 1, found
    return found


def first_answer_kept(tally: Tally) -> None:
    """Whoever sends a ticket again gets the first answer; only one call is told that it made the ticket."""
    for ticket_id, answers in tally.answers.items():
        assert all(answer == answers[0] for answer in answers), ticket_id
        assert tally.made[ticket_id] <= 1, ticket_id


def delivered(url: str, got: Sequence[Delivery], desks: Collection[str]) -> dict[str, int]:
    """Every message arrived, at the desk that the store has for it and at no other, in order for each ticket."""
    outbox = rows(url, _OUTBOX)
    first = {delivery.body["key"]: place for place, delivery in reversed(list(enumerate(got)))}
    by_key = {row.key: row for row in outbox}
    parked = [row.key for row in outbox if row.parked_at is not None]
    assert not parked, f"parked: {parked[:5]}"
    missing = [row.key for row in outbox if row.delivered_at is None or row.key not in first]
    assert not missing, f"{len(missing)} not delivered, such as {missing[:5]}"
    for delivery in got:
        _right_desk(delivery, by_key, desks)
    _routed_as_stored(url, outbox)
    return {"messages": len(outbox), "arrived": len(got), "repeated": len(got) - len(first), **_in_order(outbox, first)}


def _right_desk(delivery: Delivery, by_key: Mapping[str, Any], desks: Collection[str]) -> None:
    row, body = by_key[delivery.body["key"]], delivery.body
    assert (delivery.desk, body["ticket_id"], body["kind"]) == (row.desk, row.ticket_id, row.kind)
    assert body["desk"] == row.desk
    assert row.desk in desks
    assert delivery.message_id == hashlib.sha256(row.key.encode()).hexdigest()


def _routed_as_stored(url: str, outbox: Sequence[Any]) -> None:
    """Messages of the intake go to the queues of the ticket's first route, one each."""
    import json

    sent = defaultdict(Counter[str])
    for row in outbox:
        if row.kind == "routed":
            sent[row.ticket_id][row.desk] += 1
    for ticket_id, body in rows(url, _AT_INTAKE):
        route = body if isinstance(body, dict) else json.loads(body)
        assert sent[ticket_id] == Counter(route["deliver_to"]), ticket_id


def _in_order(outbox: Sequence[Any], first: Mapping[str, int]) -> dict[str, int]:
    """Of one ticket, what was written first arrives first; danger waits only for what goes to the same desk."""
    of_ticket = defaultdict(list)
    pairs = 0
    for row in outbox:
        for earlier in of_ticket[row.ticket_id]:
            if not row.urgent or earlier.desk == row.desk:
                assert first[earlier.key] < first[row.key], (earlier.key, row.key)
                pairs += 1
        of_ticket[row.ticket_id].append(row)
    return {"pairs in order": pairs}
