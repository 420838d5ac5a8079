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
    for token in address_tokens(message, recipients):
        if theirs := _signed(keyring, Purpose.LEAVE, token):
            subscriber_id, newsletter_id = theirs
            leave_by_mail(database, subscriber_id, newsletter_id, now=now)
            return True
        if named := _signed(keyring, Purpose.BOUNCE, token):
            mailing_id, recipient_id = named
            if _note_bounce(database, mailing_id, recipient_id, message, now):
                return True
            break
    log.warning("mail_leads_nowhere")
    return False


def _signed(keyring: Keyring, purpose: Purpose, token: str) -> tuple[str, ...]:
    """The public ids that a token of ours holds; none where it is not one."""
    try:
        return keyring.verify(purpose, token, short=True)
    except (TokenError, ValueError):
        return ()


def _note_bounce(
    database: Database, mailing_id: str, recipient_id: str, message: bytes, now: datetime
) -> bool:
    """Keep what a report says of the one message whose return path it came to.

    The token alone tells which message that is: whom the report itself names does not count.
    """
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
