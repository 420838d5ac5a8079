"""Reads: by story and local day, and the running totals they came from."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.ranking.model import PastStory
from newsletter.sources.model import ReadKind
from newsletter.storage.sources import PolledRepository
from newsletter.storage.statements import chunks, insert_into, source_key
from newsletter.storage.tables import read_day, read_point, source, story

DayRow = tuple[str, date, ReadKind, int]


class ReadRepository(PolledRepository):
    """What the counters told. Stories go by public id; one we don't know is left out."""

    role = "reads"

    def put_days(self, slug: str, rows: Iterable[DayRow]) -> None:
        """Set the reads of (story, local day, kind); the last value wins."""
        self._write_days(slug, rows, add=False)

    def add_to_days(self, slug: str, rows: Iterable[DayRow]) -> None:
        """Add to the reads of (story, local day, kind)."""
        self._write_days(slug, rows, add=True)

    def put_totals(self, slug: str, taken_at: datetime, rows: Iterable[tuple[str, int]]) -> None:
        """Keep a counter's totals; those that did not change since the last time add no row."""
        totals = dict(rows)
        last = self.last_totals(slug)
        new = {story_id: n for story_id, n in totals.items() if last.get(story_id) != n}
        reads_id = source_key(self._connection, self.role, slug)
        values = [
            {"reads_id": reads_id, "story_id": key, "taken_at": taken_at, "total": new[public_id]}
            for public_id, key in self._story_keys(new).items()
        ]
        if not values:
            return
        statement = insert_into(self._connection, read_point)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["reads_id", "story_id", "taken_at"],
                set_={"total": statement.excluded.total},
            ),
            values,
        )

    def last_totals(self, slug: str) -> dict[str, int]:
        """The latest total of each story that the counter told of."""
        reads_id = source_key(self._connection, self.role, slug)
        newest = (
            sa.select(read_point.c.story_id, sa.func.max(read_point.c.taken_at).label("taken_at"))
            .where(read_point.c.reads_id == reads_id)
            .group_by(read_point.c.story_id)
            .subquery()
        )
        rows = self._connection.execute(
            sa.select(story.c.public_id, read_point.c.total)
            .join_from(
                newest,
                read_point,
                sa.and_(
                    read_point.c.reads_id == reads_id,
                    read_point.c.story_id == newest.c.story_id,
                    read_point.c.taken_at == newest.c.taken_at,
                ),
            )
            .join(story, story.c.id == read_point.c.story_id)
        )
        return {row.public_id: row.total for row in rows}

    def sums(self, reads_slugs: Sequence[str], first_day: date, last_day: date) -> dict[str, int]:
        """Reads of each story from ``first_day`` to ``last_day``, both included.

        The counters named are added up, the kinds never: the first one that
        was counted in these days stands, views before visitors before visits.
        """
        counters = sa.select(source.c.id).where(
            source.c.role == self.role, source.c.slug.in_(reads_slugs)
        )
        total = (
            sa.select(
                read_day.c.story_id,
                read_day.c.kind,
                sa.func.sum(read_day.c.reads).label("reads"),
            )
            .where(
                read_day.c.reads_id.in_(counters),
                read_day.c.day.between(first_day, last_day),
            )
            .group_by(read_day.c.story_id, read_day.c.kind)
            .subquery()
        )
        rows = self._connection.execute(
            sa.select(total.c.kind, story.c.public_id, total.c.reads).join_from(
                total, story, story.c.id == total.c.story_id
            )
        )
        by_kind: dict[str, dict[str, int]] = defaultdict(dict)
        for kind, public_id, reads in rows:
            by_kind[kind][public_id] = int(reads)
        return next((by_kind[kind] for kind in ReadKind if kind in by_kind), {})

    def histories(
        self,
        reads_slugs: Sequence[str],
        source_slugs: Sequence[str],
        zone: ZoneInfo,
        until: datetime,
        *,
        life_days: int,
        limit: int,
    ) -> list[PastStory]:
        """The lives of the last ``limit`` stories that were ``life_days`` old at ``until``.

        Local days are those of ``zone``. Counters and kinds are put together as in `sums`.
        """
        life = timedelta(days=life_days)
        counters, sources = (
            sa.select(source.c.id).where(source.c.role == role, source.c.slug.in_(slugs))
            for role, slugs in ((self.role, reads_slugs), ("source", source_slugs))
        )
        past = (
            sa.select(story.c.id, story.c.published_at, story.c.departments)
            .where(story.c.published_at <= until - life, story.c.source_id.in_(sources))
            .order_by(story.c.published_at.desc(), story.c.id.desc())
            .limit(limit)
        )
        stories = {row.id: row for row in self._connection.execute(past)}
        if not stories:
            return []
        first_day = min(row.published_at for row in stories.values()).astimezone(zone).date()
        rows = self._connection.execute(
            sa.select(read_day.c.story_id, read_day.c.day, read_day.c.kind, read_day.c.reads).where(
                read_day.c.reads_id.in_(counters),
                read_day.c.day.between(first_day, until.astimezone(zone).date()),
                read_day.c.story_id.in_(past.with_only_columns(story.c.id).subquery().select()),
            )
        )
        by_kind: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(row)
        counted = next((by_kind[kind] for kind in ReadKind if kind in by_kind), [])
        days: dict[int, Counter[date]] = defaultdict(Counter)
        for row in counted:
            days[row.story_id][row.day] += int(row.reads)
        lives = sorted(days.items())
        return [_past_story(stories[key], its, life_days, zone) for key, its in lives]

    def _write_days(self, slug: str, rows: Iterable[DayRow], *, add: bool) -> None:
        listed = list(rows)
        reads_id = source_key(self._connection, self.role, slug)
        keys = self._story_keys({row[0] for row in listed})
        values: list[dict[str, Any]] = [
            {
                "reads_id": reads_id,
                "day": day,
                "kind": kind.value,
                "story_id": keys[public_id],
                "reads": count,
            }
            for public_id, day, kind, count in listed
            if public_id in keys
        ]
        if not values:
            return
        statement = insert_into(self._connection, read_day)
        new = statement.excluded.reads
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["reads_id", "day", "kind", "story_id"],
                set_={"reads": read_day.c.reads + new if add else new},
            ),
            values,
        )

    def _story_keys(self, public_ids: Collection[str]) -> dict[str, int]:
        return {
            public_id: key
            for chunk in chunks(public_ids)
            for public_id, key in self._connection.execute(
                sa.select(story.c.public_id, story.c.id).where(story.c.public_id.in_(chunk))
            )
        }


def _past_story(row: Any, reads: Mapping[date, int], life_days: int, zone: ZoneInfo) -> PastStory:
    published = row.published_at.astimezone(zone)
    first = published.date()
    midnight = datetime.combine(first + timedelta(days=1), time(), zone)
    days = (first + timedelta(days=at) for at in range(life_days))
    return PastStory(
        department=row.departments[0] if row.departments else "",
        first_hours=(midnight - published).total_seconds() / 3600,
        days=tuple(reads.get(day, 0) for day in days),
    )
