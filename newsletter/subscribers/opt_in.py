"""When a confirmation mail may go out: the brake on subscription bombing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from newsletter.subscribers.model import SubscriptionState, SuppressionReason

# One a day and three until the reader acts: whoever types in somebody else's
# address over and over gets them three short mails, ever.
QUIET_TIME = timedelta(hours=24)
MOST_UNANSWERED = 3


def may_mail_confirmation(
    state: SubscriptionState | None,
    suppression: SuppressionReason | None,
    unanswered: Sequence[datetime],
    now: datetime,
) -> bool:
    """Whether a reader who asks for a newsletter is sent the confirmation mail.

    ``state`` is that of the subscription asked for, if there is one;
    ``unanswered`` when this address was sent confirmations, of any newsletter,
    since its reader last acted on one, oldest first.
    """
    if state is SubscriptionState.ACTIVE:
        return False
    if suppression is not None and suppression.blocks_confirmation:
        return False
    if len(unanswered) >= MOST_UNANSWERED:
        return False
    return not unanswered or now - unanswered[-1] >= QUIET_TIME
