"""The desk's own page for what goes wrong before or below its handlers."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from newsletter.errors import NewsletterError
from newsletter.publication.editors import Session
from newsletter.publication.model import Settings
from newsletter.web.context import WebContext
from newsletter.web.desk.cookie import read_cookie
from newsletter.web.desk.guard import navigation
from newsletter.web.desk.table import desk_table
from newsletter.web.desk.visit import DESK_HEADERS, Visit
from newsletter.web.language import failure_language
from newsletter.web.static_files import static_version
from newsletter.workflows.sign_in import find_session


def is_for_desk(context: WebContext, request: Request) -> bool:
    """Whether an address is the desk's; a signed preview is for whoever holds its link."""
    if context.desk_host and request.url.hostname == context.desk_host:
        return True
    root, path = urlsplit(context.desk_url).path, request.url.path
    path = f"{path}/"
    return path.startswith(f"{root}/") and not path.startswith(f"{root}/preview/")


def desk_failure(
    context: WebContext,
    request: Request,
    status: int,
    heading: str,
    sentence: str,
    *,
    settings: Settings | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What went wrong, with the way back, in the language of who is signed in.

    ``heading`` and ``sentence`` are messages of the catalogues. Without ``settings``, as
    where the database rests, nothing is known of who asks.
    """
    if settings is None:
        return _bare_page(context, request, status, heading, sentence, headers)
    secret = read_cookie(context, request)
    session = _session(context, secret)
    visit = Visit(
        context,
        request,
        FormData(),
        settings,
        session,
        secret if session else "",
        navigation(desk_table()),
    )
    words = visit.words
    return visit.sorry(status, words.gettext(heading), words.gettext(sentence), headers=headers)


def _session(context: WebContext, secret: str) -> Session | None:
    try:
        return find_session(context.database, secret, now=context.clock.now()) if secret else None
    except NewsletterError:
        return None


def _bare_page(
    context: WebContext,
    request: Request,
    status: int,
    heading: str,
    sentence: str,
    headers: Mapping[str, str] | None,
) -> Response:
    language = failure_language(request, None)
    root = urlsplit(context.desk_url).path
    html = context.templates.render(
        "web/desk/failure.html",
        publication=None,
        language=language.tag,
        base_path=root.removesuffix("/desk"),
        desk=root,
        static_version=static_version(),
        editor=None,
        theme="auto",
        acts=(),
        nav=(),
        here="",
        done="",
        heading=language.words.gettext(heading),
        sentence=language.words.gettext(sentence),
        told_in="",
        asks=False,
    )
    return HTMLResponse(html, status, {**DESK_HEADERS, **(headers or {})})
