"""What to paste into the paper's pages so that readers sign up there, and how it looks."""

from dataclasses import dataclass

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from newsletter.errors import NotFound
from newsletter.publication.newsletters import Newsletter, Placement
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.web.frames import framing_sites
from newsletter.words import gettext_noop
from newsletter.workflows.sign_up_snippets import (
    WAYS,
    WORDPRESS,
    Snippet,
    origin_of,
    sign_up_snippets,
)

NAMES = {
    "element": gettext_noop("An element"),
    "form": gettext_noop("A plain form"),
    "frame": gettext_noop("A frame"),
}


@dataclass(frozen=True)
class Way:
    """One of the three: what it is called, what is to be known, what to paste, and its look."""

    name: str
    title: str
    about: str
    html: str
    rows: int
    look: str


def show_sign_up_forms(visit: Visit) -> Response:
    """The snippets of one newsletter and placement; the first there is, unless asked."""
    newsletter = _asked_newsletter(visit)
    placement = _asked_placement(newsletter, visit.query("placement"))
    base_url = visit.context.base_url
    origin = origin_of(base_url)
    page = f"{base_url}/subscribe/{newsletter.slug}"
    policy = DESK_HEADERS["Content-Security-Policy"]
    return visit.page(
        "sign_up_forms",
        headers={
            "Content-Security-Policy": policy.replace(
                "frame-src 'self'", f"frame-src 'self' {origin}"
            )
        },
        newsletters=visit.settings.newsletter,
        newsletter=newsletter,
        placement=placement,
        ways=[
            Way(
                one.way,
                visit.words.gettext(NAMES[one.way]),
                visit.words.gettext(WAYS[one.way], site=origin),
                one.html,
                one.html.count("\n") + 2,
                _look_of(visit, one),
            )
            for one in _snippets(visit, newsletter, placement)
        ],
        steps=[visit.words.gettext(step, page=page) for step in WORDPRESS],
        sites=framing_sites(visit.settings),
    )


def show_sign_up_look(visit: Visit) -> Response:
    """A page with nothing but one snippet: what stands in the frame that shows its look.

    It is shown without an origin, so that the site's script has nothing of the desk's.
    """
    newsletter = _newsletter(visit, visit.param("newsletter"))
    placement = newsletter.placement_called(visit.param("placement"))
    wanted = visit.param("way")
    if placement is None or wanted not in ("element", "form"):
        raise NotFound("there is no such sign-up form", subject=wanted)
    snippet = next(one for one in _snippets(visit, newsletter, placement) if one.way == wanted)
    own, desk = origin_of(visit.context.base_url), origin_of(visit.context.desk_url)
    html = visit.context.templates.render(
        "web/desk/sign_up_look.html",
        snippet=Markup(snippet.html),  # noqa: S704 (escaped where it was written)
        language=newsletter.language_in(visit.settings.publication),
        theme=visit.editor.theme,
        base_path=visit.static_root,
        title=placement.slug,
    )
    policy = (
        f"default-src 'none'; script-src {own}; connect-src {own}; style-src {desk}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
    )
    return HTMLResponse(
        html,
        headers={
            **DESK_HEADERS,
            "Content-Security-Policy": policy,
            "X-Frame-Options": "SAMEORIGIN",
        },
    )


def _look_of(visit: Visit, snippet: Snippet) -> str:
    if snippet.way == "frame":
        query = f"?placement={snippet.placement}"
        return f"{visit.context.base_url}/subscribe/{snippet.newsletter}/frame{query}"
    place = f"{snippet.newsletter}/{snippet.placement}/{snippet.way}"
    return f"{visit.root}/readers/sign-up/{place}"


def _snippets(visit: Visit, newsletter: Newsletter, placement: Placement) -> list[Snippet]:
    found = sign_up_snippets(visit.context.base_url, visit.settings, (newsletter,))
    return [one for one in found if one.placement == placement.slug]


def _asked_newsletter(visit: Visit) -> Newsletter:
    asked = visit.query("newsletter")
    if asked:
        return _newsletter(visit, asked)
    if not visit.settings.newsletter:
        raise NotFound("there is no newsletter to sign up for yet", subject="newsletter")
    return visit.settings.newsletter[0]


def _newsletter(visit: Visit, slug: str) -> Newsletter:
    found = visit.settings.newsletter_called(slug)
    if found is None:
        raise NotFound(f'there is no newsletter "{slug}"', subject=slug)
    return found


def _asked_placement(newsletter: Newsletter, slug: str) -> Placement:
    return newsletter.placement_called(slug) or newsletter.placements[0]
