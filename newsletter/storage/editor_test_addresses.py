"""Where an editor has tests of issues sent besides their own address."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import insert_or_leave


class EditorTestAddresses:
    """By the editor's public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, editor: str) -> tuple[str, ...]:
        """The addresses that the editor keeps, the first kept first."""
        kept = t.editor_test_address.c
        rows = self._connection.scalars(
            sa.select(kept.address)
            .where(kept.editor_id == _key_of(editor))
            .order_by(kept.at, kept.address)
        )
        return tuple(rows)

    def keep(self, editor: str, address: str, at: datetime) -> bool:
        """Keep an address; False where it is kept already."""
        key = self._connection.scalar(sa.select(_key_of(editor)))
        row = {"editor_id": key, "address": address, "at": at}
        return bool(insert_or_leave(self._connection, t.editor_test_address, row))

    def drop(self, editor: str, address: str) -> bool:
        """Keep it no more; False where it was not kept."""
        kept = t.editor_test_address
        return bool(
            self._connection.execute(
                sa.delete(kept).where(
                    kept.c.editor_id == _key_of(editor), kept.c.address == address
                )
            ).rowcount
        )


def _key_of(editor: str) -> sa.ScalarSelect[int]:
    return sa.select(t.editor.c.id).where(t.editor.c.public_id == editor).scalar_subquery()
