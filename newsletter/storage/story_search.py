"""An editor's search over all stories: by words of the headline, department, and date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage.reads import CountedDays
from newsletter.storage.tables import source, story


@dataclass(frozen=True)
class StoryQuery:
    """What is searched for. ``words`` are as `stories.canonical.title_key` writes them.

    Each must begin a word of the headline. ``department`` is one of the story's, as the
    paper writes it. Published from ``since`` to before ``until``.
    """

    until: datetime
    words: tuple[str, ...] = ()
    department: str = ""
    since: datetime | None = None
    sources: tuple[str, ...] = ()


class StorySearch:
    """Public ids of what is found; stories that readers may not see are left out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self, query: StoryQuery, limit: int) -> list[str]:
        """The newest first."""
        return list(
            self._connection.scalars(
                sa.select(story.c.public_id)
                .where(*self._matching(query))
                .order_by(story.c.published_at.desc(), story.c.id.desc())
                .limit(limit)
            )
        )

    def most_read(self, query: StoryQuery, days: CountedDays, limit: int) -> list[str]:
        """The most read on ``days`` first; without reads the newest, behind those with some."""
        if days is None:
            return self.newest(query, limit)
        found = sa.select(story.c.id).where(*self._matching(query))
        total = sa.func.sum(days.c.reads)
        sums = (
            sa.select(days.c.story_id, total.label("reads"))
            .where(days.c.story_id.in_(found))
            .group_by(days.c.story_id)
            .having(total > 0)
            .order_by(total.desc(), days.c.story_id.desc())
            .limit(limit)
            .subquery()
        )
        read = list(
            self._connection.scalars(
                sa.select(story.c.public_id)
                .join_from(sums, story, story.c.id == sums.c.story_id)
                .order_by(sums.c.reads.desc(), sums.c.story_id.desc())
            )
        )
        if len(read) >= limit:
            return read
        rest = [one for one in self.newest(query, limit) if one not in set(read)]
        return [*read, *rest][:limit]

    def _matching(self, query: StoryQuery) -> list[sa.ColumnElement[bool]]:
        where = [story.c.hidden == "", story.c.published_at < query.until]
        if query.since is not None:
            where.append(story.c.published_at >= query.since)
        if query.sources:
            keys = sa.select(source.c.id).where(
                source.c.role == "source", source.c.slug.in_(query.sources)
            )
            where.append(story.c.source_id.in_(keys))
        if query.department:
            where.append(self._of_department(query.department))
        if query.words:
            where.append(story.c.id.in_(self._with_words(query.words)))
        return where

    def _with_words(self, words: Sequence[str]) -> sa.Select[tuple[int]]:
        """The rows whose headline has all ``words``, by their beginnings.

        On its own it is answered from the index of headlines: the rows are far larger.
        """
        other = story.alias("titled")
        key = sa.literal(" ") + other.c.title_key
        where = [key.contains(f" {word}", autoescape=True) for word in words]
        plain = [word for word in words if word.isalnum()]
        if self._connection.dialect.name == "postgresql" and plain:
            asked = " & ".join(f"'{word}':*" for word in plain)
            simple: sa.ColumnElement[str] = sa.literal_column("'simple'")
            vector = sa.func.to_tsvector(simple, other.c.title_key)
            where.append(vector.op("@@")(sa.func.to_tsquery(simple, asked)))
        return sa.select(other.c.id).where(*where)

    def _of_department(self, department: str) -> sa.ColumnElement[bool]:
        if self._connection.dialect.name == "sqlite":
            names = sa.func.json_each(story.c.departments).table_valued("value")
            return sa.exists(sa.select(names.c.value).where(names.c.value == department))
        name = sa.func.json_array_elements_text(story.c.departments).table_valued("value")
        return sa.exists(sa.select(name.c.value).where(name.c.value == department))
