"""From the async edge to plain functions: read the form, then work in a thread."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter.web.context import WebContext

# A sign-up is four short fields; a one-click body is one. The preferences are the
# most: a box for each newsletter and department.
MAX_BODY_BYTES = 32 * 1024
_MAX_FIELDS = 400

Handler = Callable[[WebContext, Request, FormData], Response]


def as_endpoint(
    context: WebContext,
    handler: Handler,
    *,
    any_body: bool = False,
    text_body: bool = False,
    steady: bool = False,
) -> Callable[[Request], Awaitable[Response]]:
    """``handler`` as an endpoint: called in a thread, with the form that was posted.

    With ``any_body`` a body that can't be read counts as an empty one instead
    of being refused. With ``text_body`` the whole body is the field ``body``. With
    ``steady`` the answer's time tells nothing of the work.
    """

    async def respond(request: Request) -> Response:
        if text_body:
            body = await request.body()
            form = FormData({"body": body.decode("utf-8", "replace")})
        else:
            form = await read_form(request, any_body=any_body)
        async with steady_pace(context.steady_seconds if steady else 0):
            return await run_in_threadpool(handler, context, request, form)

    return respond


@asynccontextmanager
async def steady_pace(seconds: float) -> AsyncIterator[None]:
    """Let the block take ``seconds`` at least, without keeping a thread."""
    now = asyncio.get_running_loop().time
    end = now() + seconds
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, end - now()))


def field(form: FormData, name: str) -> str:
    """A form field's text; empty where it is missing."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


async def read_form(request: Request, *, any_body: bool = False) -> FormData:
    """The form that was posted; an empty one of any other method."""
    if request.method != "POST":
        return FormData()
    try:
        return await request.form(max_files=0, max_fields=_MAX_FIELDS, max_part_size=MAX_BODY_BYTES)
    except HTTPException as error:
        if any_body and error.status_code == 400:
            return FormData()
        raise
