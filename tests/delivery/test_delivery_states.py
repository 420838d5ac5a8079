import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.model import DeliveryState
from newsletter.delivery.states import MOVES, move_delivery
from newsletter.errors import InvalidTransition

STATES = list(DeliveryState)
FINAL = {DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.SKIPPED}


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == set(STATES)


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_a_move_succeeds_just_where_the_table_has_it(
    state: DeliveryState, to: DeliveryState
) -> None:
    if to in MOVES[state]:
        assert move_delivery(state, to) is to
    else:
        with pytest.raises(InvalidTransition, match=f"{state} can't become {to}"):
            move_delivery(state, to)


def test_only_a_handed_over_message_can_be_accepted_or_in_doubt() -> None:
    for to in (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN):
        sources = {state for state in STATES if to in MOVES[state]}
        assert sources - {DeliveryState.UNCERTAIN} == {DeliveryState.HANDED_OVER}


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_what_is_final_stays_and_only_claimed_rows_are_handed_over(
    wishes: list[DeliveryState],
) -> None:
    state = DeliveryState.QUEUED
    for wish in wishes:
        before = state
        try:
            state = move_delivery(state, wish)
        except InvalidTransition:
            continue
        assert before not in FINAL
        if state is DeliveryState.HANDED_OVER:
            assert before is DeliveryState.CLAIMED
