"""How often a newsletter comes, in words."""

from newsletter.publication.schedule import Moment
from newsletter.words import Words, gettext_noop

_EVERY_WEEKDAY = (
    gettext_noop("Every Monday"),
    gettext_noop("Every Tuesday"),
    gettext_noop("Every Wednesday"),
    gettext_noop("Every Thursday"),
    gettext_noop("Every Friday"),
    gettext_noop("Every Saturday"),
    gettext_noop("Every Sunday"),
)


def describe_rhythm(moment: Moment, words: Words) -> str:
    """``Every Friday``, ``Every day``, ``Once a month``."""
    if moment.weekday is not None:
        return words.gettext(_EVERY_WEEKDAY[moment.weekday])
    return words.gettext("Every day") if moment.day is None else words.gettext("Once a month")
