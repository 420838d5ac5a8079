"""Where an editor has tests of issues sent besides their own address."""

from datetime import datetime

from newsletter.errors import Conflict, NotFound
from newsletter.storage.database import Database
from newsletter.subscribers.address import normalise_address

# With one's own and a newsletter's, no more than a test goes to.
MOST_KEPT = 10


def keep_test_address(database: Database, editor_id: str, address: str, *, now: datetime) -> str:
    """Keep an address for the editor's tests; as it is kept.

    AddressError for what is no address, Conflict where it is kept or there are many.
    """
    kept = normalise_address(address)
    with database.write() as tx:
        if len(tx.editor_test_addresses.of(editor_id)) >= MOST_KEPT:
            raise Conflict(
                f"you keep {MOST_KEPT} addresses already; take one away first", subject=editor_id
            )
        if not tx.editor_test_addresses.keep(editor_id, kept, now):
            raise Conflict(f"{kept} is kept already", subject=editor_id)
        # The log names no address.
        tx.changes.record(now, editor_id, "editor", editor_id, "test address kept")
    return kept


def drop_test_address(database: Database, editor_id: str, address: str, *, now: datetime) -> None:
    """Keep it no more; NotFound where it was not kept."""
    with database.write() as tx:
        if not tx.editor_test_addresses.drop(editor_id, address):
            raise NotFound(f"{address} is none of the addresses you keep", subject=editor_id)
        tx.changes.record(now, editor_id, "editor", editor_id, "test address dropped")
