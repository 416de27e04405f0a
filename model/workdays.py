"""Working days in China: public holidays and make-up workdays, from the `holidays` library."""

from datetime import datetime, timedelta
from functools import cache

import holidays

from model.ticket import CHINA


def add_working_days(start: datetime, days: int) -> datetime:
    """The same time of day, so many working days later (the day of acceptance does not count).

    Args:
        start: aware time.
        days: at least 1.

    Returns:
        Aware time in Asia/Shanghai.
    """
    local = start.astimezone(CHINA)
    day = _calendar(local.year, (local + timedelta(days=days * 3 + 15)).year).get_nth_working_day(local.date(), days)
    return datetime.combine(day, local.timetz())


def is_provisional(time: datetime) -> bool:
    """Whether the year's make-up workdays are not yet published, so that the date may still move.

    Args:
        time: a due time.

    Returns:
        True where the calendar knows no make-up workday of that year.
    """
    year = time.astimezone(CHINA).year
    return not any(day.year == year for day in _calendar(year, year).weekend_workdays)


@cache
def _calendar(first_year: int, last_year: int) -> "holidays.HolidayBase":
    return holidays.country_holidays("CN", years=range(first_year, last_year + 1))
