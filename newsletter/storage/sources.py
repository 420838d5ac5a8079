"""What we remember of sources and counters between polls."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.sources.model import SourceState, Validators
from newsletter.storage.statements import AnyRow, source_key
from newsletter.storage.tables import source

_STATE = (
    source.c.etag,
    source.c.last_modified,
    source.c.latest_modified,
    source.c.last_success_at,
    source.c.last_error_at,
    source.c.last_error,
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
    ) -> None:
        """Note a poll that worked.

        A poll that brought no validators or no cursor leaves what was there:
        a 304 need not repeat them (RFC 9110 section 15.4.5).
        """
        values: dict[str, Any] = {"last_success_at": at, "last_error": ""}
        if validators is not None and validators != Validators():
            values |= {"etag": validators.etag, "last_modified": validators.last_modified}
        if latest_modified is not None:
            values["latest_modified"] = latest_modified
        self._update(slug, values)

    def record_error(self, slug: str, at: datetime, sentence: str) -> None:
        """Note a poll that failed; what earlier ones brought stays."""
        self._update(slug, {"last_error_at": at, "last_error": sentence})

    def ask_anew(self, slug: str) -> None:
        """Forget what the next poll would have asked with: its address is another one now."""
        self._update(slug, {"etag": None, "last_modified": None, "latest_modified": None})

    def _update(self, slug: str, values: dict[str, Any]) -> None:
        self._connection.execute(
            sa.update(source).where(source.c.id == self._key(slug)).values(**values)
        )

    def _key(self, slug: str) -> int:
        return source_key(self._connection, self.role, slug)


class SourceRepository(PolledRepository):
    """Sources of stories."""

    role = "source"


def _state(row: AnyRow) -> SourceState:
    return SourceState(
        validators=Validators(row.etag, row.last_modified),
        latest_modified=row.latest_modified,
        last_success_at=row.last_success_at,
        last_error_at=row.last_error_at,
        last_error=row.last_error,
    )
