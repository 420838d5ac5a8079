"""Stories: found again by the merge ladder, saved in batches."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.sources.model import StoryKey
from newsletter.storage.documents import picture_document, picture_from_document
from newsletter.storage.statements import AnyRow, chunks, insert_into, source_key
from newsletter.storage.tables import source, story, story_trail
from newsletter.stories.model import Story, StoryKeys, TrailEntry, TrailKind

# The noun's fields, in its order: each is a column of that name, save the source.
_FIELDS = tuple(field.name for field in fields(Story))
_SELECT = sa.select(
    *(source.c.slug if name == "source" else story.c[name] for name in _FIELDS)
).join_from(story, source)
_DEPARTMENTS, _TAGS, _PICTURE = (_FIELDS.index(name) for name in ("departments", "tags", "picture"))


class StoryRepository:
    """What we believe of every story we ever saw."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def matching(self, source: str, keys: Sequence[StoryKeys]) -> list[Story]:
        """Every story that any of ``keys`` may mean, for `stories.merge` to decide.

        By native id or guid within the source ``source``; by address, or by
        normalised title and local date, whatever its source.
        """
        own = story.c.source_id == source_key(self._connection, "source", source)
        found: set[int] = set()
        for column, values, within in (
            (story.c.native_id, {key.native_id for key in keys}, own),
            (story.c.guid, {key.guid for key in keys}, own),
            (story.c.url, {key.url for key in keys}, sa.true()),
        ):
            for chunk in chunks(values - {None, ""}):
                found.update(
                    self._connection.scalars(sa.select(story.c.id).where(column.in_(chunk), within))
                )
        found |= self._with_titles({(k.title_key, k.published_on) for k in keys if k.title_key})
        return [
            _from_row(row)
            for chunk in chunks(sorted(found))
            for row in self._connection.execute(
                _SELECT.where(story.c.id.in_(chunk)).order_by(story.c.id)
            )
        ]

    def save(self, stories: Iterable[Story]) -> None:
        """Insert or replace by public id; NotFound where a source is not configured."""
        keys: dict[str, int] = {}
        rows = []
        for one in stories:
            if one.source not in keys:
                keys[one.source] = source_key(self._connection, "source", one.source)
            rows.append(_to_row(one, keys[one.source]))
        if not rows:
            return
        statement = insert_into(self._connection, story)
        kept = [name for name in rows[0] if name != "public_id"]
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["public_id"], set_={name: statement.excluded[name] for name in kept}
            ),
            rows,
        )

    def add_trail(self, entries: Iterable[TrailEntry]) -> None:
        """Append what changed; each entry's story must be saved already."""
        found = list(entries)
        if not found:
            return
        keys = {
            public_id: key
            for chunk in chunks({entry.story_id for entry in found})
            for public_id, key in self._connection.execute(
                sa.select(story.c.public_id, story.c.id).where(story.c.public_id.in_(chunk))
            )
        }
        rows = [
            {
                "story_id": keys[entry.story_id],
                "at": entry.at,
                "source": entry.source,
                "kind": entry.kind.value,
                "before": entry.before,
                "after": entry.after,
            }
            for entry in found
        ]
        self._connection.execute(sa.insert(story_trail), rows)

    def trail(self, public_ids: Collection[str]) -> list[TrailEntry]:
        """What befell these stories, the oldest first."""
        trail = story_trail.c
        rows = [
            row
            for chunk in chunks(public_ids)
            for row in self._connection.execute(
                sa.select(
                    trail.id,
                    story.c.public_id,
                    trail.at,
                    trail.source,
                    trail.kind,
                    trail.before,
                    trail.after,
                )
                .join_from(story_trail, story)
                .where(story.c.public_id.in_(chunk))
            )
        ]
        return [
            TrailEntry(story_id, at, slug, TrailKind(kind), before, after)
            for _, story_id, at, slug, kind, before, after in sorted(rows, key=lambda row: row.id)
        ]

    def at_url(self, url: str) -> list[Story]:
        """The stories at this canonical address, the first seen first."""
        return [
            _from_row(row)
            for row in self._connection.execute(
                _SELECT.where(story.c.url == url).order_by(story.c.id)
            )
        ]

    def published_since(self, sources: Sequence[str], since: datetime) -> list[Story]:
        """Stories of these sources published at ``since`` or later, the newest first.

        Hidden ones too. No sources at all means every source, as in the settings.
        """
        return self._newest(sources, story.c.published_at >= since)

    def recent(self, sources: Sequence[str], limit: int) -> list[Story]:
        """The last ``limit`` stories of these sources (none: of all), the newest first."""
        return self._newest(sources, sa.true(), limit)

    def by_ids(self, public_ids: Collection[str]) -> list[Story]:
        """The stories of these public ids, as far as they exist, in no order."""
        return [
            _from_row(row)
            for chunk in chunks(public_ids)
            for row in self._connection.execute(_SELECT.where(story.c.public_id.in_(chunk)))
        ]

    def identify(self, source: str, keys: Sequence[StoryKey]) -> dict[StoryKey, str]:
        """The public ids of the stories that a counter of ``source`` names.

        The source's own id counts more than an address; of several stories
        with one address the source's own is meant. Unknown keys are left out.
        """
        source_id = source_key(self._connection, "source", source)
        own = story.c.source_id == source_id
        ids = self._public_ids(story.c.native_id, {key.native_id for key in keys}, own)
        urls = self._public_ids(story.c.url, {key.url for key in keys}, sa.true())
        urls |= self._public_ids(story.c.url, {key.url for key in keys}, own)
        named = {key: ids.get(key.native_id) or urls.get(key.url) for key in keys}
        return {key: public_id for key, public_id in named.items() if public_id}

    def addresses(self, source: str, since: datetime | None = None) -> list[tuple[str, str]]:
        """Public id and address of a source's stories, of those since ``since``, newest first."""
        within = story.c.source_id == source_key(self._connection, "source", source)
        if since is not None:
            within = within & (story.c.published_at >= since) & (story.c.hidden == "")
        rows = self._connection.execute(
            sa.select(story.c.public_id, story.c.url)
            .where(within, story.c.url != "")
            .order_by(story.c.published_at.desc(), story.c.id.desc())
        )
        return [(row.public_id, row.url) for row in rows]

    def _with_titles(self, titles: set[tuple[str, Any]]) -> set[int]:
        return {
            row.id
            for chunk in chunks({title for title, _ in titles})
            for row in self._connection.execute(
                sa.select(story.c.id, story.c.title_key, story.c.published_on).where(
                    story.c.title_key.in_(chunk)
                )
            )
            if (row.title_key, row.published_on) in titles
        }

    def _public_ids(
        self,
        column: sa.Column[Any],
        values: set[str | None],
        within: sa.ColumnElement[bool],
    ) -> dict[str | None, str]:
        return {
            value: public_id
            for chunk in chunks(values - {None, ""})
            for value, public_id in self._connection.execute(
                sa.select(column, story.c.public_id)
                .where(column.in_(chunk), within)
                # The last one wins, so that the first story seen does.
                .order_by(story.c.id.desc())
            )
        }

    def _newest(
        self, sources: Sequence[str], where: sa.ColumnElement[bool], limit: int | None = None
    ) -> list[Story]:
        statement = _SELECT.where(where).order_by(story.c.published_at.desc(), story.c.id.desc())
        if sources:
            keys = sa.select(source.c.id).where(
                source.c.role == "source", source.c.slug.in_(sources)
            )
            statement = statement.where(story.c.source_id.in_(keys))
        return [_from_row(row) for row in self._connection.execute(statement.limit(limit))]


def _to_row(one: Story, source_id: int) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in _FIELDS if name != "source"}
    row["source_id"] = source_id
    row["departments"] = list(one.departments)
    row["tags"] = list(one.tags)
    row["picture"] = picture_document(one.picture)
    return row


def _from_row(row: AnyRow) -> Story:
    # By position: a pool has thousands of these, and names cost half the time.
    values = list(row)
    values[_DEPARTMENTS] = tuple(values[_DEPARTMENTS])
    values[_TAGS] = tuple(values[_TAGS])
    values[_PICTURE] = picture_from_document(values[_PICTURE])
    return Story(*values)
