"""Replies weighed in the light of what else the relay answered."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.model import (
    Delivery,
    DeliverySummary,
    Outcome,
    OutcomeKind,
    Reply,
)
from newsletter.delivery.tally import Blame, Tally, Verdict
from tests.delivery.samples import GIVE_UP, NOW

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "", Reply(250))
UNKNOWN = Outcome(OutcomeKind.REFUSED, "unknown_user", Reply(550))
BLOCKED = Outcome(OutcomeKind.REFUSED, "blocked", Reply(550), sender_fault=True)
TOO_BIG = Outcome(OutcomeKind.REFUSED, "too_big", Reply(552), sender_fault=True)
BROKEN = Outcome(OutcomeKind.REQUEUED, "network", Reply(0))
LOGIN = Outcome(OutcomeKind.REQUEUED, "authentication", Reply(530), sender_fault=True)


def weigh(
    tally: Tally,
    outcome: Outcome,
    number: int = 1,
    group: str = "reader.example",
    relay: str = "main",
    **changes: object,
) -> Verdict:
    delivery = Delivery(number, "m", "r", f"reader{number}@{group}")._replace(**changes)
    if outcome is ACCEPTED:
        tally.note_accepted(relay, group)
        return Verdict(outcome)
    return tally.weigh(delivery, relay, group, outcome, NOW)


def test_what_blames_nobody_stands_as_it_is() -> None:
    tally = Tally(GIVE_UP)
    for outcome in (ACCEPTED, UNKNOWN, BROKEN):
        assert weigh(tally, outcome) == Verdict(outcome)


def test_a_row_that_goes_back_for_the_third_time_waits() -> None:
    tally = Tally(GIVE_UP)
    kinds = [weigh(tally, BROKEN).outcome.kind for _ in range(3)]
    assert kinds == [OutcomeKind.REQUEUED, OutcomeKind.REQUEUED, OutcomeKind.DEFERRED]
    assert weigh(tally, BROKEN, number=2).outcome.kind is OutcomeKind.REQUEUED
    tally.start_run()
    assert weigh(tally, BROKEN).outcome.kind is OutcomeKind.REQUEUED


def test_a_relay_that_wants_another_login_is_to_blame_at_once() -> None:
    assert weigh(Tally(GIVE_UP), LOGIN) == Verdict(LOGIN, Blame.RELAY)


def test_a_refusal_that_blames_us_is_final_only_where_the_destination_takes_our_mail() -> None:
    tally = Tally(GIVE_UP)
    assert weigh(tally, BLOCKED).outcome.kind is OutcomeKind.DEFERRED
    weigh(tally, ACCEPTED)
    assert weigh(tally, BLOCKED) == Verdict(BLOCKED)
    # The second in a row, and all others, wait for better times.
    assert weigh(tally, BLOCKED, number=2).outcome.kind is OutcomeKind.DEFERRED
    weigh(tally, UNKNOWN, number=3)
    assert weigh(tally, BLOCKED, number=4) == Verdict(BLOCKED)


def test_what_is_known_of_one_destination_says_nothing_of_another() -> None:
    tally = Tally(GIVE_UP)
    weigh(tally, ACCEPTED)
    assert weigh(tally, BLOCKED, group="other.example").outcome.kind is OutcomeKind.DEFERRED


@pytest.mark.parametrize("others", [True, False])
def test_five_in_a_row_call_the_destination_or_the_relay_in_question(others: bool) -> None:
    tally = Tally(GIVE_UP)
    if others:
        weigh(tally, ACCEPTED, group="other.example")
    verdicts = [weigh(tally, BLOCKED, number) for number in range(5)]
    last = OutcomeKind.DEFERRED if others else OutcomeKind.REQUEUED
    assert [verdict.outcome.kind for verdict in verdicts] == [OutcomeKind.DEFERRED] * 4 + [last]
    assert [verdict.blame for verdict in verdicts[:4]] == [Blame.NOBODY] * 4
    assert verdicts[4].blame is (Blame.DESTINATION if others else Blame.RELAY)


def test_a_destination_known_to_take_nothing_is_not_held_against_the_relay() -> None:
    tally = Tally(GIVE_UP)
    for number in range(5):
        delivery = Delivery(number, "m", "r", f"reader{number}@reader.example")
        verdict = tally.weigh(delivery, "main", "reader.example", BLOCKED, NOW, in_trouble=True)
    assert verdict.blame is Blame.DESTINATION


def test_who_has_been_going_back_for_minutes_waits_and_that_counts() -> None:
    tally = Tally(GIVE_UP)
    soon, late = (NOW - timedelta(minutes=minutes) for minutes in (4, 5))
    assert weigh(tally, BROKEN, 1, first_tried_at=soon).outcome.kind is OutcomeKind.REQUEUED
    long_ago = NOW - 2 * GIVE_UP
    for number, first in ((2, late), (3, long_ago)):
        # However long it took until somebody said something, there is a try after that.
        outcome = weigh(tally, BROKEN, number, first_tried_at=first).outcome
        assert outcome.kind is OutcomeKind.DEFERRED
        assert outcome.retry_at == NOW + timedelta(minutes=5)
    outcome = weigh(tally, BROKEN, 4, attempts=1, first_tried_at=long_ago).outcome
    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, "expired")


def test_many_destinations_that_refuse_us_in_a_row_call_the_relay_in_question() -> None:
    tally = Tally(GIVE_UP)
    verdicts = [weigh(tally, TOO_BIG, n, group=f"r{n}.example") for n in range(20)]
    assert {verdict.blame for verdict in verdicts[:19]} == {Blame.NOBODY}
    assert verdicts[19].blame is Blame.RELAY
    kinds = [verdict.outcome.kind for verdict in verdicts]
    assert kinds == [OutcomeKind.DEFERRED] * 19 + [OutcomeKind.REQUEUED]
    # What is deferred for our fault is marked so.
    assert all(verdict.outcome.sender_fault for verdict in verdicts)


def test_where_one_of_them_takes_our_mail_the_relay_is_not_to_blame() -> None:
    tally = Tally(GIVE_UP)
    weigh(tally, ACCEPTED, group="good.example")
    verdicts = [weigh(tally, TOO_BIG, n, group=f"r{n}.example") for n in range(60)]
    assert {verdict.blame for verdict in verdicts} == {Blame.NOBODY}


def test_other_destinations_in_between_do_not_end_the_row() -> None:
    tally = Tally(GIVE_UP)
    for number in range(4):
        weigh(tally, BLOCKED, number)
        weigh(tally, ACCEPTED, number, group="other.example")
    assert weigh(tally, BLOCKED, 5).blame is Blame.DESTINATION


def test_one_reader_who_is_refused_again_and_again_is_no_row_of_five() -> None:
    tally = Tally(GIVE_UP)
    weigh(tally, ACCEPTED, group="other.example")
    verdicts = [weigh(tally, BLOCKED, attempts=tries, first_tried_at=NOW) for tries in range(40)]
    assert {verdict.blame for verdict in verdicts} == {Blame.NOBODY}


@pytest.mark.parametrize("readers", [1, 4, 12])
def test_the_readers_of_a_destination_that_goes_on_refusing_are_given_up_in_time(
    readers: int,
) -> None:
    tally = Tally(GIVE_UP)
    weigh(tally, ACCEPTED, group="other.example")
    waiting = dict.fromkeys(range(readers), (0, None))
    tries = 0
    while waiting:
        tries += 1
        now = NOW + timedelta(hours=tries)
        for number, (attempts, first) in list(waiting.items()):
            delivery = Delivery(number, "m", "r", "r@reader.example", attempts, "reader.example")
            delivery = delivery._replace(first_tried_at=first)
            outcome = tally.weigh(delivery, "main", "reader.example", BLOCKED, now).outcome
            if outcome.kind is OutcomeKind.REFUSED:
                del waiting[number]
            else:
                waiting[number] = (attempts + 1, first or now)
        assert now <= NOW + GIVE_UP + timedelta(hours=2)


def test_each_relay_is_judged_by_itself_and_anew_after_its_pause() -> None:
    tally = Tally(GIVE_UP)
    for number in range(4):
        weigh(tally, BLOCKED, number)
    assert weigh(tally, BLOCKED, 5, relay="spare").blame is Blame.NOBODY
    tally.forget_faults("main")
    assert weigh(tally, BLOCKED, 6).blame is Blame.NOBODY


def test_what_waits_too_long_is_refused_as_expired() -> None:
    late = NOW - GIVE_UP - timedelta(seconds=1)
    verdict = weigh(Tally(GIVE_UP), BLOCKED, attempts=3, first_tried_at=late)
    assert (verdict.outcome.kind, verdict.outcome.reason) == (OutcomeKind.REFUSED, "expired")


OUTCOMES = st.sampled_from([ACCEPTED, UNKNOWN, BLOCKED, BROKEN, LOGIN])


@given(st.lists(st.tuples(OUTCOMES, st.integers(1, 5), st.sampled_from("ab")), max_size=80))
def test_no_reader_is_refused_for_our_fault_where_nothing_was_taken(
    answers: list[tuple[Outcome, int, str]],
) -> None:
    tally, taken = Tally(GIVE_UP), set()
    for outcome, number, group in answers:
        verdict = weigh(tally, outcome, number, group)
        if outcome is ACCEPTED:
            taken.add(group)
        if outcome is BLOCKED and group not in taken:
            assert verdict.outcome.kind in (OutcomeKind.DEFERRED, OutcomeKind.REQUEUED)
        # Good or bad news of a reader is never changed.
        if outcome in (ACCEPTED, UNKNOWN):
            assert verdict == Verdict(outcome)
        tally.count(verdict.outcome)
        if verdict.blame is Blame.RELAY:
            tally.forget_faults("main")
            taken.clear()
    counted = tally.summary()
    assert sum(vars(counted).values()) == len(answers)
    tally.start_run()
    assert tally.summary() == DeliverySummary()
