"""Messages reach their desk at least once, in order, one sender at a time, and never a desk that is complained of."""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from model.policy import Policy
from serving.delivery.claims import FORBIDDEN_DESK, Pace, backlog, claim, mark_delivered, release_parked
from serving.delivery.deliverer import Deliverer
from serving.delivery.destination import DeliveryFailed, Envelope
from serving.delivery.letters import letter
from serving.store.audit import entries
from serving.store.database import Database
from serving.store.outbox import Message, enqueue
from serving.store.retention import delete_ticket
from serving.store.reviews import Verdict, review
from serving.store.tables import OutboxMessage
from tests.service.conftest import Clock, Take

PACE = Pace(park_after=3, lanes=4, idle=timedelta(seconds=0.01))
OUTAGE = "城南小区停电三个小时了,没有人来修"
DANGER = "电线断了掉在路上还在冒火花,有小孩在旁边,快来人"


class Desks:
    """A destination that notes what it took. `fails` says whether, and why, a message is refused."""

    def __init__(self, fails: Callable[[Envelope], str | None] = lambda _: None) -> None:
        self.taken: list[Envelope] = []
        self.under_way: set[int] = set()
        self.fails = fails

    async def send(self, envelope: Envelope) -> None:
        assert envelope.id not in self.under_way, "one message, two senders at a time"
        self.under_way.add(envelope.id)
        await asyncio.sleep(0)
        self.under_way.discard(envelope.id)
        if reason := self.fails(envelope):
            raise DeliveryFailed(reason)
        self.taken.append(envelope)

    async def close(self) -> None:
        """Nothing is held."""

    def of(self, ticket_id: str) -> list[str]:
        return [envelope.kind for envelope in self.taken if envelope.ticket_id == ticket_id]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(envelope.body) for envelope in self.taken]


Drain = Callable[..., None]


@pytest.fixture
def drain(database: Database, policy: Policy, clock: Clock) -> Drain:
    """Deliver what is due: `drain(desks)`; with `wait`, again and again while the clock goes on."""

    def call(desks: Desks, pace: Pace = PACE, rounds: int = 1) -> None:
        deliverer = Deliverer(database, desks, policy.routing, pace, clock)
        for _ in range(rounds):
            asyncio.run(deliverer.run(asyncio.Event(), once=True))
            clock.goes_on(minutes=10)

    return call


def outbox(database: Database) -> list[OutboxMessage]:
    with database.read() as session:
        found = list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))
        session.expunge_all()
        return found


def tell(database: Database, clock: Clock, *messages: Message) -> None:
    with database.write() as session:
        enqueue(session, messages, clock())


def test_a_ticket_reaches_its_desk_with_masked_text_and_what_was_proposed(
    database: Database, take: Take, drain: Drain
) -> None:
    answer = take("T1", f"{OUTAGE},我叫王建国,电话13812345678")
    desks = Desks()
    drain(desks)
    assert {body["desk"] for body in desks.bodies()} == set(answer["route"]["deliver_to"])  # type: ignore[index]
    body = desks.bodies()[0]
    assert body["ticket_id"] == "T1"
    assert body["kind"] == "routed"
    assert "停电" in body["text"]
    assert "13812345678" not in desks.taken[0].body.decode()
    assert body["prediction"]["category"]["code"] == answer["category"]["code"]  # type: ignore[index]
    assert body["ticket"]["due_at"] == answer["route"]["due_at"]  # type: ignore[index]
    assert all(message.delivered_at for message in outbox(database))


def test_a_second_round_sends_nothing_again(take: Take, drain: Drain) -> None:
    take("T1", OUTAGE)
    desks = Desks()
    drain(desks, rounds=3)
    assert len(desks.taken) == len({envelope.key for envelope in desks.taken})


def test_only_the_review_desk_is_shown_the_cues(
    database: Database, take: Take, drain: Drain, clock: Clock, policy: Policy
) -> None:
    take("T1", OUTAGE)
    tell(
        database,
        clock,
        Message("T1", 2, "rerouted", "计量班"),
        Message("T1", 2, "rerouted", policy.routing.review_desk),
    )
    desks = Desks()
    drain(desks)
    shown = {body["desk"]: "flags" in body["prediction"] for body in desks.bodies() if body["kind"] == "rerouted"}
    assert shown == {"计量班": False, policy.routing.review_desk: True}


