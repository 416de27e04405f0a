"""Special-customer cues by state and flag, and the ledger of what became of them."""

from typing import Any
from urllib.parse import quote

from serving.console import words
from serving.console.forms import Part, Sent
from serving.console.layout import View, frame, page
from serving.console.names import leaf_names
from serving.console.session import SignedIn

_FIRST = ("evidence_complete", "appealed", "candidate")  # what waits for people; the first that has any is shown


def install() -> None:
    """Register the pages."""

    @page("/cues", "线索")
    async def cues(person: SignedIn, state: str = "", flag: str = "") -> None:
        async with frame(person, "特殊客户线索", path="/cues") as view:
            shown = _List(view, state, flag)
            await shown.start()

    @page("/cues/ledger", "线索台账")
    async def ledger(person: SignedIn, since: str = "", until: str = "") -> None:
        async with frame(person, "线索台账", path="/cues") as view:
            await _ledger(view, since, until)


def cue_url(cue: dict[str, Any]) -> str:
    """The page of a cue.

    Args:
        cue: with `flag` and `ticket_id`.

    Returns:
        Its address.
    """
    return f"/cues/{cue['flag']}/{quote(cue['ticket_id'], safe='')}"


class _List:
    """Cues of one state, page by page."""

    def __init__(self, view: View, state: str, flag: str) -> None:
        self._view, self._state, self._flag = view, state, flag
        self._cues: list[dict[str, Any]] = []
        self._part = Part("cues.html", self._more)

    async def start(self) -> None:
        """Show the first page."""
        if not self._state:
            self._state = await self._waiting()
        await self._read(None)

    async def _waiting(self) -> str:
        found = await self._view.attempt(self._view.person.api.get("/v1/cues", flag=self._flag or None, limit=1))
        counts = found["counts"] if found else {}
        return next((state for state in _FIRST if counts.get(state)), _FIRST[-1])

    async def _more(self, sent: Sent) -> None:
        await self._read(int(sent["cursor"]))

    async def _read(self, cursor: int | None) -> None:
        api = self._view.person.api
        found = await self._view.attempt(
            api.get("/v1/cues", state=self._state or None, flag=self._flag or None, cursor=cursor)
        )
        if found is None:
            return
        self._cues += [{**cue, "url": cue_url(cue)} for cue in found["cues"]]
        self._part.show(
            cues=self._cues, cursor=found["cursor"], counts=found["counts"], state=self._state, flag=self._flag,
            states=words.CUE_STATE, flags=words.FLAG, leaves=await leaf_names(api),
        )  # fmt: skip


async def _ledger(view: View, since: str, until: str) -> None:
    api = view.person.api
    found = await view.attempt(api.get("/v1/cues/ledger", since=_day(since), until=_day(until)))
    if found is None:
        return
    for case in found["caller_proved_right"]:
        case["url"] = cue_url(case)
    Part("ledger.html").show(
        ledger=found, since=since, until=until, flags=words.FLAG, states=words.CUE_STATE, leaves=await leaf_names(api)
    )


def _day(day: str) -> str | None:
    """Midnight in China of a day that a form gave."""
    return f"{day}T00:00:00+08:00" if day else None
