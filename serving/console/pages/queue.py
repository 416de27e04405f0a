"""The queue of tickets, most urgent first."""

from serving.console.layout import frame, page
from serving.console.session import SignedIn


def install() -> None:
    """Register the page."""

    @page("/", "工单队列")
    async def queue(person: SignedIn) -> None:
        async with frame(person, "工单队列", path="/") as view:
            await view.attempt(person.api.get("/v1/tickets"))
