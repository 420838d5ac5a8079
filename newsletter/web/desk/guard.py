"""What stands before every page of the desk: who asks, whether they may, and from where."""

import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.errors import (
    AddressError,
    Conflict,
    InvalidTransition,
    NotFound,
    SegmentError,
    UsageError,
)
from newsletter.log import get_logger
from newsletter.publication.editors import Act, Session, may
from newsletter.web.context import WebContext
from newsletter.web.desk.cookie import read_cookie
from newsletter.web.desk.routes import DeskRoute
from newsletter.web.desk.uploading import SentFile, read_upload
from newsletter.web.desk.visit import CSRF, NavEntry, Visit
from newsletter.web.endpoint import read_form, steady_pace
from newsletter.workflows.sign_in import find_session

log = get_logger(__name__)

_MOST_PAGE = 300


def guarded_routes(context: WebContext, table: Sequence[DeskRoute]) -> list[Route]:
    """The desk's pages behind their guard, below its root."""
    root = urlsplit(context.desk_url).path
    nav = navigation(table)
    return [
        Route(
            f"{root}{one.path}",
            _as_endpoint(context, one, nav),
            methods=[one.method],
            middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=one.takes)]
            if one.takes
            else None,
        )
        for one in table
    ]


def navigation(table: Sequence[DeskRoute]) -> tuple[NavEntry, ...]:
    """The places of the navigation."""
    return tuple(NavEntry(one.path, one.nav, one.needs) for one in table if one.nav)


def roomy_paths(context: WebContext, table: Sequence[DeskRoute]) -> dict[re.Pattern[str], int]:
    """The forms of paths to which a file or long texts may be sent, and of how many bytes."""
    root = urlsplit(context.desk_url).path
    return {
        re.compile(re.sub(r"\{\w+\}", "[^/]+", f"{root}{one.path}")): one.takes
        for one in table
        if one.takes
    }


def local_page(root: str, written: str) -> str:
    """``written`` where it is a page of the desk to go back to, else nothing.

    Only a plain path below the desk's root: no address of another host in any of the
    forms that browsers take for one.
    """
    if len(written) > _MOST_PAGE or not written.isascii() or not written.isprintable():
        return ""
    if "\\" in written or "//" in written or " " in written:
        return ""
    path = written.partition("?")[0]
    if not f"{path}/".startswith(f"{root}/") or "/." in path:
        return ""
    return "" if path.startswith((f"{root}/sign-in", f"{root}/sign-out")) else written


def _as_endpoint(
    context: WebContext, route: DeskRoute, nav: tuple[NavEntry, ...]
) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        form = await read_form(request)
        async with steady_pace(context.steady_seconds if route.steady else 0):
            return await run_in_threadpool(_answer, context, route, nav, request, form)

    async def respond_to_file(request: Request) -> Response:
        # Nobody but who may sends us files: looked at before any of it is read.
        refusal = await run_in_threadpool(_refuse_unread, context, route, nav, request)
        if refusal is not None:
            return refusal
        form, sent = await read_upload(request, context.uploads)
        try:
            return await run_in_threadpool(_answer, context, route, nav, request, form, sent)
        finally:
            if sent is not None:
                sent.path.unlink(missing_ok=True)

    return respond_to_file if route.takes_file else respond


def _answer(
    context: WebContext,
    route: DeskRoute,
    nav: tuple[NavEntry, ...],
    request: Request,
    form: FormData,
    sent: SentFile | None = None,
) -> Response:
    visit = _visit(context, nav, request, form, sent)
    refusal = _refuse(visit, route) or _refuse_form(visit, route)
    if refusal is not None:
        return refusal
    try:
        return route.handler(visit)
    except (Conflict, InvalidTransition, NotFound, UsageError, AddressError) as error:
        return _tell(visit, error)


def _visit(
    context: WebContext,
    nav: tuple[NavEntry, ...],
    request: Request,
    form: FormData,
    sent: SentFile | None = None,
) -> Visit:
    settings = context.load_settings()
    secret = read_cookie(context, request)
    session = _session(context, secret)
    return Visit(context, request, form, settings, session, secret, nav, sent)


def _refuse_unread(
    context: WebContext, route: DeskRoute, nav: tuple[NavEntry, ...], request: Request
) -> Response | None:
    return _refuse(_visit(context, nav, request, FormData()), route)


def _session(context: WebContext, secret: str) -> Session | None:
    if not secret:
        return None
    return find_session(context.database, secret, now=context.clock.now())


