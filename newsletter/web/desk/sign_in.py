"""Coming in and going out: ask for a link, press its button, sign out."""

from collections.abc import Mapping

from starlette.responses import Response

from newsletter.web.desk.cookie import clear_cookie, set_cookie
from newsletter.web.desk.guard import local_page
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.web.limits import PostLimit, client_network
from newsletter.words import gettext_noop
from newsletter.workflows.sign_in import ask_for_link, read_link, sign_out, take_link

SAID: Mapping[str, str] = {
    "out": gettext_noop("You are signed out."),
    "over": gettext_noop("Your session has ended. Sign in again to go on where you were."),
}
# One network asks for no more links a minute: an editorial office shares an address.
ASKED_A_MINUTE = 10


def show_sign_in(visit: Visit) -> Response:
    """The form for the address; who is in already goes on."""
    page = local_page(visit.root, visit.query("page"))
    if visit.session is not None:
        return visit.go(page.removeprefix(visit.root) or "/")
    return visit.page("sign_in", said=SAID, page=page)


def show_sent(visit: Visit) -> Response:
    """The same for every address: it does not tell who is an editor."""
    return visit.page("sign_in_sent")


def take_sign_in(limit: PostLimit) -> DeskHandler:
    """Mail a link to the address, where it is an editor's."""

    def handle(visit: Visit) -> Response:
        context = visit.context
        network = client_network(visit.request, context.trusted_proxies)
        if not limit.allow(network, context.clock.monotonic()):
            return visit.sorry(
                429,
                visit.words.gettext("One moment, please"),
                visit.words.gettext("Too many links were asked for. Try again in a minute."),
                headers={"Retry-After": "60"},
            )
        ask_for_link(
            context.database,
            context.letters(visit.settings),
            context.desk_url,
            visit.field("address"),
            local_page(visit.root, visit.field("page")),
            now=context.clock.now(),
        )
        return visit.go("/sign-in/sent")

    return handle


def show_link(visit: Visit) -> Response:
    """What a link leads to: one button. To look at it, as scanners do, spends nothing."""
    context = visit.context
    found = read_link(context.database, visit.param("token"), now=context.clock.now())
    return _no_link(visit) if found is None else visit.page("sign_in_link", coming=found)


def take_sign_in_link(visit: Visit) -> Response:
    """Press that button: a fresh session, whatever the browser had before."""
    context = visit.context
    signed_in = take_link(
        context.database,
        visit.param("token"),
        agent=visit.request.headers.get("user-agent", ""),
        old=visit.secret,
        now=context.clock.now(),
    )
    if signed_in is None:
        return _no_link(visit)
    page = local_page(visit.root, signed_in.page)
    response = visit.go(page.removeprefix(visit.root) or "/")
    set_cookie(context, response, signed_in.secret)
    return response


def take_sign_out(visit: Visit) -> Response:
    """End this session."""
    sign_out(visit.context.database, visit.secret)
    response = visit.go("/sign-in", done="out")
    clear_cookie(visit.context, response)
    return response


def _no_link(visit: Visit) -> Response:
    return visit.sorry(
        404,
        visit.words.gettext("This link no longer works"),
        visit.words.gettext(
            "It was used already, or its time is over. Ask for a new one: it comes in a moment."
        ),
        asks=True,
    )
