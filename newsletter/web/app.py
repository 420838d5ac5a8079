"""The pages as one app: which path leads to which handler; the desk's stand in its own table.

GET and HEAD change nothing anywhere: mail scanners follow every link.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Host, Mount, Route, Router

from newsletter.web.api import create_api
from newsletter.web.archive import show_archive, show_archived_issue
from newsletter.web.beacon import OPENINGS_A_MINUTE, take_beacon
from newsletter.web.confirm import show_confirmation, take_confirmation
from newsletter.web.context import WebContext
from newsletter.web.desk.guard import guarded_routes, roomy_paths
from newsletter.web.desk.table import desk_table
from newsletter.web.endpoint import MAX_BODY_BYTES, Handler, as_endpoint
from newsletter.web.failures import failure_handlers, too_large
from newsletter.web.feeds import show_json_feed, show_rss
from newsletter.web.leave import show_departure, take_departure
from newsletter.web.limits import PostLimit
from newsletter.web.links import follow_link
from newsletter.web.media import show_picture
from newsletter.web.personal_data import show_data, take_data, take_data_wish
from newsletter.web.preferences import (
    show_address,
    show_preferences,
    show_take_back,
    take_address,
    take_address_wish,
    take_preferences,
    take_take_back,
)
from newsletter.web.preview import show_preview, show_preview_html, show_preview_text
from newsletter.web.refusals import API_PATH
from newsletter.web.shield import (
    HostCheck,
    OversizeIsEmpty,
    RequestLog,
    SafeHeaders,
    SizeCheck,
    allowed_hosts,
)
from newsletter.web.site import show_brand, show_front, show_health
from newsletter.web.sitemap import show_robots, show_sitemap
from newsletter.web.static_files import (
    EMBED_SCRIPT,
    FORM_SCRIPT,
    STATIC_FOLDER,
    CachedFiles,
    show_script,
)
from newsletter.web.subscribe import show_form, take_form
from newsletter.workflows.follow import ClickCounter, LinkFollower

# Requests in work at once. More threads only take the interpreter from one another: with 40,
# which is usual, a sign-up in a flood cost a third more. Eight of them may wait for DNS.
THREADS = 16


def create_app(context: WebContext) -> Starlette:
    """The pages of ``context``, below the path of its ``base_url``."""
    counter = ClickCounter(context.database, context.load_settings)
    pages = _page_routes(context, counter)
    health = Route("/healthz", as_endpoint(context, show_health))
    routes: list[BaseRoute] = [health]
    if context.desk_host:
        # A host of its own shares no origin with what readers and other sites bring in.
        routes.append(Host(context.desk_host, Router(_desk_routes(context))))
    desk = [] if context.desk_host else _desk_routes(context)
    if context.base_path:
        # The mount takes whatever lies below it, and the desk does.
        routes.extend((*desk, Mount(context.base_path, routes=pages)))
    else:
        # They are tried one by one: the readers' first, who are the many.
        routes.extend((*pages, *desk))

    @asynccontextmanager
    async def writing_clicks(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        current_default_thread_limiter().total_tokens = THREADS
        yield
        await run_in_threadpool(counter.close)

    app = Starlette(
        routes=routes,
        lifespan=writing_clicks,
        middleware=[
            Middleware(RequestLog, clock=context.clock),
            Middleware(SafeHeaders),
            Middleware(HostCheck, hosts=allowed_hosts(context.base_url, context.desk_url)),
            Middleware(
                OversizeIsEmpty,
                below=f"{context.base_path}/unsubscribe/",
                most_bytes=MAX_BODY_BYTES,
            ),
            Middleware(
                SizeCheck,
                most_bytes=MAX_BODY_BYTES,
                refuse=partial(too_large, context),
                roomy=roomy_paths(context, desk_table()),
            ),
            Middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES),
        ],
        exception_handlers=failure_handlers(context),
    )
    app.state.clicks = counter
    return app


def _desk_routes(context: WebContext) -> list[BaseRoute]:
    """The desk and the signed preview; on a host of their own with what they are made with."""
    desk = urlsplit(context.desk_url).path
    preview = f"{desk}/preview/{{token}}"
    routes: list[BaseRoute] = [
        _get(context, preview, show_preview),
        _get(context, f"{preview}/html", show_preview_html),
        _get(context, f"{preview}/text", show_preview_text),
        *guarded_routes(context, desk_table()),
    ]
    if context.desk_host:
        front = Route("/", lambda _: RedirectResponse(f"{desk}/", 303))
        routes.extend((front, *_file_routes(context)))
    return routes


def _file_routes(context: WebContext) -> list[BaseRoute]:
    """Pictures, styles and scripts."""
    return [
        _get(context, "/media/{name}", show_picture),
        _get(context, "/static/brand.css", show_brand),
        _get(context, "/static/form.js", show_script(*FORM_SCRIPT, kept_seconds=86_400)),
        Mount("/static", CachedFiles(directory=STATIC_FOLDER)),
    ]


def _get(context: WebContext, path: str, handler: Handler) -> Route:
    return Route(path, as_endpoint(context, handler), methods=["GET"])


def _page_routes(context: WebContext, counter: ClickCounter) -> list[BaseRoute]:
    follow = follow_link(LinkFollower(context.database, context.keyring, context.clock, counter))

    def get(path: str, handler: Handler) -> Route:
        return _get(context, path, handler)

    def post(path: str, handler: Handler, **body: bool) -> Route:
        return Route(path, as_endpoint(context, handler, **body), methods=["POST"])

    # One network posts so often a minute, by whatever way.
    sign_ups = PostLimit()

    return [
        get("/", show_front),
        get("/subscribe/{newsletter}", show_form()),
        post("/subscribe/{newsletter}", take_form(sign_ups), steady=True),
        get("/subscribe/{newsletter}/frame", show_form(framed=True)),
        post("/subscribe/{newsletter}/frame", take_form(sign_ups, framed=True), steady=True),
        get("/embed.js", show_script(*EMBED_SCRIPT, kept_seconds=3600)),
        Mount(API_PATH, create_api(context, sign_ups)),
        get("/confirm/{token}", show_confirmation),
        post("/confirm/{token}", take_confirmation),
        # A one-click POST counts whatever its body looks like, and must not be sent on
        # (RFC 8058, section 3.2): also where a program has put a slash behind the address.
        *(get(path, show_departure) for path in ("/unsubscribe/{token}", "/unsubscribe/{token}/")),
        post("/unsubscribe/{token}", take_departure, any_body=True),
        post("/unsubscribe/{token}/", take_departure, any_body=True),
        get("/preferences/{token}", show_preferences),
        post("/preferences/{token}", take_preferences),
        get("/preferences/{token}/address", show_preferences),
        post("/preferences/{token}/address", take_address_wish),
        get("/preferences/{token}/data", show_preferences),
        post("/preferences/{token}/data", take_data_wish),
        get("/address/{token}", show_address),
        post("/address/{token}", take_address),
        get("/take-back/{token}", show_take_back),
        post("/take-back/{token}", take_take_back),
        get("/data/{token}", show_data),
        post("/data/{token}", take_data),
        get("/archive/{newsletter}/", show_archive),
        get("/archive/{newsletter}/feed.xml", show_rss),
        get("/archive/{newsletter}/feed.json", show_json_feed),
        get("/archive/{newsletter}/{slot}", show_archived_issue),
        get("/l/{link}", follow),
        get("/l/{link}/{token}", follow),
        get("/sitemap.xml", show_sitemap),
        get("/robots.txt", show_robots),
        post("/b", take_beacon(PostLimit(OPENINGS_A_MINUTE)), text_body=True),
        *_file_routes(context),
    ]
