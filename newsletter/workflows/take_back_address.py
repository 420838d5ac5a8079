"""A change of address that is new: the old mailbox takes it back, and it alone is trusted.

The link to the preferences is forwarded with issues. So whoever has one may bring
the mails to a mailbox of their own: that the old one may undo, and until then what
is held about the reader goes to neither.
"""

from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import Conflict
from newsletter.log import get_logger, mask_address
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import PreviousAddress, Subscriber
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.change_address import TAKE_BACK_WITHIN, give_address, is_free
from newsletter.workflows.sign_up import READER

log = get_logger(__name__)


@dataclass(frozen=True)
class TakeBack:
    """The link in the letter to the old address, as its page shows it.

    ``address`` is the old one, empty once it is not kept any more; ``possible`` as long as
    it may be the reader's again; ``done`` right after it became so.
    """

    subscriber: Subscriber
    address: str
    possible: bool
    done: bool = False


def read_take_back(database: Database, keyring: Keyring, token: str, *, now: datetime) -> TakeBack:
    """What the link in that letter leads to; TokenError or NotFound where to nothing."""
    subscriber_id, change_id = keyring.verify_until(Purpose.TAKE_BACK, token, now)
    with database.read() as tx:
        return _look(tx, subscriber_id, change_id)[0]


def take_address_back(
    database: Database, keyring: Keyring, token: str, *, now: datetime
) -> TakeBack:
    """Press the button: mail goes to the old address again.

    All changes since that one are undone with it: what was mailed to those mailboxes to
    take back another change, or to confirm one, no longer works.
    """
    subscriber_id, change_id = keyring.verify_until(Purpose.TAKE_BACK, token, now)
    try:
        with database.write() as tx:
            found, previous = _look(tx, subscriber_id, change_id)
            if not found.possible or previous is None:
                return found
            tx.changes.record(now, READER, "subscriber", subscriber_id, "address taken back")
            give_address(tx, keyring, subscriber_id, previous.address, now)
            tx.preferences.drop_previous(subscriber_id, previous.changed_at)
            tx.former_addresses.drop_since(subscriber_id, previous.changed_at)
            reader = tx.subscribers.get(subscriber_id)
    except Conflict:
        # On PostgreSQL somebody else may come to have the address between look and write.
        return read_take_back(database, keyring, token, now=now)
    log.info("address_taken_back", address=mask_address(previous.address))
    return TakeBack(reader, previous.address, possible=False, done=True)


def trusted_from(tx: Transaction, reader: Subscriber, now: datetime) -> datetime | None:
    """When the newest change of a reader's address can't be taken back any more; None where
    that is so already."""
    changes = tx.preferences.previous(reader.public_id)
    ends = changes[0].changed_at + TAKE_BACK_WITHIN if changes else now
    return ends if ends > now else None


def _look(
    tx: Transaction, subscriber_id: str, change_id: str
) -> tuple[TakeBack, PreviousAddress | None]:
    reader = tx.subscribers.get(subscriber_id)
    kept = {one.public_id: one for one in tx.preferences.previous(subscriber_id)}
    previous = kept.get(change_id)
    if previous is None:
        return TakeBack(reader, "", possible=False), None
    return TakeBack(reader, previous.address, is_free(tx, reader, previous.address)), previous
