"""Reads: by story and local day, and the running totals they came from."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.ranking.model import PastStory
from newsletter.sources.model import KindChange, ReadDoubt, ReadKind
from newsletter.storage.sources import PolledRepository
from newsletter.storage.statements import chunks, insert_into, lock_name, source_key
from newsletter.storage.tables import read_day, read_doubt, read_point, source, story

# The kinds under which visits from our own mails stand beside all visits.
_OWN = "own_"
# A counter that told nothing for so long, while others did, ranks no more.
_SILENT = timedelta(days=30)
DayRow = tuple[str, date, ReadKind, int]
# What `ReadRepository.counted_days` gives, for callers to hand on.
CountedDays = sa.Subquery | None


class ReadRepository(PolledRepository):
    """What the counters told. Stories go by public id; one we don't know is left out."""

    role = "reads"

    def lock(self, slug: str) -> None:
        """Let one transaction at a time turn this counter's totals or log lines into days."""
        lock_name(self._connection, f"reads {slug}")

    def kind_of(self, slug: str) -> ReadKind | None:
        """What the counter counts: the kind that it last told; None at first."""
        kind = self._connection.scalar(
            sa.select(source.c.stats_kind).where(source.c.id == self._key(slug))
        )
        return ReadKind(kind) if kind else None

    def change_kind(self, slug: str, kind: ReadKind, at: datetime) -> None:
        """Note that the counter, which told another kind so far, counts ``kind`` from ``at`` on."""
        self._update(
            slug,
            {"former_kind": source.c.stats_kind, "stats_kind": kind.value, "kind_since": at},
        )

    def kind_changes(self, slugs: Collection[str], since: datetime) -> dict[str, KindChange]:
        """How these counters changed what they count, of those that did at ``since`` or later."""
        rows = self._connection.execute(
            sa.select(
                source.c.slug, source.c.former_kind, source.c.stats_kind, source.c.kind_since
            ).where(
                source.c.role == self.role,
                source.c.slug.in_(slugs),
                source.c.kind_since >= since,
            )
        )
        return {
            row.slug: KindChange(
                ReadKind(row.former_kind), ReadKind(row.stats_kind), row.kind_since
            )
            for row in rows
        }

    def ranking_kinds(self, reads_slugs: Sequence[str]) -> dict[str, ReadKind]:
        """What each of these counters counts, the one first whose kind ranks.

        That is the first named. Left out are those that told nothing yet, or
        nothing for a month while others did.
        """
        last_day = (
            sa.select(read_day.c.day)
            .where(read_day.c.reads_id == source.c.id, read_day.c.kind == source.c.stats_kind)
            .order_by(read_day.c.day.desc())
            .limit(1)
            .scalar_subquery()
        )
        rows = self._connection.execute(
            sa.select(source.c.slug, source.c.stats_kind, last_day.label("last_day")).where(
                source.c.role == self.role, source.c.slug.in_(reads_slugs)
            )
        )
        told = {row.slug: row for row in rows if row.last_day is not None}
        newest = max((row.last_day for row in told.values()), default=date.min)
        return {
            slug: ReadKind(told[slug].stats_kind)
            for slug in dict.fromkeys(reads_slugs)
            if slug in told and newest - told[slug].last_day <= _SILENT
        }

    def put_days(self, slug: str, rows: Iterable[DayRow], *, own: bool = False) -> None:
        """Set the reads of (story, local day, kind); the last value wins.

        ``own`` ones are those among the reads that our own mails caused.
        """
        self._write_days(slug, rows, own=own, add=False)

    def add_to_days(self, slug: str, rows: Iterable[DayRow], *, own: bool = False) -> None:
        """Add to the reads of (story, local day, kind)."""
        self._write_days(slug, rows, own=own, add=True)

    def day_values(
        self, slug: str, kind: ReadKind, days: Collection[date]
    ) -> dict[tuple[str, date], int]:
        """What stands for these days, by story and day."""
        reads_id = source_key(self._connection, self.role, slug)
        return {
            (row.public_id, row.day): row.reads
            for chunk in chunks(sorted(set(days)))
            for row in self._connection.execute(
                sa.select(story.c.public_id, read_day.c.day, read_day.c.reads)
                .join_from(read_day, story, story.c.id == read_day.c.story_id)
                .where(
                    read_day.c.reads_id == reads_id,
                    read_day.c.day.in_(chunk),
                    read_day.c.kind == kind.value,
                )
            )
        }

    def largest_day(self, slug: str, kind: ReadKind) -> int:
        """The most reads that the counter ever told of one story on one day; 0 at first."""
        reads_id = source_key(self._connection, self.role, slug)
        largest = self._connection.scalar(
            sa.select(sa.func.max(read_day.c.reads)).where(
                read_day.c.reads_id == reads_id, read_day.c.kind == kind.value
            )
        )
        return int(largest or 0)

    def usual_days(
        self, slug: str, kind: ReadKind, public_ids: Collection[str]
    ) -> dict[str, float]:
        """The mean reads a day of each of these stories, over the days that were told."""
        reads_id = source_key(self._connection, self.role, slug)
        return {
            public_id: float(mean)
            for chunk in chunks(sorted(public_ids))
            for public_id, mean in self._connection.execute(
                sa.select(story.c.public_id, sa.func.avg(read_day.c.reads))
                .join_from(story, read_day, story.c.id == read_day.c.story_id)
                .where(
                    story.c.public_id.in_(chunk),
                    read_day.c.reads_id == reads_id,
                    read_day.c.kind == kind.value,
                )
                .group_by(story.c.public_id)
            )
        }

    def largest_growth(self, slug: str, kind: ReadKind) -> int:
        """The most that a total grew by from one that was kept to the next; 0 at first."""
        before = sa.func.lag(read_point.c.total).over(
            partition_by=read_point.c.story_id, order_by=read_point.c.taken_at
        )
        grown = (
            sa.select((read_point.c.total - before).label("reads"))
            .where(
                read_point.c.reads_id == source_key(self._connection, self.role, slug),
                read_point.c.kind == kind.value,
            )
            .subquery()
        )
        return max(0, int(self._connection.scalar(sa.select(sa.func.max(grown.c.reads))) or 0))

    def put_totals(
        self,
        slug: str,
        taken_at: datetime,
        rows: Iterable[tuple[str, int]],
        kind: ReadKind = ReadKind.VIEWS,
    ) -> None:
        """Keep a counter's totals; those that did not change since the last time add no row."""
        totals = dict(rows)
        last = self.last_totals(slug, kind)
        new = {story_id: n for story_id, n in totals.items() if last.get(story_id) != n}
        reads_id = source_key(self._connection, self.role, slug)
        values = [
            {
                "reads_id": reads_id,
                "story_id": key,
                "taken_at": taken_at,
                "total": new[public_id],
                "kind": kind.value,
            }
            for public_id, key in self._story_keys(new).items()
        ]
        if totals:
            self._note_kind(reads_id, kind)
        if not values:
            return
        statement = insert_into(self._connection, read_point)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["reads_id", "story_id", "taken_at"],
                set_={"total": statement.excluded.total, "kind": statement.excluded.kind},
            ),
            values,
        )

    def last_totals(self, slug: str, kind: ReadKind = ReadKind.VIEWS) -> dict[str, int]:
        """The latest total of that kind of each story that the counter told of."""
        reads_id = source_key(self._connection, self.role, slug)
        of_kind = sa.and_(read_point.c.reads_id == reads_id, read_point.c.kind == kind.value)
        newest = (
            sa.select(read_point.c.story_id, sa.func.max(read_point.c.taken_at).label("taken_at"))
            .where(of_kind)
            .group_by(read_point.c.story_id)
            .subquery()
        )
        rows = self._connection.execute(
            sa.select(story.c.public_id, read_point.c.total)
            .join_from(
                newest,
                read_point,
                sa.and_(
                    of_kind,
                    read_point.c.story_id == newest.c.story_id,
                    read_point.c.taken_at == newest.c.taken_at,
                ),
            )
            .join(story, story.c.id == read_point.c.story_id)
        )
        return {row.public_id: row.total for row in rows}

    def doubts(self, slug: str) -> list[ReadDoubt]:
        """What of the counter is set aside, in the order of days."""
        reads_id = source_key(self._connection, self.role, slug)
        rows = self._connection.execute(
            sa.select(
                story.c.public_id,
                read_doubt.c.day,
                read_doubt.c.kind,
                read_doubt.c.reads,
                read_doubt.c.total,
            )
            .join_from(read_doubt, story, story.c.id == read_doubt.c.story_id)
            .where(read_doubt.c.reads_id == reads_id)
            .order_by(read_doubt.c.day, read_doubt.c.story_id, read_doubt.c.kind)
        )
        return [ReadDoubt(r.public_id, r.day, ReadKind(r.kind), r.reads, r.total) for r in rows]

    def put_doubts(self, slug: str, doubts: Iterable[ReadDoubt]) -> None:
        """Set reads aside; the last word on a (story, day, kind) stands."""
        listed = list(doubts)
        reads_id = source_key(self._connection, self.role, slug)
        keys = self._story_keys({doubt.story for doubt in listed})
        values = [
            {
                "reads_id": reads_id,
                "story_id": keys[doubt.story],
                "day": doubt.day,
                "kind": doubt.kind.value,
                "reads": doubt.reads,
                "total": doubt.total,
            }
            for doubt in listed
            if doubt.story in keys
        ]
        if not values:
            return
        statement = insert_into(self._connection, read_doubt)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["reads_id", "story_id", "day", "kind"],
                set_={"reads": statement.excluded.reads, "total": statement.excluded.total},
            ),
            values,
        )

    def drop_doubts(self, slug: str, doubts: Iterable[ReadDoubt]) -> None:
        """Forget that these were set aside."""
        listed = list(doubts)
        reads_id = source_key(self._connection, self.role, slug)
        keys = self._story_keys({doubt.story for doubt in listed})
        for doubt in listed:
            self._connection.execute(
                sa.delete(read_doubt).where(
                    read_doubt.c.reads_id == reads_id,
                    read_doubt.c.story_id == keys[doubt.story],
                    read_doubt.c.day == doubt.day,
                    read_doubt.c.kind == doubt.kind.value,
                )
            )

    def sums(
        self,
        counters: Mapping[str, str],
        first_day: date,
        last_day: date,
        *,
        less_own: bool = False,
    ) -> dict[str, int]:
        """Reads of each story from ``first_day`` to ``last_day``, both included.

        ``counters`` holds the counter of each source. One alone counts a story,
        as `counted_days` says. With ``less_own`` what our own mails caused is taken off.
        """
        days = self.counted_days(counters, first_day, last_day, less_own=less_own)
        if days is None:
            return {}
        total = (
            sa.select(days.c.story_id, sa.func.sum(days.c.reads).label("reads"))
            .group_by(days.c.story_id)
            .subquery()
        )
        rows = self._connection.execute(
            sa.select(story.c.public_id, total.c.reads).join_from(
                total, story, story.c.id == total.c.story_id
            )
        )
        return {public_id: max(0, int(reads)) for public_id, reads in rows}

    def own_sums(
        self, counters: Mapping[str, str], first_day: date, last_day: date
    ) -> dict[str, int]:
        """What `sums` takes off each story with ``less_own``: the reads that our mails caused."""
        ranking = self._ranking(counters)
        if ranking is None:
            return {}
        rows = self._connection.execute(
            sa.select(story.c.public_id, sa.func.sum(read_day.c.reads))
            .join_from(read_day, story, story.c.id == read_day.c.story_id)
            .where(
                read_day.c.reads_id.in_(ranking.counters.values()),
                read_day.c.day.between(first_day, last_day),
                read_day.c.kind == _OWN + ranking.kind.value,
                sa.or_(*(sa.and_(read_day.c.reads_id == key, its) for key, its in ranking.whose())),
            )
            .group_by(story.c.public_id)
        )
        return {public_id: int(reads) for public_id, reads in rows}

    def tells_own(self, slug: str) -> bool:
        """Whether of any of the counter's reads it is known that our own mails caused them."""
        own = [_OWN + kind.value for kind in ReadKind]
        rows = sa.exists().where(read_day.c.reads_id == self._key(slug), read_day.c.kind.in_(own))
        return bool(self._connection.scalar(sa.select(rows)))

    def histories(
        self,
        counters: Mapping[str, str],
        source_slugs: Sequence[str],
        zone: ZoneInfo,
        until: datetime,
        *,
        life_days: int,
        limit: int,
        less_own: bool = False,
    ) -> list[PastStory]:
        """The lives of the last ``limit`` stories that were ``life_days`` old at ``until``.

        Local days are those of ``zone``. Which counts they are `counted_days` says. A story
        that came before the counters did has a beginning that nobody counted, and
        is left out.
        """
        began = self.first_day(counters)
        if began is None:
            return []
        life = timedelta(days=life_days)
        sources = sa.select(source.c.id).where(
            source.c.role == "source", source.c.slug.in_(source_slugs)
        )
        past = (
            sa.select(story.c.id, story.c.published_at, story.c.departments)
            .where(
                story.c.published_at >= datetime.combine(began, time(), zone),
                story.c.published_at <= until - life,
                story.c.source_id.in_(sources),
            )
            .order_by(story.c.published_at.desc(), story.c.id.desc())
            .limit(limit)
        )
        stories = {row.id: row for row in self._connection.execute(past)}
        if not stories:
            return []
        first_day = min(row.published_at for row in stories.values()).astimezone(zone).date()
        last_day = until.astimezone(zone).date()
        counted = self.counted_days(counters, first_day, last_day, less_own=less_own)
        if counted is None:
            return []
        rows = self._connection.execute(
            sa.select(
                counted.c.story_id, counted.c.day, sa.func.sum(counted.c.reads).label("reads")
            )
            .where(
                counted.c.story_id.in_(past.with_only_columns(story.c.id).subquery().select()),
            )
            .group_by(counted.c.story_id, counted.c.day)
        )
        days: dict[int, Counter[date]] = {}
        for row in rows:
            days.setdefault(row.story_id, Counter())[row.day] = max(0, int(row.reads))
        lives = sorted(days.items())
        return [_past_story(stories[key], its, life_days, zone) for key, its in lives]

    def first_day(self, counters: Mapping[str, str]) -> date | None:
        """The first day that these counters told of in the kind that ranks."""
        ranking = self._ranking(counters)
        if ranking is None:
            return None
        first: date | None = self._connection.scalar(
            sa.select(sa.func.min(read_day.c.day)).where(
                read_day.c.reads_id.in_(ranking.counters.values()),
                read_day.c.kind == ranking.kind.value,
            )
        )
        return first

    def counted_days(
        self,
        counters: Mapping[str, str],
        first_day: date,
        last_day: date,
        *,
        less_own: bool = False,
    ) -> CountedDays:
        """The rows (story_id, day, reads) that rank, for statements to build upon.

        ``counters`` holds the counter of each source. A story is counted by that of
        its own source alone, and not at all where that counts another kind than the
        one that ranks (`ranking_kinds`). Where its source has no counter that tells
        anything, the first that ranks counts it, as far as it knows the address.
        None where nothing was counted. A story may have several rows a day, those
        of ``less_own`` with a minus.
        """
        ranking = self._ranking(counters)
        if ranking is None:
            return None
        kind, keys = ranking.kind, list(ranking.counters.values())
        within = sa.exists().where(
            read_day.c.reads_id.in_(keys),
            read_day.c.day.between(first_day, last_day),
            read_day.c.kind == kind.value,
        )
        if not self._connection.scalar(sa.select(within)):
            return None
        kinds = [kind.value, _OWN + kind.value] if less_own else [kind.value]
        counter: sa.ColumnElement[int] = read_day.c.reads_id
        if self._connection.dialect.name == "sqlite":
            # Not by the table's own key, which would sort 2.8 million rows of a month by
            # story (1.5 s): the index beside it holds them in that order (0.5 s).
            counter = counter + 0
        signed = sa.case((read_day.c.kind == kind.value, read_day.c.reads), else_=-read_day.c.reads)
        reads = signed if less_own else read_day.c.reads
        rows = sa.select(read_day.c.story_id, read_day.c.day, reads.label("reads")).where(
            counter.in_(keys),
            read_day.c.day.between(first_day, last_day),
            read_day.c.kind.in_(kinds),
        )
        if ranking.speak > 1:
            rows = rows.join(story, story.c.id == read_day.c.story_id).where(
                sa.or_(*(sa.and_(counter == key, whose) for key, whose in ranking.whose()))
            )
        return rows.subquery()

    def _ranking(self, counters: Mapping[str, str]) -> "_Ranking | None":
        """What ranks, of the counter of each source; None where none told anything."""
        kinds = self.ranking_kinds(list(counters.values()))
        kind = next(iter(kinds.values()), None)
        if kind is None:
            return None
        told = {s: kinds[slug] for s, slug in counters.items() if slug in kinds}
        keys = {s: source_key(self._connection, "source", s) for s in told}
        return _Ranking(
            kind,
            {keys[s]: self._key(counters[s]) for s, its in told.items() if its is kind},
            frozenset(keys.values()),
        )

    def _note_kind(self, reads_id: int, kind: ReadKind) -> None:
        self._connection.execute(
            sa.update(source)
            .where(source.c.id == reads_id, source.c.stats_kind.is_distinct_from(kind.value))
            .values(stats_kind=kind.value)
        )

    def _write_days(self, slug: str, rows: Iterable[DayRow], *, own: bool, add: bool) -> None:
        listed = list(rows)
        reads_id = source_key(self._connection, self.role, slug)
        keys = self._story_keys({row[0] for row in listed})
        values: list[dict[str, Any]] = [
            {
                "reads_id": reads_id,
                "day": day,
                "kind": _OWN + kind.value if own else kind.value,
                "story_id": keys[public_id],
                "reads": count,
            }
            for public_id, day, kind, count in listed
            if public_id in keys
        ]
        if not values:
            return
        if not own:
            self._note_kind(reads_id, listed[-1][2])
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


@dataclass(frozen=True)
class _Ranking:
    """The kind that ranks, and whose stories which counter counts, all by their rows' keys.

    ``counters`` by source, the first one first; ``heard`` are the sources whose
    counters told anything, of whatever kind.
    """

    kind: ReadKind
    counters: Mapping[int, int]
    heard: frozenset[int]

    @property
    def speak(self) -> int:
        """How many sources' counters told anything: with one, it counts all stories."""
        return len(self.heard)

    def whose(self) -> Iterator[tuple[int, sa.ColumnElement[bool]]]:
        """Each counter, and which stories it counts; the first also those of no other."""
        first, *others = self.counters
        yield self.counters[first], story.c.source_id.not_in(self.heard - {first})
        for source_id in others:
            yield self.counters[source_id], story.c.source_id == source_id


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
