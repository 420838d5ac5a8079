"""What is held about a reader: asked for in the preferences, opened by a mailed link."""

import json
from datetime import date
from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.log import mask_address
from newsletter.web.context import WebContext
from newsletter.web.endpoint import field
from newsletter.web.language import page_language
from newsletter.web.pages import SAFE_HEADERS, render_page
from newsletter.web.preferences import preferences_page
from newsletter.workflows.personal_data import (
    ask_for_data,
    collect_data,
    forget_me,
    read_data_owner,
)
from newsletter.workflows.preferences import read_preferences


def take_data_wish(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    token = request.path_params["token"]
    preferences = read_preferences(context.database, context.keyring, settings, token)
    answer = ask_for_data(
        context.database, context.letters(settings), token, now=context.clock.now()
    )
    return preferences_page(
        context,
        request,
        settings,
        preferences,
        done="no data" if answer.write_to else "data",
        write_to=answer.write_to,
        possible_from=answer.possible_from,
    )


def show_data(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    return _page(context, request, forgotten=False)


def take_data(context: WebContext, request: Request, form: FormData) -> Response:
    token, now = request.path_params["token"], context.clock.now()
    act = field(form, "act")
    if act not in ("download", "forget"):
        raise HTTPException(HTTPStatus.BAD_REQUEST)
    if act == "forget":
        # Drawn before the reader is gone, in the language that was theirs.
        page = _page(context, request, forgotten=True)
        forget_me(context.database, context.keyring, token, now=now)
        return page
    subscriber = read_data_owner(context.database, context.keyring, token, now=now)
    data = collect_data(context.database, context.keyring, subscriber)
    return Response(
        json.dumps(data, ensure_ascii=False, indent=2, default=_plain) + "\n",
        media_type="application/json",
        headers={
            **SAFE_HEADERS,
            "Content-Disposition": 'attachment; filename="my-data.json"',
            "X-Robots-Tag": "noindex",
        },
    )


def _plain(value: object) -> object:
    """An instant or a day as ISO 8601."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} can't be handed out")


def _page(context: WebContext, request: Request, *, forgotten: bool) -> Response:
    settings = context.load_settings()
    subscriber = read_data_owner(
        context.database, context.keyring, request.path_params["token"], now=context.clock.now()
    )
    return render_page(
        context,
        settings,
        "forgotten" if forgotten else "data",
        language=page_language(request, settings, reader_language=subscriber.language),
        masked=mask_address(subscriber.address),
    )
