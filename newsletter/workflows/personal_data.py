"""What we hold about a reader: handed out to them, and erased when they say so.

The preferences link is no proof of who asks, because issues are forwarded. So
both are done behind a link that is mailed to the reader's own address and works
for a day. A change of address is asked for by that link too: as long as it may be
taken back, the new mailbox is no proof either.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from newsletter.log import get_logger, mask_address
from newsletter.rendering.system_mail import render_data_link
from newsletter.storage.database import Database
from newsletter.subscribers.address import limit_address
from newsletter.subscribers.model import Subscriber
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.change_address import trusted_from
from newsletter.workflows.forget import forget_subscriber
from newsletter.workflows.letters import Letters, asked_today, queue_letter, sender_for
from newsletter.workflows.sign_up import READER

log = get_logger(__name__)

OPEN_WITHIN = timedelta(days=1)
LINKS_A_DAY = 3
_ASKED = "data asked"
# An address among the words of a mail server, an editor or a list.
_ADDRESS = re.compile(r"""[^\s<>()\[\]",;:/@]+@[^\s<>()\[\]"',;:/@]+""")


@dataclass(frozen=True)
class DataAnswer:
    """What became of a wish for the link. Where none was mailed, ``write_to`` is the paper's
    address to write to instead, and ``possible_from`` when one may be, if ever."""

    write_to: str = ""
    possible_from: datetime | None = None


def ask_for_data(database: Database, letters: Letters, token: str, *, now: datetime) -> DataAnswer:
    """Mail the reader of a preferences link the link to their data, at most three a day.

    None goes where no mail may go to them, or while a change of their address may be
    taken back.
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
    write_to = sender.reply_to or sender.sender.address
    with database.write() as tx:
        subscriber = tx.subscribers.get(subscriber_id)
        trusted = trusted_from(tx, subscriber, now)
        if trusted is not None:
            return DataAnswer(write_to, trusted)
        if asked_today(tx, subscriber, _ASKED, now) < LINKS_A_DAY:
            if not queue_letter(tx, letters, sender, mail, subscriber, subscriber.address, now):
                return DataAnswer(write_to)
            tx.changes.record(now, READER, "subscriber", subscriber_id, _ASKED)
    return DataAnswer()


def read_data_owner(
    database: Database, keyring: Keyring, token: str, *, now: datetime
) -> Subscriber:
    """Whose data the mailed link opens; TokenError or NotFound where nobody's."""
    (subscriber_id,) = keyring.verify_until(Purpose.DATA, token, now)
    with database.read() as tx:
        return tx.subscribers.get(subscriber_id)


def collect_data(database: Database, keyring: Keyring, subscriber: Subscriber) -> dict[str, Any]:
    """Everything held about a reader, as a document of plain values and instants.

    Any address in it but the reader's present one is masked.
    """
    with database.read() as tx:
        held = tx.holdings.of(
            subscriber.public_id,
            keyring.hash_address(subscriber.address),
            keyring.hash_address(limit_address(subscriber.address)),
        )
    masked: dict[str, Any] = _mask_others(held, subscriber.address)
    return masked


def _mask_others(value: Any, address: str) -> Any:
    def mask(found: re.Match[str]) -> str:
        same = found[0].strip("'.").casefold() == address.casefold()
        return found[0] if same else mask_address(found[0])

    if isinstance(value, str):
        return value if value == address else _ADDRESS.sub(mask, value)
    if isinstance(value, dict):
        return {name: _mask_others(each, address) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mask_others(each, address) for each in value]
    return value


def forget_me(database: Database, keyring: Keyring, token: str, *, now: datetime) -> None:
    """Erase the reader of the mailed link; of the address a keyed hash stays, so that no
    import brings it back."""
    subscriber = read_data_owner(database, keyring, token, now=now)
    forget_subscriber(database, keyring, subscriber.address, actor=READER, now=now)
    log.info("reader_forgotten", by="page")
