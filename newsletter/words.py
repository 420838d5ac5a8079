"""The words and dates that readers see, in their language.

The words are gettext catalogues. English is the source text; another language is
one file, `locale/hy/LC_MESSAGES/newsletter.po`, compiled in memory when it is first
needed. What it does not translate stays English.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from newsletter.errors import Saying
from newsletter.log import get_logger

log = get_logger(__name__)

SOURCE_LANGUAGE = "en"
LOCALE_FOLDER = Path(__file__).parent / "locale"
_FILE = "LC_MESSAGES/newsletter.po"
# CLDR lacks Western Armenian, and we a catalogue of it: Armenian is nearest.
_NEAREST = {"hyw": "hy"}

# CLDR's Armenian puts the day first, as "05 օգոստոսի", save where it names the weekday.
_ARMENIAN = range(0x0530, 0x0590)
_DAY_PATTERNS = {"hy": ("y թ. MMMM d", "MMMM d")}

_NAME = re.compile(r"%\((\w+)\)s")


def gettext_noop(message: str) -> str:
    """``message`` as it is, but found by `make messages`: it is translated where it is printed."""
    return message


def ngettext_noop(singular: str, plural: str) -> tuple[str, str]:
    """The two forms of a counted message, found likewise."""
    return singular, plural


class Words:
    """One language's words. Messages hold ``%(names)s``, which ``values`` fill; ``%%`` is "%".

    ``language`` is the tag of the catalogue, "en" for the source text itself.
    ``translations`` gives messages unfilled.
    """

    def __init__(self, language: str, translations: NullTranslations) -> None:
        self.language = language
        self.translations = translations

    def gettext(self, message: str, /, **values: object) -> str:
        return self.translations.gettext(message) % values

    def ngettext(self, singular: str, plural: str, count: int, /, **values: object) -> str:
        """The form that goes with ``count``; what is printed of it must be among ``values``."""
        return self.translations.ngettext(singular, plural, count) % values

    def pgettext(self, context: str, message: str, /, **values: object) -> str:
        """A message that means something else in other contexts."""
        return self.translations.pgettext(context, message) % values

    def say(self, saying: Saying) -> str:
        """What was told elsewhere, with all that is told in it."""
        values = {
            name: self.say(value) if isinstance(value, Saying) else value
            for name, value in saying.values.items()
        }
        return self.gettext(saying.message, **values)

    def tell(self, saying: Saying) -> str:
        """The same as a sentence of its own."""
        said = self.say(saying)
        return self.gettext("%(sentence)s.", sentence=f"{said[:1].upper()}{said[1:]}")


def words_of(language: str) -> Words:
    """The words that serve a BCP 47 tag best: English where nothing nearer is shipped."""
    return _load(nearest_language(language))


def fallback_of(language: str) -> str | None:
    """The language of our words where there are none in ``language``; else None."""
    words = words_of(language).language
    return words if words.split("-")[0] != locale_of(language).language else None


def shipped_languages() -> tuple[str, ...]:
    """The tags of all languages that have words, English first."""
    return (SOURCE_LANGUAGE, *sorted(_catalogues()))


@lru_cache(maxsize=256)
def nearest_language(language: str) -> str:
    """The shipped language for a BCP 47 tag: itself, or the same with less detail, else English."""
    return pick_language([language], shipped_languages()) or SOURCE_LANGUAGE


def pick_language(wanted: Iterable[str], offered: Iterable[str]) -> str | None:
    """The first of ``wanted`` tags that is ``offered``, or is so with less detail; else None."""
    known = {tag.lower(): tag for tag in offered}
    for tag in wanted:
        parts = tag.replace("_", "-").lower().split("-")
        for size in range(len(parts), 0, -1):
            if found := known.get("-".join(parts[:size])):
                return found
        if found := known.get(_NEAREST.get(parts[0], "")):
            return found
    return None


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """Babel's locale of a BCP 47 tag: the nearest known one, else English."""
    parts = language.replace("_", "-").split("-")
    tags = ["-".join(parts[:size]) for size in range(len(parts), 0, -1)]
    for tag in (*tags, _NEAREST.get(parts[0].lower(), "")):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale(SOURCE_LANGUAGE)


def is_armenian(text: str) -> bool:
    """Whether the text holds Armenian letters."""
    return any(ord(character) in _ARMENIAN for character in text)


def name_day(day: date, language: str, *, with_year: bool = True) -> str:
    """A day of the month: "August 5, 2025", "August 5"."""
    locale = locale_of(language)
    if patterns := _DAY_PATTERNS.get(locale.language):
        return format_date(day, patterns[0 if with_year else 1], locale=locale)
    if with_year:
        return format_date(day, "long", locale=locale)
    return format_skeleton("MMMMd", day, locale=locale)


def names_in(message: str) -> frozenset[str]:
    """The ``%(names)s`` that a message holds."""
    return frozenset(_NAME.findall(message.replace("%%", "")))


def forget_loaded() -> None:
    """Read the folder and its catalogues anew: for what has just written one."""
    for cached in (_catalogues, _load, nearest_language, locale_of):
        cached.cache_clear()


@cache
def _catalogues() -> dict[str, Path]:
    """The shipped files by BCP 47 tag; gettext's folders write pt_BR for pt-BR."""
    return {
        path.parents[1].name.replace("_", "-"): path for path in LOCALE_FOLDER.glob(f"*/{_FILE}")
    }


@cache
def _load(language: str) -> Words:
    path = _catalogues().get(language)
    if path is None:
        return Words(language, NullTranslations())
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language.replace("-", "_"), domain="newsletter")
    _drop_unusable(catalogue, language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Words(language, GNUTranslations(compiled))


def _drop_unusable(catalogue: Catalog, language: str) -> None:
    """Take out translations that could not be filled in: their message stays English."""
    broken = [message for message in catalogue if message.id and not _can_be_filled(message)]
    for message in broken:
        log.warning("translation_unusable", language=language, message=_forms(message.id)[0])
        catalogue.delete(message.id, message.context)


def _can_be_filled(message: Message) -> bool:
    """Whether the translation holds no name that the message lacks, and no loose "%"."""
    names = {name for form in _forms(message.id) for name in names_in(form)}
    return all(
        names_in(text) <= names and "%" not in _NAME.sub("", text.replace("%%", ""))
        for text in _forms(message.string)
    )


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())
