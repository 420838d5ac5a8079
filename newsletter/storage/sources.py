"""What we remember of sources and counters between polls."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.sources.model import SourceState, Validators
from newsletter.storage.statements import AnyRow, chunks, insert_into, source_key
from newsletter.storage.tables import crawled_page, source

_STATE = (
    source.c.etag,
    source.c.last_modified,
    source.c.latest_modified,
    source.c.last_success_at,
    source.c.last_error_at,
    source.c.last_error,
    source.c.failures,
    source.c.due_at,
    source.c.held_until,
    source.c.scanned_at,
    source.c.asked_at,
)


class PolledRepository:
    """The rows of one role: "source" for stories, "reads" for counters."""

    role: ClassVar[str]

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def state(self, slug: str) -> SourceState:
        """What is remembered of one; NotFound where the settings never named it."""
        row = self._connection.execute(
            sa.select(*_STATE).where(source.c.id == self._key(slug))
        ).one()
        return _state(row)

    def states(self) -> dict[str, SourceState]:
        """All that the settings name now, by slug."""
        rows = self._connection.execute(
            sa.select(*_STATE, source.c.slug)
            .where(source.c.role == self.role, source.c.configured)
            .order_by(source.c.id)
        )
        return {row.slug: _state(row) for row in rows}

    def record_success(
        self,
        slug: str,
        at: datetime,
        *,
        validators: Validators | None = None,
        latest_modified: datetime | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Note a poll that worked; the last error stays to be read, with its time.

        A poll that brought no validators or no cursor leaves what was there:
        a 304 need not repeat them (RFC 9110 section 15.4.5).
        """
        values: dict[str, Any] = {
            "last_success_at": at,
            "failures": 0,
            "due_at": due_at,
            "held_until": None,
            "asked_at": None,
        }
        if validators is not None and validators != Validators():
            values |= {"etag": validators.etag, "last_modified": validators.last_modified}
        if latest_modified is not None:
            values["latest_modified"] = latest_modified
        self._update(slug, values)

    def record_error(
        self,
        slug: str,
        at: datetime,
        sentence: str,
        *,
        due_at: datetime | None = None,
        held_until: datetime | None = None,
    ) -> None:
        """Note a poll that failed; what earlier ones brought stays."""
        values = {
            "last_error_at": at,
            "last_error": sentence,
            "failures": source.c.failures + 1,
            "due_at": due_at,
            "held_until": held_until,
            "asked_at": None,
        }
        self._update(slug, values)

    def ask_now(self, slug: str, at: datetime) -> None:
        """Note that somebody wants it looked at now, however lately it failed."""
        self._update(slug, {"asked_at": at})

    def answered(self, slug: str) -> None:
        """Note that there was nothing to look at."""
        self._update(slug, {"asked_at": None})

    def asked(self) -> list[str]:
        """Those that somebody wants looked at now."""
        return list(
            self._connection.scalars(
                sa.select(source.c.slug)
                .where(source.c.role == self.role, source.c.configured)
                .where(source.c.asked_at.is_not(None))
                .order_by(source.c.asked_at, source.c.id)
            )
        )

    def ask_anew(self, slug: str) -> None:
        """Forget what the next poll would have asked with: its address is another one now."""
        names = ("etag", "last_modified", "latest_modified", "due_at", "held_until", "scanned_at")
        self._update(slug, dict.fromkeys(names))

    def _update(self, slug: str, values: dict[str, Any]) -> None:
        self._connection.execute(
            sa.update(source).where(source.c.id == self._key(slug)).values(**values)
        )

    def _key(self, slug: str) -> int:
        return source_key(self._connection, self.role, slug)


class SourceRepository(PolledRepository):
    """Sources of stories."""

    role = "source"

    def record_scan(self, slug: str, at: datetime) -> None:
        """Note that the source was compared with what we have of it."""
        self._update(slug, {"scanned_at": at})

    def crawled_pages(self, slug: str, urls: Collection[str]) -> dict[str, str]:
        """Of these pages those that were read, with the date that the sitemap gave them then."""
        hashes = {_hash(url): url for url in urls}
        rows = (
            row
            for chunk in chunks(hashes)
            for row in self._connection.execute(
                sa.select(crawled_page.c.url_hash, crawled_page.c.lastmod).where(
                    crawled_page.c.source_id == self._key(slug), crawled_page.c.url_hash.in_(chunk)
                )
            )
        )
        return {hashes[row.url_hash]: row.lastmod for row in rows}

    def record_pages(self, slug: str, pages: Mapping[str, str], at: datetime) -> None:
        """Note that these pages were read, by address with the sitemap's date (or nothing)."""
        key = self._key(slug)
        rows = [
            {"source_id": key, "url_hash": _hash(url), "lastmod": lastmod, "read_at": at}
            for url, lastmod in pages.items()
        ]
        if not rows:
            return
        statement = insert_into(self._connection, crawled_page)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["source_id", "url_hash"],
                set_={name: statement.excluded[name] for name in ("lastmod", "read_at")},
            ),
            rows,
        )


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()


def _state(row: AnyRow) -> SourceState:
    return SourceState(
        validators=Validators(row.etag, row.last_modified),
        latest_modified=row.latest_modified,
        last_success_at=row.last_success_at,
        last_error_at=row.last_error_at,
        last_error=row.last_error,
        failures=row.failures,
        due_at=row.due_at,
        held_until=row.held_until,
        scanned_at=row.scanned_at,
        asked_at=row.asked_at,
    )
