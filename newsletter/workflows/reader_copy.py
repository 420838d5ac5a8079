"""What one reader gets of an issue: which variant, and whether it goes to them at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.issues.model import Choice, Issue, Variant
from newsletter.issues.states import OPEN
from newsletter.issues.variants import match_variants
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.reader_rows import IssueMail
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscriber, SubscriptionState, SuppressionReason
from newsletter.tokens import Keyring
from newsletter.workflows.segments import audience_segment


@dataclass(frozen=True)
class ReaderCopy:
    """An issue and one reader.

    ``variant`` is what serves their choice. ``sent`` is their row of the ledger with the mail
    that it names, None where there is none. ``comes`` says whether an issue that began now
    would go to them; ``state`` is their subscription's, None where they have none, and
    ``suppressed`` why they may not be mailed.
    """

    reader: Subscriber
    variant: Variant
    sent: IssueMail | None
    comes: bool
    state: SubscriptionState | None
    suppressed: SuppressionReason | None


def read_copy(
    tx: Transaction,
    keyring: Keyring,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    reader_id: str,
    offered: Sequence[Variant],
    now: datetime,
) -> ReaderCopy:
    """What the reader of that public id gets of an issue that has the ``offered`` variants.

    The canonical one comes first in them. NotFound once the reader is forgotten.
    """
    reader = tx.subscribers.get(reader_id)
    subscription = tx.subscribers.subscription(reader_id, newsletter.slug)
    sent = tx.reader_rows.of_issue(reader_id, issue.public_id) if issue.state not in OPEN else None
    choice = Choice(reader.language, subscription.departments if subscription else ())
    served = match_variants(issue, {one.name: one for one in offered}, [choice])
    chosen = next((one.variant for one in served.values() if one.choices), offered[0])
    return ReaderCopy(
        reader,
        sent.mailing.variant if sent else chosen,
        sent,
        tx.subscribers.is_in_audience(
            reader_id, newsletter.slug, audience_segment(newsletter, settings, now)
        ),
        subscription.state if subscription else None,
        tx.suppressions.reason(reader.address, keyring.hash_address(reader.address)),
    )
