import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InvalidTransition
from newsletter.issues.model import IssueState
from newsletter.issues.states import MOVES, check_move, sources_of_move

STATES = st.sampled_from(list(IssueState))
BEFORE_SENT = {"draft", "approved", "held", "sending", "paused"}


@given(STATES, STATES)
def test_the_table_is_the_law(state: IssueState, to: IssueState) -> None:
    if to in MOVES[state]:
        check_move(state, to)
        assert state in sources_of_move(to)
    else:
        with pytest.raises(InvalidTransition):
            check_move(state, to)
        assert state not in sources_of_move(to)


def test_every_state_has_its_row() -> None:
    assert set(MOVES) == set(IssueState)


def test_all_before_sent_may_be_cancelled() -> None:
    assert {state.value for state in sources_of_move(IssueState.CANCELLED)} == BEFORE_SENT


@given(st.lists(STATES))
def test_what_was_sent_never_moves(path: list[IssueState]) -> None:
    state = IssueState.SENT
    for to in path:
        with pytest.raises(InvalidTransition):
            check_move(state, to)


def test_sentences() -> None:
    with pytest.raises(InvalidTransition) as draft:
        check_move(IssueState.DRAFT, IssueState.SENDING)
    assert str(draft.value) == (
        "an issue that is a draft cannot become sending; it can become approved, held or cancelled"
    )
    with pytest.raises(InvalidTransition, match="nothing more can be done with it"):
        check_move(IssueState.SENT, IssueState.CANCELLED)
