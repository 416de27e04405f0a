"""Calendar weeks and months."""

from datetime import date, datetime, timedelta

from model.ticket import CHINA
from serving.hotspots.analysis import Period
from serving.hotspots.options import By


def midnight(day: date) -> datetime:
    """The beginning of a day in China.

    Args:
        day: of the calendar.

    Returns:
        Aware.
    """
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)


def begin(day: date, by: By) -> date:
    """The first day of the week or month of a day.

    Args:
        day: any.
        by: week or month.

    Returns:
        A Monday, or the first of a month.
    """
    return day - timedelta(days=day.weekday()) if by == "week" else day.replace(day=1)


def after(day: date, by: By) -> date:
    """The first day of the next week or month.

    Args:
        day: any.
        by: week or month.

    Returns:
        A Monday, or the first of a month.
    """
    return begin(begin(day, by) + timedelta(days=7 if by == "week" else 32), by)


def starts_before(day: date, by: By, number: int) -> list[date]:
    """Beginnings of the periods before one.

    Args:
        day: the beginning of a period.
        by: week or month.
        number: how many.

    Returns:
        Oldest first, without `day`.
    """
    found = [day]
    for _ in range(number):
        found.append(begin(found[-1] - timedelta(days=1), by))
    return found[:0:-1]


def periods(since: datetime, until: datetime, as_of: datetime, by: By) -> tuple[Period, ...]:
    """The weeks or months of a time.

    Args:
        since: beginning of the time, aware.
        until: its end, exclusive.
        as_of: the clock; what lies behind it has not happened yet.
        by: week or month.

    Returns:
        In order; those that the time or the clock cuts are incomplete.
    """
    found = []
    start = begin(since.astimezone(CHINA).date(), by)
    while midnight(start) < until:
        end = after(start, by)
        whole = midnight(start) >= since and midnight(end) <= min(until, as_of)
        found.append(Period(_label(start, by), start, end, whole))
        start = end
    return tuple(found)


def year_before(moment: datetime) -> datetime:
    """The same moment a year before; 29 February becomes the 28th.

    Args:
        moment: aware.

    Returns:
        In Asia/Shanghai.
    """
    local = moment.astimezone(CHINA)
    try:
        return local.replace(year=local.year - 1)
    except ValueError:
        return local.replace(year=local.year - 1, day=28)


def _label(start: date, by: By) -> str:
    year, week, _ = start.isocalendar()
    return f"{year}-W{week:02d}" if by == "week" else f"{start:%Y-%m}"
