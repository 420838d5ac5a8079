"""Stories of a site that has a sitemap and no feed: its pages, read one by one, politely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from newsletter.clock import Clock
from newsletter.errors import FetchError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import HostHeld, StatusError
from newsletter.net.robots import RobotRules
from newsletter.publication.sources import Source
from newsletter.sources.article import read_article
from newsletter.sources.charset import decode_text
from newsletter.sources.model import GONE, PASSWORD, SourceItem
from newsletter.sources.page import MAX_PAGE_BYTES
from newsletter.sources.sitemap import SitemapEntry
from newsletter.sources.text import asks_for_password, cap_problems

REACH = timedelta(days=60)
# At a page a second the crawl of one poll is over within half a minute; the next
# poll goes on where it ended.
PAGES_A_POLL = 25
SECONDS_A_POLL = 120.0
_FAILURES_A_POLL = 3
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Crawl:
    """What came of reading pages. ``read`` gives the sitemap's date of each page that is done.

    ``hidden`` says of pages that readers can't see any more why, as `SourceItem` does.
    ``there`` are the pages that answered.
    """

    items: tuple[SourceItem, ...] = ()
    read: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    there: frozenset[str] = frozenset()


def plan_crawl(
    entries: Sequence[SitemapEntry], known: Mapping[str, str], now: datetime
) -> tuple[SitemapEntry, ...]:
    """The pages to read in this poll: those that are new or have another date, the newest first.

    ``known`` holds the date that the sitemap gave each page when it was read.
    Pages dated before the last 60 days are left alone. Pages without a date come
    after the dated ones, the last in the file first: there the newest mostly stand.
    """
    wanted = [
        (entry.dated or _OLDEST, place, entry)
        for place, entry in enumerate(entries)
        if known.get(entry.url) != entry.lastmod
        and (entry.dated is None or entry.dated >= now - REACH)
    ]
    wanted.sort(key=lambda each: each[:2], reverse=True)
    return tuple(entry for _, _, entry in wanted[:PAGES_A_POLL])


def crawl_pages(
    fetcher: Fetcher,
    source: Source,
    rules: RobotRules,
    pages: Sequence[SitemapEntry],
    clock: Clock,
) -> Crawl:
    """Read ``pages`` as far as robots.txt and the time allow.

    A page that is none of our business (forbidden, gone, no article) is done
    with; one that failed for the moment is tried again with the next poll.
    """
    items, read, hidden, problems = [], {}, {}, []
    there: set[str] = set()
    end = clock.monotonic() + SECONDS_A_POLL
    failures = forbidden = 0
    for page in pages:
        if clock.monotonic() > end or failures == _FAILURES_A_POLL:
            break
        if not rules.allows(page.url):
            forbidden += 1
            read[page.url] = page.lastmod
            continue
        try:
            response = fetcher.get(
                page.url,
                max_bytes=MAX_PAGE_BYTES,
                accept="text/html, application/xhtml+xml;q=0.9",
                allow_private=source.allow_private,
            )
        except FetchError as error:
            if _is_gone(error):
                hidden[page.url], read[page.url] = GONE, page.lastmod
                continue
            problems.append(f"a page of {source.url} was left out: {error}")
            if isinstance(error, HostHeld) or _asks_to_wait(error):
                break
            if _is_final(error):
                read[page.url] = page.lastmod
            else:
                failures += 1
            continue
        read[page.url] = page.lastmod
        there.add(page.url)
        content_type = response.headers.get("content-type", "")
        if asks_for_password(decode_text(response.body, content_type)):
            hidden[page.url] = PASSWORD
            continue
        item = read_article(response.body, response.url, content_type)
        if isinstance(item, SourceItem):
            items.append(_with_news(item, page))
    if forbidden:
        problems.append(
            f"robots.txt forbids {forbidden} pages that {source.url} names; they were not read"
        )
    told = cap_problems(problems, f"pages of {source.url}")
    return Crawl(tuple(items), read, hidden, told, frozenset(there))


def _with_news(item: SourceItem, page: SitemapEntry) -> SourceItem:
    """The news sitemap's time stands in where the page tells none, else the last change."""
    return replace(
        item,
        published_at=item.published_at or page.published_at,
        modified_at=item.modified_at or page.dated,
    )


def _asks_to_wait(error: FetchError) -> bool:
    return isinstance(error, StatusError) and error.status in (429, 503)


def _is_gone(error: FetchError) -> bool:
    return isinstance(error, StatusError) and error.status in (404, 410)


def _is_final(error: FetchError) -> bool:
    return isinstance(error, StatusError) and 400 <= error.status < 500
