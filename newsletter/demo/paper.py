"""The demo paper at an instant: its stories with their dates, and who read them when."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from newsletter.demo.manuscripts import Manuscript, load_manuscripts

NAME = "The Araks Courier"
SHORT_NAME = "the Courier"
MOTTO = "A weekly of the Armenian diaspora, made in Glendale"
ZONE = ZoneInfo("America/Los_Angeles")

# The paper's departments and the words that stand for them in addresses.
DEPARTMENTS = {
    "Community": "community",
    "Armenia & Region": "armenia-region",
    "Arts": "arts",
    "Opinion": "opinion",
    "Recipes": "recipes",
    "Sports": "sports",
    "Diaspora": "diaspora",
    "International": "international",
    "Մշակույթ": "mshakuyt",
}

# Nobody at the paper publishes between these hours of the night.
_LAST_HOUR, _FIRST_HOUR = 22, 6


class DayCount(NamedTuple):
    """How often the story at ``path`` was read on one local date."""

    path: str
    day: date
    reads: int


@dataclass(frozen=True)
class PaperStory:
    """A manuscript in print; ``published_at`` is aware, in UTC."""

    manuscript: Manuscript
    published_at: datetime

    @property
    def path(self) -> str:
        return f"/stories/{self.manuscript.slug}/"

    @property
    def picture_path(self) -> str:
        return f"/pictures/{self.manuscript.slug}.jpg"


@dataclass(frozen=True)
class Paper:
    """All that the paper's site shows; stories newest first."""

    now: datetime
    stories: tuple[PaperStory, ...]

    @classmethod
    def at(cls, now: datetime, manuscripts: Sequence[Manuscript] | None = None) -> "Paper":
        """The paper as it stands at ``now`` (aware): the same stories at any time of any year.

        ``manuscripts``, newest first, are those that come with the demo if not given.
        """
        instant = now.astimezone(UTC)
        return cls(
            instant,
            tuple(
                PaperStory(m, _office_time(instant - m.age, m.slug))
                for m in manuscripts or load_manuscripts()
            ),
        )

    def reads_by_day(self) -> Iterator[DayCount]:
        """A row per story and local date since it appeared; a story's rows add up to its reads."""
        for story in self.stories:
            for day, reads in _spread(story, self.now):
                if reads:
                    yield DayCount(story.path, day, reads)

    def most_read(self, count: int, days: int = 30) -> list[tuple[PaperStory, int]]:
        """The stories most read within the last ``days`` local dates, and how often."""
        first = self.now.astimezone(ZONE).date() - timedelta(days=days - 1)
        totals: dict[str, int] = {}
        for row in self.reads_by_day():
            if row.day >= first:
                totals[row.path] = totals.get(row.path, 0) + row.reads
        ranked = sorted(self.stories, key=lambda s: (-totals.get(s.path, 0), s.path))
        return [(story, totals.get(story.path, 0)) for story in ranked[:count]]


def _office_time(instant: datetime, slug: str) -> datetime:
    """The time at which the office would have published: what falls into the night, the evening
    before, and always at full five minutes."""
    local = instant.astimezone(ZONE)
    if _FIRST_HOUR <= local.hour < _LAST_HOUR:
        floored = local.replace(minute=local.minute - local.minute % 5, second=0, microsecond=0)
        return floored.astimezone(UTC)
    evening = local.date() - timedelta(days=1 if local.hour < _FIRST_HOUR else 0)
    minute = int(_chance(slug, "minute") * 12) * 5
    return datetime.combine(evening, time(_LAST_HOUR - 1, minute), ZONE).astimezone(UTC)


def _spread(story: PaperStory, now: datetime) -> list[tuple[date, int]]:
    """The story's reads over its local dates, along the curve by which stories are read."""
    first, last = (t.astimezone(ZONE).date() for t in (story.published_at, now))
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    weights: list[float] = []
    for day in days:
        start = datetime.combine(day, time(), ZONE)
        end = datetime.combine(day + timedelta(days=1), time(), ZONE)
        hours = [
            _hours(story.published_at, min(max(t, story.published_at), now)) for t in (start, end)
        ]
        share = _share_read(hours[1], slow=story.manuscript.slow) - _share_read(
            hours[0], slow=story.manuscript.slow
        )
        weights.append(share * (0.8 + 0.4 * _chance(story.manuscript.slug, str(len(weights)))))
    return list(zip(days, _apportion(story.manuscript.reads, weights), strict=True))


def _hours(start: datetime, end: datetime) -> float:
    return (end.astimezone(UTC) - start).total_seconds() / 3600


def _share_read(hours: float, *, slow: bool) -> float:
    """The share of all its readers that a story of this age has had: a rush, then a long tail."""
    rush, quick, tail = (0.25, 30.0, 420.0) if slow else (0.72, 18.0, 150.0)
    return rush * (1 - math.exp(-hours / quick)) + (1 - rush) * (1 - math.exp(-hours / tail))


def _apportion(total: int, weights: list[float]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to ``total`` (largest remainders)."""
    whole = math.fsum(weights)
    if whole <= 0:
        return [0] * (len(weights) - 1) + [total]
    exact = [total * w / whole for w in weights]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def _chance(*words: str) -> float:
    """A number from 0 to 1 that is always the same for the same words."""
    digest = hashlib.sha256("\n".join(words).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
