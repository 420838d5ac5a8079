"""RSS, Atom, RDF and JSON feeds: polled conditionally, read entry by entry.

Formats: RSS 2.0 (https://www.rssboard.org/rss-specification) with the modules
content, Dublin Core, slash, syndication and media; Atom, RFC 4287, with
threading, RFC 4685; JSON Feed. Which one it is, the content tells.
"""

import html
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.errors import FetchError, ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import Response
from newsletter.publication.sources import Source
from newsletter.sources.feed_adapter import RawEntry, RawFeed, RawText, read_feed
from newsletter.sources.feed_profile import FeedProfile, language_tag
from newsletter.sources.feed_text import MAX_ENTRIES, looks_like_feed, prepare_feed
from newsletter.sources.feed_tree import EntryExtras, FeedTree, read_tree
from newsletter.sources.json_feed import looks_like_json_feed, parse_json_feed
from newsletter.sources.model import (
    PASSWORD,
    Batch,
    SourceItem,
    SourcePicture,
    SourceState,
    Validators,
)
from newsletter.sources.pictures import choose_picture, find_picture
from newsletter.sources.text import (
    asks_for_password,
    cap_problems,
    collapse_space,
    decode_once,
    plain_text,
    resolve_references,
    unique,
    web_address,
)

MAX_FEED_BYTES = 10_000_000
# Of a JSON Feed, when it is read for the first time.
MAX_PAGES = 10
FEED_TYPES = (
    "application/feed+json, application/rss+xml, application/atom+xml, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.7, application/json;q=0.6, */*;q=0.1"
)
# What `feed_tree` does for names, where there is no tree to do it in.
_LONG_RUN = re.compile(r"([A-Za-z0-9_.+-]{500})[A-Za-z0-9_.+-]+")


def fetch_feed(fetcher: Fetcher, source: Source, state: SourceState, now: datetime) -> Batch:  # noqa: ARG001
    """Poll a feed by conditional GET; FetchError or ParseError if it cannot be used.

    The first time a JSON Feed's further pages are read too, where its older
    items are: at most `MAX_PAGES`, and `MAX_ENTRIES` items in all.

    A feed that broke off or is not well-formed is asked for whole the next
    time: its validators are forgotten.
    """
    response = fetcher.get(
        source.url,
        max_bytes=MAX_FEED_BYTES,
        accept=FEED_TYPES,
        etag=state.validators.etag,
        last_modified=state.validators.last_modified,
        allow_private=source.allow_private,
        keep_partial=True,
    )
    if response.is_unchanged:
        return Batch(
            validators=state.validators, latest_modified=state.latest_modified, unchanged=True
        )
    content_type = response.headers.get("content-type", "")
    reading = _read(response.body, response.url, content_type)
    if reading.next_url and state.last_success_at is None:
        reading = _read_on(fetcher, source, reading, response.url)
    validators = Validators(response.etag, response.last_modified)
    return replace(
        reading.batch,
        validators=validators if reading.sound and not response.cut else Validators(),
        latest_modified=state.latest_modified,
        interval=reading.interval,
    )


def is_feed(response: Response) -> bool:
    """Whether an answer begins as a feed of any kind does."""
    return looks_like_json_feed(response.body) or looks_like_feed(
        response.body, response.headers.get("content-type", "")
    )


def parse_feed(body: bytes, url: str, content_type: str = "") -> Batch:
    """The entries of a feed; ParseError if it is none.

    ``url`` is where it was fetched from, ``content_type`` the whole header. An
    entry without a title or a link is left out and named among the problems.
    """
    return _read(body, url, content_type).batch


def read_feed_profile(body: bytes, url: str, content_type: str = "") -> FeedProfile:
    """What a feed tells of its site; ParseError if it is none."""
    return _read(body, url, content_type).profile


@dataclass(frozen=True)
class _Reading:
    """``sound`` tells whether the document was whole and well-formed."""

    profile: FeedProfile
    batch: Batch
    sound: bool
    interval: timedelta | None = None
    next_url: str | None = None


def _read_on(fetcher: Fetcher, source: Source, first: _Reading, url: str) -> _Reading:
    """The first page with the items of those that follow it; what fails ends the row."""
    items, problems = list(first.batch.items), list(first.batch.problems)
    following, seen = first.next_url, {url}
    while following and following not in seen and len(items) < MAX_ENTRIES:
        if len(seen) == MAX_PAGES:
            problems.append(f"{url} has more than {MAX_PAGES} pages; the first ones were read")
            break
        seen.add(following)
        try:
            response = fetcher.get(
                following,
                max_bytes=MAX_FEED_BYTES,
                accept=FEED_TYPES,
                allow_private=source.allow_private,
            )
            page = parse_json_feed(
                response.body, response.url, response.headers.get("content-type", "")
            )
        except (FetchError, ParseError) as error:
            problems.append(f"an older page of {url} was left out: {error}")
            break
        items += page.batch.items
        problems += page.batch.problems
        following = page.next_url
    if len(items) > MAX_ENTRIES:
        problems.append(f"the pages of {url} hold more entries; the first {MAX_ENTRIES} were kept")
    batch = replace(
        first.batch,
        items=tuple(items[:MAX_ENTRIES]),
        problems=cap_problems(problems, f"entries of {url}"),
    )
    return replace(first, batch=batch)


