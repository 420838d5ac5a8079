"""Letters to one reader: what they are made with, in whose name they come, how they go."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.environment import Templates
from newsletter.rendering.model import RenderedMail
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscriber, Subscription, SubscriptionState
from newsletter.tokens import Keyring, new_public_id
from newsletter.workflows.system_mail import system_mailing


@dataclass(frozen=True)
class Letters:
    """What system mails are made with.

    ``base_url`` is the root of the links; ``dkim_selectors`` name the keys that sign.
    """

    keyring: Keyring
    settings: Settings
    templates: Templates
    base_url: str
    dkim_selectors: tuple[str, ...] = ()


def sender_for(settings: Settings, subscriptions: Collection[Subscription]) -> Newsletter:
    """The newsletter in whose name a reader is written to: one they get, if there is one."""
    gets = {
        one.newsletter
        for one in subscriptions
        if one.state in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    }
    known = {one.newsletter for one in subscriptions}
    return min(
        settings.newsletter,
        key=lambda newsletter: (newsletter.slug not in gets, newsletter.slug not in known),
    )


def asked_today(tx: Transaction, reader: Subscriber, act: str, now: datetime) -> int:
    """How often a reader has asked for a letter within a day, by the act that is logged of it."""
    return sum(
        change.act == act and now - change.at < timedelta(days=1)
        for change in tx.changes.of("subscriber", reader.public_id)
    )


def queue_letter(
    tx: Transaction,
    letters: Letters,
    sender: Newsletter,
    mail: RenderedMail,
    reader: Subscriber,
    address: str,
    now: datetime,
) -> bool:
    """Queue ``mail`` to an address of ``reader``, first in line as all system mail.

    False where nothing may be mailed to that address, and nothing is queued.
    """
    address_hash = letters.keyring.hash_address(address)
    suppression = tx.suppressions.reason(address, address_hash)
    if suppression is not None and suppression.blocks_confirmation:
        return False
    mailing = system_mailing(
        letters.keyring,
        letters.settings,
        sender,
        mail,
        public_id=new_public_id(),
        reply_to=sender.reply_to,
        base_url=letters.base_url,
        now=now,
        dkim_selectors=letters.dkim_selectors,
    )
    tx.mailings.create(mailing, key=f"letter:{mailing.public_id}", newsletter=sender.slug)
    tx.mailings.enqueue(
        *(mailing.public_id, reader.public_id, address, now),
        subscriber_id=reader.public_id,
        address_hash=address_hash,
    )
    return True
