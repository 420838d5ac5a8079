"""System mails: short letters to one person, in the paper's look, with nothing left to fill."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from newsletter.errors import RenderError
from newsletter.publication.brand import Publication
from newsletter.publication.design import design_of
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.bidi import drop_isolates, isolate
from newsletter.rendering.environment import Templates
from newsletter.rendering.fill import UNRESOLVED, disarm_marks
from newsletter.rendering.filters import format_day
from newsletter.rendering.inline import inline_css
from newsletter.rendering.issue import strip_indentation
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.passing_on import Link
from newsletter.rendering.text import label_address, underline, wrap
from newsletter.words import SOURCE_LANGUAGE, nearest_language, words_of

TEMPLATE = "email/message.html"


@dataclass(frozen=True)
class Quote:
    """A sentence in a language of its own: what the service says of its work is English."""

    text: str
    language: str = SOURCE_LANGUAGE


def render_confirmation(
    publication: Publication,
    newsletter: Newsletter,
    *,
    address: str,
    token: str,
    base_url: str,
    templates: Templates,
    expires_at: datetime | None = None,
    language: str | None = None,
) -> RenderedMail:
    """The letter of double opt-in: who asked, one button, what happens without it.

    ``token`` goes into ``{base_url}/confirm/{token}``; ``expires_at`` (aware) is
    printed as a day in the newsletter's zone. ``language`` is the reader's, where
    it is known, else the newsletter's.
    """
    # All of it is our own words: the letter is in the language that they come in.
    language = nearest_language(language or newsletter.language_in(publication))
    day = (
        expires_at.astimezone(newsletter.zone_in(publication)).date()
        if expires_at is not None
        else None
    )
    with _ONE_AT_A_TIME:
        mold = _confirmation_mold(publication, newsletter.name, base_url, templates, language, day)
    address = disarm_marks(address)
    return replace(
        mold,
        html=mold.html.replace(_ADDRESS, escape(address)).replace(_TOKEN, token),
        text=mold.text.replace(_ADDRESS, address).replace(_TOKEN, token),
    )


# Of all sign-ups that come while there is no mold yet, one makes it.
_ONE_AT_A_TIME = threading.Lock()
# Stand in a confirmation's mold for what differs from reader to reader.
_ADDRESS = "the.reader.who.asked@address.invalid"
_TOKEN = "token-of-the-confirmation"  # noqa: S105


@lru_cache(maxsize=32)
def _confirmation_mold(
    publication: Publication,
    name: str,
    base_url: str,
    templates: Templates,
    language: str,
    day: date | None,
) -> RenderedMail:
    """The letter for nobody yet: to inline its styles takes 12 ms, and sign-ups come in floods.

    With the day of its expiry it is made anew every day, a changed template with it.
    """
    words = words_of(language)
    name = isolate(name, language)
    after = [
        words.gettext(
            "If that was not you, do nothing: without the click you are not subscribed, "
            "and no e-mail will follow."
        )
    ]
    if day is not None:
        written = format_day(day, language, style="long")
        after.insert(0, words.gettext("The link works until %(date)s.", date=written))
    site = urlsplit(publication.url).hostname or publication.url
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext("Please confirm: %(newsletter)s", newsletter=name),
        title=words.gettext("One click, and it is yours"),
        sentences=[
            words.gettext(
                "Someone, we hope you, asked at %(site)s for %(newsletter)s to be sent to "
                "%(address)s.",
                site=isolate(site, language),
                newsletter=name,
                address=isolate(_ADDRESS, language),
            )
        ],
        button=Link(
            words.gettext("Yes, send me %(newsletter)s", newsletter=name),
            f"{base_url.rstrip('/')}/confirm/{_TOKEN}",
        ),
        after=after,
        small=_imprint(publication, language),
    )


def render_welcome(
    publication: Publication,
    newsletter: Newsletter,
    *,
    also: Sequence[str],
    next_issue: date,
    latest: bool,
    follows: bool,
    preferences_token: str,
    unsubscribe_token: str,
    base_url: str,
    templates: Templates,
    language: str | None = None,
) -> RenderedMail:
    """The letter after the confirmation: what comes and when, and the ways to change or leave.

    ``also`` are the names of other newsletters that were confirmed with it;
    ``next_issue`` a day in the newsletter's zone; ``latest`` tells whether there is
    an issue in the archive, ``follows`` whether it is sent right after this.
    """
    language = nearest_language(language or newsletter.language_in(publication))
    words = words_of(language)
    name, root = isolate(newsletter.name, language), base_url.rstrip("/")
    sentences = [
        words.gettext(
            "You now get %(newsletter)s. The next issue comes on %(date)s.",
            newsletter=name,
            date=format_day(next_issue, language, newsletter.zone_in(publication), "long"),
        )
    ]
    if also:
        sentences.append(
            words.gettext(
                "You also get: %(newsletters)s.",
                newsletters=", ".join(isolate(other, language) for other in also),
            )
        )
    if follows:
        sentences.append(
            words.gettext("The latest issue follows at once, so that you need not wait.")
        )
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext("Welcome: %(newsletter)s", newsletter=name),
        title=words.gettext("Welcome. You are on the list"),
        sentences=sentences,
        button=Link(words.gettext("Read past issues"), f"{root}/archive/{newsletter.slug}/")
        if latest
        else None,
        after=[
            words.gettext(
                "If our mails end up among the junk, tell your mail program that they are welcome: "
                "add %(address)s to your contacts.",
                address=isolate(newsletter.sender.address, language),
            )
        ],
        small=[
            words.gettext(
                "You get this mail because you confirmed that you want %(newsletter)s.",
                newsletter=name,
            ),
            *_imprint(publication, language),
        ],
        links=[
            Link(words.gettext("Change what you get"), f"{root}/preferences/{preferences_token}"),
            Link(words.gettext("Unsubscribe"), f"{root}/unsubscribe/{unsubscribe_token}"),
        ],
    )


def render_notice(
    publication: Publication,
    *,
    subject: str,
    sentences: Sequence[str | Quote],
    templates: Templates,
    link: Link | None = None,
) -> RenderedMail:
    """A notice to the editors: what happened, what to do, and at most one link to do it."""
    language = nearest_language(publication.language)
    return render_letter(
        publication,
        templates,
        language=language,
        subject=subject,
        title=subject,
        sentences=sentences,
        button=link,
        after=[],
        small=[
            words_of(language).gettext(
                "You get this notice because you are an editor of %(publication)s.",
                publication=isolate(publication.name, language),
            )
        ],
    )


def render_address_question(
    publication: Publication,
    newsletter: Newsletter,
    *,
    token: str,
    base_url: str,
    templates: Templates,
    expires_at: datetime,
    language: str | None = None,
) -> RenderedMail:
    """The letter to the address that a reader wants to be written to: one button, or nothing.

    ``token`` goes into ``{base_url}/address/{token}``. Nothing in it is the asker's words.
    """
    language = nearest_language(language or newsletter.language_in(publication))
    words = words_of(language)
    day = format_day(expires_at, language, newsletter.zone_in(publication), "long")
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext(
            "Please confirm your new address: %(publication)s", publication=publication.nickname
        ),
        title=words.gettext("Is this your new address?"),
        sentences=[
            words.gettext(
                "A reader of %(publication)s asked for our newsletters to be sent to this address "
                "from now on.",
                publication=isolate(publication.nickname, language),
            )
        ],
        button=Link(
            words.gettext("Yes, write to me here"), f"{base_url.rstrip('/')}/address/{token}"
        ),
        after=[
            words.gettext("The link works until %(date)s.", date=day),
            words.gettext("If that was not you, do nothing, and nothing changes."),
        ],
        small=_imprint(publication, language),
    )


def render_address_changed(
    publication: Publication,
    newsletter: Newsletter,
    *,
    masked: str,
    token: str,
    base_url: str,
    templates: Templates,
    expires_at: datetime,
    language: str | None = None,
) -> RenderedMail:
    """The letter to the address that a reader is no longer written to.

    ``masked`` is the new one; ``token`` goes into ``{base_url}/take-back/{token}``.
    """
    language = nearest_language(language or newsletter.language_in(publication))
    words = words_of(language)
    day = format_day(expires_at, language, newsletter.zone_in(publication), "long")
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext(
            "Your address was changed: %(publication)s", publication=publication.nickname
        ),
        title=words.gettext("We write to your new address now"),
        sentences=[
            words.gettext(
                "From now on our newsletters go to %(address)s, as was asked and confirmed there. "
                "Nothing more comes to this address.",
                address=isolate(masked, language),
            ),
            words.gettext("If that was not you, press the button, or answer this mail."),
        ],
        button=Link(
            words.gettext("It wasn’t me: take it back"), f"{base_url.rstrip('/')}/take-back/{token}"
        ),
        after=[words.gettext("The link works until %(date)s.", date=day)],
        small=_imprint(publication, language),
    )


def render_data_link(
    publication: Publication,
    newsletter: Newsletter,
    *,
    token: str,
    base_url: str,
    templates: Templates,
    expires_at: datetime,
    language: str | None = None,
) -> RenderedMail:
    """The letter with the link to what is held about a reader: ``{base_url}/data/{token}``."""
    language = nearest_language(language or newsletter.language_in(publication))
    words = words_of(language)
    day = format_day(expires_at, language, newsletter.zone_in(publication), "long")
    return render_letter(
        publication,
        templates,
        language=language,
        subject=words.gettext("Your data: %(publication)s", publication=publication.nickname),
        title=words.gettext("What we hold about you"),
        sentences=[
            words.gettext(
                "You asked at %(publication)s for what we hold about you. The page behind the "
                "button hands it out, and forgets you if you want that.",
                publication=isolate(publication.nickname, language),
            )
        ],
        button=Link(words.gettext("Open my data"), f"{base_url.rstrip('/')}/data/{token}"),
        after=[
            words.gettext("The link works until %(date)s.", date=day),
            words.gettext(
                "Do not pass it on: whoever has it can read your data. If you did not ask, do "
                "nothing."
            ),
        ],
        small=_imprint(publication, language),
    )


def _imprint(publication: Publication, language: str) -> list[str]:
    address = publication.postal_address
    return [isolate(address, language)] if address else []


def write_letter(
    publication: Publication, templates: Templates, language: str, told: Mapping[str, Any]
) -> str:
    """The letter's document before its style goes into the tags; ``told`` is what it says.

    RenderError where a place is left unfilled in it that stands in nothing of what is told.
    """
    html = templates.render(
        TEMPLATE,
        publication=publication,
        design=design_of(publication),
        scripts=(),
        language=language,
        **told,
    )
    for left in UNRESOLVED.finditer(html):
        if left[0] not in repr((publication, dict(told))):
            raise RenderError(f"{TEMPLATE}: a place is left unfilled: {left[0]}", subject=TEMPLATE)
    return html


def render_letter(
    publication: Publication,
    templates: Templates,
    *,
    language: str,
    subject: str,
    title: str,
    sentences: Sequence[str | Quote],
    button: Link | None,
    after: Sequence[str],
    small: Sequence[str],
    links: Sequence[Link] = (),
) -> RenderedMail:
    """A letter of ``sentences`` in ``language``, a button, and what is said ``after`` it.

    What `rendering.bidi` isolates in any of them is marked in the HTML part alone.
    RenderError where the template leaves a place unfilled.
    """
    # A notice may hold a story's words.
    subject, title = drop_isolates(disarm_marks(subject)), disarm_marks(title)
    passages = tuple(
        each if isinstance(each, Quote) else Quote(each, language)
        for each in disarm_marks(tuple(sentences))
    )
    words = words_of(language)
    told = {
        "subject": subject,
        "title": title,
        "sentences": passages,
        "button": button,
        "after": after,
        "small": small,
        "links": links,
    }
    html = write_letter(publication, templates, language, told)
    blocks = [
        underline(publication.name, "="),
        wrap(title),
        *(wrap(passage.text) for passage in passages),
        label_address(words, button.name, button.url) if button else "",
        *map(wrap, after),
        *map(wrap, small),
        *(label_address(words, link.name, link.url) for link in links),
    ]
    return RenderedMail(
        subject=subject,
        html=inline_css(strip_indentation(html), name=TEMPLATE),
        text=drop_isolates("\n\n".join(block for block in blocks if block)) + "\n",
        language=language,
    )
