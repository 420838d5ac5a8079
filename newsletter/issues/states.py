"""The states of an issue and the moves between them."""

from collections.abc import Mapping

from newsletter.errors import InvalidTransition
from newsletter.issues.model import IssueState

_S = IssueState

MOVES: Mapping[IssueState, frozenset[IssueState]] = {
    _S.DRAFT: frozenset({_S.APPROVED, _S.HELD, _S.CANCELLED}),
    # Back to the draft by any edit: what was approved is not what would go out.
    _S.APPROVED: frozenset({_S.DRAFT, _S.SENDING, _S.HELD, _S.CANCELLED}),
    _S.HELD: frozenset({_S.DRAFT, _S.CANCELLED}),
    _S.SENDING: frozenset({_S.SENT, _S.PAUSED, _S.RECALLED, _S.CANCELLED}),
    _S.PAUSED: frozenset({_S.SENDING, _S.RECALLED, _S.CANCELLED}),
    _S.SENT: frozenset(),
    _S.RECALLED: frozenset(),
    # As long as its sending never began: see `workflows.schedule_issue.undo_cancel`.
    _S.CANCELLED: frozenset({_S.DRAFT}),
}

# From these an issue is sending again, with the bytes that it had: while a message that is in
# doubt is sent once more, and for readers who come to wait for a catch-up. Nobody moves it
# there: it follows from `workflows.settle` and `workflows.catch_up`.
REOPENED: frozenset[IssueState] = frozenset({_S.SENT})
# In these an editor may change what the issue says.
EDITABLE = frozenset({_S.DRAFT, _S.APPROVED, _S.HELD})
# What they hold is still to be settled, so that it is rendered afresh; in all others
# it is frozen.
OPEN = frozenset({_S.DRAFT, _S.APPROVED, _S.HELD, _S.CANCELLED})


def check_move(state: IssueState, to: IssueState) -> None:
    """Let an allowed move pass; InvalidTransition says what is possible instead."""
    if to in MOVES[state]:
        return
    possible = [target.value for target in IssueState if target in MOVES[state]]
    if not possible:
        rest = "nothing more can be done with it"
    elif len(possible) == 1:
        rest = f"it can only become {possible[0]}"
    else:
        rest = f"it can become {', '.join(possible[:-1])} or {possible[-1]}"
    raise InvalidTransition(
        f"an issue that is {_named(state)} cannot become {_named(to)}; {rest}", subject=state.value
    )


def sources_of_move(to: IssueState) -> frozenset[IssueState]:
    """The states from which an issue may move to ``to``."""
    return frozenset(state for state, targets in MOVES.items() if to in targets)


def _named(state: IssueState) -> str:
    return "a draft" if state is IssueState.DRAFT else state.value
