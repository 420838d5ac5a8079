"""Pages for what goes wrong, each with a sentence and a way on."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NewsletterError, NotFound, StorageError, TokenError, UnfitText
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.web.api_refusals import words_wanted
from newsletter.web.context import WebContext
from newsletter.web.desk.failing import desk_failure, is_for_desk
from newsletter.web.language import failure_language
from newsletter.web.pages import render_page, text_response
from newsletter.web.refusals import is_for_api, refuse
from newsletter.words import gettext_noop

log = get_logger(__name__)

# What went wrong, told to a visitor: never more than they can act on.
_SENTENCES: Mapping[int, tuple[str, str]] = {
    400: (
        gettext_noop("That could not be read"),
        gettext_noop("Please go back and send the form again."),
    ),
    405: (
        gettext_noop("Not this way"),
        gettext_noop("Please go back and use the button on the page."),
    ),
    413: (
        gettext_noop("That was too much"),
        gettext_noop("What was sent is larger than any form of ours."),
    ),
}
_OTHERWISE = (
    gettext_noop("That did not work"),
    gettext_noop("Please go back and try it once more."),
)
_NO_PAGE = (
    gettext_noop("There is no such page"),
    gettext_noop("The address may be mistyped, or what lay here is there no more."),
)
_DATABASE_RESTS = (
    gettext_noop("One moment, please"),
    gettext_noop(
        "We cannot reach our records right now. Nothing was changed: please try again in a minute."
    ),
)
_OUR_FAULT = (
    gettext_noop("Something broke on our side"),
    gettext_noop("Nothing was changed by halves. Please try again a little later."),
)


def failure_handlers(context: WebContext) -> Mapping[Any, Callable[[Request, Any], Response]]:
    """What to answer for each kind of failure; Starlette picks the nearest class."""

    def not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001
        if is_for_api(request):
            return refuse(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
        settings = _settings(context)
        if is_for_desk(context, request):
            return desk_failure(context, request, 404, *_NO_PAGE, settings=settings)
        # One page for every bad link: it tells a guesser nothing.
        language = failure_language(request, settings)
        return render_page(context, settings, "not_found", language=language, status=404)

    def http_failure(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return not_found(request, error)
        title, sentence = _SENTENCES.get(error.status_code, _OTHERWISE)
        return _failure(
            context,
            request,
            error.status_code,
            title,
            sentence,
            headers=dict(error.headers or {}),
        )

    def database_rests(request: Request, error: StorageError) -> Response:
        log.error("database_failed", error=str(error))
        return _failure(context, request, 503, *_DATABASE_RESTS, headers={"Retry-After": "60"})

    def unfit_text(request: Request, error: UnfitText) -> Response:  # noqa: ARG001
        return _failure(context, request, 400, *_SENTENCES[400])

    def known_failure(request: Request, error: NewsletterError) -> Response:
        log.error("page_failed", error=str(error), subject=error.subject)
        return _failure(context, request, 500, *_OUR_FAULT)

    def unknown_failure(request: Request, error: Exception) -> Response:
        log.error("page_crashed", error=type(error).__name__)
        # Without the settings: nothing is known of what still works.
        return _failure(context, request, 500, *_OUR_FAULT, with_settings=False)

    return {
        TokenError: not_found,
        NotFound: not_found,
        HTTPException: http_failure,
        StorageError: database_rests,
        UnfitText: unfit_text,
        NewsletterError: known_failure,
        Exception: unknown_failure,
    }


def too_large(context: WebContext, request: Request) -> Response:
    """What to answer to a request that says of itself that it is too large."""
    title, sentence = _SENTENCES[413]
    if is_for_desk(context, request):
        return _failure(context, request, 413, title, sentence)
    if is_for_api(request):
        return refuse(413, "too_large", words_wanted(context, request).gettext(sentence))
    return text_response(f"{sentence}\n", status=413)


def _failure(
    context: WebContext,
    request: Request,
    status: int,
    title: str,
    sentence: str,
    *,
    headers: Mapping[str, str] | None = None,
    with_settings: bool = True,
) -> Response:
    settings = _settings(context) if with_settings else None
    language = failure_language(request, settings)
    if is_for_api(request):
        code = HTTPStatus(status).name.lower()
        return refuse(status, code, language.words.gettext(sentence), headers=headers)
    if is_for_desk(context, request):
        try:
            return desk_failure(
                *(context, request, status, title, sentence),
                settings=settings,
                headers=headers,
            )
        except NewsletterError as error:
            log.error("failure_page_failed", error=str(error))
    title, sentence = language.words.gettext(title), language.words.gettext(sentence)
    try:
        return render_page(
            context,
            settings,
            "failure",
            language=language,
            status=status,
            headers=headers,
            heading=title,
            sentence=sentence,
        )
    except NewsletterError as error:
        # The templates themselves are broken: say it in plain text.
        log.error("failure_page_failed", error=str(error))
        return text_response(f"{title}. {sentence}\n", status=status)


def _settings(context: WebContext) -> Settings | None:
    try:
        return context.load_settings()
    except NewsletterError:
        return None
