"""From the counters to reads by day, matched to the stories we know."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter.errors import NotFound, SourceError
from newsletter.log import get_logger
from newsletter.net.fetcher import Fetcher
from newsletter.publication.model import Reads, Settings
from newsletter.sources.model import ReadBatch, StoryKey
from newsletter.sources.popular_posts import fetch_popular_posts
from newsletter.sources.read_counts import difference_totals, fetch_csv, read_csv
from newsletter.storage.transaction import Transaction
from newsletter.stories.canonical import canonical_url
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

# The window of "most read of the month".
_RECENT = timedelta(days=30)


@dataclass(frozen=True)
class ReadReport:
    """What polling one counter came to. ``unmatched`` are the first addresses no story has."""

    reads: str
    rows: int = 0
    matched: int = 0
    unmatched_count: int = 0
    unmatched: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())
    error: str = ""


def sync_reads(installation: Installation) -> tuple[ReadReport, ...]:
    """Poll every counter; one that fails is reported and never stops another."""
    settings = installation.settings()
    return tuple(
        _sync_counter(installation, settings, reads)
        for reads in settings.reads
        if reads.url is not None
    )


def import_reads(installation: Installation, body: bytes, slug: str | None = None) -> ReadReport:
    """Take the counts of a CSV file as those of the counter ``slug``, or of the only one."""
    settings = installation.settings()
    reads = _counter_called(settings, slug)
    now = installation.clock.now()
    batch = read_csv(body, site=settings.publication.url)
    return _keep(installation, reads, batch, _local_day(settings, now), now)


def _counter_called(settings: Settings, slug: str | None) -> Reads:
    names = ", ".join(reads.slug for reads in settings.reads) or "none is configured"
    if slug is None and len(settings.reads) == 1:
        return settings.reads[0]
    found = next((reads for reads in settings.reads if reads.slug == slug), None)
    if found is None:
        raise NotFound(f"name one of the configured [[reads]] by --reads: {names}", subject="reads")
    return found


def _sync_counter(installation: Installation, settings: Settings, reads: Reads) -> ReadReport:
    now = installation.clock.now()
    today = _local_day(settings, now)
    with installation.database.read() as tx:
        first = tx.reads.state(reads.slug).last_success_at is None
    try:
        batch = poll_counter(installation.fetcher, reads, today, first=first)
    except SourceError as error:
        log.warning("reads_failed", reads=reads.slug, error=str(error))
        with installation.database.write() as tx:
            tx.reads.record_error(reads.slug, now, str(error))
        return ReadReport(reads.slug, error=str(error))
    return _keep(installation, reads, batch, today, now)


def poll_counter(fetcher: Fetcher, reads: Reads, today: date, *, first: bool = False) -> ReadBatch:
    """What the counter tells now; SourceError if it cannot be used."""
    if reads.kind == "csv":
        return fetch_csv(fetcher, reads)
    return fetch_popular_posts(fetcher, reads, today, first=first)


def _keep(
    installation: Installation, reads: Reads, batch: ReadBatch, today: date, now: datetime
) -> ReadReport:
    keys = [row.story for row in batch.days] + [row.story for row in batch.totals]
    problems = list(batch.problems)
    with installation.database.write() as tx:
        found = _identify(tx, reads.source, keys)
        # Several addresses may mean one story (with and without a campaign tag).
        days: Counter[tuple[str, date]] = Counter()
        for row in batch.days:
            if row.story in found:
                days[found[row.story], row.day] += row.count
        tx.reads.put_days(
            reads.slug, [(story, day, batch.kind, count) for (story, day), count in days.items()]
        )
        totals = [(found[row.story], row.total) for row in batch.totals if row.story in found]
        problems += _count_totals(tx, reads, batch, totals, today, now)
        tx.reads.record_success(reads.slug, now)
    unmatched = sorted({_name(key) for key in keys if key not in found})
    for problem in problems:
        log.warning("reads_problem", reads=reads.slug, problem=problem)
    log.info("reads_synced", reads=reads.slug, rows=len(keys), unmatched=len(unmatched))
    return ReadReport(
        reads=reads.slug,
        rows=len(keys),
        matched=sum(key in found for key in keys),
        unmatched_count=len(unmatched),
        unmatched=tuple(unmatched[:10]),
        problems=tuple(problems),
    )


def _count_totals(
    tx: Transaction,
    reads: Reads,
    batch: ReadBatch,
    totals: Sequence[tuple[str, int]],
    today: date,
    now: datetime,
) -> list[str]:
    """Turn totals into today's reads by what they grew since the last poll.

    A story seen for the first time has been counted in the batch's days where
    the counter can tell them. Else its reads fall on today, the only day we know
    anything of, if it is young enough that all of them are recent; an older
    story's first total is only where counting starts.
    """
    if not totals:
        return []
    last = tx.reads.last_totals(reads.slug)
    told = {row.story for row in batch.days}
    grown = []
    problems = []
    stories = {story.public_id: story for story in tx.stories.by_ids([s for s, _ in totals])}
    for story_id, total in totals:
        previous = last.get(story_id)
        if previous is None and (told or now - stories[story_id].published_at > _RECENT):
            continue
        if previous is not None and total < previous:
            problems.append(
                f"the count of “{stories[story_id].title}” went back from {previous} to {total}: "
                "taken as a counter that was reset"
            )
        grown.append((story_id, today, batch.kind, difference_totals(previous, total)))
    tx.reads.add_to_days(reads.slug, grown)
    tx.reads.put_totals(reads.slug, now, totals)
    return problems


def _identify(tx: Transaction, source: str, keys: Sequence[StoryKey]) -> dict[StoryKey, str]:
    """The public ids of the stories that a counter names, by its own keys."""
    canonical = {
        key: StoryKey(canonical_url(key.url) if key.url else None, key.native_id) for key in keys
    }
    found = tx.stories.identify(source, list(dict.fromkeys(canonical.values())))
    return {key: found[known] for key, known in canonical.items() if known in found}


def _name(key: StoryKey) -> str:
    return key.url or key.native_id or ""


def _local_day(settings: Settings, now: datetime) -> date:
    return now.astimezone(settings.publication.zone).date()
