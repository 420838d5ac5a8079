"""What is pasted into the paper's pages so that readers sign up there, in three ways."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from newsletter.publication.brand import Publication
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter, Placement
from newsletter.publication.prompts import placement_prompt
from newsletter.words import gettext_noop, words_of

# As tall as the framed form gets on a phone, with a problem at its field.
_FRAME_HEIGHT = 320


@dataclass(frozen=True)
class Snippet:
    """HTML to paste; ``way`` is element, form or frame."""

    way: str
    newsletter: str
    placement: str
    html: str


# What the host page has to allow where it has a Content-Security-Policy, and what else
# is to be known of a way.
WAYS: Mapping[str, str] = {
    "element": gettext_noop(
        "The best of the three: it looks like the page around it, and the reader never leaves the "
        "story. A Content-Security-Policy needs script-src and connect-src %(site)s."
    ),
    "form": gettext_noop(
        "No script and nothing loaded: it opens our own page, where one more press signs up. A "
        "Content-Security-Policy needs form-action %(site)s."
    ),
    "frame": gettext_noop(
        "For pages that take no script. Only sites of [sign_up] sites may show it. A "
        "Content-Security-Policy needs frame-src %(site)s."
    ),
}

WORDPRESS = (
    gettext_noop(
        "WordPress, at the end of every story or in the footer: Appearance, Editor, Templates, "
        "Single Posts (or Patterns, Footer); add a block “Custom HTML” and paste a snippet into "
        "it. With a classic theme: Appearance, Widgets, “Custom HTML”."
    ),
    gettext_noop(
        "In the middle of stories: paste it into a “Custom HTML” block, make that block a synced "
        "pattern (its menu, Create pattern), and insert the pattern where you want it; a change "
        "of the pattern changes all stories."
    ),
    gettext_noop(
        "WordPress drops scripts, forms and frames of users who may not write unfiltered HTML: "
        "an administrator (on a multisite network, its super admin) has to paste it. "
        "WordPress.com allows scripts and frames on plans with plugins only; elsewhere link to "
        "%(page)s."
    ),
)


def origin_of(base_url: str) -> str:
    """What a Content-Security-Policy calls our pages by: ``https://news.paper.example``."""
    address = urlsplit(base_url)
    return f"{address.scheme}://{address.netloc}"


def sign_up_snippets(
    base_url: str, settings: Settings, newsletters: tuple[Newsletter, ...]
) -> Iterator[Snippet]:
    """Three for each placement of each newsletter."""
    for newsletter in newsletters:
        for placement in newsletter.placements:
            for way, write in (("element", _element), ("form", _form), ("frame", _frame)):
                html = write(base_url, settings.publication, newsletter, placement)
                yield Snippet(way, newsletter.slug, placement.slug, html)


def _element(
    base_url: str, publication: Publication, newsletter: Newsletter, placement: Placement
) -> str:
    prompt, lang = _prompt(publication, newsletter, placement)
    link = f"{base_url}/subscribe/{newsletter.slug}?placement={placement.slug}"
    return (
        f'<script src="{escape(base_url)}/embed.js" async></script>\n'
        f'<newsletter-signup newsletter="{newsletter.slug}" placement="{placement.slug}">'
        f'<a href="{escape(link)}" lang="{lang}">{prompt.rstrip(":՝")}</a></newsletter-signup>\n'
    )


def _form(
    base_url: str, publication: Publication, newsletter: Newsletter, placement: Placement
) -> str:
    prompt, lang = _prompt(publication, newsletter, placement)
    words = words_of(newsletter.language_in(publication))
    field = f"newsletter-{newsletter.slug}-{placement.slug}"
    return (
        f'<form action="{escape(base_url)}/subscribe/{newsletter.slug}" method="post" '
        f'lang="{lang}">\n'
        f'<label for="{field}">{prompt}</label>\n'
        f'<input id="{field}" name="address" type="email" autocomplete="email" required '
        'maxlength="254">\n'
        f'<input name="placement" type="hidden" value="{placement.slug}">\n'
        f"<button>{escape(words.gettext('Sign up'))}</button>\n"
        "</form>\n"
    )


def _frame(
    base_url: str, publication: Publication, newsletter: Newsletter, placement: Placement
) -> str:
    prompt, lang = _prompt(publication, newsletter, placement)
    address = f"{base_url}/subscribe/{newsletter.slug}/frame?placement={placement.slug}"
    return (
        f'<iframe src="{escape(address)}" title="{prompt.rstrip(":՝")}" lang="{lang}" '
        f'loading="lazy" width="100%" height="{_FRAME_HEIGHT}" frameborder="0"></iframe>\n'
    )


def _prompt(
    publication: Publication, newsletter: Newsletter, placement: Placement
) -> tuple[str, str]:
    """A placement's words, ready for HTML, and their language."""
    language = newsletter.language_in(publication)
    words = words_of(language)
    return escape(placement_prompt(publication, newsletter, placement, words)), words.language
