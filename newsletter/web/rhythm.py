"""How often a newsletter comes, in words."""

from newsletter.publication.schedule import Moment

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def describe_rhythm(moment: Moment) -> str:
    """``Every Friday``, ``Every day``, ``Once a month``."""
    if moment.weekday is not None:
        return f"Every {_WEEKDAYS[moment.weekday]}"
    return "Every day" if moment.day is None else "Once a month"
