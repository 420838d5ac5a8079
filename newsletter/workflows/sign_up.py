"""How a reader comes: the form and the confirmation mail; `confirm` is what its button does.

The form answers the same for every address. A known one and an unknown one
take the same way here, rendering included, so that neither the page nor its
time tells who is on the list.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.delivery.model import Mailing
from newsletter.errors import NewsletterError, NotFound
from newsletter.log import get_logger, mask_address
from newsletter.net.networks import network_of
from newsletter.publication.cadence import Cadence
from newsletter.publication.model import Settings, SignUpSettings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.environment import Templates
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.system_mail import render_confirmation
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import limit_address, normalise_address
from newsletter.subscribers.floods import (
    LONGEST_LANE,
    Quotas,
    Trust,
    Verdict,
    judge_posts,
    lane_of,
    sound_alarm,
)
from newsletter.subscribers.model import (
    Consent,
    Lane,
    Subscriber,
    SubscriptionState,
    SubscriptionWish,
    SuppressionReason,
)
from newsletter.subscribers.names import clean_name
from newsletter.subscribers.opt_in import MOST_UNANSWERED, QUIET_TIME, wants_confirmation
from newsletter.tokens import Keyring, Purpose, new_public_id
from newsletter.workflows.system_mail import system_mailing

log = get_logger(__name__)

CONFIRM_WITHIN = timedelta(days=7)
READER = "reader"


@dataclass(frozen=True)
class Proof:
    """A puzzle that the visitor's machine solved: it counts once, until it expires."""

    id: str
    expires_at: datetime


@dataclass(frozen=True)
class Visitor:
    """Who came by a door that is open to all: the network address, the puzzle solved if any.

    ``must_prove``: in an attack this door takes nobody without a proof.
    """

    address: str
    proof: Proof | None = None
    must_prove: bool = False


@dataclass(frozen=True)
class SignUp:
    """What a reader sent. Most of it is the evidence, as `Consent` describes it.

    ``language`` is what the reader picked for the page, if anything,
    ``shown_in`` that of the wording; ``cadence`` how often they want it, where they said
    so. Without a ``visitor`` the wish came by a link that we signed, which no flood comes by.
    """

    newsletter: str
    address: str
    wording: str
    placement: str
    name: str = ""
    language: str | None = None
    how: str = "form"
    page: str = ""
    shown_in: str = ""
    visitor: Visitor | None = None
    cadence: Cadence | None = None


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
) -> Verdict:
    """Note the wish and mail the confirmation, as far as the brake allows.

    AddressError or UsageError where the address or the name is none; NotFound
    for an unknown newsletter. The verdict tells of floods alone, and all else
    looks the same from outside: who is on the list does not show.
    """
    newsletter = newsletter_called(settings, sign_up.newsletter)
    address = normalise_address(sign_up.address)
    name = clean_name(sign_up.name)
    with database.read() as tx:
        known = tx.subscribers.find(address)
        newsletter_id = tx.settings.newsletter_id(newsletter.slug)
        stranger = Subscriber(new_public_id(), address, now, name, sign_up.language)
        reader = _as_told(tx, known, name, sign_up.language) if known else stranger
    # Rendered before the write begins: SQLite has one writer at a time.
    mail = _render_mail(
        keyring, settings, templates, newsletter, newsletter_id, reader, base_url, now
    )
    visitor, consent = sign_up.visitor, _consent_of(keyring, sign_up, now)
    with database.write() as tx:
        lane: Lane | None = None
        if visitor is not None:
            verdict, lane = _let_in(tx, keyring, settings.sign_up, visitor, address, now)
            if verdict is not Verdict.WELCOME:
                return verdict
        due = tx.sign_ups.lane_free_at(lane, now) if lane else now
        if due - now > LONGEST_LANE:
            return Verdict.ALL_BUSY
        suppression = tx.suppressions.reason(address, keyring.hash_address(address))
        blocked = suppression is not None and suppression.blocks_confirmation
        if blocked and known is None:
            # Whom nobody may write to would never confirm: nothing is kept of them.
            return Verdict.WELCOME
        stored = tx.subscribers.add(reader, keyring.hash_address(address))
        if stored.public_id != reader.public_id:
            # Somebody else asked for this address at the same moment; their mail goes.
            return Verdict.WELCOME
        mailed = _note_wish(
            tx, keyring, newsletter, reader, suppression, consent, sign_up.cadence, now
        )
        if mailed:
            _describe(tx, known or reader, reader, now)
            mailing = system_mailing(
                keyring,
                settings,
                newsletter,
                mail,
                public_id=new_public_id(),
                reply_to=newsletter.reply_to,
                base_url=base_url,
                now=now,
                dkim_selectors=dkim_selectors,
            )
            if lane is not None:
                tx.sign_ups.take_place(lane, due)
            _queue_mail(tx, keyring, mailing, newsletter, reader, due, slow=lane is not None)
    log.info(
        "subscription_requested",
        newsletter=newsletter.slug,
        address=mask_address(address),
        mailed=mailed,
        lane=lane.name if lane else "",
    )
    return Verdict.WELCOME


