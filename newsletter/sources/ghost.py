"""Posts of a Ghost site by its Content API.

Reference: https://docs.ghost.org/content-api/. The source's address is that of
the API with the site's public key: ``https://paper.example/ghost/api/content/?key=…``.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
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
from newsletter.sources.dates import parse_date
from newsletter.sources.model import Batch, ListedIds, SourceItem, SourcePicture, SourceState
from newsletter.sources.pictures import find_picture
from newsletter.sources.rest import get_json, mapping, objects, string
from newsletter.sources.text import (
    cap_problems,
    caption_text,
    collapse_space,
    unique,
    web_address,
)

# Written by Ghost for its own use: "#newsletter" tags are never shown.
_INTERNAL_TAG = "#"


def ghost_url(base: str, route: str, params: Mapping[str, str]) -> str:
    """The address of a route such as ``posts``, keeping the key of ``base``."""
    parts = urlsplit(base)
    key = parse_qs(parts.query).get("key", [""])[0]
    query = urlencode({"key": key, **params}, safe=",:>'[]")
    path = f"{parts.path.rstrip('/')}/{route}/"
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def fetch_ghost_posts(fetcher: Fetcher, source: Source, state: SourceState, now: datetime) -> Batch:
    """Posts updated since the last poll, or of the last 60 days on the first one.

    FetchError or ParseError if the API cannot be used. Posts for members come
    too, marked hidden: not everybody may read them.
    """
    if not parse_qs(urlsplit(source.url).query).get("key"):
        raise ParseError(
            f"{source.url} lacks the site's Content API key; give the address as "
            "https://paper.example/ghost/api/content/?key=KEY (newsletter init finds it)",
            subject=source.slug,
        )
    first = state.latest_modified is None
    params = {"include": "tags,authors", "limit": str(PER_PAGE)}
    if state.latest_modified is None:
        params |= {
            "filter": f"published_at:>'{zulu(now - FIRST_REACH)}'",
            "order": "published_at desc",
        }
    else:
        params |= {
            "filter": f"updated_at:>'{zulu(state.latest_modified - OVERLAP)}'",
            "order": "updated_at asc",
        }
    posts, complete = _read_pages(fetcher, source, params)
    problems = [] if complete else [too_many(source.slug, first=first)]
    items, more = read_each_once(posts, read_ghost_post, source.url, source.slug)
    changes = [parse_date(string(post.get("updated_at"))) for post in posts]
    return Batch(
        items=items,
        latest_modified=next_cursor(state.latest_modified, changes, complete=complete or first),
        problems=cap_problems([*problems, *more], f"posts of {source.slug}"),
    )


def list_ghost_ids(fetcher: Fetcher, source: Source, now: datetime) -> ListedIds:
    """The ids of all posts of the last 60 days."""
    since = now - FIRST_REACH
    params = {
        "fields": "id",
        "limit": str(IDS_PER_PAGE),
        "filter": f"published_at:>'{zulu(since)}'",
        "order": "id asc",
    }
    posts, complete = _read_pages(fetcher, source, params)
    ids = frozenset(string(post.get("id")) for post in posts) - {""}
    return ListedIds(since, ids, complete)


def fetch_ghost_posts_by_id(fetcher: Fetcher, source: Source, ids: Sequence[str]) -> Batch:
    """The posts of these ids, as far as they are published."""
    posts = []
    for start in range(0, len(ids), PER_PAGE):
        wanted = ",".join(ids[start : start + PER_PAGE])
        params = {
            "include": "tags,authors",
            "limit": str(PER_PAGE),
            "filter": f"id:[{wanted}]",
        }
        posts += _read_pages(fetcher, source, params)[0]
    items, problems = read_each_once(posts, read_ghost_post, source.url, source.slug)
    return Batch(items, problems=cap_problems(problems, f"posts of {source.slug}"))


@dataclass(frozen=True)
class GhostSettings:
    """What a Ghost site tells of itself; empty where it tells nothing."""

    name: str
    description: str
    logo: str | None
    icon: str | None
    colour: str
    timezone: str
    language: str
    social: tuple[str, ...]


def read_ghost_settings(fetcher: Fetcher, url: str, *, allow_private: bool) -> GhostSettings:
    """The settings of the site whose Content API lies at ``url``."""
    document, _ = get_json(fetcher, ghost_url(url, "settings", {}), allow_private=allow_private)
    told = mapping(mapping(document).get("settings"))
    facebook, twitter = string(told.get("facebook")), string(told.get("twitter"))
    return GhostSettings(
        name=collapse_space(string(told.get("title"))),
        description=collapse_space(string(told.get("description"))),
        logo=web_address(url, string(told.get("logo"))),
        icon=web_address(url, string(told.get("icon"))),
        colour=string(told.get("accent_color")),
        timezone=string(told.get("timezone")),
        language=string(told.get("locale")) or string(told.get("lang")),
        social=unique(
            (
                web_address("https://www.facebook.com/", facebook) or "",
                web_address("https://x.com/", twitter.lstrip("@")) or "",
            )
        ),
    )


def read_ghost_post(post: Mapping[str, Any], base: str) -> SourceItem | str:
    """The post as a source item, or why it cannot be one."""
    native_id = string(post.get("id"))
    title = collapse_space(string(post.get("title")))
    link = web_address(base, string(post.get("url")))
    if not native_id:
        return "it has no id"
    if not title:
        return f"post {native_id} has no title"
    # Posts that are only mailed have this address of nothing.
    only_mailed = link is not None and link.endswith("/404/") and string(post.get("slug")) != "404"
    if link is None or only_mailed:
        return f'post {native_id}, "{title[:80]}", has no link'
    markup = string(post.get("html"))
    visibility = string(post.get("visibility")) or "public"
    tags = objects(post.get("tags"))
    names = unique(
        collapse_space(string(tag.get("name")))
        for tag in tags
        if not string(tag.get("name")).startswith(_INTERNAL_TAG)
    )
    return SourceItem(
        title=title,
        url=link,
        native_id=native_id,
        guid=string(post.get("uuid")) or None,
        html=markup,
        excerpt_html=html.escape(
            string(post.get("custom_excerpt")) or string(post.get("excerpt")), quote=False
        ),
        author=", ".join(unique(_authors(post))),
        # Ghost knows tags only; the first one is the post's department.
        categories=names[:1],
        tags=names[1:],
        published_at=parse_date(string(post.get("published_at"))),
        modified_at=parse_date(string(post.get("updated_at"))),
        picture=_picture(post, link) or find_picture(markup, link),
        hidden="" if visibility == "public" else f"for {visibility} only",
    )


def _authors(post: Mapping[str, Any]) -> Iterator[str]:
    for author in objects(post.get("authors")):
        yield collapse_space(string(author.get("name")))


def _picture(post: Mapping[str, Any], link: str) -> SourcePicture | None:
    url = web_address(link, string(post.get("feature_image")))
    if url is None:
        return None
    return SourcePicture(
        url,
        alt=collapse_space(string(post.get("feature_image_alt"))),
        caption=caption_text(string(post.get("feature_image_caption"))),
    )


def _read_pages(
    fetcher: Fetcher, source: Source, params: Mapping[str, str]
) -> tuple[list[Mapping[str, Any]], bool]:
    """The posts of all pages, and whether that was all of them."""
    posts: list[Mapping[str, Any]] = []
    for number in range(1, MAX_PAGES + 1):
        url = ghost_url(source.url, "posts", {**params, "page": str(number)})
        document, _ = get_json(fetcher, url, allow_private=source.allow_private)
        page = mapping(document).get("posts")
        if not isinstance(page, list):
            raise ParseError(
                f"{source.slug} does not answer with a list of posts; give the address of the "
                "Content API, which ends with /ghost/api/content/?key=KEY",
                subject=source.slug,
            )
        posts += objects(page)
        pagination = mapping(mapping(mapping(document).get("meta")).get("pagination"))
        if not page or pagination.get("next") is None:
            return posts, True
    return posts, False
