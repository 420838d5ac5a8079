"""The part of the API that tells of readers: counted and listed by the same filters as
on the command line. Only for programs that show the key.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field
from starlette.exceptions import HTTPException

from newsletter.subscribers.model import Subscription
from newsletter.subscribers.segment_text import print_segment
from newsletter.subscribers.segments import MAX_LENGTH
from newsletter.web.context import WebContext
from newsletter.web.refusals import Answer, ErrorAnswer
from newsletter.words import gettext_noop
from newsletter.workflows.segments import segment_of, subscription_row

# A page of the list; more newsletters than that no reader has.
_ROWS = 500
_bearer = HTTPBearer(auto_error=False, description="[web] api_key of the config")
_Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
_Filter = Annotated[
    str,
    Query(
        alias="filter",
        max_length=MAX_LENGTH,
        description="such as `language = hy and placement = article`",
    ),
]
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The request can't be read"},
    401: {"model": ErrorAnswer, "description": "The key is missing or another one"},
    403: {"model": ErrorAnswer, "description": "No key is set, so that nobody may ask"},
    405: {"model": ErrorAnswer, "description": "The address takes another method"},
    422: {"model": ErrorAnswer, "description": "The filter, or what it goes on after, is wrong"},
    503: {"model": ErrorAnswer, "description": "Our records can't be reached"},
}


class StateCount(Answer):
    """How many of the readers are in one state on one newsletter."""

    newsletter: str
    state: str
    subscriptions: int


class SegmentSize(Answer):
    """How many readers a filter names."""

    filter: str = Field(description="the filter as it was understood")
    readers: int
    subscriptions: list[StateCount]


class ReaderSubscription(Answer):
    """A reader on a newsletter, with the consent that it rests on."""

    newsletter: str
    state: str
    since: datetime
    departments: list[str]
    cadence: str = Field(description="each: every issue; monthly: the best of each month")
    how: str = Field(description="the way by which the reader agreed")
    wording: str
    wording_version: str
    language: str
    placement: str
    page: str
    at: datetime


class Reader(Answer):
    """A person and those of their subscriptions that the filter names."""

    id: str
    address: str
    name: str
    language: str | None
    timezone: str | None
    attributes: Mapping[str, Any]
    subscriptions: list[ReaderSubscription]


class ReaderPage(Answer):
    """Some of the readers that a filter names, by address."""

    filter: str = Field(description="the filter as it was understood")
    readers: list[Reader]
    next: str | None = Field(description="ask again with this as `after`; null: that was all")


def reader_routes(context: WebContext) -> APIRouter:
    """`/readers` and `/readers/count`, behind the key of ``context``."""

    def check_key(shown: _Shown) -> None:
        if not context.api_key:
            raise HTTPException(
                HTTPStatus.FORBIDDEN,
                gettext_noop("No key is set: [web] api_key_file in the config names one."),
            )
        given = shown.credentials if shown else ""
        if not hmac.compare_digest(given.encode(), context.api_key.encode()):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                gettext_noop("This needs the header Authorization: Bearer with the API's key."),
                {"WWW-Authenticate": "Bearer"},
            )

    router = APIRouter(prefix="/readers", dependencies=[Depends(check_key)], responses=_REFUSALS)

    @router.get("/count", summary="Count the readers that a filter names")
    def count(text: _Filter) -> SegmentSize:
        segment = segment_of(text, context.load_settings(), context.clock.now())
        with context.database.read() as tx:
            counted = tx.segments.count(segment)
        return SegmentSize(
            filter=print_segment(segment.filter),
            readers=counted.readers,
            subscriptions=[
                StateCount(newsletter=slug, state=state, subscriptions=number)
                for (slug, state), number in counted.subscriptions.items()
            ],
        )

    @router.get("", summary="List the readers that a filter names")
    def listed(
        text: _Filter,
        after: Annotated[str, Query(max_length=40, description="`next` of the page before")] = "",
    ) -> ReaderPage:
        segment = segment_of(text, context.load_settings(), context.clock.now())
        with context.database.read() as tx:
            last = tx.subscribers.by_id(after) if after else None
            if after and last is None:
                raise HTTPException(
                    HTTPStatus.UNPROCESSABLE_ENTITY,
                    gettext_noop("The reader to go on after is not there any more: begin anew."),
                )
            address = last.address if last else ""
            found = list(tx.subscribers.each(None, segment, limit=_ROWS + 1, after=address))
        more = len(found) > _ROWS
        readers = _by_reader(found)
        if more:
            # The last one may have subscriptions that are not among these rows.
            readers.pop()
        return ReaderPage(
            filter=print_segment(segment.filter),
            readers=readers,
            next=readers[-1].id if more else None,
        )

    return router


def _by_reader(subscriptions: list[Subscription]) -> list[Reader]:
    return [
        Reader(
            id=reader.public_id,
            address=reader.address,
            name=reader.name,
            language=reader.language,
            timezone=reader.timezone,
            attributes=reader.attributes,
            subscriptions=[ReaderSubscription(**subscription_row(one)) for one in theirs],
        )
        for reader, theirs in groupby(subscriptions, lambda one: one.subscriber)
    ]
