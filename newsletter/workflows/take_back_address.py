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
from newsletter.subscribers.model import (
    CONFIRMED,
    PreviousAddress,
    Subscriber,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.subscribers.states import MOVES, SubscriptionAct
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.change_address import give_address, is_free
from newsletter.workflows.sign_up import READER

log = get_logger(__name__)

_CHANGED, _TAKEN_BACK = "address", "address taken back"
_STATES = frozenset(state.value for state in SubscriptionState)


@dataclass(frozen=True)
class TakeBack:
    """The link in the letter to the old address, as its page shows it.

    ``address`` is the old one, empty once it is not kept any more; ``possible`` as long as
    it may be the reader's again; ``done`` once it became so by this link, until the next change.
    """

    subscriber: Subscriber
    address: str
    possible: bool
    done: bool = False


def read_take_back(database: Database, keyring: Keyring, token: str, *, now: datetime) -> TakeBack:
    """What the link in that letter leads to; TokenError or NotFound where to nothing."""
    subscriber_id, change_id = keyring.verify_until(Purpose.TAKE_BACK, token, now)
    with database.read() as tx:
        return _look(tx, subscriber_id, change_id, now)[0]


def take_address_back(
    database: Database, keyring: Keyring, token: str, *, now: datetime
) -> TakeBack:
    """Press the button: mail goes to the old address again.

    All changes since that one are undone with it, and what was confirmed since. What was
    mailed to those mailboxes to take back another change, or to confirm one, no longer
    works. A second press changes nothing and says the same.
    """
    subscriber_id, change_id = keyring.verify_until(Purpose.TAKE_BACK, token, now)
    try:
        with database.write() as tx:
            tx.preferences.hold_to_move(subscriber_id)
            found, previous = _look(tx, subscriber_id, change_id, now)
            if not found.possible or previous is None:
                return found
            give_address(tx, keyring, subscriber_id, previous.address, now)
            tx.changes.record(
                *(now, READER, "subscriber", subscriber_id, _TAKEN_BACK, {"change": change_id})
            )
            _undo_confirmed(tx, subscriber_id, previous.changed_at, now)
            tx.preferences.drop_previous(subscriber_id, previous.changed_at)
            _forbid_again(tx, subscriber_id, previous.changed_at, now)
            reader = tx.subscribers.get(subscriber_id)
    except Conflict:
        # On PostgreSQL somebody else may come to have the address between look and write.
        return read_take_back(database, keyring, token, now=now)
    log.info("address_taken_back", address=mask_address(previous.address))
    return TakeBack(reader, previous.address, possible=False, done=True)


def _undo_confirmed(tx: Transaction, subscriber_id: str, since: datetime, now: datetime) -> None:
    """Undo what was asked for and confirmed since: it was not the reader's mailbox that did.

    They are off what was begun, without a way back, and in a pause that was ended.
    """
    off, pause = MOVES[SubscriptionAct.UNSUBSCRIBE], MOVES[SubscriptionAct.PAUSE]
    paused = _confirmed_since(tx, subscriber_id, since)
    tx.wishes.drop_since(subscriber_id, since)
    for one in tx.subscribers.subscriptions(subscriber_id):
        asked = one.state is SubscriptionState.PENDING and one.consent.at >= since
        if one.newsletter not in paused and not asked:
            continue
        whose = (subscriber_id, one.newsletter)
        if paused.get(one.newsletter):
            tx.subscribers.move(*whose, pause.allowed, pause.to, now, READER, _TAKEN_BACK)
            continue
        tx.subscribers.move(*whose, off.allowed, off.to, now, READER, _TAKEN_BACK)
        tx.preferences.bar_undo(*whose)


def _confirmed_since(tx: Transaction, subscriber_id: str, since: datetime) -> dict[str, bool]:
    """The newsletters that were confirmed from then on; whether it ended a pause."""
    paused: dict[str, bool] = {}
    states: dict[str, str] = {}
    for change in tx.changes.of("subscription", subscriber_id):
        newsletter = change.detail.get("newsletter", "")
        if change.at >= since and change.detail.get("reason") == CONFIRMED:
            paused.setdefault(newsletter, states.get(newsletter) == SubscriptionState.PAUSED)
        if change.act in _STATES:
            states[newsletter] = change.act
    return paused


def _forbid_again(tx: Transaction, subscriber_id: str, since: datetime, now: datetime) -> None:
    """Put back what forbade mail to the mailboxes that are given up, and was lifted for them.

    They stay known as the reader's former addresses too: what was known of them went into
    the reader, and no old list may bring them back.
    """
    for address_hash in tx.former_addresses.hashes(subscriber_id):
        lifted = [
            # Where the log keeps no detail so long, the one of the two that stays until confirmed.
            change.detail.get("reason", SuppressionReason.FORGOTTEN)
            for change in tx.changes.of("suppression", address_hash)
            if change.act == "lifted" and change.actor == READER and change.at >= since
        ]
        for reason in lifted:
            tx.subscribers.suppress(address_hash, SuppressionReason(reason), now, READER)


def _look(
    tx: Transaction, subscriber_id: str, change_id: str, now: datetime
) -> tuple[TakeBack, PreviousAddress | None]:
    reader = tx.subscribers.get(subscriber_id)
    kept = {one.public_id: one for one in tx.preferences.previous(subscriber_id)}
    previous = kept.get(change_id)
    if previous is None:
        done = _was_taken_back(tx, subscriber_id, change_id)
        return TakeBack(reader, reader.address if done else "", possible=False, done=done), None
    possible = is_free(tx, reader, previous.address, now)
    return TakeBack(reader, previous.address, possible), previous


def _was_taken_back(tx: Transaction, subscriber_id: str, change_id: str) -> bool:
    """Whether the last that became of the address is that this change was taken back."""
    moves = [
        (change.act, change.detail.get("change"))
        for change in tx.changes.of("subscriber", subscriber_id)
        if change.act in (_CHANGED, _TAKEN_BACK)
    ]
    return moves[-1:] == [(_TAKEN_BACK, change_id)]
