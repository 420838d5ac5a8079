"""What was made of pictures' addresses, and which of the kept files are in use."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.issues.model import IssueState
from newsletter.pictures.model import FetchedPicture
from newsletter.storage import tables as t
from newsletter.storage.documents import files_document, files_from_document
from newsletter.storage.statements import chunks, insert_into

_NAME = re.compile(r"\b[0-9a-f]{40}\.(?:jpg|png)\b")


class PictureRepository:
    """Fetched pictures by `picture_key`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, keys: Collection[str]) -> dict[str, FetchedPicture]:
        """Those of ``keys`` that were fetched before."""
        table = t.fetched_picture
        return {
            row.key: FetchedPicture(files_from_document(row.files), row.etag, row.last_modified)
            for chunk in chunks(keys)
            for row in self._connection.execute(sa.select(table).where(table.c.key.in_(chunk)))
        }

    def remember(self, fetched: Mapping[str, FetchedPicture], at: datetime) -> None:
        """Note what was made of these, in place of what was noted before."""
        rows = [
            {
                "key": key,
                "etag": picture.etag,
                "last_modified": picture.last_modified,
                "files": files_document(picture.files),
                "fetched_at": at,
            }
            for key, picture in fetched.items()
        ]
        if not rows:
            return
        statement = insert_into(self._connection, t.fetched_picture)
        names = ("etag", "last_modified", "files", "fetched_at")
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["key"],
                set_={name: statement.excluded[name] for name in names},
            ),
            rows,
        )

    def forget(self, before: datetime) -> None:
        """Forget what was last fetched before then."""
        table = t.fetched_picture
        self._connection.execute(sa.delete(table).where(table.c.fetched_at < before))

    def used_names(self) -> set[str]:
        """The files that a mail or an issue shows; of a cancelled issue none."""
        issues = sa.select(sa.cast(t.issue.c.content, sa.Text)).where(
            t.issue.c.state != IssueState.CANCELLED
        )
        # A mail that went out names them for good, whatever became of its issue.
        mails = sa.select(sa.cast(t.mailing.c.content, sa.Text))
        return {
            name
            for statement in (issues, mails)
            for text in self._connection.scalars(statement)
            for name in _NAME.findall(text)
        }
