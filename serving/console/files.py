"""Files between the browser and a page: taken in by the page that asked for them, handed out once made. None is stored.

They are held in the memory of whoever signed in, a few at a time, and go with the sign-in.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from nicegui import app, events, ui

from serving.console.session import Person, SignedIn
from serving.console.templating import render

MOST = 20_000_000  # bytes of a file
_HELD = 4  # files of one person at a time
_SHELF = "files"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# the file goes by itself in one request, so that its size is bounded before it is read; the page hears of its number
_TAKEN = """async (event) => {
  if (event.type !== 'change') event.preventDefault();
  const area = event.currentTarget;
  area.classList.toggle('drop-over', event.type === 'dragover');
  if (event.type === 'dragover' || event.type === 'dragleave') return;
  const from = event.type === 'drop' ? event.dataTransfer : event.target;
  const file = from && from.files && from.files[0];
  if (!file) return;
  let answer = {error: '文件没有传到控制台;请检查网络后重试'};
  if (file.size > MOST) answer = {error: '文件超过 20 MB;请分成几个文件'};
  else try {
    const headers = {'X-File-Name': encodeURIComponent(file.name)};
    const sent = await fetch('/console-files', {method: 'POST', body: file, headers});
    answer = await sent.json();
  } catch {}
  if (event.type === 'change') event.target.value = '';
  emit(answer);
}""".replace("MOST", str(MOST))


@dataclass(frozen=True, slots=True)
class Held:
    """A file with its name."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


def install() -> None:
    """Register the addresses that take files in and hand them out."""

    @app.post("/console-files")
    async def take_in(request: Request, person: SignedIn) -> Response:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > MOST:
                return JSONResponse({"error": "文件超过 20 MB;请分成几个文件"}, 413)
        name = unquote(request.headers.get("X-File-Name", "file"))[:200]
        return JSONResponse({"number": _hold(person, Held(name, bytes(content)))})

    @app.get("/console-files/{number}")
    async def hand_out(number: str, person: SignedIn) -> Response:
        held = _shelf(person).get(number)
        if held is None:
            return Response("文件已不在;请回到页面重新生成", 404, media_type="text/plain; charset=utf-8")
        return Response(
            held.content, media_type=held.media_type, headers={"Content-Disposition": attachment(held.name)}
        )


def attachment(name: str) -> str:
    """The header under which a browser saves a file, whatever its name holds.

    Args:
        name: of the file.

    Returns:
        Letters, digits and per cent signs only: no name ends the header or leads into a folder.
    """
    return f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def offer(person: Person, held: Held) -> str:
    """Make a file ready to be fetched.

    Args:
        person: who may fetch it.
        held: the file.

    Returns:
        Its address, good until the person signs out or a few other files were made.
    """
    return f"/console-files/{_hold(person, held)}"


def drop_area(
    person: Person, text: str, accept: str, on_file: Callable[[Held], Awaitable[None]], on_wrong: Callable[[str], None]
) -> ui.html:
    """A place for one file: dragged into it, or chosen by mouse or keyboard.

    Args:
        person: whose page it is.
        text: what belongs there.
        accept: endings of files, such as `.csv,.xlsx`.
        on_file: told of a file.
        on_wrong: told why there is none.

    Returns:
        The element.
    """

    async def told(event: events.GenericEventArguments) -> None:
        held = _shelf(person).pop(str(event.args.get("number")), None)
        if held is None:
            on_wrong(str(event.args.get("error") or "文件没有传到控制台;请重试"))
        else:
            await on_file(held)

    area = ui.html(render("drop.html", text=text, accept=accept), sanitize=False).classes("drop-area")
    for name in ("change", "drop"):
        area.on(name, told, js_handler=_TAKEN)
    for name in ("dragover", "dragleave"):
        area.on(name, js_handler=_TAKEN)
    return area


def _shelf(person: Person) -> dict[str, Held]:
    shelf: dict[str, Held] = person.memory.setdefault(_SHELF, {})
    return shelf


def _hold(person: Person, held: Held) -> str:
    shelf, number = _shelf(person), secrets.token_urlsafe(16)
    while len(shelf) >= _HELD:
        shelf.pop(next(iter(shelf)))
    shelf[number] = held
    return number
