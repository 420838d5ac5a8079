"""The unsubscribe link, by mail program and by page, and the preferences page."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import TokenError
from newsletter.log import mask_address
from newsletter.publication.model import Settings
from newsletter.web.context import WebContext
from newsletter.web.endpoint import field
from newsletter.web.language import PageLanguage, failure_language, page_language
from newsletter.web.pages import render_page, text_response
from newsletter.workflows.leave import (
    Departure,
    Preferences,
    read_departure,
    read_preferences,
    undo_unsubscribe,
    unsubscribe,
    update_preferences,
)

PREFERENCES_WORDING = "Switched on in the preferences."


def show_departure(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    departure = read_departure(
        context.database,
        context.keyring,
        settings,
        request.path_params["token"],
        now=context.clock.now(),
    )
    return _departure_page(
        context, request, settings, departure, "goodbye" if departure.gone else "unsubscribe"
    )


def take_departure(context: WebContext, request: Request, form: FormData) -> Response:
    """A mail program's one click (RFC 8058), the page's button, or the page's undo.

    Whatever does not say that it is our page's is taken as the one click: the
    RFC's body is ``List-Unsubscribe=One-Click``, but a POST alone means the same.
    """
    settings = context.load_settings()
    if undo := field(form, "undo"):
        return _undo(context, request, settings, undo)
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


def show_preferences(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    token = request.path_params["token"]
    preferences = read_preferences(context.database, context.keyring, settings, token)
    return _preferences_page(context, request, settings, preferences, saved=False)


def take_preferences(context: WebContext, request: Request, form: FormData) -> Response:
    settings = context.load_settings()
    wanted = [] if "none" in form else _texts(form, "newsletter")
    preferences = update_preferences(
        context.database,
        context.keyring,
        settings,
        context.templates,
        request.path_params["token"],
        wanted,
        paused=_texts(form, "pause"),
        base_url=context.base_url,
        wording=PREFERENCES_WORDING,
        now=context.clock.now(),
    )
    return _preferences_page(context, request, settings, preferences, saved=True)


def _texts(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def _undo(context: WebContext, request: Request, settings: Settings, undo_token: str) -> Response:
    now = context.clock.now()
    try:
        departure = undo_unsubscribe(
            context.database, context.keyring, settings, undo_token, now=now
        )
    except TokenError:
        # Also after 30 days: the page then leads to the sign-up form.
        language = failure_language(request, settings)
        return render_page(context, settings, "not_found", language=language, status=404)
    return _departure_page(context, request, settings, departure, "welcome_back")


def _language(request: Request, settings: Settings, departure: Departure) -> PageLanguage:
    subscription = departure.subscription
    own = subscription.subscriber.language if subscription else None
    return page_language(request, settings, departure.newsletter, own)


def _departure_page(
    context: WebContext,
    request: Request,
    settings: Settings,
    departure: Departure,
    template: str,
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
    )


def _preferences_page(
    context: WebContext,
    request: Request,
    settings: Settings,
    preferences: Preferences,
    *,
    saved: bool,
) -> Response:
    reader = preferences.subscriber
    return render_page(
        context,
        settings,
        "preferences",
        language=page_language(
            request, settings, reader_language=_reader_language(settings, preferences)
        ),
        choices=preferences.choices,
        masked=mask_address(reader.address),
        saved=saved,
    )


def _reader_language(settings: Settings, preferences: Preferences) -> str | None:
    """The reader's own language, else the one in which all their newsletters are."""
    if preferences.subscriber.language:
        return preferences.subscriber.language
    choices = preferences.choices
    # Who has just left them all still reads what they were in.
    theirs = [one for one in choices if one.on] or [one for one in choices if one.state]
    languages = {one.newsletter.language_in(settings.publication) for one in theirs}
    return languages.pop() if len(languages) == 1 else None
