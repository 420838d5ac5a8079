"""When a confirmation mail may go out, and what it asks to confirm."""

from dataclasses import replace
from datetime import timedelta

from newsletter.subscribers.model import (
    Subscription,
    SubscriptionState,
    SubscriptionWish,
    SuppressionReason,
)
from newsletter.subscribers.states import SubscriptionAct, next_state

# The brake on subscription bombing. One a day and three until the reader acts: whoever
# types in somebody else's address over and over gets them three short mails, ever.
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


def as_asked(subscription: Subscription, wish: SubscriptionWish | None) -> Subscription:
    """A subscription as a confirmation finds it: one that was left and is asked for again
    waits for it, and is still left until then."""
    if wish is None or subscription.state is not SubscriptionState.UNSUBSCRIBED:
        return subscription
    return replace(
        subscription,
        state=next_state(subscription.state, SubscriptionAct.ASK),
        consent=wish.consent,
        cadence=wish.cadence or subscription.cadence,
        changed_at=wish.consent.at,
        paused_until=None,
        left_because=None,
        left_from=None,
    )
