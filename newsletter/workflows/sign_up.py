"""How a reader comes: the form, the confirmation mail, the button on its page.

The form answers the same for every address. A known one and an unknown one
take the same way here, rendering included, so that neither the page nor its
time tells who is on the list.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.errors import NotFound, TokenError
from newsletter.log import get_logger, mask_address
from newsletter.publication.model import Newsletter, Settings
from newsletter.rendering.environment import Templates
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.system_mail import render_confirmation
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.model import Consent, Subscriber, Subscription, SubscriptionState
from newsletter.subscribers.names import clean_name
from newsletter.subscribers.opt_in import may_mail_confirmation
from newsletter.subscribers.states import MOVES, SubscriptionAct
from newsletter.tokens import Keyring, Purpose, derived_public_id, new_public_id

log = get_logger(__name__)

CONFIRM_WITHIN = timedelta(days=7)
READER = "reader"
# The change log's words: what happened to an address's confirmations.
_CONFIRMATION = "confirmation"
_MAILED = "mailed"
_ANSWERED = "answered"


@dataclass(frozen=True)
class SignUp:
    """What a reader sent by the form. ``wording`` and ``placement`` are the evidence.

    ``language`` is what the reader picked for the page, if anything.
    """

    newsletter: str
    address: str
    wording: str
    placement: str
    name: str = ""
    language: str | None = None


@dataclass(frozen=True)
class Confirmation:
    """A confirmation link as its page shows it.

    ``subscription`` is None where the reader is gone; ``expired`` links can't
    confirm any more. ``also_asked`` are the reader's other newsletters that
    wait for a confirmation: they share the one mail a day, and may be confirmed
    by the same press.
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


def request_subscription(
    database: Database,
    keyring: Keyring,
    settings: Settings,
    templates: Templates,
    sign_up: SignUp,
    *,
    base_url: str,
    now: datetime,
    dkim_selectors: tuple[str, ...] = (),
) -> None:
    """Note the wish and mail the confirmation, as far as the brake allows.

    AddressError or UsageError where the address or the name is none; NotFound
    for an unknown newsletter. All else looks the same from outside.
    """
    newsletter = _newsletter_called(settings, sign_up.newsletter)
    address = normalise_address(sign_up.address)
    name = clean_name(sign_up.name)
    with database.read() as tx:
        known = tx.subscribers.find(address)
        newsletter_id = tx.settings.newsletter_id(newsletter.slug)
    reader = known or Subscriber(new_public_id(), address, now, name, sign_up.language)
    # Rendered before the write begins: SQLite has one writer at a time.
    mail = _render_mail(
        keyring, settings, templates, newsletter, newsletter_id, reader, base_url, now
    )
    consent = Consent(how="form", wording=sign_up.wording, at=now, placement=sign_up.placement)
    address_hash = keyring.hash_address(address)
    with database.write() as tx:
        stored = tx.subscribers.add(reader, address_hash)
        if stored.public_id != reader.public_id:
            # Somebody else asked for this address at the same moment; their mail goes.
            return
        mailed = _note_wish(tx, newsletter, reader, address_hash, consent, now)
        if mailed is not None:
            key = f"confirmation:{reader.public_id}:{mailed}"
            mailing = Mailing(
                public_id=derived_public_id("confirmation", reader.public_id, str(mailed)),
                kind=MailingKind.SYSTEM,
                subject=mail.subject,
                html=mail.html,
                text=mail.text,
                from_name=newsletter.sender.name,
                from_address=newsletter.sender.address,
                reply_to=newsletter.reply_to,
                return_path=settings.bounces.return_path,
                created_at=now,
                language=mail.language,
                base_url=base_url,
                token_key=keyring.signing_key,
                dkim_selectors=dkim_selectors,
            )
            _queue_mail(tx, mailing, key, newsletter, reader, now)
    log.info(
        "subscription_requested",
        newsletter=newsletter.slug,
        address=mask_address(address),
        mailed=mailed is not None,
    )


def read_confirmation(
    database: Database, keyring: Keyring, settings: Settings, token: str, *, now: datetime
) -> Confirmation:
    """What a confirmation link leads to; TokenError where it is not one of ours."""
    subscriber_id, newsletter_id, expired = _read_token(keyring, token, now)
    with database.read() as tx:
        newsletter = _newsletter_called(settings, tx.settings.newsletter_slug(newsletter_id))
        return _confirmation(tx, settings, subscriber_id, newsletter, expired)


def confirm_subscription(
    database: Database,
    keyring: Keyring,
    settings: Settings,
    token: str,
    *,
    also: Collection[str] = (),
    now: datetime,
) -> Confirmation:
    """Press the button: the subscription becomes active where its state allows it.

    ``also`` are slugs of other newsletters that the reader ticked beside it.
    The reader's own confirmation lifts a suppression that allows it. A second
    press changes nothing.
    """
    subscriber_id, newsletter_id, expired = _read_token(keyring, token, now)
    with database.write() as tx:
        newsletter = _newsletter_called(settings, tx.settings.newsletter_slug(newsletter_id))
        before = _confirmation(tx, settings, subscriber_id, newsletter, expired)
        if before.subscription is not None and not expired:
            slugs = [n.slug for n in before.also_asked if n.slug in also]
            _activate(tx, keyring, before.subscription.subscriber, [newsletter.slug, *slugs], now)
        return _confirmation(tx, settings, subscriber_id, newsletter, expired)