def test_a_desk_that_loses_a_ticket_is_told_no_more_than_its_number(
    database: Database, take: Take, drain: Drain, clock: Clock
) -> None:
    take("T1", OUTAGE)
    tell(database, clock, Message("T1", 2, "withdrawn", "计量班"))
    desks = Desks()
    drain(desks)
    body = desks.bodies()[-1]
    assert body["kind"] == "withdrawn"
    assert not {"text", "prediction", "ticket", "route"} & set(body)


def test_the_text_of_a_deleted_ticket_is_not_sent(database: Database, take: Take, drain: Drain, clock: Clock) -> None:
    take("T1", OUTAGE)
    delete_ticket(database, "T1", actor="admin", now=clock())
    tell(database, clock, Message("T1", 3, "rerouted", "计量班"))  # as if it had been written a moment before
    desks = Desks()
    drain(desks)
    assert "deleted" in desks.of("T1")
    late = next(body for body in desks.bodies() if body["kind"] == "rerouted")
    assert late["text"] is None
    assert "没有人来修" not in desks.taken[-1].body.decode()


def test_messages_of_a_ticket_wait_for_the_earlier_ones(
    database: Database, take: Take, drain: Drain, clock: Clock
) -> None:
    take("T1", OUTAGE)
    tell(database, clock, Message("T1", 2, "rerouted", "计量班"), Message("T1", 3, "withdrawn", "计量班"))
    refusals = iter(["timeout", "timeout"])
    desks = Desks(lambda envelope: next(refusals, None) if envelope.kind == "routed" else None)
    drain(desks)
    assert desks.taken == []
    drain(desks, rounds=3)
    assert desks.of("T1")[-2:] == ["rerouted", "withdrawn"]
    assert desks.of("T1")[0] == "routed"


def test_a_parked_message_holds_its_ticket_back_until_a_person_releases_it(
    database: Database, take: Take, drain: Drain, clock: Clock
) -> None:
    take("T1", OUTAGE)
    take("T2", OUTAGE)
    tell(database, clock, Message("T1", 2, "rerouted", "计量班"))
    desks = Desks(lambda envelope: "status_400" if envelope.ticket_id == "T1" and envelope.kind == "routed" else None)
    drain(desks, rounds=6)
    assert desks.of("T1") == []
    assert desks.of("T2")
    with database.read() as session:
        figures = backlog(session, clock())
        assert (figures.parked, figures.waiting) == (1, 1)
        assert figures.oldest_seconds > 0
        parked = [entry for entry in entries(session, "ticket:T1") if entry["action"] == "outbox.parked"]
    assert [entry["detail"]["reason"] for entry in parked] == ["status_400"]
    desks.fails = lambda _: None
    with database.write() as session:
        assert release_parked(session, "admin", clock()) == 1
    drain(desks)
    assert desks.of("T1") == ["routed", "rerouted"]


def test_danger_goes_past_a_parked_message_and_past_another_desk(
    database: Database, take: Take, drain: Drain, policy: Policy
) -> None:
    take("T1", DANGER)
    centre, person = policy.routing.safety.desk, policy.routing.safety.person
    desks = Desks(lambda envelope: "connection" if envelope.desk == centre else None)
    drain(desks)
    assert [envelope.desk for envelope in desks.taken if envelope.urgent] == [person]
    assert json.loads(desks.taken[0].body)["urgent"] is True


def test_danger_is_claimed_first(database: Database, take: Take, clock: Clock) -> None:
    for number in range(5):
        take(f"T{number}", OUTAGE)
    take("T9", DANGER)
    with database.write() as session:
        assert claim(session, 1, clock(), PACE)[0].ticket_id == "T9"


