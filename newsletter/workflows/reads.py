"""From the counters to reads by day: all of them asked, or one file brought in."""

import gzip
import zlib
from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from newsletter.errors import NotFound, SourceError, UsageError
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.publication.sources import Reads
from newsletter.sources.json_table import looks_like_json
from newsletter.sources.model import ReadBatch, ReadKind
from newsletter.sources.page_counter import MAX_PAGE_BYTES, MAX_PAGES, learn_selector
from newsletter.sources.poll import FIRST_DAYS, Poll
from newsletter.sources.read_adapters import ADAPTERS
from newsletter.sources.read_counts import MAX_TABLE_BYTES, read_table
from newsletter.sources.rhythm import after_failure, why_not_now
from newsletter.workflows.access_logs import count_logs, looks_like_log
from newsletter.workflows.installation import Installation
from newsletter.workflows.keep_reads import ReadReport, confirm_doubts, keep_batch
from newsletter.workflows.set_up import is_private_address

log = get_logger(__name__)

FORMATS = ("csv", "json", "access-log")


def sync_reads(
    installation: Installation, *, only: Collection[str] = (), due_only: bool = False
) -> tuple[ReadReport, ...]:
    """Ask every counter (or those named); one that fails is reported and never stops another.

    One that is paused is asked only where it is named.
    What counts by itself (the beacon) or is brought by hand is left out. ``due_only``
    also leaves out those that failed lately; one that asked us to wait (Retry-After)
    is left alone in any case.
    """
    settings = installation.settings()
    return tuple(
        _sync_counter(installation, settings, reads, due_only=due_only)
        for reads in settings.reads
        if can_be_asked(reads) and (reads.slug in only if only else not reads.paused)
    )


def can_be_asked(reads: Reads) -> bool:
    """Whether there is something to ask: not the beacon, nor what is brought by hand."""
    if reads.kind == "access-log":
        return reads.path is not None
    return reads.kind == "page" or (reads.kind in ADAPTERS and reads.url is not None)


def import_reads(
    installation: Installation,
    file: Path,
    slug: str | None = None,
    *,
    file_format: str | None = None,
    window: tuple[date, date] | None = None,
    new_kind: bool = False,
) -> ReadReport:
    """Take a file's counts as those of the counter ``slug``, or of the only one.

    ``file_format`` is one of `FORMATS`, by default told by the file's beginning.
    ``window`` are the days that an export without days covers. With ``new_kind`` the
    counter may change what it counts. UsageError where the file can't be read or counts
    another kind than the counter did so far, ParseError where it is no such table.
    """
    settings = installation.settings()
    reads = _counter_called(settings, slug)
    now = installation.clock.now()
    head = _read_unpacked(file, 8192)
    if file_format == "access-log" or (file_format is None and looks_like_log(head)):
        if not new_kind:
            _refuse_new_kind(installation, reads, ReadKind.VISITS, file)
        return count_logs(installation, settings, reads, [file], now)
    if file_format == "json" and not looks_like_json(head.decode("utf-8", "replace")):
        raise UsageError(f"{file}: is not JSON; leave --format out", subject=str(file))
    body = _read_unpacked(file, MAX_TABLE_BYTES + 1)
    if len(body) > MAX_TABLE_BYTES:
        raise UsageError(
            f"{file}: has over {MAX_TABLE_BYTES // 1_000_000} MB; export fewer days at a time",
            subject=str(file),
        )
    batch = read_table(
        body,
        site=settings.publication.url,
        name=file.name,
        stats_kind=reads.stats_kind,
        window=window,
    )
    if not new_kind and (batch.days or batch.totals):
        _refuse_new_kind(installation, reads, batch.kind, file)
    return _keep(installation, settings, reads, batch, now)


def _refuse_new_kind(installation: Installation, reads: Reads, kind: ReadKind, file: Path) -> None:
    """UsageError where the counter has told another kind: it would rank by the new one alone."""
    with installation.database.read() as tx:
        before = tx.reads.kind_of(reads.slug)
    if before not in (None, kind):
        raise UsageError(
            f"{file}: counts {kind}, but {reads.slug} has counted {before} so far, and the two are "
            f"never mixed; bring a file of {before}, or let {reads.slug} count {kind} from now on "
            f"by --new-kind, which leaves what it told before out of the ranking",
            subject=str(file),
        )


