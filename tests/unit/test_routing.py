from datetime import datetime

import pytest

from model.policy import Policy
from model.routing import route
from model.ticket import CHINA, Org, Ticket
from model.workdays import add_working_days, is_provisional

MONDAY = datetime(2026, 11, 23, 8, 30, tzinfo=CHINA)


def _route(policy: Policy, leaf: str, decision: str = "auto", *, danger: bool = False, **ticket):  # type: ignore[no-untyped-def]
    return route(Ticket("停电", **ticket), leaf, decision, policy.routing, danger=danger)


def test_an_auto_ticket_goes_to_its_desk(policy: Policy) -> None:
    found = _route(policy, "billing.charge")
    assert found.desk == "电费核算班"
    assert found.deliver_to == ("电费核算班",)


@pytest.mark.parametrize("decision", ["review", "fallback"])
def test_everything_else_goes_to_the_reviewer_with_the_proposed_desk_shown(policy: Policy, decision: str) -> None:
    found = _route(policy, "billing.charge", decision)
    assert found.desk == "电费核算班"
    assert found.deliver_to == ("县公司服务专责",)


def test_danger_goes_to_the_command_centre_and_to_a_person(policy: Policy) -> None:
    found = _route(policy, "metering.device", "review", danger=True)
    assert found.desk == "供电服务指挥中心"
    assert found.deliver_to == ("供电服务指挥中心", "县公司服务专责")
    assert "计量班" in found.support


def test_the_clock_runs_from_acceptance(policy: Policy) -> None:
    found = _route(policy, "billing.charge", accepted_at=MONDAY)
    assert found.contact_due_at == datetime(2026, 11, 24, 8, 30, tzinfo=CHINA)
    assert found.due_at == datetime(2026, 11, 30, 8, 30, tzinfo=CHINA)
    assert found.arrive_by is None


def test_without_a_time_of_acceptance_there_is_no_due_time(policy: Policy) -> None:
    found = _route(policy, "other.outage")
    assert (found.contact_due_at, found.due_at, found.arrive_by) == (None, None, None)


@pytest.mark.parametrize(("urban", "minutes"), [(True, 45), (False, 90), (None, 90)])
def test_a_crew_arrives_by_the_area(policy: Policy, urban: bool | None, minutes: int) -> None:
    found = _route(policy, "other.outage", accepted_at=MONDAY, org=Org(urban=urban))
    assert (found.arrive_by - MONDAY).total_seconds() == minutes * 60  # type: ignore[operator]


def test_national_day_is_no_working_day_and_the_make_up_saturday_is() -> None:
    accepted = datetime(2026, 9, 30, 23, 50, tzinfo=CHINA)
    assert add_working_days(accepted, 5) == datetime(2026, 10, 13, 23, 50, tzinfo=CHINA)


def test_a_year_without_published_make_up_days_is_provisional() -> None:
    assert not is_provisional(datetime(2026, 10, 8, tzinfo=CHINA))
    assert is_provisional(datetime(2027, 10, 8, tzinfo=CHINA))


@pytest.mark.parametrize("code", ["hall.staff_attitude", "other.field_conduct"])
def test_the_unit_complained_of_never_gets_the_ticket(policy: Policy, code: str) -> None:
    never = set(policy.routing.routes[code].never)
    assert never
    for decision in ("auto", "review", "fallback"):
        for danger in (False, True):
            found = _route(policy, code, decision, danger=danger)
            assert not never & {found.desk, *found.support, *found.deliver_to}


def test_danger_in_an_unknown_area_gets_the_shortest_arrival(policy: Policy) -> None:
    found = _route(policy, "metering.device", danger=True, accepted_at=MONDAY)
    assert (found.arrive_by - MONDAY).total_seconds() == 45 * 60  # type: ignore[operator]


def test_a_unit_that_a_secondary_leaf_complains_of_does_not_help(policy: Policy) -> None:
    assert "营业班" in _route(policy, "billing.tariff").support
    found = route(
        Ticket("停电"), "billing.tariff", "auto", policy.routing, danger=False, secondary=("hall.staff_attitude",)
    )
    assert found.deliver_to == ("电费核算班",)
    assert "营业班" not in found.support


def test_a_desk_that_is_complained_of_gives_the_ticket_to_the_reviewer(policy: Policy) -> None:
    conduct = policy.routing.routes["hall.staff_attitude"].model_copy(update={"never": ("电费核算班",)})
    routing = policy.routing.model_copy(update={"routes": {**policy.routing.routes, "hall.staff_attitude": conduct}})
    for danger in (False, True):
        found = route(
            Ticket("停电"), "billing.charge", "auto", routing, danger=danger, secondary=("hall.staff_attitude",)
        )
        assert "电费核算班" not in (found.desk, *found.deliver_to, *found.support)
        assert routing.review_desk in found.deliver_to
