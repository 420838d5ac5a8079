"""The unsubscribe link, by mail program and by page, and what a reader says on leaving."""

from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import TokenError
from newsletter.log import mask_address
from newsletter.publication.model import Settings
from newsletter.subscribers.model import LeaveReason, SubscriptionState
from newsletter.web.context import WebContext
from newsletter.web.endpoint import field
from newsletter.web.language import PageLanguage, failure_language, page_language
from newsletter.web.pages import render_page, text_response
from newsletter.workflows.leave import (
    Departure,
    read_departure,
    tell_why_left,
    undo_unsubscribe,
    unsubscribe,
)


def show_departure(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    departure = read_departure(
        context.database,
        context.keyring,
        settings,
        request.path_params["token"],
        now=context.clock.now(),
    )
    return _departure_page(context, request, settings, departure, _template_of(departure))


def take_departure(context: WebContext, request: Request, form: FormData) -> Response:
    """A mail program's one click (RFC 8058), the page's button, or the page's undo.

    Whatever does not say that it is our page's is taken as the one click: the
    RFC's body is ``List-Unsubscribe=One-Click``, but a POST alone means the same.
    """
    settings = context.load_settings()
    if undo := field(form, "undo"):
        return _undo(context, request, settings, undo)
    if field(form, "from") == "goodbye":
        return _take_reason(context, request, settings, field(form, "reason"))
    by_page = field(form, "from") == "page"
    departure = unsubscribe(
        context.database,
        context.keyring,
        settings,
        request.path_params["token"],
        how="page" if by_page else "one-click",
        now=context.clock.now(),
    )
    if by_page:
        return _departure_page(context, request, settings, departure, "goodbye")
    # Translators: the answer to a mail program; a few show it.
    unsubscribed = _language(request, settings, departure).words.gettext("You are unsubscribed.")
    return text_response(f"{unsubscribed}\n")


def _take_reason(
    context: WebContext, request: Request, settings: Settings, reason: str
) -> Response:
    try:
        told = LeaveReason(reason)
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
    departure = tell_why_left(
        context.database,
        context.keyring,
        settings,
        request.path_params["token"],
        told,
        now=context.clock.now(),
    )
    # Whoever has come back since, and finds the old page again, has not left.
    return _departure_page(
        context, request, settings, departure, _template_of(departure), thanked=departure.gone
    )


def _undo(context: WebContext, request: Request, settings: Settings, undo_token: str) -> Response:
    now = context.clock.now()
    try:
        departure = undo_unsubscribe(
            context.database, context.keyring, settings, undo_token, now=now
        )
    except TokenError:
        # Also after 30 days, and for what was never confirmed: the page leads to the form.
        language = failure_language(request, settings)
        return render_page(context, settings, "not_found", language=language, status=404)
    return _departure_page(context, request, settings, departure, "welcome_back")


def _language(request: Request, settings: Settings, departure: Departure) -> PageLanguage:
    subscription = departure.subscription
    own = subscription.subscriber.language if subscription else None
    return page_language(request, settings, departure.newsletter, own)


def _template_of(departure: Departure) -> str:
    return "goodbye" if departure.gone else "unsubscribe"


def _departure_page(
    context: WebContext,
    request: Request,
    settings: Settings,
    departure: Departure,
    template: str,
    *,
    thanked: bool = False,
) -> Response:
    subscription = departure.subscription
    return render_page(
        context,
        settings,
        template,
        language=_language(request, settings, departure),
        newsletter=departure.newsletter,
        masked=mask_address(subscription.subscriber.address) if subscription else "",
        undo_token=departure.undo_token,
        paused=subscription is not None and subscription.state is SubscriptionState.PAUSED,
        may_tell=departure.lately and not thanked,
        thanked=thanked,
    )
