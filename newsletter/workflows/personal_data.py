"""What we hold about a reader: handed out to them, and erased when they say so.

The preferences link is no proof of who asks, because issues are forwarded. So
both are done behind a link that is mailed to the reader's own address and works
for a day.
"""

from datetime import datetime, timedelta
from typing import Any

from newsletter.log import get_logger
from newsletter.rendering.system_mail import render_data_link
from newsletter.storage.database import Database
from newsletter.subscribers.address import limit_address
from newsletter.subscribers.model import Subscriber
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.import_subscribers import forget_subscriber
from newsletter.workflows.letters import Letters, asked_today, queue_letter, sender_for
from newsletter.workflows.sign_up import READER

log = get_logger(__name__)

OPEN_WITHIN = timedelta(days=1)
LINKS_A_DAY = 3
_ASKED = "data asked"


def ask_for_data(database: Database, letters: Letters, token: str, *, now: datetime) -> str | None:
    """Mail the reader of a preferences link the link to their data, at most three a day.

    Where no mail may go to them, whom they may write to instead: an address of the paper's.
    """
    (subscriber_id,) = letters.keyring.verify(Purpose.PREFERENCES, token)
    expires = now + OPEN_WITHIN
    with database.read() as tx:
        subscriber = tx.subscribers.get(subscriber_id)
        sender = sender_for(letters.settings, tx.subscribers.subscriptions(subscriber_id))
    mail = render_data_link(
        letters.settings.publication,
        sender,
        token=letters.keyring.sign_until(Purpose.DATA, expires, subscriber_id),
        base_url=letters.base_url,
        templates=letters.templates,
        expires_at=expires,
        language=subscriber.language,
    )
    with database.write() as tx:
        if asked_today(tx, subscriber, _ASKED, now) < LINKS_A_DAY:
            if not queue_letter(tx, letters, sender, mail, subscriber, subscriber.address, now):
                return sender.reply_to or sender.sender.address
            tx.changes.record(now, READER, "subscriber", subscriber_id, _ASKED)
    return None


def read_data_owner(
    database: Database, keyring: Keyring, token: str, *, now: datetime
) -> Subscriber:
    """Whose data the mailed link opens; TokenError or NotFound where nobody's."""
    (subscriber_id,) = keyring.verify_until(Purpose.DATA, token, now)
    with database.read() as tx:
        return tx.subscribers.get(subscriber_id)


def collect_data(database: Database, keyring: Keyring, subscriber: Subscriber) -> dict[str, Any]:
    """Everything held about a reader, as a document of plain values and instants."""
    with database.read() as tx:
        return tx.holdings.of(
            subscriber.public_id,
            keyring.hash_address(subscriber.address),
            keyring.hash_address(limit_address(subscriber.address)),
        )


def forget_me(database: Database, keyring: Keyring, token: str, *, now: datetime) -> None:
    """Erase the reader of the mailed link; of the address a keyed hash stays, so that no
    import brings it back."""
    subscriber = read_data_owner(database, keyring, token, now=now)
    forget_subscriber(database, keyring, subscriber.address, actor=READER, now=now)
    log.info("reader_forgotten", by="page")
