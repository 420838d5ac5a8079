"""What the API says of a request that is not as its document describes, in our words.

The parser names each fault by a type (https://docs.pydantic.dev/latest/errors/validation_errors/);
its own sentences are for programmers in Python, and in English alone.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from newsletter.errors import NewsletterError
from newsletter.subscribers.address import show_address
from newsletter.web.context import WebContext
from newsletter.web.language import failure_language, wanted_language
from newsletter.web.refusals import refuse
from newsletter.words import Words, gettext_noop, words_of

# As whoever says of itself that it is too large is told.
_CODES: Mapping[int, str] = {413: "too_large"}
_NO_JSON = gettext_noop("The body is no JSON that can be read.")
_NO_OBJECT = gettext_noop("The body must be a JSON object, sent as application/json.")
_OTHERWISE = gettext_noop("“%(field)s” is not as the API's document describes it.")
_SENTENCES: Mapping[str, str] = {
    "missing": gettext_noop("“%(field)s” is missing."),
    "extra_forbidden": gettext_noop("There is no field “%(field)s”: leave it out."),
    "string_type": gettext_noop("“%(field)s” must be text."),
    "string_unicode": gettext_noop("“%(field)s” holds half a character."),
    "string_too_long": gettext_noop("“%(field)s” may have at most %(most)s characters."),
    "bool_type": gettext_noop("“%(field)s” must be true or false."),
    "bool_parsing": gettext_noop("“%(field)s” must be true or false."),
    "enum": gettext_noop("“%(field)s” must be one of these: %(known)s."),
    "literal_error": gettext_noop("“%(field)s” must be one of these: %(known)s."),
}
_BY_STATUS: Mapping[int, str] = {
    400: _NO_JSON,
    404: gettext_noop("There is nothing at this address."),
    405: gettext_noop("This address does not take %(method)s."),
    413: gettext_noop("What was sent is larger than any form of ours."),
}


def words_wanted(context: WebContext, request: Request, body: object = None) -> Words:
    """The words of the language that a request asks for, as far as it can be read."""
    wanted = body.get("language") if isinstance(body, Mapping) else None
    if not isinstance(wanted, str):
        # What was asked for in a body that could be read, or by the address.
        wanted = getattr(request.state, "language", "") or request.query_params.get("language", "")
    try:
        settings = context.load_settings()
    except NewsletterError:
        return words_of(failure_language(request, None).tag)
    picked = wanted_language(wanted, settings)
    return picked.words if picked.picked else failure_language(request, settings).words


def refuse_description(words: Words, error: RequestValidationError) -> JSONResponse:
    """400 for a body that is no JSON, 422 for what is no wish of ours; the first fault is told."""
    first = error.errors()[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind == "json_invalid":
        return refuse(HTTPStatus.BAD_REQUEST, "invalid", words.gettext(_NO_JSON))
    # Without "body" or "query" at its head.
    field = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str))
    if not field:
        return refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", words.gettext(_NO_OBJECT))
    # A key is the caller's own text, of any length.
    field = show_address(field)
    sentence = words.gettext(
        _SENTENCES.get(kind, _OTHERWISE),
        field=field,
        most=context.get("max_length", ""),
        known=", ".join(re.findall("'([^']*)'", str(context.get("expected", "")))),
    )
    return refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", sentence, field=field)


def refuse_failure(words: Words, request: Request, error: HTTPException) -> JSONResponse:
    """What the framework refuses, or one of our routes by a sentence without its full stop."""
    code = _CODES.get(error.status_code) or HTTPStatus(error.status_code).name.lower()
    ours: dict[str, Any] = {"method": request.method}
    known = _BY_STATUS.get(error.status_code)
    sentence = words.gettext(known, **ours) if known else words.gettext(error.detail)
    return refuse(error.status_code, code, sentence, headers=error.headers)
