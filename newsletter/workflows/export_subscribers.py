"""Editors take readers out, to a file."""

from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import TextIO

from newsletter.storage.database import Database
from newsletter.subscribers.csv_export import write_rows, write_subscribers
from newsletter.subscribers.model import Segment

# Rows of an export that are read at once; on more newsletters is nobody.
_PIECE_ROWS = 2_000


def export_subscribers(
    database: Database, newsletter: str | None, stream: TextIO, segment: Segment | None = None
) -> int:
    """Write everyone on ``newsletter`` (None: on all) as CSV to ``stream``; how many rows.

    With ``segment`` only those in it.
    """
    with database.read() as tx:
        if newsletter is not None:
            tx.settings.newsletter_id(newsletter)
        return write_subscribers(tx.subscribers.each(newsletter, segment), stream)


def stream_subscribers(
    database: Database, segment: Segment, *, actor: str, filter_text: str, now: datetime
) -> Iterator[str]:
    """A segment as pieces of a CSV, for somebody who takes them slowly; that is logged.

    Each piece is read in a transaction of its own, so that a slow taker holds nothing up:
    who changes meanwhile is told as before or after, and nobody twice.
    """
    with database.write() as tx:
        detail = {"filter": filter_text}
        tx.changes.record(now, actor, "export", "readers", "exported", detail)
    piece = StringIO(newline="")
    write_subscribers((), piece)
    yield piece.getvalue()
    after: str | None = ""
    while after is not None:
        with database.read() as tx:
            found = list(tx.subscribers.each(None, segment, limit=_PIECE_ROWS + 1, after=after))
        after = None
        if len(found) > _PIECE_ROWS:
            # The last reader may be on more newsletters than are among these rows.
            last = found[-1].subscriber.address
            found = [one for one in found if one.subscriber.address != last]
            after = found[-1].subscriber.address
        piece = StringIO(newline="")
        write_rows(found, piece)
        yield piece.getvalue()
