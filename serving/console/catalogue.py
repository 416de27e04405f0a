"""The categories in force with all that the policy says of them, asked for once in a while."""

import time
from dataclasses import dataclass
from typing import Any

from serving.console.client import Api

_FRESH_SECONDS = 60.0  # after which a changed policy is seen


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What `GET /v1/categories` told.

    Args:
        told: the answer.
    """

    told: dict[str, Any]

    @property
    def leaves(self) -> list[dict[str, Any]]:
        """All categories in the order of the taxonomy."""
        found: list[dict[str, Any]] = self.told["categories"]
        return found

    @property
    def names(self) -> dict[str, str]:
        """Names of categories by code."""
        return {leaf["code"]: leaf["name"] for leaf in self.leaves}

    @property
    def flags(self) -> dict[str, str]:
        """Names of flags by code."""
        found: dict[str, str] = self.told["flags"]
        return found

    @property
    def desks(self) -> list[str]:
        """All desks."""
        found: list[str] = self.told["desks"]
        return found

    def leaf(self, code: str) -> dict[str, Any] | None:
        """One category.

        Args:
            code: of it.

        Returns:
            None for one that is no longer in force.
        """
        return next((leaf for leaf in self.leaves if leaf["code"] == code), None)


async def read(api: Api) -> Catalogue:
    """The categories in force.

    Args:
        api: of any reader.

    Returns:
        As told less than a minute ago.
    """
    kept = api.service.kept.get("categories")
    if kept is None or time.monotonic() - kept[0] > _FRESH_SECONDS:
        kept = api.service.kept["categories"] = (time.monotonic(), await api.get("/v1/categories"))
    return Catalogue(kept[1])
