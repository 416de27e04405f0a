"""Plain HTML forms from templates whose answers come back as one mapping; what is typed stays while the page stands."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import events, ui

from serving.console.templating import render

# every field by name, and the button that was pressed; the page is not left
_SENT = """(event) => {
  event.preventDefault();
  const form = event.target, pressed = event.submitter;
  const sent = Object.fromEntries(new FormData(form));
  if (pressed && pressed.name) sent[pressed.name] = pressed.value;
  emit({form: form.getAttribute('name'), ...sent});
}"""
Sent = dict[str, str]
OnSent = Callable[[Sent], Awaitable[None] | None]


class Part:
    """A part of a page that is drawn from a template, as often as needed, and hears its forms.

    Args:
        template: file name in `templates/`.
        on_sent: told of each form that was sent: its fields by name, and its own `name` under `form`.
    """

    def __init__(self, template: str, on_sent: OnSent | None = None) -> None:
        self._template, self._on_sent = template, on_sent
        self.element = ui.html("", sanitize=False).classes("part")
        if on_sent:
            self.element.on("submit", self._sent, js_handler=_SENT)

    def show(self, **values: Any) -> None:
        """Draw it anew.

        Args:
            **values: of the template.
        """
        self.element.set_content(render(self._template, **values))

    async def _sent(self, event: events.GenericEventArguments) -> None:
        if self._on_sent is None or not isinstance(event.args, dict):
            return
        answer = self._on_sent({str(name): str(value) for name, value in event.args.items()})
        if inspect.isawaitable(answer):
            await answer
