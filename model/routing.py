"""Desk, support, clocks and queue of a ticket, from the policy's tables. Flags are no arguments here."""

from collections.abc import Sequence
from datetime import timedelta

from model.decision import AUTO
from model.policy.schema import RoutingFile
from model.prediction import Prediction, Route
from model.ticket import Ticket
from model.workdays import add_working_days, is_provisional


def route(
    ticket: Ticket, leaf: str, decision: str, routing: RoutingFile, *, danger: bool, secondary: Sequence[str] = ()
) -> Route:
    """Where a ticket goes and until when; never to a unit that its leaf or a secondary one complains of.

    Args:
        ticket: gives the time of acceptance and the area.
        leaf: the proposed category.
        decision: `auto` goes to its desk, everything else to the person who reviews.
        routing: the policy's tables.
        danger: `safety` is raised: the command centre and a person get it at once.
        secondary: further leaves of the ticket.

    Returns:
        The route; clocks run from acceptance and are None where it is unknown.
    """
    entry = routing.routes[leaf]
    complained_of = {unit for code in (leaf, *secondary) for unit in routing.routes[code].never}
    lead = routing.review_desk if entry.desk in complained_of else entry.desk
    desk = routing.safety.desk if danger else lead
    helping = (lead, *entry.support) if danger else entry.support
    support = [unit for unit in helping if unit != desk and unit not in complained_of]
    if danger:
        queues: tuple[str, ...] = (routing.safety.desk, routing.safety.person)
    else:
        queues = (lead,) if decision == AUTO else (routing.review_desk,)
    accepted = ticket.accepted_at
    due = add_working_days(accepted, routing.clock.answer_working_days) if accepted else None
    return Route(
        desk=desk,
        support=tuple(support),
        deliver_to=queues,
        promise=routing.safety.promise if danger else entry.promise,
        basis=f"{routing.clock.basis};{entry.basis}",
        contact_due_at=accepted + timedelta(hours=routing.clock.contact_hours) if accepted else None,
        due_at=due,
        arrive_by=accepted + _arrival(ticket, routing, danger=danger)
        if accepted and (danger or entry.arrives)
        else None,
        provisional=bool(due and is_provisional(due)),
    )


def rank(prediction: Prediction) -> tuple[int, float, int, float]:
    """Place in a queue: danger first, then the nearest due time, escalation, low confidence.

    Flags have no part in it, so a flag never lowers urgency.

    Args:
        prediction: of one ticket.

    Returns:
        A sort key; smaller comes first.
    """
    due = prediction.route.arrive_by or prediction.route.due_at
    return (
        0 if prediction.safety.raised else 1,
        due.timestamp() if due else float("inf"),
        0 if prediction.escalation.raised else 1,
        prediction.category.confidence,
    )


def _arrival(ticket: Ticket, routing: RoutingFile, *, danger: bool) -> timedelta:
    """Minutes by area; danger in an unknown area counts as urban, the shortest."""
    urban = ticket.org.urban if ticket.org else None
    arrival = routing.arrival
    if urban is None and danger:
        urban = True
    return timedelta(minutes=arrival.unknown if urban is None else arrival.urban if urban else arrival.rural)
