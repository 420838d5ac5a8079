"""Files that editors brought to the desk: what they are, and how far their import came."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import NotFound
from newsletter.storage import tables as t
from newsletter.subscribers.model import ReaderUpload, UploadKind, UploadState

_NAMES = tuple(one.name for one in fields(ReaderUpload))
_row = t.reader_upload.c
_UPLOADS = sa.select(*(_row[name] for name in _NAMES))


class UploadRepository:
    """Uploads by public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, upload: ReaderUpload) -> None:
        """Write down a new one."""
        values = {name: getattr(upload, name) for name in _NAMES}
        values |= {"kind": upload.kind.value, "state": upload.state.value}
        values["told"] = dict(upload.told)
        self._connection.execute(sa.insert(t.reader_upload).values(values))

    def get(self, public_id: str) -> ReaderUpload:
        """NotFound where there is none, or its time is over."""
        found = self._all(_UPLOADS.where(_row.public_id == public_id))
        if not found:
            raise NotFound("there is no such file any more: upload it again", subject=public_id)
        return found[0]

    def has(self, public_id: str) -> bool:
        """Whether there is such an upload."""
        return bool(self._connection.scalar(sa.select(_row.id).where(_row.public_id == public_id)))

    def latest(self, most: int) -> list[ReaderUpload]:
        """The newest first."""
        return self._all(_UPLOADS.order_by(_row.id.desc()).limit(most))

    def waiting(self) -> ReaderUpload | None:
        """The one that has waited longest for something to be done about it."""
        states = [state.value for state in UploadState if state.waits]
        found = self._all(_UPLOADS.where(_row.state.in_(states)).order_by(_row.id).limit(1))
        return found[0] if found else None

    def move(
        self,
        public_id: str,
        allowed: Collection[UploadState],
        to: UploadState,
        at: datetime,
        **values: Any,
    ) -> bool:
        """Move one from a state of ``allowed``; False where it is in none of them."""
        moved = self._connection.execute(
            sa.update(t.reader_upload)
            .where(_row.public_id == public_id, _row.state.in_([state.value for state in allowed]))
            .values(state=to.value, changed_at=at, **values)
        )
        return bool(moved.rowcount)

    def note(self, public_id: str, values: Mapping[str, Any]) -> None:
        """Write down what was recognised, or how many rows were read."""
        self._connection.execute(
            sa.update(t.reader_upload).where(_row.public_id == public_id).values(**values)
        )

    def drop(self, public_id: str, allowed: Collection[UploadState]) -> bool:
        """Let one go that is in a state of ``allowed``; False where it is in none of them."""
        dropped = self._connection.execute(
            sa.delete(t.reader_upload).where(
                _row.public_id == public_id, _row.state.in_([state.value for state in allowed])
            )
        )
        return bool(dropped.rowcount)

    def before(self, at: datetime) -> list[str]:
        """The public ids of those for which nothing is to be done and nothing was done since."""
        states = [state.value for state in UploadState if not state.waits]
        return list(
            self._connection.scalars(
                sa.select(_row.public_id).where(_row.state.in_(states), _row.changed_at < at)
            )
        )

    def _all(self, select: sa.Select[Any]) -> list[ReaderUpload]:
        return [
            ReaderUpload(
                **{
                    **row,
                    "kind": UploadKind(row["kind"]),
                    "state": UploadState(row["state"]),
                }
            )
            for row in self._connection.execute(select).mappings()
        ]
