"""Posts of a WordPress site by its REST API.

WordPress REST has no ETag, so a poll asks for what was modified since the last
one. A time without a zone would be read in the site's own zone: all of ours
end in Z.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import Response, StatusError
from newsletter.publication.sources import Source
from newsletter.sources.changed_posts import (
    FIRST_REACH,
    IDS_PER_PAGE,
    MAX_PAGES,
    OVERLAP,
    PER_PAGE,
    next_cursor,
    read_each_once,
    too_many,
    zulu,
)
from newsletter.sources.model import Batch, ListedIds, SourceState
from newsletter.sources.rest import error_code, get_json, objects, rest_url
from newsletter.sources.text import cap_problems
from newsletter.sources.wordpress_post import (
    POST_EMBEDS,
    POST_FIELDS,
    parse_gmt,
    post_id,
    read_post,
)


def fetch_posts(fetcher: Fetcher, source: Source, state: SourceState, now: datetime) -> Batch:
    """Posts modified or published since the last poll, or of the last 60 days on the first one.

    FetchError or ParseError if the API cannot be used. Posts with a password
    come too, marked hidden: they may have been public before.
    """
    first = state.latest_modified is None
    params = _since(state.latest_modified, now)
    posts, complete = _read_pages(fetcher, source, params)
    changes = [parse_gmt(post.get("modified_gmt")) for post in posts]
    cursor = next_cursor(state.latest_modified, changes, complete=complete or first)
    if not first and state.last_success_at is not None:
        # A post written ahead keeps its old modified_gmt when its hour comes.
        since = zulu(state.last_success_at - OVERLAP)
        posts += _read_pages(fetcher, source, {**_usual_params(), "after": since})[0]
    problems = [] if complete else [too_many(source.url, first=first)]
    items, more = read_each_once(posts, read_post, source.url, source.url)
    return Batch(
        items=items,
        validators=state.validators,
        latest_modified=cursor,
        problems=cap_problems([*problems, *more], f"posts of {source.url}"),
    )


def list_post_ids(fetcher: Fetcher, source: Source, now: datetime) -> ListedIds:
    """The ids of all posts of the last 60 days: what is missing there was taken away."""
    since = now - FIRST_REACH
    params = {
        "per_page": str(IDS_PER_PAGE),
        "_fields": "id",
        "after": zulu(since),
        "orderby": "id",
        "order": "asc",
    }
    posts, complete = _read_pages(fetcher, source, params)
    return ListedIds(since, frozenset(filter(None, map(post_id, posts))), complete)


def fetch_posts_by_id(fetcher: Fetcher, source: Source, ids: Sequence[str]) -> Batch:
    """The posts of these ids, as far as the public may see them."""
    posts = []
    for start in range(0, len(ids), PER_PAGE):
        include = ",".join(ids[start : start + PER_PAGE])
        posts += _read_pages(fetcher, source, {**_usual_params(), "include": include})[0]
    items, problems = read_each_once(posts, read_post, source.url, source.url)
    return Batch(items, problems=cap_problems(problems, f"posts of {source.url}"))


def _usual_params() -> dict[str, str]:
    return {"per_page": str(PER_PAGE), "_embed": POST_EMBEDS, "_fields": POST_FIELDS}


def _since(latest_modified: datetime | None, now: datetime) -> dict[str, str]:
    """What to ask for. Oldest change first, so that a poll cut short can go on where it was."""
    params = _usual_params()
    if latest_modified is None:
        return {**params, "after": zulu(now - FIRST_REACH), "orderby": "date", "order": "desc"}
    return {
        **params,
        "modified_after": zulu(latest_modified - OVERLAP),
        "orderby": "modified",
        "order": "asc",
    }


def _read_pages(
    fetcher: Fetcher, source: Source, params: Mapping[str, str]
) -> tuple[list[Mapping[str, Any]], bool]:
    """The posts of all pages, and whether that was all of them."""
    posts: list[Mapping[str, Any]] = []
    for number in range(1, MAX_PAGES + 1):
        url = rest_url(source.url, "wp/v2/posts", {**params, "page": str(number)})
        try:
            document, response = get_json(fetcher, url, allow_private=source.allow_private)
        except StatusError as error:
            # Posts were deleted while we read, and the last page is gone.
            if number > 1 and error_code(error.body) == "rest_post_invalid_page_number":
                return posts, True
            raise
        page = _post_list(document, source)
        posts += page
        if number >= _total_pages(response, number, len(page), int(params["per_page"])):
            return posts, True
    return posts, False


def _post_list(document: Any, source: Source) -> list[Mapping[str, Any]]:
    if not isinstance(document, list):
        raise ParseError(
            f"{source.url} does not answer with a list of posts; give the REST root, which mostly "
            "ends with /wp-json/",
            subject=source.slug,
        )
    return objects(document)


def _total_pages(response: Response, number: int, count: int, per_page: int) -> int:
    """How many pages there are; where a proxy strips the header, a full page means more."""
    told = response.headers.get("x-wp-totalpages", "").strip()
    if told.isdecimal():
        return int(told[:6])
    return number + 1 if count >= per_page else number