def _activate(
    tx: Transaction, keyring: Keyring, subscriber: Subscriber, slugs: Sequence[str], now: datetime
) -> None:
    move = MOVES[SubscriptionAct.CONFIRM]
    address_hash = keyring.hash_address(subscriber.address)
    suppression = tx.subscribers.suppression(address_hash)
    if suppression is not None and suppression.blocks_confirmation:
        return
    confirmed = [
        slug
        for slug in slugs
        if tx.subscribers.move(
            subscriber.public_id, slug, move.allowed, move.to, now, READER, "confirmed"
        )
    ]
    if confirmed:
        tx.changes.record(now, READER, _CONFIRMATION, subscriber.public_id, _ANSWERED)
        if suppression is not None:
            tx.subscribers.unsuppress(address_hash, now, READER)
        log.info("subscription_confirmed", newsletters=",".join(confirmed))


def _confirmation(
    tx: Transaction, settings: Settings, subscriber_id: str, newsletter: Newsletter, expired: bool
) -> Confirmation:
    subscriptions = {s.newsletter: s for s in tx.subscribers.subscriptions(subscriber_id)}
    others = tuple(
        other
        for other in settings.newsletter
        if other.slug != newsletter.slug
        and other.slug in subscriptions
        and subscriptions[other.slug].state is SubscriptionState.PENDING
    )
    return Confirmation(newsletter, subscriptions.get(newsletter.slug), expired, others)


def _note_wish(
    tx: Transaction,
    newsletter: Newsletter,
    reader: Subscriber,
    address_hash: str,
    consent: Consent,
    now: datetime,
) -> int | None:
    """Make the subscription pending where that is right; the number of the mail to send, if any."""
    mailed, unanswered = _confirmations(tx, reader.public_id)
    subscription = tx.subscribers.subscription(reader.public_id, newsletter.slug)
    state = subscription.state if subscription else None
    suppression = tx.subscribers.suppression(address_hash)
    mail = may_mail_confirmation(state, suppression, unanswered, now)
    blocked = suppression is not None and suppression.blocks_confirmation
    asked_anew = state is None or state is SubscriptionState.UNSUBSCRIBED
    if not blocked and (asked_anew or (mail and state is SubscriptionState.PENDING)):
        tx.subscribers.subscribe(
            reader.public_id, newsletter.slug, SubscriptionState.PENDING, consent, now, READER
        )
    return mailed if mail else None


def _confirmations(tx: Transaction, subscriber_id: str) -> tuple[int, Sequence[datetime]]:
    """(how many were ever mailed, when those were that nobody has answered yet)."""
    mailed, unanswered = 0, list[datetime]()
    for change in tx.changes.of(_CONFIRMATION, subscriber_id):
        if change.act == _MAILED:
            mailed += 1
            unanswered.append(change.at)
        elif change.act == _ANSWERED:
            unanswered.clear()
    return mailed, unanswered


def _queue_mail(
    tx: Transaction,
    mailing: Mailing,
    key: str,
    newsletter: Newsletter,
    reader: Subscriber,
    now: datetime,
) -> None:
    # The number makes two requests at the same moment be one, whatever the isolation.
    if tx.mailings.create(mailing, key=key, newsletter=newsletter.slug):
        tx.mailings.enqueue(
            mailing.public_id,
            reader.public_id,
            reader.address,
            now,
            subscriber_id=reader.public_id,
        )
        tx.changes.record(now, READER, _CONFIRMATION, reader.public_id, _MAILED)


def _render_mail(
    keyring: Keyring,
    settings: Settings,
    templates: Templates,
    newsletter: Newsletter,
    newsletter_id: str,
    reader: Subscriber,
    base_url: str,
    now: datetime,
) -> RenderedMail:
    expires = now + CONFIRM_WITHIN
    token = keyring.sign_until(Purpose.CONFIRM, expires, reader.public_id, newsletter_id)
    return render_confirmation(
        settings.publication,
        newsletter,
        address=reader.address,
        token=token,
        base_url=base_url,
        templates=templates,
        expires_at=expires,
        language=reader.language,
    )


def _read_token(keyring: Keyring, token: str, now: datetime) -> tuple[str, str, bool]:
    """(subscriber, newsletter, expired) of a confirmation link that is ours."""
    subscriber_id, newsletter_id, _ = keyring.verify(Purpose.CONFIRM, token)
    try:
        keyring.verify_until(Purpose.CONFIRM, token, now)
    except TokenError:
        return subscriber_id, newsletter_id, True
    return subscriber_id, newsletter_id, False


def _newsletter_called(settings: Settings, slug: str) -> Newsletter:
    newsletter = settings.newsletter_called(slug)
    if newsletter is None:
        raise NotFound(f'there is no newsletter "{slug}"', subject=slug)
    return newsletter