def _consent_of(keyring: Keyring, sign_up: SignUp, now: datetime) -> Consent:
    return Consent(
        how=sign_up.how,
        wording=sign_up.wording,
        at=now,
        placement=sign_up.placement,
        page=sign_up.page,
        language=sign_up.shown_in,
        network=keyring.hash_network(sign_up.visitor.address) if sign_up.visitor else "",
    )


def _let_in(
    tx: Transaction,
    keyring: Keyring,
    rules: SignUpSettings,
    visitor: Visitor,
    address: str,
    now: datetime,
) -> tuple[Verdict, Lane | None]:
    """Count a visitor; whether they are let in, and the lane that their mail waits in."""
    posts = tx.sign_ups.count_post(
        keyring.hash_network(network_of(visitor.address)),
        address.rpartition("@")[2],
        now,
        network_most=rules.network_hourly,
    )
    quotas = Quotas(rules.network_hourly, rules.domain_hourly, rules.hourly, rules.attack_after)
    before = tx.sign_ups.alarm()
    alarm = sound_alarm(before, posts, quotas, now)
    if alarm != before:
        tx.sign_ups.set_alarm(alarm)
        if not before.is_on(now):
            log.warning("sign_up_attack_begins", last_ten_minutes=posts.last_ten_minutes)
    verdict = judge_posts(posts, quotas)
    if verdict is not Verdict.WELCOME:
        log.info("sign_up_refused", why=verdict.value)
        return verdict, None
    proof, attacked = visitor.proof, alarm.is_on(now)
    proven = proof is not None and tx.sign_ups.spend_proof(proof.id, proof.expires_at)
    if attacked and visitor.must_prove and not proven:
        return Verdict.PROOF_NEEDED, None
    trust = Trust.PROVEN if proven else Trust.UNPROVEN
    return verdict, lane_of(trust, rules.slow_lane, attacked=attacked)


