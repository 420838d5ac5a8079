"""When a confirmation mail may go out: the brake on subscription bombing."""

from datetime import timedelta

from newsletter.subscribers.model import SubscriptionState, SuppressionReason

# One a day and three until the reader acts: whoever types in somebody else's
# address over and over gets them three short mails, ever.
QUIET_TIME = timedelta(hours=24)
MOST_UNANSWERED = 3


def wants_confirmation(
    state: SubscriptionState | None, suppression: SuppressionReason | None
) -> bool:
    """Whether a reader who asks for a newsletter is to confirm it, as far as the brake allows.

    ``state`` is that of the subscription asked for, if there is one.
    """
    if suppression is not None and suppression.blocks_confirmation:
        return False
    return state is not SubscriptionState.ACTIVE
