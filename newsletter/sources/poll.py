"""What a counter's adapter is given, and the one way in which it is called."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from newsletter.errors import SourceError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Reads
from newsletter.sources.model import ReadBatch

# How far back a counter that can tell of past days is asked at first.
FIRST_DAYS = 30


@dataclass(frozen=True)
class Poll:
    """One asking of a counter.

    ``today`` is the paper's local date, ``since`` the day of the last asking
    that worked (None at first). ``stories`` are addresses of the source's stories
    of the last 30 days, the newest first, for counters that are asked by story.
    """

    fetcher: Fetcher
    reads: Reads
    today: date
    since: date | None = None
    stories: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where the counter is asked; SourceError for one whose counts are brought by hand."""
        if self.reads.url is None:
            raise SourceError(
                f'the counter "{self.reads.slug}" has no address to ask: give it a url, or bring '
                "its counts by `newsletter reads import FILE`",
                subject=self.reads.slug,
            )
        return self.reads.url

    @property
    def first_day(self) -> date:
        """From which day on to ask: the day before the last asking, for it may have filled up."""
        earliest = self.today - timedelta(days=FIRST_DAYS - 1)
        return max(earliest, self.since - timedelta(days=1)) if self.since else earliest

    @property
    def password(self) -> str:
        """What the counter's password file holds; SourceError where it can't be read."""
        if self.reads.password_file is None:
            return ""
        try:
            return Path(self.reads.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(
                f'reads "{self.reads.slug}": password_file {self.reads.password_file} can\'t be '
                f"read ({getattr(error, 'strerror', '') or 'it is no text'})",
                subject=self.reads.slug,
            ) from error


class Adapter(Protocol):
    """One kind of counter: asks it, and puts its answer into our words.

    It returns days where the counter can tell them, else running totals, and
    the kind of what was counted. What it must leave out becomes a sentence in
    ``problems``; SourceError (FetchError, ParseError) is raised only where the
    counter as a whole can't be used.
    """

    def __call__(self, poll: Poll, /) -> ReadBatch: ...
