"""In which language a page speaks: always one whose words are shipped."""

from dataclasses import dataclass

from starlette.requests import Request

from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.words import (
    SOURCE_LANGUAGE,
    Words,
    locale_of,
    nearest_language,
    pick_language,
    shipped_languages,
    words_of,
)

# Browsers send a handful; the rest of a flood is not read.
_MOST_WISHES = 20


@dataclass(frozen=True)
class PageLanguage:
    """``tag`` is the page's language; ``picked`` whether the visitor asked for it by ``?lang=``."""

    tag: str
    picked: bool = False

    @property
    def query(self) -> str:
        """What links to our other pages end in, so that they stay in that language."""
        return f"?lang={self.tag}" if self.picked else ""

    @property
    def words(self) -> Words:
        return words_of(self.tag)


def page_language(
    request: Request,
    settings: Settings,
    newsletter: Newsletter | None = None,
    reader_language: str | None = None,
) -> PageLanguage:
    """What ``?lang=`` picks, else the reader's own, the newsletter's, the publication's."""
    wanted = request.query_params.get("lang", "")
    return wanted_language(wanted, settings, newsletter, reader_language)


def wanted_language(
    wanted: str,
    settings: Settings,
    newsletter: Newsletter | None = None,
    reader_language: str | None = None,
) -> PageLanguage:
    """As `page_language`, where the visitor's wish comes by another way."""
    if picked := _shipped(wanted):
        return PageLanguage(picked, picked=True)
    publication = settings.publication
    of_newsletter = newsletter.language_in(publication) if newsletter else publication.language
    return PageLanguage(nearest_language(reader_language or of_newsletter))


def failure_language(request: Request, settings: Settings | None) -> PageLanguage:
    """The language of a page for what went wrong, where little is known.

    The newsletter's where the address names one, else what the browser asks for
    among the paper's languages; among all of ours where the settings can't be read.
    """
    if picked := _picked(request):
        return PageLanguage(picked, picked=True)
    if settings is None:
        wanted = pick_language(_wishes(request), shipped_languages())
        return PageLanguage(wanted or SOURCE_LANGUAGE)
    newsletter = settings.newsletter_called(request.path_params.get("newsletter", ""))
    if newsletter is not None:
        return page_language(request, settings, newsletter)
    ours = paper_languages(settings)
    return PageLanguage(pick_language(_wishes(request), ours) or ours[0])


def paper_languages(settings: Settings) -> tuple[str, ...]:
    """The shipped languages that the publication and its newsletters use, its own first."""
    publication = settings.publication
    tags = (
        publication.language,
        *(tag for n in settings.newsletter for tag in n.languages_in(publication)),
    )
    return tuple(dict.fromkeys(map(nearest_language, tags)))


def language_name(tag: str) -> str:
    """What a language calls itself: "English", "հայերեն"."""
    return locale_of(tag).get_display_name() or tag


def _picked(request: Request) -> str | None:
    return _shipped(request.query_params.get("lang", ""))


def _shipped(wanted: str) -> str | None:
    return pick_language([wanted[:35]], shipped_languages())


def _wishes(request: Request) -> list[str]:
    """The tags of Accept-Language, the most wanted first (RFC 9110, 12.5.4)."""
    weighed = []
    for wish in request.headers.get("accept-language", "").split(",")[:_MOST_WISHES]:
        tag, _, weight = wish.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag.strip() and quality > 0:
            weighed.append((-quality, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
