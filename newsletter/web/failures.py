"""Pages for what goes wrong, each with a sentence and a way on."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NewsletterError, NotFound, StorageError, TokenError
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.web.context import WebContext
from newsletter.web.pages import render_page, text_response

log = get_logger(__name__)

# What went wrong, told to a visitor: never more than they can act on.
_SENTENCES: Mapping[int, tuple[str, str]] = {
    400: ("That could not be read", "Please go back and send the form again."),
    405: ("Not this way", "Please go back and use the button on the page."),
    413: ("That was too much", "What was sent is larger than any form of ours."),
}
_OTHERWISE = ("That did not work", "Please go back and try it once more.")
_DATABASE_RESTS = (
    "One moment, please",
    "We cannot reach our records right now. Nothing was changed: please try again in a minute.",
)
_OUR_FAULT = (
    "Something broke on our side",
    "Nothing was changed by halves. Please try again a little later.",
)


def failure_handlers(context: WebContext) -> Mapping[Any, Callable[[Request, Any], Response]]:
    """What to answer for each kind of failure; Starlette picks the nearest class."""

    def not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001
        # One page for every bad link: it tells a guesser nothing.
        return render_page(context, _settings(context), "not_found", status=404)

    def http_failure(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return not_found(request, error)
        title, sentence = _SENTENCES.get(error.status_code, _OTHERWISE)
        return _failure(
            context, error.status_code, title, sentence, headers=dict(error.headers or {})
        )

    def database_rests(request: Request, error: StorageError) -> Response:  # noqa: ARG001
        log.error("database_failed", error=str(error))
        return _failure(context, 503, *_DATABASE_RESTS, headers={"Retry-After": "60"})

    def known_failure(request: Request, error: NewsletterError) -> Response:  # noqa: ARG001
        log.error("page_failed", error=str(error), subject=error.subject)
        return _failure(context, 500, *_OUR_FAULT)

    def unknown_failure(request: Request, error: Exception) -> Response:  # noqa: ARG001
        log.error("page_crashed", error=type(error).__name__)
        # Without the settings: nothing is known of what still works.
        return _failure(context, 500, *_OUR_FAULT, with_settings=False)

    return {
        TokenError: not_found,
        NotFound: not_found,
        HTTPException: http_failure,
        StorageError: database_rests,
        NewsletterError: known_failure,
        Exception: unknown_failure,
    }


def _failure(
    context: WebContext,
    status: int,
    title: str,
    sentence: str,
    *,
    headers: Mapping[str, str] | None = None,
    with_settings: bool = True,
) -> Response:
    try:
        return render_page(
            context,
            _settings(context) if with_settings else None,
            "failure",
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
