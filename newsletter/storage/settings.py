"""Settings in versions, and the rows of what they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import NotFound
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.ready import ReadyStatement
from newsletter.storage.statements import insert_or_leave, lock_name, newsletter_key
from newsletter.tokens import new_public_id

_COLUMNS = (
    *(t.settings.c.id, t.settings.c.at, t.settings.c.actor),
    *(t.settings.c.document, t.settings.c.fixed),
)


@dataclass(frozen=True)
class SettingsVersion:
    """The settings as they stood from ``at`` on; ``document`` as in the config file.

    ``fixed`` is what the file set of them at the latest start; None where that is not known.
    """

    version: int
    at: datetime
    actor: str
    document: dict[str, Any]
    fixed: dict[str, Any] | None = None


# So many versions are looked through together.
_AT_ONCE = 20
_LATEST = ReadyStatement(lambda _: sa.select(*_COLUMNS).order_by(t.settings.c.id.desc()).limit(1))
_VERSION = ReadyStatement(lambda _: sa.select(sa.func.max(t.settings.c.id)))
_NEWSLETTER = sa.select(t.newsletter.c.slug, t.newsletter.c.public_id, t.newsletter.c.created_at)
_BY_SLUG = ReadyStatement(lambda _: _NEWSLETTER.where(t.newsletter.c.slug == sa.bindparam("slug")))
_BY_ID = ReadyStatement(
    lambda _: _NEWSLETTER.where(t.newsletter.c.public_id == sa.bindparam("public_id"))
)


class SettingsRepository:
    """Versioned settings; rows for every slug that they name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def latest(self) -> SettingsVersion | None:
        """The version in force, or None in a new database."""
        row = _LATEST.first(self._connection)
        return SettingsVersion(*row) if row else None

    def version(self) -> int | None:
        """Its number alone."""
        number: int | None = _VERSION.scalar(self._connection)
        return number

    def get(self, number: int) -> SettingsVersion:
        """One version; NotFound."""
        row = self._connection.execute(
            sa.select(*_COLUMNS).where(t.settings.c.id == number)
        ).one_or_none()
        if row is None:
            raise NotFound(f"there is no version {number} of the settings", subject=str(number))
        return SettingsVersion(*row)

    def versions(self, most: int, *, before: int | None = None) -> list[SettingsVersion]:
        """The newest versions, that in force first; those older than ``before`` to go on."""
        rows = sa.select(*_COLUMNS).order_by(t.settings.c.id.desc()).limit(most)
        if before is not None:
            rows = rows.where(t.settings.c.id < before)
        return [SettingsVersion(*row) for row in self._connection.execute(rows)]

    def last_with_newsletter(self, slug: str) -> SettingsVersion | None:
        """The newest version that has a newsletter of that slug."""
        before = None
        while found := self.versions(_AT_ONCE, before=before):
            for version in found:
                if slug in (one.get("slug") for one in version.document.get("newsletter", ())):
                    return version
            before = found[-1].version
        return None

    def lock(self) -> None:
        """Let nobody else add a version until the transaction ends."""
        lock_name(self._connection, "settings")

    def append(
        self,
        document: dict[str, Any],
        actor: str,
        at: datetime,
        *,
        fixed: dict[str, Any] | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> int:
        """Add a version; its number. ``detail`` is what the change log tells beside that."""
        version = self._connection.execute(
            sa.insert(t.settings)
            .values(at=at, actor=actor, document=document, fixed=fixed)
            .returning(t.settings.c.id)
        ).scalar_one()
        told = {"version": version, **(detail or {})}
        self._changes.record(at, actor, "settings", "settings", "changed", told)
        return int(version)

    def note_fixed(self, version: int, fixed: dict[str, Any]) -> None:
        """Note what the file fixes now, where that changed nothing in the settings."""
        self._connection.execute(
            sa.update(t.settings).where(t.settings.c.id == version).values(fixed=fixed)
        )

    def register(self, settings: Settings, at: datetime) -> None:
        """See that every source, counter, newsletter and section has its row.

        A slug that the settings no longer name keeps its row and its history.
        """
        self._register_polled("source", [source.slug for source in settings.source])
        self._register_polled("reads", [reads.slug for reads in settings.reads])
        for newsletter in settings.newsletter:
            self._register_newsletter(newsletter, at)

    def newsletters(self) -> frozenset[str]:
        """The slugs that have a row: of a config that was not adopted some may have none."""
        return frozenset(self._connection.scalars(sa.select(t.newsletter.c.slug)))

    def newsletter_id(self, slug: str) -> str:
        """The public id of a newsletter; NotFound."""
        return str(_found(_BY_SLUG.first(self._connection, slug=slug), slug).public_id)

    def newsletter_slug(self, public_id: str) -> str:
        """The slug of a newsletter; NotFound."""
        row = _BY_ID.first(self._connection, public_id=public_id)
        return str(_found(row, public_id).slug)

    def newsletter_since(self, slug: str) -> datetime:
        """When the newsletter was first registered; NotFound."""
        since: datetime = _found(_BY_SLUG.first(self._connection, slug=slug), slug).created_at
        return since

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


def _found(row: Any, name: str) -> Any:
    if row is None:
        raise NotFound(f'there is no newsletter "{name}"', subject=name)
    return row
