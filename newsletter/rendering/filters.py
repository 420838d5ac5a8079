"""Filters that every template may use, for mail and web alike.

Where a filter needs a language or a zone and gets none, it takes the variables
``language`` and ``zone`` of the template's context, so that most calls read
``{{ issue.date | day }}`` or ``{{ 11 | counted("stories") }}``.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context

from newsletter.errors import RenderError
from newsletter.rendering.words import say, table_language, words_of

DEFAULT_LANGUAGE = "en"

# Capitals are a trap in Armenian: the ligature U+0587 turns into the classical
# spelling, so text in this block is never transformed.
_ARMENIAN = range(0x0530, 0x0590)


def locale_of(language: str) -> Locale:
    """Babel's locale of a BCP 47 tag: the nearest known one, else English."""
    parts = language.replace("_", "-").split("-")
    for size in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:size]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale(DEFAULT_LANGUAGE)


def format_day(day: date, language: str, zone: tzinfo | None = None, style: str = "full") -> str:
    """A date in words; an aware instant is first brought into ``zone``.

    ``style`` is Babel's: short, medium, long or full (with the weekday), or a pattern.
    """
    if isinstance(day, datetime):
        day = _in_zone(day, zone).date()
    return format_date(day, style, locale=locale_of(language))


def format_moment(
    instant: datetime, language: str, zone: tzinfo | None = None, style: str = "medium"
) -> str:
    """An instant as date and time of day in ``zone``."""
    return format_datetime(_in_zone(instant, zone), style, locale=locale_of(language))


def _in_zone(instant: datetime, zone: tzinfo | None) -> datetime:
    if instant.tzinfo is None:
        raise RenderError(f"the instant {instant} has no time zone", subject=str(instant))
    if zone is None:
        raise RenderError(
            f"no zone was given to print the instant {instant} in", subject=str(instant)
        )
    return instant.astimezone(zone)


def format_number(number: float, language: str) -> str:
    """A number with the thousands separators of the language."""
    return format_decimal(number, locale=locale_of(language))


def count_noun(count: int, noun: str, language: str) -> str:
    """``11 stories``, ``1 story``: ``noun`` is a key of the word table, in the plural."""
    # The plural form goes with the words, which may be English in a French issue.
    form = locale_of(table_language(language)).plural_form(count)
    key = f"{noun}.{form}"
    if key not in words_of(language):
        key = f"{noun}.other"
    return say(key, language, count=format_number(count, language))


def text_direction(language: str) -> str:
    """``ltr`` or ``rtl``, for the ``dir`` attribute."""
    return str(locale_of(language).text_direction)


def is_armenian(text: str) -> bool:
    """Whether the text holds Armenian letters."""
    return any(ord(character) in _ARMENIAN for character in text)


def _language_in(context: Context, language: str | None) -> str:
    return str(language or context.get("language") or DEFAULT_LANGUAGE)


@pass_context
def _day(
    context: Context,
    day: date,
    style: str = "full",
    *,
    language: str | None = None,
    zone: tzinfo | None = None,
) -> str:
    return format_day(day, _language_in(context, language), zone or context.get("zone"), style)


@pass_context
def _moment(
    context: Context,
    instant: datetime,
    style: str = "medium",
    *,
    language: str | None = None,
    zone: tzinfo | None = None,
) -> str:
    return format_moment(
        instant, _language_in(context, language), zone or context.get("zone"), style
    )


@pass_context
def _number(context: Context, number: float, language: str | None = None) -> str:
    return format_number(number, _language_in(context, language))


@pass_context
def _counted(context: Context, count: int, noun: str, language: str | None = None) -> str:
    return count_noun(count, noun, _language_in(context, language))


@pass_context
def _say(context: Context, key: str, *, language: str | None = None, **names: object) -> str:
    return say(key, _language_in(context, language), **names)


FILTERS: Mapping[str, Callable[..., object]] = {
    "day": _day,
    "moment": _moment,
    "number": _number,
    "counted": _counted,
    "say": _say,
    "direction": text_direction,
}
TESTS: Mapping[str, Callable[..., bool]] = {"armenian": is_armenian}