def _note_wish(
    tx: Transaction,
    keyring: Keyring,
    newsletter: Newsletter,
    reader: Subscriber,
    suppression: SuppressionReason | None,
    consent: Consent,
    cadence: Cadence | None,
    now: datetime,
) -> bool:
    """Keep what is asked for where that is right; whether the mail may go.

    It becomes a pending subscription, or waits beside one that was left: anybody may ask
    with an address, and whoever left with it has left until they confirm.
    """
    subscription = tx.subscribers.subscription(reader.public_id, newsletter.slug)
    if subscription is not None and subscription.state is SubscriptionState.UNSUBSCRIBED:
        # It may be removed in this very moment, with the import that alone said so.
        tx.preferences.hold_to_move(reader.public_id)
        subscription = tx.subscribers.subscription(reader.public_id, newsletter.slug)
    state = subscription.state if subscription else None
    counted_by = keyring.hash_address(limit_address(reader.address))
    mailed = wants_confirmation(state, suppression) and tx.sign_ups.count_confirmation(
        counted_by, now, quiet=QUIET_TIME, most=MOST_UNANSWERED
    )
    blocked = suppression is not None and suppression.blocks_confirmation
    whose = (reader.public_id, newsletter.slug)
    pending = SubscriptionState.PENDING
    if blocked:
        return False
    if state is SubscriptionState.UNSUBSCRIBED:
        if mailed or newsletter.slug not in tx.wishes.of(reader.public_id):
            tx.wishes.hold(*whose, SubscriptionWish(consent, cadence), READER)
    elif state is None or (mailed and state is pending):
        # Whoever leaves, or is brought in, in this very moment is not overwritten.
        asked = tx.subscribers.subscribe(*whose, pending, consent, now, READER, over=(pending,))
        if asked and cadence is not None:
            tx.subscribers.choose_cadence(*whose, cadence, now, READER)
    return mailed


def _as_told(tx: Transaction, known: Subscriber, name: str, language: str | None) -> Subscriber:
    """A person with the name and language that a sign-up gives, as long as they have
    confirmed nothing: of who has, no sign-up changes either."""
    if _is_confirmed(tx, known):
        return known
    return replace(known, name=name or known.name, language=language or known.language)


def _describe(tx: Transaction, known: Subscriber, told: Subscriber, now: datetime) -> None:
    if told == known or _is_confirmed(tx, known):
        return
    tx.preferences.rename(known.public_id, told.name, now, READER)
    tx.preferences.choose_language(known.public_id, told.language, now, READER)


def _is_confirmed(tx: Transaction, known: Subscriber) -> bool:
    """Whether a person has, or had, more than sign-ups that wait for a confirmation."""
    subscriptions = tx.subscribers.subscriptions(known.public_id)
    return any(one.state is not SubscriptionState.PENDING for one in subscriptions)


def _queue_mail(
    tx: Transaction,
    keyring: Keyring,
    mailing: Mailing,
    newsletter: Newsletter,
    reader: Subscriber,
    due: datetime,
    *,
    slow: bool,
) -> None:
    key = f"confirmation:{mailing.public_id}"
    tx.mailings.create(mailing, key=key, newsletter=newsletter.slug)
    tx.mailings.enqueue(
        mailing.public_id,
        reader.public_id,
        reader.address,
        due,
        subscriber_id=reader.public_id,
        address_hash=keyring.hash_address(reader.address),
        slow=slow,
    )


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
    token = sign_confirmation(keyring, reader, newsletter_id, expires)
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


def sign_confirmation(
    keyring: Keyring, reader: Subscriber, newsletter_id: str, expires: datetime
) -> str:
    """The token of a link that confirms, for as long as the reader has the address it goes to."""
    mailbox = keyring.mailbox_mark(reader.address)
    return keyring.sign_until(Purpose.CONFIRM, expires, reader.public_id, newsletter_id, mailbox)


def prepare_confirmations(
    settings: Settings, templates: Templates, *, base_url: str, now: datetime
) -> None:
    """Render each newsletter's confirmation once, before anybody waits for it.

    The first one takes a quarter of a second, in which a busy door would fall behind.
    """
    for newsletter in settings.newsletter:
        try:
            render_confirmation(
                settings.publication,
                newsletter,
                address="",
                token="",
                base_url=base_url,
                templates=templates,
                expires_at=now + CONFIRM_WITHIN,
            )
        except NewsletterError as error:
            # Whoever signs up is told; the pages are there for the others.
            log.error("confirmation_failed", newsletter=newsletter.slug, error=str(error))


def newsletter_called(settings: Settings, slug: str) -> Newsletter:
    newsletter = settings.newsletter_called(slug)
    if newsletter is None:
        raise NotFound(f'there is no newsletter "{slug}"', subject=slug)
    return newsletter
