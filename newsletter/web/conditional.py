"""Answers that a cache may ask about again (RFC 9110 section 13): 304 where nothing changed."""

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response


def answer_if_changed(request: Request, response: Response, changed_at: datetime) -> Response:
    """``response`` with its ETag and Last-Modified, or 304 without a body.

    ``changed_at`` is when what it shows last changed.
    """
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    # To the second, as the header has it.
    changed_at = changed_at.astimezone(UTC).replace(microsecond=0)
    response.headers["ETag"] = tag
    response.headers["Last-Modified"] = format_datetime(changed_at, usegmt=True)
    if not _is_known(request, tag, changed_at):
        return response
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in ("content-length", "content-type")
    }
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)


def _is_known(request: Request, tag: str, changed_at: datetime) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:
        # A proxy that packs the answer makes the tag a weak one.
        known = {each.strip().removeprefix("W/") for each in tags.split(",")}
        return tag in known or "*" in known
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:  # none, or no date: as if nothing had been asked
        return False
    return since.tzinfo is not None and changed_at <= since
