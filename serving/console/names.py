"""Names of leaves, groups and filings for pages that show codes."""

from dataclasses import dataclass, field
from typing import Any

from serving.console.client import Api, ApiProblem


@dataclass(frozen=True, slots=True)
class Names:
    """Names by code; empty where the service does not tell, so that pages show codes."""

    leaves: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    filings: dict[str, str] = field(default_factory=dict)


async def names_of(api: Api) -> Names:
    """Ask for the names in force.

    Args:
        api: the service with somebody's key.

    Returns:
        The names.
    """
    try:
        found: dict[str, Any] = await api.get("/v1/categories")
    except ApiProblem:
        return Names()
    leaves = {leaf["code"]: leaf["name"] for leaf in found["categories"]}
    return Names(leaves, found["groups"], found["filings"])


async def leaf_names(api: Api) -> dict[str, str]:
    """Names of leaves alone.

    Args:
        api: the service with somebody's key.

    Returns:
        By code.
    """
    return (await names_of(api)).leaves
