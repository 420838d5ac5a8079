"""`POST /b`: a page of the paper was opened. No cookie is set or read."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.net.networks import network_of
from newsletter.web.context import WebContext
from newsletter.web.endpoint import Handler
from newsletter.web.limits import PostLimit, client_address
from newsletter.web.pages import text_response
from newsletter.workflows.beacon import BeaconAnswer, PageOpened, count_opening

# Many readers may share a network; one reader opens a page every few seconds at most.
OPENINGS_A_MINUTE = 120
# Browsers hold addresses far shorter; what we link to is at most some hundred characters.
MAX_ADDRESS_BYTES = 4096


def take_beacon(limit: PostLimit) -> Handler:
    """The handler, with how often one network may tell."""

    def handle(context: WebContext, request: Request, form: FormData) -> Response:
        client = client_address(request, context.trusted_proxies)
        if not limit.allow(network_of(client), context.clock.monotonic()):
            return text_response("Too many at once.\n", status=429)
        body = form.get("body")
        page = body.strip() if isinstance(body, str) else ""
        if not page or len(page) > MAX_ADDRESS_BYTES:
            return text_response("The body is a page's address, as plain text.\n", status=400)
        opened = PageOpened(
            page,
            client,
            request.headers.get("user-agent", ""),
            request.headers.get("origin", ""),
        )
        answer = count_opening(
            context.database, context.keyring, context.clock, context.load_settings(), opened
        )
        if answer is BeaconAnswer.FOREIGN:
            return text_response("That is not a page of this paper.\n", status=403)
        return Response(status_code=204)

    return handle
