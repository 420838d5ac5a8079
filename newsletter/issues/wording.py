"""Dates, periods and templates in a newsletter's language."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime

from newsletter.publication.schedule import Period
from newsletter.words import Words, locale_of, name_day, words_of

# What dates are joined with, for languages that have no catalogue yet. CLDR has
# these only for spans of one month, and the word for a week only in the plural.
_WEEK = {
    "ar": "الأسبوع {}",
    "de": "Woche {}",
    "el": "Εβδομάδα {}",
    "es": "Semana {}",
    "fa": "هفته {}",
    "fr": "Semaine {}",
    "it": "Settimana {}",
    "ka": "კვირა {}",
    "nl": "Week {}",
    "pt": "Semana {}",
    "ru": "Неделя {}",
    "tr": "{}. hafta",
    "uk": "Тиждень {}",
}
_SPAN = {
    "de": "{} bis {}",
    "es": "del {} al {}",
    "fr": "du {} au {}",
    "it": "dal {} al {}",
}
_SINCE = {
    "ar": "منذ {}",
    "de": "seit {}",
    "es": "desde el {}",
    "fr": "depuis le {}",
    "it": "dal {}",
    "nl": "sinds {}",
    "pt": "desde {}",
    "ru": "с {}",
    "uk": "з {}",
}
_DIGITS = re.compile(r"\d+")
_PLACE = re.compile(r"\{([a-z_]+)\}")


def name_period(period: Period, day: date, language: str) -> str:
    """What the issue of ``day`` covers: "Week 32", "August 2025", "August 5, 2025"."""
    locale = locale_of(language)
    if period is Period.WEEK:
        iso = day.isocalendar()
        if words := _own_words(language, locale):
            return words.gettext("Week %(number)s", number=iso.week)
        form = _WEEK.get(locale.language)
        return form.format(iso.week) if form else f"{iso.year}-W{iso.week:02d}"
    if period is Period.MONTH:
        name = _spaced(format_date(day, "LLLL y", locale=locale))
        return name[:1].upper() + name[1:]
    return name_date(day, language)


def name_month(day: date, language: str) -> str:
    """The month alone, as it stands by itself: "August"."""
    name = _spaced(format_date(day, "LLLL", locale=locale_of(language)))
    return name[:1].upper() + name[1:]


def name_date(day: date, language: str) -> str:
    """The date in full: "August 5, 2025"."""
    return _spaced(name_day(day, language))


def name_days(first: date, last: date, language: str) -> str:
    """A span of days: "July 6 to August 4"; with years where they differ."""
    locale = locale_of(language)
    if first == last:
        return _day(first, language)
    if first.year != last.year:
        days = [name_date(day, language) for day in (first, last)]
    else:
        days = [_day(first, language), _day(last, language)]
    if words := _own_words(language, locale):
        return words.gettext("%(first)s to %(last)s", first=days[0], last=days[1])
    return _SPAN.get(locale.language, "{} – {}").format(*days)


def name_week(day: date, language: str) -> str:
    """The days of the ISO week of ``day``: "August 4–10", "July 28 – August 3"."""
    first = day - timedelta(days=day.weekday())
    last = first + timedelta(days=6)
    names = _day(first, language), _day(last, language)
    if first.month != last.month:
        return f"{names[0]} – {names[1]}"
    # Whatever the order of day and month, only the digits differ.
    return _DIGITS.sub(lambda found: f"{found[0]}–{_digits(names[1])}", names[0], count=1)


def _digits(text: str) -> str:
    found = _DIGITS.search(text)
    return found[0] if found else ""


def name_since(start: datetime, end: datetime, zone: ZoneInfo, language: str) -> str:
    """A span of time up to now: "since July 31, 12:00", in local time."""
    locale = locale_of(language)
    first = _moment(start, zone, language)
    if words := _own_words(language, locale):
        return words.gettext("since %(moment)s", moment=first)
    form = _SINCE.get(locale.language)
    return form.format(first) if form else f"{first} – {_moment(end, zone, language)}"


def fill_template(template: str, words: Mapping[str, str]) -> str:
    """``template`` with its ``{names}`` replaced; a name that is not in ``words`` stays."""
    return _PLACE.sub(lambda match: words.get(match[1], match[0]), template)


def unknown_names(template: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """The ``{names}`` of ``template`` for which there is no word."""
    return tuple(name for name in _PLACE.findall(template) if name not in words)


def _own_words(language: str, locale: Locale) -> Words | None:
    """The catalogue, where it is of the language in which the dates are written."""
    words = words_of(language)
    return words if words.language.partition("-")[0] == locale.language else None


def _day(day: date, language: str) -> str:
    return _spaced(name_day(day, language, with_year=False))


def _moment(instant: datetime, zone: ZoneInfo, language: str) -> str:
    local = instant.astimezone(zone)
    # Papers set the time on 24 hours alike in every language.
    clock = format_datetime(local, "HH:mm", locale=locale_of(language), tzinfo=zone)
    return f"{_day(local.date(), language)}, {clock}"


def _spaced(text: str) -> str:
    # CLDR's thin and unbreakable spaces are missing from some mail fonts.
    return " ".join(text.split())
