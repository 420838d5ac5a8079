"""The confirmation link: a page with a button, and what pressing it did.

Mail scanners follow every link; only the press, a POST, confirms.
"""

from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.log import mask_address
from newsletter.publication.cadence import Cadence
from newsletter.publication.editions import edition_for
from newsletter.publication.model import Settings
from newsletter.publication.slots import next_slot
from newsletter.tokens import Purpose
from newsletter.web.context import WebContext
from newsletter.web.language import page_language
from newsletter.web.pages import render_page
from newsletter.workflows.confirm import Confirmation, confirm_subscription, read_confirmation


def show_confirmation(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    confirmation = read_confirmation(
        context.database,
        context.keyring,
        settings,
        request.path_params["token"],
        now=context.clock.now(),
    )
    if confirmation.possible:
        return _page(context, request, settings, confirmation, "confirm")
    return _outcome(context, request, settings, confirmation)


def take_confirmation(context: WebContext, request: Request, form: FormData) -> Response:
    settings = context.load_settings()
    confirmation = confirm_subscription(
        context.database,
        context.letters(settings),
        request.path_params["token"],
        also=[slug for slug in form.getlist("also") if isinstance(slug, str)],
        now=context.clock.now(),
    )
    return _outcome(context, request, settings, confirmation)


def _outcome(
    context: WebContext, request: Request, settings: Settings, confirmation: Confirmation
) -> Response:
    if confirmation.done:
        return _page(context, request, settings, confirmation, "welcome")
    return _page(context, request, settings, confirmation, "confirm_again", HTTPStatus.GONE)


def _page(
    context: WebContext,
    request: Request,
    settings: Settings,
    confirmation: Confirmation,
    template: str,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    newsletter = confirmation.newsletter
    subscription = confirmation.subscription
    cadence = subscription.cadence if subscription else Cadence.EACH
    edition = edition_for(newsletter, cadence, settings.publication)
    zone = newsletter.zone_in(settings.publication)
    with context.database.read() as tx:
        skipped = tx.skipped_slots.of(newsletter.slug)
    return render_page(
        context,
        settings,
        template,
        language=page_language(
            request,
            settings,
            newsletter,
            subscription.subscriber.language if subscription else None,
        ),
        status=status,
        newsletter=newsletter,
        expired=confirmation.expired,
        also_asked=confirmation.also_asked,
        masked=mask_address(subscription.subscriber.address) if subscription else "",
        preferences_token=context.keyring.sign(
            Purpose.PREFERENCES, subscription.subscriber.public_id
        )
        if subscription and confirmation.done and not confirmation.expired
        else "",
        next_date=next_slot(edition, zone, context.clock.now(), skipped).date,
    )
