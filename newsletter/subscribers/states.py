"""The moves of a subscription: one table, one function.

Who has left comes back only by the undo link on the goodbye page, to where they
were and only where they had confirmed it (`BROUGHT_BACK`); by asking for the
newsletter again and confirming it, both of which happen at the confirmation, for anybody
may ask with their address; or, where an import took them off, by undoing
that: then to where they were (`GIVEN_BACK`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import InvalidTransition
from newsletter.subscribers.model import SubscriptionState

_PENDING = SubscriptionState.PENDING
_ACTIVE = SubscriptionState.ACTIVE
_PAUSED = SubscriptionState.PAUSED
_UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED


class SubscriptionAct(StrEnum):
    """What can happen to a subscription."""

    ASK = "ask"
    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True)
class Move:
    """An act is possible in the states ``allowed`` and leads ``to`` one."""

    allowed: frozenset[SubscriptionState]
    to: SubscriptionState


MOVES: Mapping[SubscriptionAct, Move] = {
    SubscriptionAct.ASK: Move(frozenset({_PENDING, _UNSUBSCRIBED}), _PENDING),
    # A paused reader who asks again by the form means "send me mail".
    SubscriptionAct.CONFIRM: Move(frozenset({_PENDING, _PAUSED}), _ACTIVE),
    SubscriptionAct.PAUSE: Move(frozenset({_ACTIVE}), _PAUSED),
    SubscriptionAct.RESUME: Move(frozenset({_PAUSED}), _ACTIVE),
    SubscriptionAct.UNSUBSCRIBE: Move(frozenset({_PENDING, _ACTIVE, _PAUSED}), _UNSUBSCRIBED),
}

# Where the undo of a goodbye may lead back to: whence the reader left, and nowhere else.
# A link in a forwarded copy must not confirm what its reader never did.
BROUGHT_BACK = frozenset({_ACTIVE, _PAUSED})

# Where undoing an import may lead back to: whence it took the reader off, and nowhere else.
GIVEN_BACK = MOVES[SubscriptionAct.UNSUBSCRIBE].allowed


def next_state(state: SubscriptionState, act: SubscriptionAct) -> SubscriptionState:
    """The state that ``act`` leads to; InvalidTransition where it can't happen."""
    move = MOVES[act]
    if state not in move.allowed:
        raise InvalidTransition(f"a subscription that is {state} cannot {act}", subject=state)
    return move.to
