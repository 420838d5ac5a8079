"""What all workers together may use of a relay, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.delivery.model import Permit, Relay, RelayState, Slowdown
from newsletter.storage.database import Database
from newsletter.storage.ledger import SqlLedger
from tests.contracts.nouns import NOW
from tests.contracts.one_at_a_time import Workers

RELAY = Relay("main", "mail.paper.example", 587, connections=4)
DAY = timedelta(days=1)
LEASING = timedelta(minutes=10)


@pytest.fixture
def limits(ledger: Workers) -> SqlLedger:
    return ledger.groups


def enroll(limits: SqlLedger, count: int) -> list[int]:
    return [limits.enroll(f"w{number}", NOW, LEASING) for number in range(count)]


def share_until_settled(limits: SqlLedger, workers: list[int], relay: Relay) -> list[Permit]:
    """Each asks in its turn, as often as it takes for the last to get what the first gave up."""
    permits: list[Permit] = []
    for _ in range(len(workers) + 1):
        permits = [limits.share(worker, relay, 0, NOW) for worker in workers]
    return permits


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_workers_share_connections_and_keep_one_of_all_for_system_mail(
    limits: SqlLedger, count: int
) -> None:
    permits = share_until_settled(limits, enroll(limits, count), RELAY)
    assert sum(permit.connections for permit in permits) == 4
    assert max(p.connections for p in permits) - min(p.connections for p in permits) <= 1
    assert sum(permit.kept for permit in permits) == 1
    assert all(permit.kept <= permit.connections for permit in permits)
    assert [(permit.workers, permit.place) for permit in permits] == [
        (count, place) for place in range(count)
    ]


def test_a_relay_of_one_connection_keeps_none(limits: SqlLedger) -> None:
    permits = share_until_settled(limits, enroll(limits, 2), replace(RELAY, connections=1))
    assert [(permit.connections, permit.kept) for permit in permits] == [(1, 0), (0, 0)]


def test_a_newcomer_waits_for_what_the_others_give_up(limits: SqlLedger) -> None:
    relay = replace(RELAY, rate=10.0)
    first, second = enroll(limits, 1)[0], None
    assert limits.share(first, relay, 0, NOW) == Permit(4, 10.0, kept=1)
    second = limits.enroll("w2", NOW, LEASING)
    # Nothing is free until the first has asked again; nothing of a rate is not "no limit".
    assert limits.share(second, relay, 0, NOW).connections == 0
    assert limits.share(first, relay, 0, NOW) == Permit(2, 5.0, kept=1, workers=2)
    assert limits.share(second, relay, 0, NOW) == Permit(2, 5.0, workers=2, place=1)


def test_a_connection_in_use_is_nobody_elses_before_it_is_closed(limits: SqlLedger) -> None:
    first, second = enroll(limits, 2)
    share_until_settled(limits, [first], RELAY)
    # Its part is two by now, and all four wait for a reply.
    assert limits.share(first, RELAY, 4, NOW).connections == 2
    assert limits.share(second, RELAY, 0, NOW).connections == 0
    assert limits.share(first, RELAY, 3, NOW).connections == 2
    assert limits.share(second, RELAY, 0, NOW).connections == 1
    assert limits.share(first, RELAY, 2, NOW).connections == 2
    assert limits.share(second, RELAY, 1, NOW).connections == 2


def test_what_a_worker_that_went_had_goes_to_the_others(limits: SqlLedger) -> None:
    first, second = enroll(limits, 2)
    share_until_settled(limits, [first, second], RELAY)
    limits.retire(first)
    assert limits.share(second, RELAY, 0, NOW) == Permit(4, kept=1)
    assert limits.share(first, RELAY, 0, NOW) == Permit(0)


def test_a_worker_whose_lease_ran_out_keeps_its_part_until_it_is_settled(
    ledger: Workers, limits: SqlLedger
) -> None:
    ledger.turn_to(NOW)
    gone = limits.enroll("gone", NOW, timedelta(seconds=30))
    assert limits.share(gone, RELAY, 0, NOW).connections == 4
    later = NOW + timedelta(minutes=1)
    ledger.turn_to(later)
    other = limits.enroll("other", later, LEASING)
    # It may be sending yet: only once its rows are settled are its connections.
    assert limits.share(other, RELAY, 0, later).connections == 0
    limits.recover(later, all_workers=False)
    assert limits.share(other, RELAY, 0, later).connections == 4


def test_of_a_daily_cap_no_more_is_granted_than_there_is(limits: SqlLedger) -> None:
    relay = replace(RELAY, daily_cap=250)
    assert [limits.grant(relay, 100, NOW) for _ in range(4)] == [100, 100, 50, 0]
    limits.give_back(relay, 30, NOW)
    assert [limits.grant(relay, 100, NOW) for _ in range(2)] == [30, 0]
    assert limits.grant(relay, 100, NOW + DAY) == 100
    assert limits.grant(replace(relay, slug="other"), 100, NOW) == 100


def test_the_day_is_that_of_utc_and_what_is_given_back_is_of_the_day_it_was_granted_on(
    limits: SqlLedger,
) -> None:
    relay = replace(RELAY, daily_cap=100)
    evening = NOW.replace(hour=23, minute=59)
    midnight = evening + timedelta(minutes=1)
    assert limits.grant(relay, 80, evening) == 80
    limits.give_back(relay, 50, evening)
    assert limits.grant(relay, 200, midnight) == 100
    assert limits.grant(relay, 200, evening) == 70


def test_a_relay_without_a_cap_grants_what_is_asked_for(limits: SqlLedger) -> None:
    assert limits.grant(RELAY, 1_000_000, NOW) == 1_000_000


def test_a_warm_up_counts_the_days_on_which_it_sent(limits: SqlLedger) -> None:
    relay = replace(RELAY, warm_up=(10, 20, 400), daily_cap=100)
    assert limits.grant(relay, 500, NOW) == 10
    assert limits.grant(relay, 500, NOW) == 0
    # Days without a message are no days of it, nor is one whose whole grant came back.
    assert limits.grant(relay, 5, NOW + 3 * DAY) == 5
    limits.give_back(relay, 5, NOW + 3 * DAY)
    assert limits.grant(relay, 500, NOW + 5 * DAY) == 20
    # Never beyond the daily cap, which stands alone once it is over.
    assert limits.grant(relay, 500, NOW + 6 * DAY) == 100
    assert limits.grant(relay, 500, NOW + 7 * DAY) == 100
    assert limits.grant(replace(relay, daily_cap=0), 500, NOW + 8 * DAY) == 500


def test_a_breaker_is_every_workers(limits: SqlLedger, database: Database) -> None:
    assert limits.relay_states() == {}
    open_until = RelayState(NOW + timedelta(minutes=5), "relay main refuses us", 1)
    limits.set_relay_state("main", open_until, NOW)
    other = SqlLedger(database)
    assert other.relay_states() == {"main": open_until}
    other.set_relay_state("main", RelayState(), NOW)
    other.close()
    assert limits.relay_states() == {"main": RelayState()}


def test_what_a_destination_bears_is_every_workers(limits: SqlLedger) -> None:
    first = Slowdown("mx.example", 2.5, 3.0, 60.0, NOW + timedelta(minutes=1), NOW, since=NOW)
    limits.slow_down(first)
    assert limits.slowdowns(NOW - timedelta(seconds=1)) == [first]
    assert limits.slowdowns(NOW) == []
    again = NOW + timedelta(seconds=90)
    # Of two complaints the last counts, but no pause gets shorter for it.
    limits.slow_down(replace(first, paused_until=NOW + timedelta(minutes=9), changed_at=again))
    second = Slowdown("mx.example", 1.25, 1.5, 120.0, NOW + timedelta(minutes=4), again)
    limits.slow_down(second)
    kept = replace(second, paused_until=NOW + timedelta(minutes=9))
    assert limits.slowdowns(NOW) == [kept]
    limits.slow_down(replace(kept, since=NOW))
    limits.destination_takes("another.example")
    assert limits.slowdowns(NOW) == [replace(kept, since=NOW)]
    limits.destination_takes("mx.example")
    assert limits.slowdowns(NOW) == [kept]
    # What nobody needs any more is not kept.
    far = NOW + timedelta(days=2)
    limits.slow_down(Slowdown("other.example", 1.0, 1.0, 60.0, far, far))
    assert [one.group for one in limits.slowdowns(NOW - timedelta(days=9))] == ["other.example"]
