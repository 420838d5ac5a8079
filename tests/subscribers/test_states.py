from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import InvalidTransition
from newsletter.subscribers.model import SubscriptionState
from newsletter.subscribers.states import BROUGHT_BACK, MOVES, SubscriptionAct, next_state


def test_every_act_has_its_move() -> None:
    assert set(MOVES) == set(SubscriptionAct)


@pytest.mark.parametrize(("state", "act"), list(product(SubscriptionState, SubscriptionAct)))
def test_an_act_leads_where_the_table_says_or_is_refused(
    state: SubscriptionState, act: SubscriptionAct
) -> None:
    if state in MOVES[act].allowed:
        assert next_state(state, act) is MOVES[act].to
    else:
        with pytest.raises(InvalidTransition, match=f"{state} cannot {act}"):
            next_state(state, act)


def test_no_act_leads_straight_back_and_the_undo_only_to_what_was_confirmed() -> None:
    back = {act for act, move in MOVES.items() if SubscriptionState.UNSUBSCRIBED in move.allowed}
    assert back == {SubscriptionAct.ASK}
    assert {SubscriptionState.ACTIVE, SubscriptionState.PAUSED} == BROUGHT_BACK


@given(st.lists(st.sampled_from(SubscriptionAct), max_size=12))
def test_nobody_is_active_without_having_confirmed(acts: list[SubscriptionAct]) -> None:
    state, confirmed = SubscriptionState.PENDING, False
    for act in acts:
        try:
            state = next_state(state, act)
        except InvalidTransition:
            continue
        confirmed = confirmed or act is SubscriptionAct.CONFIRM
        assert state is not SubscriptionState.ACTIVE or confirmed
