"""From the sources to the stories: poll, merge, keep. One bad source never stops another."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.errors import NotFound, SourceError
from newsletter.log import get_logger
from newsletter.net.fetcher import Fetcher
from newsletter.publication.model import Publication, Source
from newsletter.sources.feeds import fetch_feed
from newsletter.sources.model import Batch, SourceState
from newsletter.sources.wordpress import fetch_posts
from newsletter.stories.merge import merge_items
from newsletter.stories.record import keys_of
from newsletter.workflows.installation import Installation

log = get_logger(__name__)


@dataclass(frozen=True)
class FetchReport:
    """What polling one source came to. ``error`` is a sentence, or empty."""

    source: str
    items: int = 0
    new: int = 0
    changed: int = 0
    unchanged: bool = False
    problems: tuple[str, ...] = field(default=())
    error: str = ""


def fetch_stories(
    installation: Installation, *, only: Collection[str] = ()
) -> tuple[FetchReport, ...]:
    """Poll every source (or those named) and keep what they brought."""
    settings = installation.settings()
    known = [source.slug for source in settings.source]
    for slug in only:
        if slug not in known:
            raise NotFound(f'there is no source "{slug}"; there is: {", ".join(known) or "none"}')
    return tuple(
        _fetch_source(installation, settings.publication, source)
        for source in settings.source
        if not only or source.slug in only
    )


def _fetch_source(
    installation: Installation, publication: Publication, source: Source
) -> FetchReport:
    started = installation.clock.monotonic()
    with installation.database.read() as tx:
        state = tx.sources.state(source.slug)
    now = installation.clock.now()
    try:
        batch = poll_source(installation.fetcher, source, state, now)
    except SourceError as error:
        log.warning("source_failed", source=source.slug, error=str(error))
        with installation.database.write() as tx:
            tx.sources.record_error(source.slug, now, str(error))
        return FetchReport(source.slug, error=str(error))
    report = _keep(installation, publication, source, batch, now)
    log.info(
        "source_fetched",
        source=source.slug,
        items=report.items,
        new=report.new,
        changed=report.changed,
        ms=round((installation.clock.monotonic() - started) * 1000),
    )
    return report


def poll_source(fetcher: Fetcher, source: Source, state: SourceState, now: datetime) -> Batch:
    """What the source has that is new; SourceError if it cannot be used."""
    if source.kind == "wordpress":
        return fetch_posts(fetcher, source, state, now)
    return fetch_feed(fetcher, source, state, now)


def _keep(
    installation: Installation,
    publication: Publication,
    source: Source,
    batch: Batch,
    now: datetime,
) -> FetchReport:
    zone = publication.zone
    keys = [keys_of(item, source.slug, zone, now) for item in batch.items]
    with installation.database.write() as tx:
        known = tx.stories.matching(source.slug, keys)
        merged = merge_items(batch.items, source.slug, known, zone, now)
        tx.stories.save(merged.saved)
        tx.stories.add_trail(merged.trail)
        tx.sources.record_success(
            source.slug, now, validators=batch.validators, latest_modified=batch.latest_modified
        )
    for problem in (*batch.problems, *merged.problems):
        log.warning("item_left_out", source=source.slug, problem=problem)
    return FetchReport(
        source=source.slug,
        items=len(batch.items),
        new=merged.new,
        changed=merged.changed,
        unchanged=batch.unchanged,
        problems=(*batch.problems, *merged.problems),
    )
