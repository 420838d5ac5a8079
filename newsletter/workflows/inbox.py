"""A mail that a mail server hands us: a reader who leaves by it, or a report of a message."""

from collections.abc import Sequence
from datetime import datetime

from newsletter.errors import TokenError
from newsletter.feedback.address_tokens import address_tokens
from newsletter.feedback.bounces import read_bounce
from newsletter.log import get_logger
from newsletter.storage.database import Database
from newsletter.tokens import Keyring, Purpose
from newsletter.workflows.leave import leave_by_mail

log = get_logger(__name__)


def take_mail(
    database: Database,
    keyring: Keyring,
    message: bytes,
    recipients: Sequence[str],
    *,
    now: datetime,
) -> bool:
    """Do what a mail to an address with a signed token of ours is for; whether one was.

    ``recipients`` are those of its envelope, where they are known: they alone count
    then, else the fields that name whom it was delivered or written to. Nothing is
    answered.
    """
    taken = leave_by_mail(database, keyring, message, recipients, now=now) or _note_bounce(
        database, keyring, message, recipients, now
    )
    if not taken:
        log.warning("mail_leads_nowhere")
    return taken


def _note_bounce(
    database: Database,
    keyring: Keyring,
    message: bytes,
    recipients: Sequence[str],
    now: datetime,
) -> bool:
    """Keep what a report says of the one message whose return path it came to.

    The token alone tells which message that is: whom the report itself names does not count.
    """
    for token in address_tokens(message, recipients):
        try:
            mailing_id, recipient_id = keyring.verify(Purpose.BOUNCE, token, short=True)
        except (TokenError, ValueError):
            continue
        report = read_bounce(message)
        if report is None:
            return False
        with database.write() as tx:
            known = tx.bounces.note(mailing_id, recipient_id, report, now)
        log.info(
            "bounce_reported",
            mailing=mailing_id,
            recipient=recipient_id,
            action=report.action.value,
            enhanced=report.enhanced,
            known=known,
        )
        return known
    return False
