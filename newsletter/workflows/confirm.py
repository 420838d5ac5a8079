"""The button on the confirmation's page: pressed by its reader, it makes a sign-up count."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.errors import TokenError
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import limit_address
from newsletter.subscribers.model import CONFIRMED, Subscriber, Subscription, SubscriptionState
from newsletter.subscribers.opt_in import as_asked
from newsletter.subscribers.states import MOVES, SubscriptionAct
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.letters import Letters
from newsletter.workflows.pauses import note_missed
from newsletter.workflows.sign_up import READER, newsletter_called
from newsletter.workflows.welcome import render_letter, welcome_reader

log = get_logger(__name__)


@dataclass(frozen=True)
class Confirmation:
    """A confirmation link as its page shows it.

    ``subscription`` is None where the reader is gone, or has another address than the link
    was mailed to, and pending where one that was left is asked for again; ``expired`` links
    can't confirm any more. ``also_asked`` are the reader's other newsletters that wait for a
    confirmation: they share the one mail a day, and may be confirmed by the same press.
    """

    newsletter: Newsletter
    subscription: Subscription | None
    expired: bool
    also_asked: tuple[Newsletter, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether pressing the button would make the subscription active."""
        return (
            not self.expired
            and self.subscription is not None
            and self.subscription.state in MOVES[SubscriptionAct.CONFIRM].allowed
        )

    @property
    def done(self) -> bool:
        return self.subscription is not None and self.subscription.state is SubscriptionState.ACTIVE


@dataclass(frozen=True)
class _Link:
    """What a confirmation link of ours says; ``mailbox`` is the mark of where it was mailed."""

    subscriber_id: str
    newsletter_id: str
    mailbox: str
    expired: bool


def read_confirmation(
    database: Database, keyring: Keyring, settings: Settings, token: str, *, now: datetime
) -> Confirmation:
    """What a confirmation link leads to; TokenError where it is not one of ours."""
    link = _read_token(keyring, token, now)
    with database.read() as tx:
        newsletter = newsletter_called(settings, tx.settings.newsletter_slug(link.newsletter_id))
        return _confirmation(tx, keyring, settings, link, newsletter)


def confirm_subscription(
    database: Database,
    letters: Letters,
    token: str,
    *,
    also: Collection[str] = (),
    now: datetime,
) -> Confirmation:
    """Press the button: the subscription becomes active where its state allows it.

    ``also`` are slugs of other newsletters that the reader ticked beside it.
    The reader's own confirmation lifts a suppression that allows it, and is
    answered by the welcome mail. A second press changes nothing.
    """
    keyring, settings = letters.keyring, letters.settings
    link = _read_token(keyring, token, now)
    with database.read() as tx:
        newsletter = newsletter_called(settings, tx.settings.newsletter_slug(link.newsletter_id))
        before = _confirmation(tx, keyring, settings, link, newsletter)
        if not before.possible or before.subscription is None:
            return before
        reader = before.subscription.subscriber
        others = [other for other in before.also_asked if other.slug in also]
        mail = render_letter(tx, letters, newsletter, before.subscription, others, now)
    with database.write() as tx:
        tx.preferences.hold(reader.public_id)
        current = _confirmation(tx, keyring, settings, link, newsletter)
        if not current.possible:
            return current
        slugs = [newsletter.slug, *(other.slug for other in others)]
        if newsletter.slug in _activate(tx, keyring, settings, reader, slugs, now):
            welcome_reader(tx, letters, newsletter, reader, mail, now)
        return _confirmation(tx, keyring, settings, link, newsletter)


def _activate(
    tx: Transaction,
    keyring: Keyring,
    settings: Settings,
    subscriber: Subscriber,
    slugs: Sequence[str],
    now: datetime,
) -> Sequence[str]:
    """Confirm what can be; which newsletters that were. A pause ends with it, and so does
    a goodbye after which the reader asked anew."""
    ask, move = MOVES[SubscriptionAct.ASK], MOVES[SubscriptionAct.CONFIRM]
    address_hash = keyring.hash_address(subscriber.address)
    suppression = tx.suppressions.reason(subscriber.address, address_hash)
    if suppression is not None and suppression.blocks_confirmation:
        return ()
    before = tx.subscribers.subscriptions(subscriber.public_id)
    for slug in slugs:
        tx.wishes.take(subscriber.public_id, slug, ask.allowed, ask.to, now, READER)
    confirmed = [
        slug
        for slug in slugs
        if tx.subscribers.move(
            subscriber.public_id, slug, move.allowed, move.to, now, READER, CONFIRMED
        )
    ]
    for one in before:
        if one.newsletter in confirmed:
            note_missed(tx, settings, one, now, READER)
    if confirmed:
        tx.former_addresses.drop(address_hash)
        tx.sign_ups.answer_confirmation(keyring.hash_address(limit_address(subscriber.address)))
        if suppression is not None:
            tx.subscribers.unsuppress(address_hash, now, READER)
        log.info("subscription_confirmed", newsletters=",".join(confirmed))
    return confirmed


def _confirmation(
    tx: Transaction, keyring: Keyring, settings: Settings, link: _Link, newsletter: Newsletter
) -> Confirmation:
    reader = tx.subscribers.by_id(link.subscriber_id)
    if reader is None or keyring.mailbox_mark(reader.address) != link.mailbox:
        return Confirmation(newsletter, None, link.expired)
    subscriptions = asked_subscriptions(tx, reader.public_id)
    others = tuple(
        other
        for other in settings.newsletter
        if other.slug != newsletter.slug
        and other.slug in subscriptions
        and subscriptions[other.slug].state is SubscriptionState.PENDING
    )
    return Confirmation(newsletter, subscriptions.get(newsletter.slug), link.expired, others)


def asked_subscriptions(tx: Transaction, subscriber_id: str) -> dict[str, Subscription]:
    """A reader's subscriptions as a confirmation finds them, by newsletter."""
    wishes = tx.wishes.of(subscriber_id)
    return {
        one.newsletter: as_asked(one, wishes.get(one.newsletter))
        for one in tx.subscribers.subscriptions(subscriber_id)
    }


def _read_token(keyring: Keyring, token: str, now: datetime) -> _Link:
    subscriber_id, newsletter_id, *mailbox, _ = keyring.verify(Purpose.CONFIRM, token)
    try:
        keyring.verify_until(Purpose.CONFIRM, token, now)
    except TokenError:
        expired = True
    else:
        expired = False
    return _Link(subscriber_id, newsletter_id, "".join(mailbox), expired)
