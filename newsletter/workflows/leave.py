"""How a reader leaves, says why if they care to, and comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import NotFound, TokenError
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import LeaveReason, Subscription, SubscriptionState
from newsletter.subscribers.states import BROUGHT_BACK, MOVES, SubscriptionAct
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.sign_up import READER

log = get_logger(__name__)

UNDO_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Departure:
    """An unsubscribe link as its page shows it.

    ``newsletter`` is None where the settings no longer have it, and
    ``subscription`` where the reader was forgotten: the link is ours all the
    same. ``lately`` is a goodbye of the last 30 days; ``undo_token`` is set as long
    as it can be undone, which one to a newsletter never confirmed can't.
    """

    newsletter: Newsletter | None
    subscription: Subscription | None
    undo_token: str | None = None
    lately: bool = False

    @property
    def gone(self) -> bool:
        """Whether this reader no longer gets this newsletter."""
        return (
            self.newsletter is None
            or self.subscription is None
            or self.subscription.state is SubscriptionState.UNSUBSCRIBED
        )


def read_departure(
    database: Database, keyring: Keyring, settings: Settings, token: str, *, now: datetime
) -> Departure:
    """What an unsubscribe link leads to; TokenError where it is not one of ours."""
    subscriber_id, newsletter_id = keyring.verify(Purpose.UNSUBSCRIBE, token)
    with database.read() as tx:
        return _departure(tx, keyring, settings, subscriber_id, newsletter_id, now)


def unsubscribe(
    database: Database,
    keyring: Keyring,
    settings: Settings,
    token: str,
    *,
    how: str,
    now: datetime,
) -> Departure:
    """Take the reader off the newsletter, at once and however often it is asked.

    ``how`` ("one-click", "page") goes into the change log. TokenError where the
    link is not one of ours; a link of ours works for years, also for a reader
    who is gone already.
    """
    subscriber_id, newsletter_id = keyring.verify(Purpose.UNSUBSCRIBE, token)
    with database.write() as tx:
        _leave(tx, subscriber_id, newsletter_id, now, how)
        return _departure(tx, keyring, settings, subscriber_id, newsletter_id, now)


def leave_by_mail(
    database: Database, subscriber_id: str, newsletter_id: str, *, now: datetime
) -> None:
    """Take a reader off by a mail to ``leave+TOKEN@…``, whatever it says."""
    with database.write() as tx:
        _leave(tx, subscriber_id, newsletter_id, now, "mail")


def undo_unsubscribe(
    database: Database, keyring: Keyring, settings: Settings, undo_token: str, *, now: datetime
) -> Departure:
    """Take back a goodbye within 30 days, to where the reader was before it.

    TokenError afterwards, and where they had not confirmed what they left: whoever
    types in another's address brings nobody back by that. Twice is once.
    """
    subscriber_id, newsletter_id = keyring.verify_until(Purpose.UNDO, undo_token, now)
    with database.write() as tx:
        slug = _slug_of(tx, newsletter_id)
        to = slug and tx.subscribers.come_back(subscriber_id, slug, BROUGHT_BACK, now, READER)
        if to:
            log.info("subscription_moved", newsletter=slug, to=str(to), how="undo")
        departure = _departure(tx, keyring, settings, subscriber_id, newsletter_id, now)
    if departure.subscription is None or departure.subscription.state not in BROUGHT_BACK:
        raise TokenError("there is no goodbye to take back")
    return departure


def tell_why_left(
    database: Database,
    keyring: Keyring,
    settings: Settings,
    token: str,
    reason: LeaveReason,
    *,
    now: datetime,
) -> Departure:
    """Keep why the reader of an unsubscribe link left; it is theirs to tell or not."""
    subscriber_id, newsletter_id = keyring.verify(Purpose.UNSUBSCRIBE, token)
    with database.write() as tx:
        slug = _slug_of(tx, newsletter_id)
        if slug is not None:
            tx.preferences.tell_why_left(subscriber_id, slug, reason, now, READER)
        return _departure(tx, keyring, settings, subscriber_id, newsletter_id, now)


def _leave(
    tx: Transaction, subscriber_id: str, newsletter_id: str, now: datetime, how: str
) -> None:
    """Take the reader off, where they are on; twice is once."""
    # By the stored slug: who leaves must be let go also where the settings
    # have dropped the newsletter for a while.
    slug, move = _slug_of(tx, newsletter_id), MOVES[SubscriptionAct.UNSUBSCRIBE]
    if slug is not None and tx.subscribers.move(
        subscriber_id, slug, move.allowed, move.to, now, READER, how
    ):
        log.info("subscription_moved", newsletter=slug, to=str(move.to), how=how)


def _departure(
    tx: Transaction,
    keyring: Keyring,
    settings: Settings,
    subscriber_id: str,
    newsletter_id: str,
    now: datetime,
) -> Departure:
    slug = _slug_of(tx, newsletter_id)
    if slug is None:
        return Departure(None, None)
    subscription = tx.subscribers.subscription(subscriber_id, slug)
    undo_token, lately = None, False
    if subscription is not None and subscription.state is SubscriptionState.UNSUBSCRIBED:
        expires = subscription.changed_at + UNDO_WITHIN
        lately = now <= expires
        if lately and subscription.left_from in BROUGHT_BACK:
            undo_token = keyring.sign_until(Purpose.UNDO, expires, subscriber_id, newsletter_id)
    return Departure(settings.newsletter_called(slug), subscription, undo_token, lately)


def _slug_of(tx: Transaction, newsletter_id: str) -> str | None:
    try:
        return tx.settings.newsletter_slug(newsletter_id)
    except NotFound:
        return None
