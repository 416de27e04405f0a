"""Working days in China: public holidays and make-up workdays, from the `holidays` library."""

from datetime import date, datetime, timedelta
from functools import cache

import holidays

from model.ticket import CHINA

MAKE_UP, HOLIDAY = 2, 7


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
def kind_of_day(day: date) -> int:
    """What kind of day it is, for counts that follow the calendar.

    Args:
        day: of the calendar in China.

    Returns:
        0–6 for Monday to Sunday, 7 for a public holiday; a make-up workday counts as a Wednesday.
    """
    calendar = _calendar(day.year, day.year)
    if day in calendar:
        return HOLIDAY
    return MAKE_UP if day in calendar.weekend_workdays else day.weekday()


@cache
def _calendar(first_year: int, last_year: int) -> "holidays.HolidayBase":
    return holidays.country_holidays("CN", years=range(first_year, last_year + 1))