def test_a_message_is_tried_again_later_each_time_and_not_before() -> None:
    waits = [PACE.wait(tries, 1.0).total_seconds() for tries in range(1, 40)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    assert waits[-1] == PACE.longest_wait.total_seconds()
    assert PACE.wait(3, 0.0).total_seconds() == 2


def test_a_lease_shorter_than_a_delivery_is_refused() -> None:
    with pytest.raises(ValueError, match="lease"):
        Pace(park_after=1, lease=timedelta(seconds=5))


def test_a_death_between_delivery_and_mark_sends_the_same_key_again(
    database: Database, take: Take, drain: Drain, clock: Clock, policy: Policy
) -> None:
    take("T1", OUTAGE)
    with database.write() as session:  # claimed and delivered, and then the process is gone
        lost = letter(session, claim(session, 1, clock(), PACE)[0], policy.routing, clock() + PACE.lease)
    desks = Desks()
    drain(desks)
    assert desks.of("T1") == []  # somebody may still be sending it
    clock.goes_on(seconds=61)
    drain(desks)
    assert desks.taken[0].key == lost.key
    assert desks.taken[0].message_id == lost.message_id


def test_a_late_mark_of_a_lost_claim_does_not_free_the_claim_of_another(
    database: Database, take: Take, clock: Clock, policy: Policy
) -> None:
    from serving.delivery.claims import mark_failed

    take("T1", OUTAGE)
    with database.write() as session:
        late = letter(session, claim(session, 1, clock(), PACE)[0], policy.routing, clock() + PACE.lease)
    clock.goes_on(minutes=2)
    with database.write() as session:
        claim(session, 1, clock(), PACE)
        mark_failed(session, late, "timeout", clock())
        assert claim(session, 1, clock(), PACE) == []
        mark_delivered(session, late, clock())  # but what was delivered is delivered
    assert outbox(database)[0].delivered_at


def test_several_deliverers_share_the_work_and_never_hold_one_message_twice(
    database: Database, take: Take, clock: Clock, policy: Policy
) -> None:
    for number in range(30):
        take(f"T{number}", OUTAGE)
    desks = Desks()

    async def all_at_once() -> None:
        several = [Deliverer(database, desks, policy.routing, PACE, clock) for _ in range(3)]
        await asyncio.gather(*(one.run(asyncio.Event(), once=True) for one in several))

    asyncio.run(all_at_once())
    keys = [envelope.key for envelope in desks.taken]
    assert len(keys) == len(set(keys))
    assert set(keys) == {message.key for message in outbox(database)}


def test_a_clock_that_jumps_back_does_not_hold_messages(
    database: Database, take: Take, drain: Drain, clock: Clock
) -> None:
    clock.goes_on(days=3)
    take("T1", OUTAGE)
    desks = Desks(lambda _: "timeout")
    drain(desks)
    clock.goes_on(days=-3)
    desks.fails = lambda _: None
    drain(desks)
    assert desks.of("T1") == ["routed"]


def test_a_desk_that_the_ticket_complains_of_gets_nothing(
    database: Database, take: Take, drain: Drain, clock: Clock, policy: Policy
) -> None:
    take("T1", OUTAGE)
    verdict = Verdict(version=1, category="hall.staff_attitude")
    tell(database, clock, Message("T1", 1, "routed", "营业班", about="old"))
    review(database, "T1", verdict=verdict, policy=policy, reviewer="r1", now=clock())
    desks = Desks()
    drain(desks, rounds=2)
    assert not any(envelope.desk == "营业班" for envelope in desks.taken)
    refused = [message for message in outbox(database) if message.desk == "营业班"]
    assert [message.last_error for message in refused] == [FORBIDDEN_DESK]
    assert "rerouted" in desks.of("T1")  # the one that is never sent holds nothing back
    with database.write() as session:
        assert release_parked(session, "admin", clock()) == 0


def test_a_destination_with_a_fault_of_its_own_does_not_end_the_deliverer(
    database: Database, take: Take, drain: Drain, clock: Clock
) -> None:
    take("T1", OUTAGE)
    take("T2", OUTAGE)

    def broken(envelope: Envelope) -> str | None:
        if envelope.ticket_id == "T1":
            raise RuntimeError(OUTAGE)
        return None

    desks = Desks(broken)
    drain(desks)
    assert desks.of("T2")
    assert outbox(database)[0].last_error == "unexpected_RuntimeError"


def test_a_destination_that_never_answers_is_given_up_in_time(database: Database, take: Take, drain: Drain) -> None:
    take("T1", OUTAGE)

    class Silent(Desks):
        async def send(self, envelope: Envelope) -> None:
            await asyncio.sleep(60)

    drain(Silent(), Pace(park_after=3, timeout=timedelta(seconds=0.1)))
    assert outbox(database)[0].last_error == "timeout"


def test_on_stop_what_is_under_way_is_finished_and_noted(
    database: Database, take: Take, clock: Clock, policy: Policy
) -> None:
    for number in range(20):
        take(f"T{number}", OUTAGE)

    class Slow(Desks):
        async def send(self, envelope: Envelope) -> None:
            await asyncio.sleep(0.05)
            self.taken.append(envelope)

    desks = Slow()

    async def stopped_soon() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.08, stop.set)
        await Deliverer(database, desks, policy.routing, PACE, clock).run(stop)

    asyncio.run(stopped_soon())
    noted = {message.key for message in outbox(database) if message.delivered_at}
    assert noted == {envelope.key for envelope in desks.taken}
    assert 0 < len(noted) < 20


