"""Filters that every template may use, for mail and web alike.

Where a filter needs a language or a zone and gets none, it takes the variables
``language`` and ``zone`` of the template's context, so that most calls read
``{{ issue.date | day }}`` or ``{{ 11 | counted("stories") }}``. Sentences are
translated by ``{% trans %}`` and its functions, in `rendering.translate`.
"""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from newsletter.errors import RenderError
from newsletter.issues.marked import Span, read_marked
from newsletter.rendering.addresses import split_addresses
from newsletter.rendering.bidi import isolate, mark_isolates, text_direction
from newsletter.words import (
    SOURCE_LANGUAGE,
    fallback_of,
    is_armenian,
    locale_of,
    name_day,
    ngettext_noop,
    words_of,
)

_NOUNS: Mapping[str, tuple[str, str]] = {
    "stories": ngettext_noop("%(count)s story", "%(count)s stories"),
    "minutes": ngettext_noop("%(count)s minute", "%(count)s minutes"),
    # Translators: short for minutes, beside a story's writer.
    "min": ngettext_noop("%(count)s min", "%(count)s min"),
    "reads": ngettext_noop("%(count)s read", "%(count)s reads"),
}

# By the language of a locale. Greek and Cyrillic letters are in the families for Latin ones.
SCRIPTS = {
    "hy": "armenian",
    "ar": "arabic",
    "fa": "arabic",
    "ur": "arabic",
    "ckb": "arabic",
    "he": "hebrew",
    "yi": "hebrew",
}


def format_day(day: date, language: str, zone: tzinfo | None = None, style: str = "full") -> str:
    """A date in words; an aware instant is first brought into ``zone``.

    ``style`` is Babel's: short, medium, long or full (with the weekday), or a pattern.
    """
    if isinstance(day, datetime):
        day = _in_zone(day, zone).date()
    if style == "long":
        return name_day(day, language)
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
    """``11 stories``, ``1 story``: ``noun`` is one of stories, minutes, min and reads."""
    try:
        singular, plural = _NOUNS[noun]
    except KeyError as error:
        raise RenderError(
            f'there is no noun "{noun}" to count; there are {", ".join(_NOUNS)}', subject=noun
        ) from error
    number = format_number(count, language)
    return words_of(language).ngettext(singular, plural, count, count=number)


def format_weekday(day: date, language: str) -> str:
    """A coming day by its name, without the year: "Friday, August 8"."""
    return words_of(language).gettext(
        "%(weekday)s, %(day)s",
        weekday=format_date(day, "EEEE", locale=locale_of(language)),
        day=name_day(day, language, with_year=False),
    )


def script_of(language: str) -> str:
    """The script whose fonts a language needs: latin, armenian, arabic or hebrew."""
    return SCRIPTS.get(locale_of(language).language, "latin")


def has_capitals(text: str) -> bool:
    """Whether the text may be set in capitals, with space between them, or slanted.

    Not in Armenian: browsers turn the ligature U+0587 into capitals of the
    classical spelling. Nor in scripts without capitals, whose letters may be joined,
    as those of Arabic are; neither kind has an italic.
    """
    joined = any(unicodedata.bidirectional(character) == "AL" for character in text)
    return not joined and not is_armenian(text) and text.upper() != text.lower()


def link_addresses(text: str) -> Markup:
    """HTML in which the addresses that stand bare in ``text`` can be followed."""
    return Markup().join(
        Markup('<a href="{0}">{0}</a>').format(piece) if is_address else escape(piece)
        for piece, is_address in split_addresses(text)
    )


def mark_words(paragraph: str) -> Markup:
    """A paragraph of an editors' note as HTML: bold, italic and links; all else is text."""
    return Markup().join(map(_mark_span, read_marked(paragraph)))


def _mark_span(span: Span) -> Markup:
    words = escape(span.text) if span.url else link_addresses(span.text)
    if span.italic:
        # A script without an italic has its stress by weight.
        slanted, heavy = Markup("<em>{}</em>"), Markup("<strong>{}</strong>")
        words = (slanted if has_capitals(span.text) else heavy).format(words)
    if span.bold:
        words = Markup("<strong>{}</strong>").format(words)
    return Markup('<a href="{}">{}</a>').format(span.url, words) if span.url else words


def language_in(context: Context, language: str | None = None) -> str:
    """The language asked for, else the template's own."""
    return str(language or context.get("language") or SOURCE_LANGUAGE)


@pass_context
def _day(
    context: Context,
    day: date,
    style: str = "full",
    *,
    language: str | None = None,
    zone: tzinfo | None = None,
) -> str:
    return format_day(day, language_in(context, language), zone or context.get("zone"), style)


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
        instant, language_in(context, language), zone or context.get("zone"), style
    )


@pass_context
def _number(context: Context, number: float, language: str | None = None) -> str:
    return format_number(number, language_in(context, language))


@pass_context
def _counted(context: Context, count: int, noun: str, language: str | None = None) -> str:
    return count_noun(count, noun, language_in(context, language))


@pass_context
def _weekday(context: Context, day: date, language: str | None = None) -> str:
    return format_weekday(day, language_in(context, language))


@pass_context
def _apart(context: Context, text: str, language: str | None = None) -> Markup:
    """A name that keeps its own direction in a line of the language."""
    return mark_isolates(isolate(text, language_in(context, language)))


FILTERS: Mapping[str, Callable[..., object]] = {
    "day": _day,
    "moment": _moment,
    "number": _number,
    "counted": _counted,
    "weekday": _weekday,
    "direction": text_direction,
    "apart": _apart,
    "isolates": mark_isolates,
    "script": script_of,
    "linked": link_addresses,
    "marked": mark_words,
    "fallback": fallback_of,
}
TESTS: Mapping[str, Callable[..., bool]] = {
    "armenian": is_armenian,
    "capitals": has_capitals,
}
