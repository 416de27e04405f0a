"""Who may call what: the contract's table as data. A call that has no entry here is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a key is for, from the least to the most."""

    INTAKE = "intake"
    ANALYST = "analyst"
    REVIEWER = "reviewer"
    ADMIN = "admin"


ROLE_NAMES = {Role.INTAKE: "受理系统", Role.ANALYST: "数据分析员", Role.REVIEWER: "服务专责", Role.ADMIN: "管理员"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the name and role of the key, and the unit of its holder where one is registered."""

    name: str
    role: Role
    unit: str | None = None


LOCAL = Caller("local", Role.ADMIN)  # everyone on this machine, while no key was ever made


def _from(least: Role) -> frozenset[Role]:
    """`role+` of the contract: this role and all that may do more."""
    ladder = tuple(Role)
    return frozenset(ladder[ladder.index(least) :])


def _only(role: Role) -> frozenset[Role]:
    """`role` of the contract: this one, and the admin, who may do everything."""
    return frozenset({role, Role.ADMIN})


CALLS: Mapping[tuple[str, str], frozenset[Role]] = MappingProxyType(
    {
        ("POST", "/v1/predict"): _from(Role.INTAKE),
        ("POST", "/v1/predict/batch"): _from(Role.INTAKE),
        ("POST", "/v1/tickets"): _from(Role.INTAKE),
        ("GET", "/v1/tickets"): _from(Role.REVIEWER),
        ("GET", "/v1/tickets/{ticket_id}"): _from(Role.REVIEWER),
        ("POST", "/v1/tickets/{ticket_id}/review"): _only(Role.REVIEWER),
        ("POST", "/v1/tickets/{ticket_id}/undo"): _only(Role.REVIEWER),
        ("GET", "/v1/tickets/{ticket_id}/similar"): _from(Role.REVIEWER),
        ("GET", "/v1/counts"): _from(Role.REVIEWER),
        ("GET", "/v1/categories"): _from(Role.ANALYST),
        ("POST", "/v1/tickets/{ticket_id}/contact"): _only(Role.REVIEWER),
        ("POST", "/v1/tickets/{ticket_id}/arrive"): _only(Role.REVIEWER),
        ("POST", "/v1/tickets/{ticket_id}/close"): _only(Role.REVIEWER),
        ("POST", "/v1/tickets/{ticket_id}/cues/{flag}/{step}"): _only(Role.REVIEWER),
        ("GET", "/v1/cues"): _from(Role.REVIEWER),
        ("GET", "/v1/cues/ledger"): _from(Role.REVIEWER),
        ("GET", "/v1/cues/{flag}/{ticket_id}"): _from(Role.REVIEWER),
        ("GET", "/v1/labels/export"): _only(Role.ANALYST),
        ("GET", "/v1/hotspots"): _from(Role.ANALYST),
        ("GET", "/v1/hotspots/report"): _from(Role.ANALYST),
        ("GET", "/v1/events"): _from(Role.REVIEWER),
        ("POST", "/v1/events"): _from(Role.REVIEWER),
        ("POST", "/v1/events/import"): _from(Role.REVIEWER),
        ("DELETE", "/v1/events/{event_id}"): _from(Role.REVIEWER),
        ("GET", "/v1/me"): _from(Role.INTAKE),
        ("GET", "/v1/model"): _from(Role.ANALYST),
        ("GET", "/v1/model/use"): _from(Role.ANALYST),
        ("POST", "/v1/model/reload"): _only(Role.ADMIN),
    }
)
OPEN = frozenset(
    {"/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect", "/static-offline-docs"}
)


def may(caller: Caller, method: str, path: str) -> bool:
    """Whether a caller may make a call.

    Args:
        caller: who.
        method: of the request.
        path: the route's template, without converters.

    Returns:
        False also for a call that is not in the table.
    """
    return caller.role in CALLS.get((method, path), frozenset())
