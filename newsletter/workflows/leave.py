"""How a reader leaves, comes back, and changes what they get."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import NotFound
from newsletter.log import get_logger
from newsletter.publication.model import Newsletter, Settings
from newsletter.rendering.environment import Templates
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscriber, Subscription, SubscriptionState
from newsletter.subscribers.states import MOVES, SubscriptionAct
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.sign_up import READER, SignUp, request_subscription

log = get_logger(__name__)

UNDO_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Departure:
    """An unsubscribe link as its page shows it.

    ``newsletter`` is None where the settings no longer have it, and
    ``subscription`` where the reader was forgotten: the link is ours all the
    same. ``undo_token`` is set as long as leaving can be undone.
    """

    newsletter: Newsletter | None
    subscription: Subscription | None
    undo_token: str | None = None

    @property
    def gone(self) -> bool:
        """Whether this reader no longer gets this newsletter."""
        return (
            self.newsletter is None
            or self.subscription is None
            or self.subscription.state is SubscriptionState.UNSUBSCRIBED
        )


@dataclass(frozen=True)
class Choice:
    """A newsletter on the preferences page. ``state`` None: never asked for."""

    newsletter: Newsletter
    state: SubscriptionState | None

    @property
    def on(self) -> bool:
        return self.state is SubscriptionState.ACTIVE

    @property
    def paused(self) -> bool:
        return self.state is SubscriptionState.PAUSED


@dataclass(frozen=True)
class Preferences:
    """A reader and every newsletter they could have."""

    subscriber: Subscriber
    choices: tuple[Choice, ...]


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
    move = MOVES[SubscriptionAct.UNSUBSCRIBE]
    with database.write() as tx:
        # By the stored slug: who leaves must be let go also where the settings
        # have dropped the newsletter for a while.
        slug = _slug_of(tx, newsletter_id)
        if slug is not None and tx.subscribers.move(
            subscriber_id, slug, move.allowed, move.to, now, READER, how
        ):
            log.info("unsubscribed", newsletter=slug, how=how)
        return _departure(tx, keyring, settings, subscriber_id, newsletter_id, now)


def undo_unsubscribe(
    database: Database, keyring: Keyring, settings: Settings, undo_token: str, *, now: datetime
) -> Departure:
    """Take back a goodbye within 30 days; TokenError afterwards."""
    subscriber_id, newsletter_id = keyring.verify_until(Purpose.UNDO, undo_token, now)
    move = MOVES[SubscriptionAct.UNDO_UNSUBSCRIBE]
    with database.write() as tx:
        slug = _slug_of(tx, newsletter_id)
        if slug is not None and tx.subscribers.move(
            subscriber_id, slug, move.allowed, move.to, now, READER, "undo"
        ):
            log.info("unsubscribe_undone", newsletter=slug)
        return _departure(tx, keyring, settings, subscriber_id, newsletter_id, now)


def read_preferences(
    database: Database, keyring: Keyring, settings: Settings, token: str
) -> Preferences:
    """The reader of a preferences link; TokenError or NotFound where there is none."""
    (subscriber_id,) = keyring.verify(Purpose.PREFERENCES, token)
    with database.read() as tx:
        return _preferences(tx, settings, subscriber_id)


def update_preferences(
    database: Database,
    keyring: Keyring,
    settings: Settings,
    templates: Templates,
    token: str,
    wanted: Collection[str],
    *,
    paused: Collection[str] = (),
    base_url: str,
    wording: str,
    now: datetime,
) -> Preferences:
    """Switch every newsletter on or off by whether its slug is ``wanted``.

    What is wanted and ``paused`` brings nothing until it is switched on again. Off
    is at once, and so is a pause. On asks for the reader's confirmation, as the form does: the
    link stands in every issue, and issues are forwarded.
    """
    (subscriber_id,) = keyring.verify(Purpose.PREFERENCES, token)
    leave, resume = MOVES[SubscriptionAct.UNSUBSCRIBE], MOVES[SubscriptionAct.RESUME]
    pause = MOVES[SubscriptionAct.PAUSE]
    with database.write() as tx:
        before = _preferences(tx, settings, subscriber_id)
        for choice in before.choices:
            slug = choice.newsletter.slug
            if slug in wanted and slug in paused and choice.on:
                tx.subscribers.move(
                    subscriber_id, slug, pause.allowed, pause.to, now, READER, "preferences"
                )
            elif slug in wanted:
                tx.subscribers.move(
                    subscriber_id, slug, resume.allowed, resume.to, now, READER, "preferences"
                )
            elif choice.on:
                tx.subscribers.move(
                    subscriber_id, slug, leave.allowed, leave.to, now, READER, "preferences"
                )
        after = _preferences(tx, settings, subscriber_id)
    for choice in after.choices:
        if choice.newsletter.slug in wanted and not (choice.on or choice.paused):
            request_subscription(
                database,
                keyring,
                settings,
                templates,
                SignUp(choice.newsletter.slug, after.subscriber.address, wording, "preferences"),
                base_url=base_url,
                now=now,
            )
    return read_preferences(database, keyring, settings, token)


def _preferences(tx: Transaction, settings: Settings, subscriber_id: str) -> Preferences:
    subscriber = tx.subscribers.by_id(subscriber_id)
    if subscriber is None:
        raise NotFound("we have no such reader any more", subject="subscriber")
    states = {
        subscription.newsletter: subscription.state
        for subscription in tx.subscribers.subscriptions(subscriber_id)
    }
    return Preferences(
        subscriber,
        tuple(
            Choice(newsletter, states.get(newsletter.slug)) for newsletter in settings.newsletter
        ),
    )


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
    undo_token = None
    if subscription is not None and subscription.state is SubscriptionState.UNSUBSCRIBED:
        expires = subscription.changed_at + UNDO_WITHIN
        if now <= expires:
            undo_token = keyring.sign_until(Purpose.UNDO, expires, subscriber_id, newsletter_id)
    return Departure(settings.newsletter_called(slug), subscription, undo_token)


def _slug_of(tx: Transaction, newsletter_id: str) -> str | None:
    try:
        return tx.settings.newsletter_slug(newsletter_id)
    except NotFound:
        return None