def test_while_the_store_is_away_nothing_is_lost(
    database: Database, take: Take, clock: Clock, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from model.errors import StoreUnavailable

    take("T1", OUTAGE)
    desks, real, brought = Desks(), Deliverer._exchange, []
    stop = asyncio.Event()

    def sometimes(self: Deliverer, outcomes: list[Any], free: int) -> list[Envelope]:
        """Away at the start, and twice when there is an outcome to note."""
        brought.append(len(outcomes))
        if len(brought) == 1 or (outcomes and brought.count(1) <= 2):
            raise StoreUnavailable("away")
        if outcomes:
            loop.call_soon_threadsafe(stop.set)
        return real(self, outcomes, free)

    async def until_noted() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(60):
            await Deliverer(database, desks, policy.routing, PACE, clock).run(stop)

    loop: Any = None

    monkeypatch.setattr(Deliverer, "_exchange", sometimes)
    asyncio.run(until_noted())
    assert desks.of("T1") == ["routed"]
    assert all(message.delivered_at for message in outbox(database))
    assert brought.count(1) == 3  # the outcome was kept while the store was away


PLANS = st.fixed_dictionaries(
    {
        "desks": st.lists(st.lists(st.sampled_from(["计量班", "财务", "营业班"]), max_size=3), min_size=3, max_size=3),
        "refusals": st.lists(st.booleans(), max_size=25),
        "deaths": st.lists(st.integers(0, 2), min_size=6, max_size=6),
    }
)


@settings(  # no shrinking: each example writes to the same store
    max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=PLANS)
def test_whatever_fails_order_is_kept_and_every_message_is_delivered_or_parked(
    database: Database, take: Take, clock: Clock, policy: Policy, plan: dict[str, list[Any]]
) -> None:
    """Any pattern of refusals, deaths after delivery and several deliverers."""
    prefix = uuid.uuid4().hex[:8]
    for number, more in enumerate(plan["desks"]):
        ticket_id = f"{prefix}-{number}"
        take(ticket_id, OUTAGE)
        tell(database, clock, *(Message(ticket_id, n, "rerouted", to) for n, to in enumerate(more, start=2)))
    refusals = iter(plan["refusals"])
    desks = Desks(lambda _: "status_503" if next(refusals, False) else None)

    async def together(deaths: int) -> None:
        with database.write() as session:
            for message in claim(session, deaths, clock(), PACE):
                desks.taken.append(letter(session, message, policy.routing, clock() + PACE.lease))  # and not marked
        both = [Deliverer(database, desks, policy.routing, PACE, clock) for _ in range(2)]
        await asyncio.gather(*(one.run(asyncio.Event(), once=True) for one in both))

    for deaths in (*plan["deaths"], *[0] * 12):
        asyncio.run(together(deaths))
        clock.goes_on(minutes=10)
    written = [message for message in outbox(database) if message.ticket_id.startswith(prefix)]
    for number in range(3):
        mine = [message for message in written if message.ticket_id == f"{prefix}-{number}"]
        stuck = next((n for n, message in enumerate(mine) if message.parked_at), len(mine))
        assert all(message.delivered_at for message in mine[:stuck])
        assert not any(message.delivered_at for message in mine[stuck:])
        first_time = list(dict.fromkeys(e.key for e in desks.taken if e.ticket_id == f"{prefix}-{number}"))
        assert first_time == [message.key for message in mine][: len(first_time)]
        assert len(first_time) >= stuck
    assert all(json.loads(e.body)["desk"] == e.desk for e in desks.taken)
    assert {(e.key, e.desk) for e in desks.taken} <= {(message.key, message.desk) for message in written}
