"""A worker's lease, by a clock that a test moves and a ledger that may fail."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.delivery.lease import Lease
from newsletter.errors import StorageError
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.samples import ISSUE, NOW, SetClock
from tests.waiting import wait_until

QUICK = timedelta(seconds=0.15)


class SleepyClock(SetClock):
    """Its boot time runs on while the machine sleeps, its monotonic time does not."""

    slept = 0.0

    def boottime(self) -> float:
        return self.monotonic() + self.slept


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger(ISSUE)
    ledger.enqueue(ISSUE, "lilit@reader.example", "ani@reader.example")
    return ledger


@pytest.fixture
def clock() -> SleepyClock:
    return SleepyClock()


@pytest.fixture
def started() -> Iterator[list[Lease]]:
    leases: list[Lease] = []
    yield leases
    for lease in leases:
        lease.stop()


def test_it_is_renewed_again_and_again(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease]
) -> None:
    lease = Lease(ledger, clock, "w1", QUICK)
    started.append(lease)
    assert ledger.leases[lease.worker] == NOW + QUICK
    clock.instant = NOW + timedelta(minutes=1)
    assert wait_until(lambda: ledger.leases[lease.worker] == clock.instant + QUICK)
    assert wait_until(lambda: ledger.calls["renew"] >= 3)
    assert lease.lasts
    assert not lease.lost


def test_it_ends_by_itself_and_never_later_than_the_ledger_thinks(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease]
) -> None:
    lease = Lease(ledger, clock, "w1", timedelta(seconds=30))
    started.append(lease)
    assert lease.lasts
    clock.slept = 26.0
    assert lease.lasts
    # The last seconds are not used: another's clock may be ahead of ours.
    clock.slept = 27.5
    assert not lease.lasts
    assert not lease.lost


def test_a_machine_that_slept_has_no_lease_until_it_is_renewed(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease]
) -> None:
    def fail(call: str) -> None:
        if call == "renew" and clock.slept:
            raise StorageError("gone")

    ledger.before = fail
    lease = Lease(ledger, clock, "w1", QUICK)
    started.append(lease)
    clock.slept = 3600.0
    assert not lease.lasts
    renewals = ledger.calls["renew"]
    assert wait_until(lambda: ledger.calls["renew"] >= renewals + 3)
    assert not lease.lasts
    assert not lease.lost
    ledger.before = lambda _: None
    assert wait_until(lambda: lease.lasts)


def test_what_was_taken_away_is_lost_for_good(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease]
) -> None:
    lease = Lease(ledger, clock, "w1", QUICK)
    started.append(lease)
    ledger.leases[lease.worker] = None
    assert wait_until(lambda: lease.lost)
    assert not lease.lasts
    renewals = ledger.calls["renew"]
    ledger.leases[lease.worker] = NOW + timedelta(hours=1)
    time.sleep(3 * QUICK.total_seconds())
    assert ledger.calls["renew"] == renewals
    assert not lease.lasts


def test_ending_it_gives_the_rows_back(ledger: MemoryLedger, clock: SleepyClock) -> None:
    lease = Lease(ledger, clock, "w1", timedelta(seconds=30))
    assert len(ledger.claim_issues(lease.worker, NOW, 5)) == 2
    assert lease.end() == 2
    assert ledger.states() == {"queued": 2}
    assert ledger.leases[lease.worker] is None


@pytest.mark.parametrize("jump", [timedelta(hours=1), -timedelta(hours=1)])
def test_a_date_that_was_set_is_told_at_once(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease], jump: timedelta
) -> None:
    lease = Lease(ledger, clock, "w1", timedelta(seconds=30))
    started.append(lease)
    lease.heed(clock.now())
    assert ledger.calls["renew"] == 0
    clock.instant += jump
    lease.heed(clock.now())
    assert ledger.leases[lease.worker] == clock.instant + timedelta(seconds=30)
    lease.heed(clock.now())
    assert ledger.calls["renew"] == 1
    assert lease.lasts


def test_a_machine_that_slept_through_its_lease_says_nothing_of_its_date(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease]
) -> None:
    lease = Lease(ledger, clock, "w1", timedelta(seconds=30))
    started.append(lease)
    clock.slept, clock.instant = 3600.0, NOW + timedelta(hours=1)
    lease.heed(clock.now())
    assert ledger.calls["renew"] == 0
    assert not lease.lasts


def test_a_date_that_was_set_while_another_took_the_place_changes_nothing(
    ledger: MemoryLedger, clock: SleepyClock, started: list[Lease]
) -> None:
    lease = Lease(ledger, clock, "w1", timedelta(seconds=30))
    started.append(lease)
    ledger.leases[lease.worker] = None
    lease.heed(NOW + timedelta(hours=1))
    assert lease.lost
