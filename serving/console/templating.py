"""HTML of the console from templates; whatever comes from tickets is escaped."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.console import words

_FOLDER = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "moment": words.moment, "day": words.day, "percent": words.percent, "ticket_url": words.ticket_url,
        "status": words.status, "signed": words.signed,
    }  # fmt: skip
    return made


def render(template: str, **values: Any) -> str:
    """Fill a template.

    Args:
        template: its file name in `templates/`.
        **values: by name; a name that the template asks for and that is missing is an error.

    Returns:
        HTML.
    """
    return _environment().get_template(template).render(**values)
