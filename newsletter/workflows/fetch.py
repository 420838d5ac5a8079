"""From the sources to the stories: poll, merge, keep. One bad source never stops another."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.errors import NotFound, SourceError
from newsletter.log import get_logger
from newsletter.net.robots import Robots
from newsletter.publication.brand import Publication
from newsletter.publication.sources import Source
from newsletter.sources.crawl import REACH, Crawl, crawl_pages, plan_crawl
from newsletter.sources.feeds import fetch_feed
from newsletter.sources.ghost import fetch_ghost_posts
from newsletter.sources.model import GONE, Batch, SourceState
from newsletter.sources.rhythm import (
    after_failure,
    due_after_success,
    scan_is_due,
    why_not_now,
)
from newsletter.sources.sitemap import list_pages
from newsletter.sources.wordpress import fetch_posts
from newsletter.storage.transaction import Transaction
from newsletter.stories.canonical import canonical_url
from newsletter.workflows.installation import Installation
from newsletter.workflows.keep_stories import hide_stories, merge_stories
from newsletter.workflows.scan import Scan, plan_revisit, scan_source

log = get_logger(__name__)


@dataclass(frozen=True)
class FetchReport:
    """What polling one source came to. ``error`` is a sentence, or empty.

    ``gone`` counts stories that the source took away. ``waiting`` says why the
    source was not asked at all.
    """

    source: str
    items: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: bool = False
    waiting: str = ""
    problems: tuple[str, ...] = field(default=())
    error: str = ""


@dataclass(frozen=True)
class Poll:
    """What one poll brought: entries, for a sitemap the pages read, and the daily scan."""

    batch: Batch
    pages: Crawl = field(default_factory=Crawl)
    scan: Scan = field(default_factory=Scan)
    scanned: bool = False


def fetch_stories(
    installation: Installation, *, only: Collection[str] = (), due_only: bool = False
) -> tuple[FetchReport, ...]:
    """Poll every source (or those named) and keep what they brought.

    One that is paused is asked only where it is named.
    ``due_only`` leaves out those that failed lately or asked to be polled less
    often; one that asked us to wait (Retry-After) is left alone in any case.
    """
    settings = installation.settings()
    known = [source.slug for source in settings.source]
    for slug in only:
        if slug not in known:
            raise NotFound(f'there is no source "{slug}"; there is: {", ".join(known) or "none"}')
    robots = Robots(installation.fetcher)
    return tuple(
        _fetch_source(installation, settings.publication, source, robots, due_only=due_only)
        for source in settings.source
        if (source.slug in only if only else not source.paused)
    )


def count_offered(installation: Installation, source: Source) -> int:
    """How many stories the source offers to one who never asked; SourceError if none can be had.

    Of a sitemap only the list is read. Nothing is kept.
    """
    if source.kind == "sitemap":
        return len(list_pages(installation.fetcher, source).entries)
    robots, now = Robots(installation.fetcher), installation.clock.now()
    return len(_poll_source(installation, source, SourceState(), robots, now).batch.items)


def _fetch_source(
    installation: Installation,
    publication: Publication,
    source: Source,
    robots: Robots,
    *,
    due_only: bool,
) -> FetchReport:
    started = installation.clock.monotonic()
    with installation.database.read() as tx:
        state = tx.sources.state(source.slug)
    now = installation.clock.now()
    if waiting := why_not_now(state, now, due_only=due_only):
        return FetchReport(source.slug, waiting=waiting)
    try:
        poll = _poll_source(installation, source, state, robots, now)
    except SourceError as error:
        log.warning("source_failed", source=source.slug, error=str(error))
        _record_failure(installation, source, state, error, now)
        return FetchReport(source.slug, error=str(error))
    report = keep_poll(installation, publication, source, poll, now)
    log.info(
        "source_fetched",
        source=source.slug,
        items=report.items,
        new=report.new,
        changed=report.changed,
        gone=report.gone,
        ms=round((installation.clock.monotonic() - started) * 1000),
    )
    return report


def _record_failure(
    installation: Installation,
    source: Source,
    state: SourceState,
    error: SourceError,
    now: datetime,
) -> None:
    due_at, held_until = after_failure(state, error, now)
    with installation.database.write() as tx:
        tx.sources.record_error(source.slug, now, str(error), due_at=due_at, held_until=held_until)


def _poll_source(
    installation: Installation,
    source: Source,
    state: SourceState,
    robots: Robots,
    now: datetime,
) -> Poll:
    """What the source has that is new; SourceError if it cannot be used."""
    fetcher = installation.fetcher
    if source.kind == "feed" and source.allow_private:
        # No pace is kept with hosts of our own network.
        return Poll(fetch_feed(fetcher, source, state, now))
    # Every site has a say in the pace (Crawl-delay), pages also in what is read.
    rules = robots.rules_for(source.url, allow_private=source.allow_private)
    if source.kind == "feed":
        return Poll(fetch_feed(fetcher, source, state, now))
    if source.kind == "sitemap":
        listing = list_pages(fetcher, source)
        with installation.database.read() as tx:
            known = tx.sources.crawled_pages(source.slug, [e.url for e in listing.entries])
        if rules.reason:
            raise SourceError(f"robots.txt could not be read: {rules.reason}", subject=source.slug)
        planned = plan_crawl(listing.entries, known, now)
        scanned = scan_is_due(state.scanned_at, now)
        if scanned:
            with installation.database.read() as tx:
                stories = tx.stories.published_since([source.slug], now - REACH)
            again = plan_revisit(listing.entries, stories)
            planned = tuple({page.url: page for page in (*planned, *again)}.values())
        pages = crawl_pages(fetcher, source, rules, planned, installation.clock)
        batch = Batch(pages.items, problems=(*listing.problems, *pages.problems))
        return Poll(batch, pages, scanned=scanned)
    if source.kind == "ghost":
        batch = fetch_ghost_posts(fetcher, source, state, now)
    else:
        batch = fetch_posts(fetcher, source, state, now)
    return _scanned(installation, source, state, Poll(batch), now)


def _scanned(
    installation: Installation, source: Source, state: SourceState, poll: Poll, now: datetime
) -> Poll:
    """The poll with the daily scan, where that is due; a scan that fails is tried again."""
    if not scan_is_due(state.scanned_at, now):
        return poll
    if state.last_success_at is None:
        return replace(poll, scanned=True)  # the first poll reads everything there is
    try:
        return replace(poll, scan=scan_source(installation, source, now), scanned=True)
    except SourceError as error:
        problem = f"what is gone from {source.slug} could not be looked for: {error}"
        batch = replace(poll.batch, problems=(*poll.batch.problems, problem))
        return replace(poll, batch=batch)


def keep_poll(
    installation: Installation,
    publication: Publication,
    source: Source,
    poll: Poll,
    now: datetime,
) -> FetchReport:
    """Merge what a poll brought into the stories, and note that it worked: one transaction."""
    batch, found = poll.batch, poll.scan.found
    with installation.database.write() as tx:
        merged = merge_stories(tx, publication, source, (*batch.items, *found.items), now)
        gone = hide_stories(tx, source, _shown_no_more(tx, source, poll), now)
        tx.sources.record_pages(source.slug, poll.pages.read, now)
        if poll.scanned:
            tx.sources.record_scan(source.slug, now)
        tx.sources.record_success(
            source.slug,
            now,
            validators=batch.validators,
            latest_modified=batch.latest_modified,
            due_at=due_after_success(now, batch.interval),
        )
    problems = (*batch.problems, *found.problems, *merged.problems)
    for problem in problems:
        log.warning("item_left_out", source=source.slug, problem=problem)
    return FetchReport(
        source=source.slug,
        items=len(batch.items) + len(found.items),
        new=merged.new,
        changed=merged.changed,
        gone=len(gone),
        unchanged=batch.unchanged,
        problems=problems,
    )


def _shown_no_more(tx: Transaction, source: Source, poll: Poll) -> dict[str, str]:
    """The source's stories that its readers can't see any more, by public id, and why."""
    pages = {
        story.public_id: reason
        for url, reason in poll.pages.hidden.items()
        for story in tx.stories.at_url(canonical_url(url))
        if story.source == source.slug
    }
    return dict.fromkeys(poll.scan.gone, GONE) | pages
