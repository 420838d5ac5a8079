"""A relay as one worker uses it, in simulated time."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.model import Permit, Relay, RelayState
from newsletter.delivery.pacing import TokenBucket
from newsletter.delivery.route import DOWN_SECONDS, OPEN_FOR, Route, pick_route
from newsletter.delivery.smtp import Link, TimeLimits
from newsletter.delivery.switchboard import Switchboard
from newsletter.errors import RelayError, RelayUnavailable
from tests.delivery.samples import NOW, SetClock

SILENT = RelayUnavailable("relay main does not answer")
REFUSES = RelayError("relay main refuses to send")


def route(slug: str = "main", connections: int = 4, **changes: int) -> Route:
    relay = replace(Relay(slug, "127.0.0.1", 25), **changes)
    return Route(relay, Permit(connections, kept=int(connections > 1)), TokenBucket(0, 0))


@pytest.mark.parametrize(
    ("connections", "for_issues"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (20, 19)]
)
def test_of_several_connections_one_is_kept_for_system_mail(
    connections: int, for_issues: int
) -> None:
    main = route(connections=connections)
    assert main.width_for(system=True) == connections
    assert main.width_for(system=False) == for_issues


def test_without_a_permit_nothing_goes() -> None:
    assert not route(connections=0).is_open(0.0, NOW)
    assert route(connections=1).is_open(0.0, NOW)


def test_a_daily_cap_holds_issues_back_and_not_system_mail() -> None:
    main = route()
    main.capped_until = NOW + timedelta(hours=1)
    assert main.is_open(0.0, NOW)
    assert not main.takes_issues(0.0, NOW)
    assert main.takes_issues(0.0, NOW + timedelta(hours=1))


def test_a_relay_that_is_down_is_tried_again_later_and_later() -> None:
    main, mono, pauses = route(), 0.0, []
    for _ in range(12):
        main.failed(SILENT, mono)
        assert not main.is_open(mono, NOW)
        assert main.error is SILENT
        pauses.append(main.down_until - mono)
        mono = main.down_until
        assert main.is_open(mono + 0.001, NOW)
    assert pauses[0] == DOWN_SECONDS[0]
    assert pauses[-1] == DOWN_SECONDS[1]
    assert pauses == sorted(pauses)
    main.accepted()
    main.failed(SILENT, mono)
    assert main.down_until - mono == DOWN_SECONDS[0]


def test_one_connection_too_many_is_no_failure() -> None:
    main = route(connections=8)
    main.connections = 3
    main.failed(SILENT, 0.0)
    assert main.is_open(0.0, NOW)
    assert main.width == 3
    # What it allows may have grown: one more is tried at each sharing.
    main.share(Permit(8, kept=1), 1.0)
    assert main.width == 4
    for _ in range(10):
        main.share(Permit(8, kept=1), 1.0)
    assert main.width == 8


def test_a_breaker_opens_longer_and_longer_and_lets_one_connection_try() -> None:
    main, now, pauses = route(), NOW, []
    for trips in range(1, 8):
        state = main.tripped(REFUSES, now)
        assert state == main.state
        assert state.trips == trips
        assert state.paused_until is not None
        assert not main.is_open(0.0, now)
        pauses.append(state.paused_until - now)
        now = state.paused_until + timedelta(seconds=1)
        assert main.is_open(0.0, now)
        assert main.width == 1
    assert pauses[:2] == [OPEN_FOR[0], 2 * OPEN_FOR[0]]
    assert pauses[-1] == OPEN_FOR[1]
    assert main.accepted()
    assert main.state == RelayState()
    assert main.width == 4
    assert not main.accepted()


def test_an_operator_may_say_that_it_is_mended() -> None:
    main = route()
    main.tripped(REFUSES, NOW)
    main.failed(SILENT, 0.0)
    assert not main.is_open(0.0, NOW)
    main.try_again()
    assert main.is_open(0.0, NOW)


def test_breaking_off_in_a_row_is_noticed() -> None:
    main = route()
    assert [main.broke_off(undecided=True) for _ in range(5)] == [False] * 4 + [True]
    main.broke_off(undecided=False)
    assert not main.broke_off(undecided=True)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_work_is_shared_by_weight(weights: list[int]) -> None:
    routes = [route(f"r{n}", weight=weight) for n, weight in enumerate(weights)]
    rounds = 20 * sum(weights)
    for _ in range(rounds):
        picked = pick_route(routes)
        assert picked is not None
        picked.assigned += 1
    shares = Counter({one.slug: one.assigned for one in routes})
    for number, weight in enumerate(weights):
        assert abs(shares[f"r{number}"] - 20 * weight) <= len(weights)


def test_a_relay_without_weight_stands_in_where_no_other_is_left() -> None:
    relays = [Relay("main", "127.0.0.1", 25), Relay("spare", "127.0.0.1", 26, weight=0)]
    board = Switchboard(relays, SetClock(), no_connection, TimeLimits(), lambda: True)
    main, spare = board.routes["main"], board.routes["spare"]
    main.permit = spare.permit = Permit(4)
    assert board.open_routes(0.0, NOW, issues=True) == [main]
    main.failed(SILENT, 0.0)
    assert board.open_routes(0.0, NOW, issues=True) == [spare]
    board.close()
    assert pick_route([]) is None


def test_a_breaker_that_another_worker_opened_is_told_with_its_reason() -> None:
    board = Switchboard(
        [Relay("main", "127.0.0.1", 25)], SetClock(), no_connection, TimeLimits(), lambda: True
    )
    state = RelayState(NOW + timedelta(minutes=5), "relay main refuses to send", trips=1)
    board.share(board.routes["main"], Permit(4), state, 0.0)
    assert str(board.failure(0.0, NOW)) == "relay main refuses to send"
    assert board.failure(0.0, NOW + timedelta(minutes=6)) is None
    board.close()


def no_connection(_: Relay) -> Link:
    raise SILENT


def test_what_is_told_of_a_relay_ends_no_open_breaker() -> None:
    main, mono = route(), 0.0
    while not main.lasting:
        main.leave(SILENT, mono)
        mono = main.down_until
    until = main.tripped(REFUSES, NOW).paused_until
    told = main.tell(mono, NOW)
    assert (told.paused_until, told.reason, told.trips) == (until, str(REFUSES), 1)
    assert not main.lasting
