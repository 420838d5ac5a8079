"""A reader's new address: asked for by the preferences link, confirmed at the new
address, told to the old one, which may take it back.

The reader stays who they are: consent, choices, links in old mails and what came
back from them hang on the public id. Who may not be mailed can't get around that by
another address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import Conflict
from newsletter.log import get_logger, mask_address
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.system_mail import render_address_changed, render_address_question
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import limit_address, normalise_address
from newsletter.subscribers.model import (
    AddressChange,
    PreviousAddress,
    Subscriber,
    SubscriptionState,
)
from newsletter.subscribers.opt_in import MOST_UNANSWERED, QUIET_TIME
from newsletter.tokens import Keyring, Purpose, new_public_id
from newsletter.workflows.letters import Letters, asked_today, queue_letter, sender_for
from newsletter.workflows.sign_up import READER

log = get_logger(__name__)

CONFIRM_WITHIN = timedelta(days=7)
# How long the old mailbox may take a change back. So long its address is kept.
TAKE_BACK_WITHIN = timedelta(days=30)
# A slip may be mended at once; whoever was forwarded an issue can't mail the town by it.
QUESTIONS_A_DAY = 3
_ASKED = "address asked"
_GETS = frozenset({SubscriptionState.ACTIVE, SubscriptionState.PAUSED})


@dataclass(frozen=True)
class AddressQuestion:
    """The link in the letter to the new address, as its page shows it.

    ``possible`` as long as the wish stands; ``done`` once the address is the reader's, as
    long as it can be taken back.
    """

    subscriber: Subscriber
    address: str
    possible: bool
    done: bool


def ask_for_address(
    database: Database, letters: Letters, token: str, written: str, *, now: datetime
) -> None:
    """Note the address that the reader of a preferences link wants, and ask there.

    AddressError where it is none. All else looks the same from outside: whether
    somebody has it, and whether it is this reader's own, does not show.
    """
    keyring = letters.keyring
    (subscriber_id,) = keyring.verify(Purpose.PREFERENCES, token)
    address = normalise_address(written)
    change = AddressChange(new_public_id(), address, now)
    expires = now + CONFIRM_WITHIN
    with database.read() as tx:
        subscriber, sender = _reader(tx, letters, subscriber_id)
    mail = render_address_question(
        letters.settings.publication,
        sender,
        token=keyring.sign_until(Purpose.ADDRESS, expires, subscriber_id, change.public_id),
        base_url=letters.base_url,
        templates=letters.templates,
        expires_at=expires,
        language=subscriber.language,
    )
    with database.write() as tx:
        asks = _may_ask(tx, keyring, subscriber, address, now)
        if asks:
            tx.preferences.ask_address(subscriber_id, change)
            tx.changes.record(now, READER, "subscriber", subscriber_id, _ASKED)
            queue_letter(tx, letters, sender, mail, subscriber, address, now)
    log.info("address_asked", address=mask_address(address), mailed=asks)


def read_address_question(
    database: Database, keyring: Keyring, token: str, *, now: datetime
) -> AddressQuestion:
    """What the link in that letter leads to; TokenError or NotFound where to nothing."""
    subscriber_id, change_id = _read_token(keyring, token, now)
    with database.read() as tx:
        return _question(tx, subscriber_id, change_id)


def confirm_address(
    database: Database, letters: Letters, token: str, *, now: datetime
) -> AddressQuestion:
    """Press the button: mail goes to the new address, and the old one is told.

    A second press changes nothing and says the same; nor does one change anything after
    somebody else came to have the address.
    """
    keyring = letters.keyring
    subscriber_id, change_id = _read_token(keyring, token, now)
    with database.read() as tx:
        before = _question(tx, subscriber_id, change_id)
        subscriber, sender = _reader(tx, letters, subscriber_id)
    if not before.possible:
        return before
    expires = now + TAKE_BACK_WITHIN
    mail = render_address_changed(
        letters.settings.publication,
        sender,
        masked=mask_address(before.address),
        token=keyring.sign_until(Purpose.TAKE_BACK, expires, subscriber_id, change_id),
        base_url=letters.base_url,
        templates=letters.templates,
        expires_at=expires,
        language=subscriber.language,
    )
    try:
        return _take_address(database, letters, mail, sender, subscriber_id, change_id, now)
    except Conflict:
        # On PostgreSQL somebody else may come to have the address between look and write.
        with database.write() as tx:
            tx.preferences.drop_asked_address(subscriber_id)
            return _question(tx, subscriber_id, change_id)


def _take_address(
    database: Database,
    letters: Letters,
    mail: RenderedMail,
    sender: Newsletter,
    subscriber_id: str,
    change_id: str,
    now: datetime,
) -> AddressQuestion:
    keyring = letters.keyring
    with database.write() as tx:
        # Of two presses at the same time the second finds what the first one did.
        tx.preferences.hold_to_move(subscriber_id)
        asked = _question(tx, subscriber_id, change_id)
        if not asked.possible:
            return asked
        if not _may_have(tx, keyring, asked.subscriber, asked.address, now):
            tx.preferences.drop_asked_address(subscriber_id)
            return _question(tx, subscriber_id, change_id)
        before = asked.subscriber.address
        give_address(tx, keyring, subscriber_id, asked.address, now)
        tx.preferences.keep_previous(subscriber_id, PreviousAddress(change_id, before, now))
        queue_letter(tx, letters, sender, mail, asked.subscriber, before, now)
        reader, _ = _reader(tx, letters, subscriber_id)
    log.info("address_changed", address=mask_address(asked.address))
    return AddressQuestion(reader, asked.address, possible=False, done=True)


def give_address(
    tx: Transaction, keyring: Keyring, subscriber_id: str, address: str, now: datetime
) -> None:
    """Make an address whose mailbox has just answered the reader's.

    Conflict where somebody else gets mail there, or is in a pause.
    """
    holder = tx.subscribers.find(address)
    if holder is not None and holder.public_id == subscriber_id:
        holder = None
    if holder is not None:
        # Before what is kept of the address, as whoever confirms there does.
        tx.preferences.hold(holder.public_id)
    tx.sign_ups.answer_confirmation(_counted_by(keyring, address))
    address_hash = keyring.hash_address(address)
    tx.former_addresses.drop(address_hash)
    before = tx.subscribers.get(subscriber_id).address
    tx.former_addresses.note(subscriber_id, keyring.hash_address(before), now)
    if holder is not None:
        tx.former_addresses.pass_on(holder.public_id, subscriber_id)
        tx.preferences.take_over(holder.public_id, subscriber_id, now, READER)
    tx.preferences.change_address(subscriber_id, address, address_hash, now, READER)
    suppression = tx.subscribers.suppression(address_hash)
    if suppression is not None and not suppression.blocks_confirmation:
        # It bounced, or was forgotten.
        tx.subscribers.unsuppress(address_hash, now, READER)


def is_free(tx: Transaction, reader: Subscriber, address: str, now: datetime) -> bool:
    """Whether nobody gets mail at an address, the reader included.

    Who never confirmed with it, or has left everything, does not keep it from its owner:
    anybody may type it into the form. But whoever came there by a change that may be taken
    back is not erased by another reader's: an old mailbox waits for them.
    """
    holder = tx.subscribers.find(address)
    return holder is None or (
        holder.public_id != reader.public_id
        and not any(one.state in _GETS for one in tx.subscribers.subscriptions(holder.public_id))
        and trusted_from(tx, holder, now) is None
    )


def trusted_from(tx: Transaction, reader: Subscriber, now: datetime) -> datetime | None:
    """When the newest change of a reader's address can't be taken back any more; None where
    that is so already."""
    changes = tx.preferences.previous(reader.public_id)
    ends = changes[0].changed_at + TAKE_BACK_WITHIN if changes else now
    return ends if ends > now else None


def _may_ask(
    tx: Transaction, keyring: Keyring, reader: Subscriber, address: str, now: datetime
) -> bool:
    return (
        asked_today(tx, reader, _ASKED, now) < QUESTIONS_A_DAY
        and _may_have(tx, keyring, reader, address, now)
        # An address gets no more of these and of confirmations together than of the latter.
        and tx.sign_ups.count_confirmation(
            _counted_by(keyring, address), now, quiet=QUIET_TIME, most=MOST_UNANSWERED
        )
    )


def _counted_by(keyring: Keyring, address: str) -> str:
    return keyring.hash_address(limit_address(address))


def _may_have(
    tx: Transaction, keyring: Keyring, reader: Subscriber, address: str, now: datetime
) -> bool:
    """Whether nobody gets mail there and nothing forbids it to either of the two."""
    if not is_free(tx, reader, address, now):
        return False
    suppressions = (
        tx.suppressions.reason(each, keyring.hash_address(each))
        for each in (reader.address, address)
    )
    return not any(each is not None and each.blocks_confirmation for each in suppressions)


def _question(tx: Transaction, subscriber_id: str, change_id: str) -> AddressQuestion:
    subscriber = tx.subscribers.get(subscriber_id)
    made = tx.preferences.previous(subscriber_id)
    if made and made[0].public_id == change_id:
        return AddressQuestion(subscriber, subscriber.address, possible=False, done=True)
    change = tx.preferences.asked_address(subscriber_id)
    possible = change is not None and change.public_id == change_id
    return AddressQuestion(
        subscriber, change.address if change and possible else "", possible=possible, done=False
    )


def _reader(tx: Transaction, letters: Letters, subscriber_id: str) -> tuple[Subscriber, Newsletter]:
    subscriber = tx.subscribers.get(subscriber_id)
    return subscriber, sender_for(letters.settings, tx.subscribers.subscriptions(subscriber_id))


def _read_token(keyring: Keyring, token: str, now: datetime) -> tuple[str, str]:
    subscriber_id, change_id = keyring.verify_until(Purpose.ADDRESS, token, now)
    return subscriber_id, change_id
