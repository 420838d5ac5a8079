"""Settings in versions, and the rows of what they name."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import NotFound
from newsletter.publication.model import Newsletter, Settings
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.statements import insert_or_leave, newsletter_key
from newsletter.tokens import new_public_id


@dataclass(frozen=True)
class SettingsVersion:
    """The settings as they stood from ``at`` on; ``document`` as in the config file."""

    version: int
    at: datetime
    actor: str
    document: dict[str, Any]


class SettingsRepository:
    """Versioned settings; rows for every slug that they name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def latest(self) -> SettingsVersion | None:
        """The version in force, or None in a new database."""
        settings = t.settings.c
        row = self._connection.execute(
            sa.select(settings.id, settings.at, settings.actor, settings.document)
            .order_by(settings.id.desc())
            .limit(1)
        ).one_or_none()
        return SettingsVersion(*row) if row else None

    def append(self, document: dict[str, Any], actor: str, at: datetime) -> int:
        """Add a version; its number."""
        version = self._connection.execute(
            sa.insert(t.settings)
            .values(at=at, actor=actor, document=document)
            .returning(t.settings.c.id)
        ).scalar_one()
        self._changes.record(at, actor, "settings", "settings", "changed", {"version": version})
        return int(version)

    def register(self, settings: Settings, at: datetime) -> None:
        """See that every source, counter, newsletter and section has its row.

        A slug that the settings no longer name keeps its row and its history.
        """
        self._register_polled("source", [source.slug for source in settings.source])
        self._register_polled("reads", [reads.slug for reads in settings.reads])
        for newsletter in settings.newsletter:
            self._register_newsletter(newsletter, at)

    def newsletter_id(self, slug: str) -> str:
        """The public id of a newsletter; NotFound."""
        newsletter = t.newsletter.c
        return str(self._newsletter(newsletter.public_id, newsletter.slug == slug, slug))

    def newsletter_slug(self, public_id: str) -> str:
        """The slug of a newsletter; NotFound."""
        newsletter = t.newsletter.c
        return str(self._newsletter(newsletter.slug, newsletter.public_id == public_id, public_id))

    def newsletter_since(self, slug: str) -> datetime:
        """When the newsletter was first registered; NotFound."""
        newsletter = t.newsletter.c
        since: datetime = self._newsletter(newsletter.created_at, newsletter.slug == slug, slug)
        return since

    def _newsletter(self, column: sa.Column[Any], where: sa.ColumnElement[bool], name: str) -> Any:
        found = self._connection.scalar(sa.select(column).where(where))
        if found is None:
            raise NotFound(f'there is no newsletter "{name}"', subject=name)
        return found

    def _register_polled(self, role: str, slugs: list[str]) -> None:
        insert_or_leave(
            self._connection,
            t.source,
            [{"role": role, "slug": slug, "configured": True} for slug in slugs],
        )
        named = t.source.c.slug.in_(slugs)
        self._connection.execute(
            sa.update(t.source)
            .where(t.source.c.role == role, t.source.c.configured != named)
            .values(configured=named)
        )

    def _register_newsletter(self, newsletter: Newsletter, at: datetime) -> None:
        insert_or_leave(
            self._connection,
            t.newsletter,
            {"slug": newsletter.slug, "public_id": new_public_id(), "created_at": at},
        )
        key = newsletter_key(self._connection, newsletter.slug)
        insert_or_leave(
            self._connection,
            t.section,
            [{"newsletter_id": key, "slug": plan.slug} for plan in newsletter.sections],
        )
