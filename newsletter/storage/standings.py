"""Where stories stand by their reads: the candidates of an issue, and what became of old ones.

Everything is added up in the database, and of many stories only the few come
back that may win. Which rows count `ReadRepository.counted_days` says, and
gives them as ``days``; with None for them nothing was counted.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.ranking.model import Standing
from newsletter.storage.reads import CountedDays
from newsletter.storage.statements import chunks
from newsletter.storage.tables import source, story


class Standings:
    """Stories by their reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def most_read(self, days: CountedDays, limit: int) -> tuple[dict[str, int], int]:
        """The ``limit`` stories with the most reads on ``days``, and how many were read at all.

        Of stories with as many, the last one seen comes first.
        """
        if days is None:
            return {}, 0
        total = sa.func.sum(days.c.reads)
        sums = (
            sa.select(
                days.c.story_id, total.label("reads"), sa.func.count().over().label("stories")
            )
            .group_by(days.c.story_id)
            .having(total > 0)
            .order_by(total.desc(), days.c.story_id.desc())
            .limit(limit)
            .subquery()
        )
        rows = self._connection.execute(
            sa.select(story.c.public_id, sums.c.reads, sums.c.stories).join_from(
                sums, story, story.c.id == sums.c.story_id
            )
        ).all()
        return {row.public_id: int(row.reads) for row in rows}, rows[0].stories if rows else 0

    def reads_of(self, days: CountedDays, public_ids: Collection[str]) -> dict[str, int]:
        """The reads of these stories on ``days``; one that was never counted is missing."""
        if days is None:
            return {}
        reads = _reads_of_story(days)
        return {
            public_id: max(0, int(count))
            for chunk in chunks(sorted(public_ids))
            for public_id, count in self._connection.execute(
                sa.select(story.c.public_id, reads).where(story.c.public_id.in_(chunk))
            )
            if count is not None
        }

    def newest(
        self, sources: Sequence[str], start: datetime, end: datetime, limit: int | None
    ) -> tuple[list[str], int]:
        """The ids of the ``limit`` newest stories from ``start`` to before ``end``.

        And how many there are. Stories that readers may not see are left out.
        """
        where = _published(sources, start, end)
        ids = self._connection.scalars(
            sa.select(story.c.public_id).where(*where).order_by(*_NEWEST_FIRST).limit(limit)
        )
        count = sa.select(sa.func.count()).select_from(story).where(*where)
        return list(ids), self._connection.scalar(count) or 0

    def standings(
        self,
        days: CountedDays,
        sources: Sequence[str],
        start: datetime,
        end: datetime,
        limit: int | None = None,
    ) -> list[Standing]:
        """The stories published from ``start`` to before ``end``, with their reads on ``days``.

        The newest first, ``limit`` of them; those that readers may not see are left out.
        """
        reads = sa.literal(0) if days is None else _reads_of_story(days)
        rows = self._connection.execute(
            sa.select(
                story.c.public_id,
                story.c.published_at,
                story.c.departments,
                story.c.syndicated_from != "",
                reads,
            )
            .where(*_published(sources, start, end))
            .order_by(*_NEWEST_FIRST)
            .limit(limit)
        )
        return [
            Standing(
                public_id, published_at, tuple(departments), bool(syndicated), max(0, count or 0)
            )
            for public_id, published_at, departments, syndicated, count in rows
        ]

    def by_day(self, days: CountedDays, public_ids: Collection[str]) -> dict[str, dict[date, int]]:
        """The reads of these stories on each of ``days``, as far as they were counted."""
        if days is None:
            return {}
        found: dict[str, dict[date, int]] = {}
        for chunk in chunks(sorted(public_ids)):
            rows = self._connection.execute(
                sa.select(story.c.public_id, days.c.day, sa.func.sum(days.c.reads))
                .join_from(story, days, days.c.story_id == story.c.id)
                .where(story.c.public_id.in_(chunk))
                .group_by(story.c.public_id, days.c.day)
                .order_by(story.c.public_id, days.c.day)
            )
            for public_id, day, count in rows:
                found.setdefault(public_id, {})[day] = max(0, int(count))
        return found


_NEWEST_FIRST = (story.c.published_at.desc(), story.c.id.desc())


def _reads_of_story(days: sa.Subquery) -> sa.ScalarSelect[int]:
    """The reads of the story beside it, by a look into the index for each."""
    return (
        sa.select(sa.func.sum(days.c.reads)).where(days.c.story_id == story.c.id).scalar_subquery()
    )


def _published(
    sources: Sequence[str], start: datetime, end: datetime
) -> tuple[sa.ColumnElement[bool], ...]:
    keys = sa.select(source.c.id).where(source.c.role == "source", source.c.slug.in_(list(sources)))
    return (
        story.c.published_at >= start,
        story.c.published_at < end,
        story.c.hidden == "",
        story.c.source_id.in_(keys),
    )
