"""Whose turn it is: one at a time, and another as soon as it may be."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.errors import StorageError
from newsletter.scheduling import scheduler as scheduling
from newsletter.scheduling.turn import LEASE, LOOK_SECONDS, Turn
from newsletter.storage.database import Database
from tests.workflows.test_clone_guard import House


@dataclass
class HandClock:
    """A clock moved by hand."""

    instant: datetime = datetime(2026, 8, 7, 11, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def boottime(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path}/newsletter.sqlite")
    database.migrate()
    yield database
    database.close()


def test_the_second_waits_until_the_first_ends_well(database: Database, clock: HandClock) -> None:
    first, second = Turn(database, clock), Turn(database, clock)
    assert first.look()
    for _ in range(100):
        clock.sleep(LOOK_SECONDS)
        assert not first.look()
        assert not second.look()
        assert first.is_ours()
        assert not second.is_ours()
    first.give_up()
    assert not first.is_ours()
    assert second.look()
    assert second.is_ours()


def test_the_second_takes_over_when_the_first_is_gone(database: Database, clock: HandClock) -> None:
    first, second = Turn(database, clock), Turn(database, clock)
    assert first.look()
    waited = timedelta(0)
    while not second.look():
        clock.sleep(LOOK_SECONDS)
        waited += timedelta(seconds=LOOK_SECONDS)
        assert waited <= LEASE
    assert not first.is_ours()
    # The first was only asleep: it finds that it is no longer its turn.
    assert not first.look()
    assert not first.is_ours()
    first.give_up()
    assert not second.look()
    assert second.is_ours()


def test_a_database_that_is_gone_does_not_prolong_the_turn(
    tmp_path: Path, clock: HandClock
) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/newsletter.sqlite")
    database.migrate()
    turn = Turn(database, clock)
    assert turn.look()
    database.close()
    for file in tmp_path.iterdir():
        file.unlink()
    with pytest.raises(StorageError):
        turn.look()
    assert turn.is_ours()
    clock.sleep(LEASE.total_seconds())
    assert not turn.is_ours()
    turn.give_up()
    database.close()


def test_a_scheduler_ticks_in_its_turn_only_and_hands_it_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks: list[str] = []
    started = threading.Event()

    def tick(installation: object) -> None:
        ticks.append(threading.current_thread().name)
        started.set()

    monkeypatch.setattr(scheduling, "tick", tick)
    monkeypatch.setattr(scheduling, "refresh", lambda _: None)
    monkeypatch.setattr(scheduling, "LOOK_SECONDS", 0.05)
    house = House(tmp_path / "house")
    with house.open() as installation:
        other = Turn(installation.database, HandClock(datetime.now(UTC)))
        assert other.look()
        stop = threading.Event()
        thread = threading.Thread(target=scheduling.run_scheduler, args=(installation, stop))
        thread.start()
        try:
            time.sleep(0.5)
            assert ticks == []
            other.give_up()
            assert started.wait(10)
        finally:
            stop.set()
            thread.join(10)
        assert len(ticks) == 1
        with installation.database.read() as tx:
            assert tx.leases.current("scheduler", datetime.now(UTC)) is None


def test_a_stop_in_the_middle_of_a_look_ends_the_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look asks the scheduler something, which waits for the look when it shuts down."""
    stop = threading.Event()
    look = Turn.look

    def look_while_it_stops(turn: Turn) -> bool:
        taken = look(turn)
        stop.set()
        time.sleep(0.3)
        return taken

    monkeypatch.setattr(Turn, "look", look_while_it_stops)
    monkeypatch.setattr(scheduling, "tick", lambda _: None)
    monkeypatch.setattr(scheduling, "refresh", lambda _: None)
    with House(tmp_path / "house").open() as installation:
        arguments = (installation, stop)
        thread = threading.Thread(target=scheduling.run_scheduler, args=arguments, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