def confirm_reads(
    installation: Installation, slug: str | None, *, leave_out: bool = False
) -> tuple[str, int, int]:
    """Count what a counter has set aside, or leave it out for good.

    Gives the counter, how many counts that were, and how many reads.
    """
    reads = _counter_called(installation.settings(), slug)
    now = installation.clock.now()
    with installation.database.write() as tx:
        doubts = confirm_doubts(tx, reads.slug, now, leave_out=leave_out)
    total = sum(doubt.reads for doubt in doubts)
    log.info("reads_confirmed", reads=reads.slug, counts=len(doubts), left_out=leave_out)
    return reads.slug, len(doubts), total


def learn_page_selector(installation: Installation, url: str, count: int) -> str:
    """The CSS selector of ``count`` on the page ``url``; NotFound where it stands nowhere."""
    private = is_private_address(url)
    allowed = private and any(reads.allow_private for reads in installation.settings().reads)
    response = installation.fetcher.get(url, max_bytes=MAX_PAGE_BYTES, allow_private=allowed)
    selector = learn_selector(response.body, count)
    if selector is None:
        raise NotFound(
            f"{url} prints the number {count} nowhere where a selector finds it; load the page "
            "anew, for the number may have changed, and see that it is there without JavaScript",
            subject=url,
        )
    return selector


def poll_counter(
    installation: Installation,
    settings: Settings,
    reads: Reads,
    now: datetime,
    since: date | None = None,
    *,
    pages: int = MAX_PAGES,
) -> ReadBatch:
    """What the counter tells now, of so many ``pages``; SourceError if it cannot be used."""
    stories: tuple[str, ...] = ()
    if reads.kind == "page":
        with installation.database.read() as tx:
            found = tx.stories.addresses(reads.source, now - timedelta(days=FIRST_DAYS))
        stories = tuple(url for _, url in found[:pages])
    poll = Poll(installation.fetcher, reads, _local_day(settings, now), since, stories)
    return ADAPTERS[reads.kind](poll)


def _sync_counter(
    installation: Installation, settings: Settings, reads: Reads, *, due_only: bool
) -> ReadReport:
    now = installation.clock.now()
    with installation.database.read() as tx:
        state = tx.reads.state(reads.slug)
    if waiting := why_not_now(state, now, due_only=due_only):
        return ReadReport(reads.slug, waiting=waiting)
    try:
        if reads.kind == "access-log":
            return count_logs(installation, settings, reads, None, now)
        last = state.last_success_at
        since = _local_day(settings, last) if last else None
        if reads.kind == "page" and since == _local_day(settings, now):
            return ReadReport(reads.slug, note="its pages were asked today, and are once a day")
        batch = poll_counter(installation, settings, reads, now, since)
        return _keep(installation, settings, reads, batch, now)
    except SourceError as error:
        log.warning("reads_failed", reads=reads.slug, error=str(error))
        backed_off, held_until = after_failure(state, error, now)
        # A file is asked for no favour.
        due_at = None if reads.kind == "access-log" else backed_off
        with installation.database.write() as tx:
            tx.reads.record_error(reads.slug, now, str(error), due_at=due_at, held_until=held_until)
        return ReadReport(reads.slug, error=str(error))


def _keep(
    installation: Installation, settings: Settings, reads: Reads, batch: ReadBatch, now: datetime
) -> ReadReport:
    with installation.database.write() as tx:
        report = keep_batch(tx, settings, reads, batch, now)
        tx.reads.record_success(reads.slug, now)
    if batch.recognised:
        return replace(report, note=f"read as an export of {batch.recognised}")
    return report


def _counter_called(settings: Settings, slug: str | None) -> Reads:
    names = ", ".join(reads.slug for reads in settings.reads) or "none is configured"
    if slug is None and len(settings.reads) == 1:
        return settings.reads[0]
    found = next((reads for reads in settings.reads if reads.slug == slug), None)
    if found is None:
        raise NotFound(f"name one of the configured [[reads]] by --reads: {names}", subject="reads")
    return found


def _read_unpacked(file: Path, size: int) -> bytes:
    """The first ``size`` bytes of a file, unpacked where it is gzip."""
    try:
        with file.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            if not packed:
                return plain.read(size)
            with gzip.open(plain) as unpacked:
                return unpacked.read(size)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{file}: can't be read ({reason})", subject=str(file)) from error
    except (EOFError, zlib.error) as error:
        raise UsageError(f"{file}: is damaged ({error})", subject=str(file)) from error


def _local_day(settings: Settings, now: datetime) -> date:
    return now.astimezone(settings.publication.zone).date()
