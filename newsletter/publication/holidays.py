"""Public holidays of the countries that a paper names, to mark the dates on which it comes."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays


def holiday_names(codes: Iterable[str], day: date, language: str) -> tuple[str, ...]:
    """What that day is in those countries or parts of them (``US``, ``US-CA``), each name once.

    In ``language`` where the country's own list has it, else as that list has it. A code
    that nobody knows has none.
    """
    found = (_of(code, day.year, language).get(day, "") for code in codes)
    return tuple(dict.fromkeys(name for name in found if name))


def is_known(code: str) -> bool:
    """Whether there is a list of holidays for that code."""
    country, _, part = code.partition("-")
    known: dict[str, list[str]] = holidays.list_supported_countries()
    return country in known and (not part or part in known[country])


@lru_cache(maxsize=64)
def _of(code: str, year: int, language: str) -> dict[date, str]:
    if not is_known(code):
        return {}
    country, _, part = code.partition("-")
    tongues = holidays.list_localized_countries().get(country, [])
    near = next((one for one in tongues if one.split("_")[0] == language.split("-")[0]), None)
    found = holidays.country_holidays(country, subdiv=part or None, years=year, language=near)
    return dict(found.items())