def _refuse(visit: Visit, route: DeskRoute) -> Response | None:
    """Why a request is not let through to its page, if it is not."""
    words = visit.words
    posted = route.method == "POST"
    if posted and not _is_from_us(visit):
        log.warning("desk_refused", reason="origin", path=route.path)
        return visit.sorry(
            403,
            words.gettext("That did not come from here"),
            words.gettext("Another site sent this. Open the desk and use the button there."),
        )
    role = visit.session.editor.role if visit.session else None
    if not may(role, route.needs):
        if role is None:
            return _to_sign_in(visit, posted=posted)
        log.warning("desk_refused", reason="role", path=route.path, editor=visit.actor)
        return visit.not_allowed()
    return None


def _refuse_form(visit: Visit, route: DeskRoute) -> Response | None:
    """Why a form is not taken that does not hold its session's token."""
    words = visit.words
    posted = route.method == "POST"
    if posted and route.needs is not Act.SIGN_IN and not _has_token(visit):
        log.warning("desk_refused", reason="token", path=route.path)
        if _has_words(visit) and not route.takes_file:
            return _keep_words(
                visit,
                words.gettext("That form is no longer good"),
                words.gettext(
                    "It was opened before you signed in, so nothing was done. What you sent is "
                    "still here. Look it over, and send it once more."
                ),
            )
        return visit.sorry(
            403,
            words.gettext("That form is no longer good"),
            words.gettext(
                "It was opened before you signed in. Go back, load it anew, and send it."
            ),
        )
    return None


def _to_sign_in(visit: Visit, *, posted: bool) -> Response:
    """Where a stranger is sent, to come back here, or to the page that the form stood on."""
    if posted and _has_words(visit):
        return _keep_words(
            visit,
            visit.words.gettext("You are signed out"),
            visit.words.gettext(
                "Your session has ended, so nothing was done. What you sent is still here, and "
                "nowhere else. Keep this page open, sign in in another tab, and send it once more."
            ),
        )
    url = urlsplit(visit.request.headers.get("referer", "")) if posted else visit.request.url
    path = f"{url.path}?{url.query}" if url.query else url.path
    page = local_page(visit.root, path)
    query = {"page": page} if page and page.rstrip("/") != visit.root else {}
    if visit.secret:
        query["done"] = "over"
    return visit.go("/sign-in", **query)


def _has_words(visit: Visit) -> bool:
    """Whether a form brought more than its token: what would be lost with it."""
    return any(name != CSRF and value for name, value in visit.form.multi_items())


def _keep_words(visit: Visit, heading: str, sentence: str) -> Response:
    """The form's fields in a form that can be sent once more, to be kept by its browser alone.

    It comes with the token of whoever is signed in now: a form from another site never
    gets here, and somebody has to press the button again.
    """
    fields = [
        (name, value)
        for name, value in visit.form.multi_items()
        if name != CSRF and isinstance(value, str)
    ]
    return visit.page(
        "kept_form",
        status=403,
        heading=heading,
        sentence=sentence,
        address=visit.request.url.path,
        # What somebody wrote is shown, to be copied or changed; the rest only comes along.
        written=[one for one in fields if len(one[1].split()) > 1],
        hidden=[one for one in fields if len(one[1].split()) <= 1],
    )


def _is_from_us(visit: Visit) -> bool:
    """Whether a form was sent by a page of this host, as its browser says.

    Browsers of before 2023 tell no Sec-Fetch-Site, and none tell it to a host without
    https: there Origin decides. What tells neither is none of them.
    """
    headers = visit.request.headers
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    own = urlsplit(visit.context.desk_url)
    here = f"{visit.request.url.scheme}://{headers.get('host', '')}"
    return headers.get("origin") in (f"{own.scheme}://{own.netloc}", here)


def _has_token(visit: Visit) -> bool:
    return hmac.compare_digest(visit.field(CSRF).encode(), visit.csrf.encode())


def _tell(visit: Visit, error: Exception) -> Response:
    """What could not be done, in the sentence that the error is: most are written in English."""
    words = visit.words
    if isinstance(error, NotFound):
        status, heading = 404, words.gettext("There is no such page")
    elif isinstance(error, UsageError | AddressError):
        status, heading = 400, words.gettext("That could not be read")
    else:
        status, heading = 409, words.gettext("That can’t be done now")
    if isinstance(error, SegmentError):
        return visit.sorry(status, heading, words.tell(error.saying))
    sentence = str(error)
    return visit.sorry(status, heading, f"{sentence[:1].upper()}{sentence[1:]}.", told_in="en")
