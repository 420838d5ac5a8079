"""System mails: short letters to one person, in the paper's look, with nothing left to fill."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.publication.model import Newsletter, Publication
from newsletter.rendering.environment import Templates
from newsletter.rendering.fill import disarm_marks
from newsletter.rendering.filters import format_day
from newsletter.rendering.inline import inline_css
from newsletter.rendering.issue import strip_indentation
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.text import bare_address, underline, wrap
from newsletter.rendering.view import Link
from newsletter.rendering.words import say

TEMPLATE = "email/message.html"


def render_confirmation(
    publication: Publication,
    newsletter: Newsletter,
    *,
    address: str,
    token: str,
    base_url: str,
    templates: Templates,
    expires_at: datetime | None = None,
) -> RenderedMail:
    """The letter of double opt-in: who asked, one button, what happens without it.

    ``token`` goes into ``{base_url}/confirm/{token}``; ``expires_at`` (aware) is
    printed as a day in the newsletter's zone.
    """
    language = newsletter.language_in(publication)
    name = newsletter.name
    after = [say("confirm_ignore", language)]
    if expires_at is not None:
        day = format_day(expires_at, language, newsletter.zone_in(publication), "long")
        after.insert(0, say("confirm_expires", language, date=day))
    site = urlsplit(publication.url).hostname or publication.url
    return _render(
        publication,
        templates,
        language=language,
        subject=say("confirm_subject", language, newsletter=name),
        title=say("confirm_title", language),
        sentences=[say("confirm_asked", language, site=site, newsletter=name, address=address)],
        button=Link(
            say("confirm_button", language, newsletter=name),
            f"{base_url.rstrip('/')}/confirm/{token}",
        ),
        after=after,
        small=[publication.postal_address] if publication.postal_address else [],
    )


def render_notice(
    publication: Publication,
    *,
    subject: str,
    sentences: Sequence[str],
    templates: Templates,
    link: Link | None = None,
) -> RenderedMail:
    """A notice to the editors: what happened, what to do, and at most one link to do it."""
    language = publication.language
    return _render(
        publication,
        templates,
        language=language,
        subject=subject,
        title=subject,
        sentences=sentences,
        button=link,
        after=[],
        small=[say("notice_reason", language, publication=publication.name)],
    )


def _render(
    publication: Publication,
    templates: Templates,
    *,
    language: str,
    subject: str,
    title: str,
    sentences: Sequence[str],
    button: Link | None,
    after: Sequence[str],
    small: Sequence[str],
) -> RenderedMail:
    # A notice may hold a story's words.
    subject, title = disarm_marks(subject), disarm_marks(title)
    sentences = disarm_marks(tuple(sentences))
    html = templates.render(
        TEMPLATE,
        publication=publication,
        language=language,
        subject=subject,
        title=title,
        sentences=sentences,
        button=button,
        after=after,
        small=small,
    )
    blocks = [
        underline(publication.name, "="),
        wrap(title),
        *map(wrap, sentences),
        f"{wrap(button.name)}:\n{bare_address(button.url)}" if button else "",
        *map(wrap, after),
        *map(wrap, small),
    ]
    return RenderedMail(
        subject=subject,
        html=inline_css(strip_indentation(html), name=TEMPLATE),
        text="\n\n".join(block for block in blocks if block) + "\n",
    )
