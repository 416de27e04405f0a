"""The way through the queue, ticket by ticket, in the order in which the queue was listed."""

from dataclasses import dataclass, field
from typing import Any

from serving.console.client import Api
from serving.console.queue_view import Wanted

_PAGE = 50


@dataclass
class Walk:
    """Tickets as the queue listed them; it does not change under the feet of whoever walks along it.

    Args:
        wanted: what was listed.
        ids: so far.
        cursor: leads to more; None at the end.
    """

    wanted: Wanted = field(default_factory=Wanted)
    ids: list[str] = field(default_factory=list)
    cursor: str | None = None

    def place(self, ticket_id: str) -> int:
        """Where a ticket stands; one that is not listed comes before all others.

        Args:
            ticket_id: of the ticket.

        Returns:
            From 0.
        """
        if ticket_id not in self.ids:
            self.ids.insert(0, ticket_id)
        return self.ids.index(ticket_id)

    async def step(self, api: Api, ticket_id: str, by: int) -> str | None:
        """A neighbour of a ticket.

        Args:
            api: lists more where the list ends.
            ticket_id: where one stands.
            by: 1 for the next, -1 for the one before.

        Returns:
            None at either end.
        """
        place = self.place(ticket_id) + by
        if place >= len(self.ids) and self.cursor:
            await self.extend(api)
        return self.ids[place] if 0 <= place < len(self.ids) else None

    async def extend(self, api: Api, **params: Any) -> list[dict[str, Any]]:
        """List one page more, or the first.

        Args:
            api: of whoever walks.
            **params: further ones of `GET /v1/tickets`.

        Returns:
            Its tickets.
        """
        asked = {**self.wanted.params, "fold": True, "limit": _PAGE, "cursor": self.cursor, **params}
        page = await api.get("/v1/tickets", **asked)
        self.cursor = page["cursor"]
        known = set(self.ids)
        self.ids += [one["ticket_id"] for one in page["tickets"] if one["ticket_id"] not in known]
        tickets: list[dict[str, Any]] = page["tickets"]
        return tickets
