"""Lengths of time as people write them: ``30 days``, ``12 hours``, ``90 minutes``."""

import re
from datetime import timedelta

_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_FORM = re.compile(r"^(\d{1,5}) (minute|hour|day|week)s?$")


def parse_duration(text: str) -> timedelta:
    """The length that ``text`` names; ValueError says how to write one."""
    match = _FORM.match(text.strip())
    if not match:
        raise ValueError(
            f'"{text}" is no length of time; write "30 days", "12 hours", "90 minutes"'
        )
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
