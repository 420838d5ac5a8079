"""The moves of a delivery: one table, one function."""

from collections.abc import Mapping

from newsletter.delivery.model import DeliveryState
from newsletter.errors import InvalidTransition

_QUEUED = DeliveryState.QUEUED
_CLAIMED = DeliveryState.CLAIMED
_HANDED_OVER = DeliveryState.HANDED_OVER
_ACCEPTED = DeliveryState.ACCEPTED
_DEFERRED = DeliveryState.DEFERRED
_REFUSED = DeliveryState.REFUSED
_UNCERTAIN = DeliveryState.UNCERTAIN
_SKIPPED = DeliveryState.SKIPPED

MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    _QUEUED: frozenset({_CLAIMED, _SKIPPED, _REFUSED}),
    # Straight to deferred or refused: answered at MAIL or RCPT, or not to be built.
    _CLAIMED: frozenset({_QUEUED, _HANDED_OVER, _DEFERRED, _REFUSED, _SKIPPED}),
    # Back to queued only where a reply or a drop proves that the dot was not taken.
    _HANDED_OVER: frozenset({_QUEUED, _ACCEPTED, _DEFERRED, _REFUSED, _UNCERTAIN}),
    # A deferred row that is due counts as queued, also where one statement claims it.
    _DEFERRED: frozenset({_QUEUED, _REFUSED, _SKIPPED}),
    _UNCERTAIN: frozenset({_QUEUED, _ACCEPTED, _REFUSED}),
    _ACCEPTED: frozenset(),
    _REFUSED: frozenset(),
    _SKIPPED: frozenset(),
}


def move_delivery(state: DeliveryState, to: DeliveryState) -> DeliveryState:
    """``to``, where the table allows it; InvalidTransition where it does not."""
    if to not in MOVES[state]:
        raise InvalidTransition(f"a delivery that is {state} can't become {to}", subject=state)
    return to
