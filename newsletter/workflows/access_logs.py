"""From the web server's logs to visits by day: read on from where each file was left."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from newsletter.errors import SourceError
from newsletter.publication.model import Settings
from newsletter.publication.sources import Reads
from newsletter.sources.access_log import REPEAT_SECONDS, LogCounter, LogTally
from newsletter.sources.log_files import LogFile, find_log_files
from newsletter.sources.model import LogPosition
from newsletter.sources.recent_visits import RecentVisits
from newsletter.stories.paths import StoryPaths
from newsletter.workflows.installation import Installation
from newsletter.workflows.keep_reads import ReadReport, keep_added, report_batch

# "client - - [05/Aug/2025:12:00:00 +0000]", perhaps with a virtual host before it.
_LOG_LINE = re.compile(
    rb"\S+ \S+ [^\n\[]*\[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4}\] \""
)


def looks_like_log(head: bytes) -> bool:
    """Whether a file begins as an access log does."""
    return _LOG_LINE.match(head) is not None


def count_logs(
    installation: Installation,
    settings: Settings,
    reads: Reads,
    files: Sequence[Path] | None,
    now: datetime,
) -> ReadReport:
    """Count what is new in ``files``, or in the counter's own log and its rotated parts.

    Everything is kept in one transaction at the end, the places in the files
    too: a run that is killed has counted nothing and the next one counts it all.
    SourceError where there is no log, or a single one can't be read.
    """
    paths = list(files) if files is not None else find_log_files(reads.path or "")
    with installation.database.read() as tx:
        before = set(tx.read_logs.positions(reads.slug))
        stories = StoryPaths(tx.stories.addresses(reads.source), settings.tracking.utm_source)
        visits = tx.read_logs.recent_visits(reads.slug)
        recent = RecentVisits(
            REPEAT_SECONDS, ((bytes.fromhex(visit), int(at.timestamp())) for visit, at in visits)
        )
    known = {position.head_hash: position for position in before}
    counter = LogCounter(
        stories.find,
        settings.publication.zone,
        installation.keyring.day_salt,
        recent,
    )
    problems: list[str] = []
    moved: list[tuple[LogPosition, str]] = []
    for path in paths:
        try:
            file = LogFile(path, list(known.values()))
            if file.is_empty:
                continue
            for lines in file.lines():
                counter.take(lines)
        except SourceError as error:
            if len(paths) == 1:
                raise
            problems.append(str(error))
            continue
        if file.problem:
            problems.append(file.problem)
        moved.append((file.state, file.known_as))
        known[file.state.head_hash] = file.state
    tally = counter.tally
    with installation.database.write() as tx:
        tx.reads.lock(reads.slug)
        if set(tx.read_logs.positions(reads.slug)) != before:
            raise SourceError(
                f"another process counted the log of {reads.slug} at the same time; its reads are "
                "kept, and these were left out",
                subject=reads.slug,
            )
        desk = keep_added(tx, settings, reads, tally.reads, tally.own, now)
        for position, known_as in moved:
            tx.read_logs.put_position(reads.slug, position, now, instead_of=known_as)
        tx.read_logs.replace_recent_visits(
            reads.slug,
            ((visit.hex(), datetime.fromtimestamp(at, UTC)) for visit, at in recent.current()),
        )
        tx.reads.record_success(reads.slug, now)
    return report_batch(
        desk,
        rows=tally.lines,
        matched=tally.reads.total(),
        unmatched=sorted(tally.others, key=lambda path: (-tally.others[path], path)),
        problems=[*problems, *_tell(tally)],
        note=f"{tally.lines} new lines; left out of stories' pages: {tally.bots} of bots, "
        f"{tally.repeats} repeats; {tally.own.total()} reads came from our mails",
    )


def _tell(tally: LogTally) -> list[str]:
    problems = []
    if tally.malformed:
        problems.append(
            f"{tally.malformed} of {tally.lines} lines are not in the combined format and were "
            "left out"
        )
    if tally.bare:
        problems.append(
            f"{tally.bare} lines name no browser, so that bots can't be told from readers: let the "
            "server write the combined format"
        )
    return problems
