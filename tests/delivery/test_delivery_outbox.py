"""Claimed rows in the order in which they may go."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.line import Letter
from newsletter.delivery.message import Envelope, Message
from newsletter.delivery.model import Delivery
from newsletter.delivery.outbox import Outbox
from newsletter.delivery.pacing import FIRST_PAUSE, DestinationPace


def row(number: int, domain: str = "reader.example", *, system: bool = False) -> Delivery:
    address = f"reader{number}@{domain}"
    return Delivery(number, "m", f"r{number}", address, domain=domain, is_system=system)


def write(deliveries: Sequence[Delivery]) -> list[Letter]:
    message = Message(Envelope("b@paper.example", ""), [b"x\r\n"], 3)
    return [
        Letter(delivery, delivery.address, message, "weekly@paper.example", delivery.domain)
        for delivery in deliveries
        if delivery.domain != "broken.example"
    ]


def take_all(outbox: Outbox, mono: float = 0.0, *, issues: bool = True) -> list[int]:
    taken = []
    while (letter := outbox.take(mono, issues=issues)) is not None:
        taken.append(letter.delivery.id)
    return taken


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_system_mail_goes_first_and_issues_only_where_they_may() -> None:
    outbox = Outbox(write, DestinationPace(0, 0.0))
    outbox.add([row(1), row(2, system=True), row(3), row(4, system=True)], 0.0)
    assert (outbox.system, outbox.issues, len(outbox)) == (2, 2, 4)
    assert take_all(outbox, issues=False) == [2, 4]
    assert take_all(outbox) == [1, 3]
    assert len(outbox) == 0


def test_what_cannot_be_written_is_passed_over() -> None:
    outbox = Outbox(write, DestinationPace(0, 0.0))
    outbox.add([row(1, "broken.example"), row(2), row(3, "broken.example")], 0.0)
    assert take_all(outbox) == [2]
    assert len(outbox) == 0


def test_nobody_waits_behind_a_slow_destination() -> None:
    pace = DestinationPace(1, 0.0)
    outbox = Outbox(write, pace)
    outbox.add(
        [row(1, "slow.example"), row(2, "slow.example"), row(3), row(4, "slow.example")], 0.0
    )
    assert take_all(outbox) == [1, 3]
    pace.end("slow.example", 1.0)
    assert take_all(outbox, 1.0) == [2]
    assert outbox.issues == 1


def test_nobody_waits_for_a_destinations_turn_with_a_confirmation() -> None:
    pace = DestinationPace(1, 0.0)
    outbox = Outbox(write, pace)
    outbox.add([row(1, "slow.example"), row(2, "slow.example", system=True)], 0.0)
    assert take_all(outbox) == [2]


def test_who_would_wait_long_is_put_off_each_to_another_time() -> None:
    pace = DestinationPace(0, 0.0)
    outbox = Outbox(write, pace)
    pace.start("busy.example", 0.0)
    pace.slow_down("busy.example", 0.0)
    outbox.add([row(number, "busy.example") for number in range(1, 31)], 0.0)
    outbox.add([row(99)], 0.0)
    assert take_all(outbox) == [99]
    assert sorted(one.delivery.id for one in outbox.put_off) == list(range(1, 31))
    waits = {one.seconds for one in outbox.put_off}
    assert len(waits) == 30
    assert min(waits) >= FIRST_PAUSE
    assert len(outbox) == 0


def test_for_a_destination_that_is_left_alone_nothing_is_written() -> None:
    written: list[int] = []

    def note(deliveries: Sequence[Delivery]) -> list[Letter]:
        written.extend(delivery.id for delivery in deliveries)
        return write(deliveries)

    pace = DestinationPace(0, 0.0)
    outbox = Outbox(note, pace, group_of=lambda _: "owner.example")
    pace.start("owner.example", 0.0)
    pace.slow_down("owner.example", 0.0)
    outbox.add([row(number, "busy.example") for number in range(1, 201)], 1.0)
    outbox.add([row(999, "busy.example", system=True)], 1.0)
    assert take_all(outbox, 1.0) == [999]
    assert written == [999]
    assert sorted(one.delivery.id for one in outbox.put_off) == list(range(1, 201))


def test_of_one_destination_only_some_are_kept_at_hand() -> None:
    outbox = Outbox(write, DestinationPace(1, 0.0))
    outbox.add([row(number, "slow.example") for number in range(1, 51)], 0.0)
    assert take_all(outbox) == [1]
    assert outbox.issues + len(outbox.put_off) == 49
    assert 0 < outbox.issues <= 20


def test_the_shortest_wait_is_that_of_whom_may_go_first() -> None:
    pace = DestinationPace(0, 0.5)
    outbox = Outbox(write, pace)
    outbox.add([row(1), row(2)], 0.0)
    assert outbox.shortest_wait(0.0) is None
    assert take_all(outbox) == [1]
    assert outbox.shortest_wait(0.5) == pytest.approx(1.5)
    assert take_all(outbox, 2.0) == [2]


@pytest.mark.parametrize("system", [True, False])
def test_what_is_given_back_is_the_next(system: bool) -> None:
    pace = DestinationPace(1, 0.0)
    outbox = Outbox(write, pace)
    outbox.add([row(1, system=system), row(2, "other.example", system=system)], 0.0)
    letter = outbox.take(0.0, issues=True)
    assert letter is not None
    outbox.give_back(letter, 0.0)
    assert len(outbox) == 2
    assert take_all(outbox) == [1, 2]


def test_letters_written_in_threads_come_in_order_and_ring(pool: ThreadPoolExecutor) -> None:
    rang, hold = threading.Semaphore(0), threading.Event()

    def slowly(deliveries: Sequence[Delivery]) -> list[Letter]:
        if deliveries[0].id == 1:
            hold.wait(10)
        return write(deliveries)

    outbox = Outbox(slowly, DestinationPace(0, 0.0), pool, rang.release)
    # Several lots, of which the first one takes its time.
    outbox.add([row(number) for number in range(1, 71)], 0.0)
    assert outbox.issues == 70
    for _ in range(2):
        assert rang.acquire(timeout=10)
    assert take_all(outbox) == []
    hold.set()
    assert rang.acquire(timeout=10)
    assert take_all(outbox) == list(range(1, 71))


def test_what_fails_in_a_thread_is_not_swallowed(pool: ThreadPoolExecutor) -> None:
    rang = threading.Semaphore(0)

    def fail(_: Sequence[Delivery]) -> list[Letter]:
        raise RuntimeError("the key is gone")

    outbox = Outbox(fail, DestinationPace(0, 0.0), pool, rang.release)
    outbox.add([row(1)], 0.0)
    assert rang.acquire(timeout=10)
    with pytest.raises(RuntimeError, match="the key is gone"):
        outbox.take(0.0, issues=True)


def test_letting_go_leaves_nothing(pool: ThreadPoolExecutor) -> None:
    outbox = Outbox(write, DestinationPace(0, 0.0), pool)
    outbox.add([row(1), row(2, system=True)], 0.0)
    assert outbox.clear() == 2
    assert take_all(outbox) == []


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "answer", "complain", "give back", "wait"]),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=120,
)


@given(ACTS, st.integers(0, 3), st.sampled_from([0.0, 0.5, 5.0]))
def test_whatever_happens_each_row_is_in_one_place(
    acts: list[tuple[str, int, bool]], connections: int, rate: float
) -> None:
    pace = DestinationPace(connections, rate)
    outbox = Outbox(write, pace)
    added, now = 0, 0.0
    out: list[Letter] = []
    gone: set[int] = set()
    for act, number, flag in acts:
        if act == "add":
            added += 1
            outbox.add([row(added, f"d{number}.example", system=flag and number == 0)], now)
        elif act == "take":
            letter = outbox.take(now, issues=flag)
            out += [letter] if letter else []
        elif act == "wait":
            now += number * 7.0
        elif out:
            letter = out.pop(number % len(out))
            if act == "give back":
                outbox.give_back(letter, now)
            else:
                gone.add(letter.delivery.id)
                (pace.end if act == "answer" else pace.slow_down)(letter.group, now)
        put_off = {one.delivery.id for one in outbox.put_off}
        assert len(outbox) + len(out) + len(gone) + len(put_off) == added
        assert not put_off & (gone | {letter.delivery.id for letter in out})
        if connections:
            per_group = [x.group for x in out if not x.delivery.is_system]
            assert all(per_group.count(group) <= connections for group in per_group)
    if not connections:
        # Long after, everything may go or was put off: nothing stays behind for ever.
        rest: list[int] = []
        for later in range(added):
            moment = now + 1e6 + 100.0 * later
            while (letter := outbox.take(moment, issues=True)) is not None:
                # Answered at once: a group that complained takes one at a time.
                pace.end(letter.group, moment)
                rest.append(letter.delivery.id)
        assert len(rest) + len(out) + len(gone) + len(outbox.put_off) == added


@pytest.mark.parametrize("place", ["ready", "waiting", "aside"])
def test_of_a_row_that_was_claimed_twice_only_the_newest_letter_goes(place: str) -> None:
    pace = DestinationPace(1, 0.0)
    outbox = Outbox(write, pace)
    old, new = row(1), row(1)._replace(mailing_id="corrected")
    outbox.add([old], 0.0)
    if place == "waiting":
        pace.start("reader.example", 0.0)
        assert outbox.take(0.0, issues=True) is None
        pace.end("reader.example", 0.0)
    elif place == "aside":
        letter = outbox.take(0.0, issues=True)
        assert letter is not None
        outbox.set_aside(letter, 0.0)
    outbox.add([new], 0.0)
    assert (outbox.holds(old), outbox.holds(new)) == (False, True)
    assert outbox.take_aside(0.0, issues=True) is None
    assert outbox.give_up_aside() == []
    letter = outbox.take(0.0, issues=True)
    assert letter is not None
    assert letter.delivery is new
    outbox.let_go(old)
    assert outbox.holds(new)


def test_what_is_dropped_of_a_mailing_goes_no_more_but_for_what_is_on_offer() -> None:
    outbox = Outbox(write, DestinationPace(0, 0.0))
    outbox.add([row(1), row(2), row(3), row(4)._replace(mailing_id="other")], 0.0)
    offered = outbox.take(0.0, issues=True)
    assert offered is not None
    assert outbox.drop("m", {1}) == [2, 3]
    assert outbox.holds(offered.delivery)
    assert take_all(outbox) == [4]
