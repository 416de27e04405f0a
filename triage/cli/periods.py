"""Days that people type, as moments in Asia/Shanghai."""

from datetime import datetime

import typer

from model.ticket import CHINA


def midnight(day: datetime) -> datetime:
    """The beginning of a day.

    Args:
        day: as the command line reads it, without zone.

    Returns:
        Midnight in Asia/Shanghai.
    """
    return day.replace(tzinfo=CHINA)


def check_order(since: datetime, until: datetime, names: str = "--since 与 --until") -> None:
    """Refuse a stretch of time that is none.

    Args:
        since: first moment.
        until: first moment after it.
        names: of the two options.

    Raises:
        BadParameter: it ends before it begins.
    """
    if since >= until:
        raise typer.BadParameter(f"{names}:{since:%Y-%m-%d} 不早于 {until:%Y-%m-%d};结束日不含在内")