def _read(body: bytes, url: str, content_type: str) -> _Reading:
    if looks_like_json_feed(body):
        page = parse_json_feed(body, url, content_type)
        return _Reading(page.profile, page.batch, sound=True, next_url=page.next_url)
    return _read_xml(body, url, content_type)


def _read_xml(body: bytes, url: str, content_type: str) -> _Reading:
    prepared = prepare_feed(body, url, content_type)
    problems = [prepared.problem] if prepared.problem else []
    tree = read_tree(prepared.text)
    if isinstance(tree, FeedTree):
        feed = read_feed(tree.xml, url)
        extras = tree.extras
    else:
        feed = read_feed(_LONG_RUN.sub(r"\1", prepared.text).encode("utf-8"), url)
        extras = ()
        problems.append(f"{url} is not well-formed XML ({tree}); it was read as well as possible")
    if len(extras) != len(feed.entries):
        extras = (EntryExtras(),) * len(feed.entries)
    if not feed.entries:
        problems.append(f"{url} holds no entries")
    items = []
    for number, (entry, extra) in enumerate(zip(feed.entries, extras, strict=True), start=1):
        item = _item(entry, extra, feed, url)
        if isinstance(item, str):
            problems.append(f"entry {number} of {url} was left out: {item}")
        else:
            items.append(item)
    batch = Batch(tuple(items), problems=cap_problems(problems, f"entries of {url}"))
    sound = prepared.whole and isinstance(tree, FeedTree)
    return _Reading(_profile(feed, url), batch, sound, feed.interval)


def _profile(feed: RawFeed, url: str) -> FeedProfile:
    return FeedProfile(
        name=_line(feed.title),
        description=_line(feed.description),
        link=web_address(url, feed.link),
        language=language_tag(feed.language),
        logo=web_address(url, feed.logo),
    )


def _item(entry: RawEntry, extra: EntryExtras, feed: RawFeed, url: str) -> SourceItem | str:
    """The entry as a source item, or why it cannot be one."""
    title = _line(entry.title, is_atom=feed.is_atom)
    link = web_address(url, entry.link)
    if not title:
        return f"it has no title (its link is {link or 'missing too'})"
    if link is None:
        return f'"{title[:80]}" has no link to a page'
    content = _markup(entry.content, url)
    excerpt = _markup(entry.summary, url)
    author = ", ".join(unique(decode_once(name) for name in entry.authors))
    if not author and feed.is_atom:
        author = decode_once(feed.author)  # RFC 4287, section 4.2.1: the feed's author counts
    return SourceItem(
        title=title,
        url=link,
        guid=entry.guid or None,
        html=content,
        excerpt_html=excerpt,
        author=author,
        categories=unique(decode_once(category) for category in entry.categories),
        # Atom may tell only when an entry was updated, RDF has one date (dc:date).
        published_at=entry.published or entry.updated,
        modified_at=entry.updated,
        picture=_picture(entry, extra, content or excerpt, link),
        language=language_tag(extra.language) or language_tag(feed.language),
        comments=int(entry.comments) if re.fullmatch(r"[0-9]{1,9}", entry.comments) else None,
        hidden=PASSWORD if asks_for_password(content) else "",
    )


def _line(text: RawText, *, is_atom: bool = False) -> str:
    if text.is_html:
        return plain_text(text.value)
    # Atom says what its text is; RSS leaves it open, and entities are common.
    return collapse_space(text.value) if is_atom else decode_once(text.value)


def _markup(text: RawText, url: str) -> str:
    if not text.is_html:
        return html.escape(text.value, quote=False)
    return resolve_references(text.value, web_address(url, text.base) or url)


def _picture(entry: RawEntry, extra: EntryExtras, markup: str, link: str) -> SourcePicture | None:
    chosen = choose_picture((*extra.pictures, *entry.pictures), link)
    inside = find_picture(markup, link)
    if chosen is None or inside is None:
        return chosen or inside
    # Media RSS gives the better file, the text the words about it.
    if not chosen.caption and _same_file(chosen.url, inside.url):
        return replace(chosen, alt=inside.alt, caption=inside.caption)
    return chosen


def _same_file(one: str, other: str) -> bool:
    """Whether two addresses name one upload, in whatever size (``x-300x200.jpg``)."""
    return _without_size(one) == _without_size(other)


def _without_size(url: str) -> str:
    return re.sub(r"-\d+x\d+(?=\.\w+$)", "", url.partition("?")[0].rpartition("/")[2])
