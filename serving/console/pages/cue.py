"""One cue: its evidence list, the steps that its reader may take, its history, and the paper to print."""

from typing import Any
from urllib.parse import quote

from serving.console import words
from serving.console.client import ticket_path
from serving.console.forms import Part, Sent
from serving.console.layout import View, empty, frame, page
from serving.console.names import leaf_names
from serving.console.session import SignedIn

_UNIT = "unit"
_REFERENCE, _DATE = "reference.", "date."


def install() -> None:
    """Register the pages."""

    @page("/cues/{flag}/{ticket_id:path}", "线索")
    async def cue(person: SignedIn, flag: str, ticket_id: str) -> None:
        title = f"{words.FLAG.get(flag, flag)} · 工单 {ticket_id}"
        async with frame(person, title, path="/cues") as view:
            shown = _Cue(view, flag, ticket_id)
            await shown.read()

    @page("/papers/{flag}/{ticket_id:path}", "草稿")
    async def paper(person: SignedIn, flag: str, ticket_id: str) -> None:
        async with frame(person, "打印稿", path="/cues") as view:
            await _paper(view, flag, ticket_id)


class _Cue:
    """A cue being worked on."""

    def __init__(self, view: View, flag: str, ticket_id: str) -> None:
        self._view, self._flag, self._ticket_id = view, flag, ticket_id
        self._part = Part("cue.html", self._sent)
        self._cue: dict[str, Any] = {}

    async def read(self, done: str = "") -> None:
        """Show the cue as it stands.

        Args:
            done: what was just done.
        """
        api = self._view.person.api
        found = await self._view.attempt(api.get(_path(self._flag, self._ticket_id)))
        if found is None:
            return
        self._cue = found
        names = {one["step"] for one in found["steps"]}
        self._part.show(
            cue=found, done=done, can_attach="evidence" in names and self._view.person.decides,
            actions=[one for one in found["steps"] if one["step"] != "evidence"], decides=self._view.person.decides, leaves=await leaf_names(api), steps=words.CUE_STEP,
            states=words.CUE_STATE, ticket_url=f"/tickets/{quote(self._ticket_id, safe='')}",
            paper_url=f"/papers/{self._flag}/{quote(self._ticket_id, safe='')}",
        )  # fmt: skip

    async def _sent(self, sent: Sent) -> None:
        step = sent["step"]
        body: dict[str, Any] = {"version": self._cue["version"]}
        if step == "evidence":
            body |= attached(sent)
        elif sent.get("reason"):
            body["reason"] = sent["reason"]
        path = ticket_path(self._ticket_id, "cues", self._flag, step)
        if await self._view.attempt(self._view.person.api.post(path, body)):
            await self.read(f"已记下「{words.CUE_STEP[f'cue.{step}']}」")


def attached(sent: Sent) -> dict[str, Any]:
    """What a filled-in evidence list says.

    Args:
        sent: fields `reference.ITEM` and `date.ITEM`, and `unit`.

    Returns:
        `evidence`, of the items with a number only, and `unit` where it was typed.
    """
    evidence = []
    for name, value in sent.items():
        if name.startswith(_REFERENCE) and value.strip():
            item = name.removeprefix(_REFERENCE)
            evidence.append({"item": item, "reference": value.strip(), "date": sent.get(_DATE + item) or None})
    unit = sent.get(_UNIT, "").strip()
    return {"evidence": evidence, **({"unit": unit} if unit else {})}


async def _paper(view: View, flag: str, ticket_id: str) -> None:
    found = await view.attempt(view.person.api.get(_path(flag, ticket_id)))
    if found is None:
        return
    if found["draft"] is None:
        empty("这种线索没有对应的报备或最终答复", found["allows"])
        return
    Part("paper.html").show(draft=found["draft"], cue=found, back=f"/cues/{flag}/{quote(ticket_id, safe='')}")


def _path(flag: str, ticket_id: str) -> str:
    return f"/v1/cues/{quote(flag, safe='')}/{quote(ticket_id, safe='')}"
