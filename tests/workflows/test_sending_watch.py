"""What a sender notices while it sends, and how it waits."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.delivery.model import DeliverySummary
from newsletter.workflows.clone_guard import adopt, assert_may_send, attend
from newsletter.workflows.installation import Installation
from newsletter.workflows.instance_file import read_memory
from newsletter.workflows.sending_watch import (
    ADVANCE_SECONDS,
    LOOK_SECONDS,
    SendingWatch,
    wait_until_may_send,
)
from tests.workflows.test_clone_guard import HOUR, House


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


@pytest.fixture
def installation(house: House) -> Iterator[Installation]:
    with house.open() as opened:
        yield opened


def hold(installation: Installation, reason: str = "it is a copy") -> None:
    with installation.database.write() as tx:
        assert tx.identity.hold(reason, installation.clock.now())


def generation(installation: Installation) -> int:
    memory = read_memory(installation.data_dir)
    assert memory is not None
    return memory.generation


def pass_by(house: House, watch: SendingWatch, seconds: float) -> None:
    """Time passes, and the watch is asked as often as an engine asks it."""
    end = house.clock.instant + timedelta(seconds=seconds)
    while house.clock.instant < end:
        house.clock.sleep(1)
        assert watch.may_go_on()


def test_a_hold_is_noticed_within_seconds_and_for_good(
    house: House, installation: Installation
) -> None:
    assert_may_send(installation)
    watch = SendingWatch(installation)
    pass_by(house, watch, 60)
    hold(installation)
    house.clock.sleep(LOOK_SECONDS)
    assert not watch.may_go_on()
    adopt(installation, actor="test")
    house.clock.sleep(LOOK_SECONDS)
    assert not watch.may_go_on()
    assert SendingWatch(installation).may_go_on()


def test_the_generation_grows_with_what_is_sent_and_not_with_time(
    house: House, installation: Installation
) -> None:
    assert_may_send(installation)
    watch = SendingWatch(installation)
    pass_by(house, watch, 10 * ADVANCE_SECONDS)
    assert generation(installation) == 1
    watch.note(DeliverySummary())
    pass_by(house, watch, 2 * ADVANCE_SECONDS)
    assert generation(installation) == 1
    for accepted in range(1, 301):
        watch.note(DeliverySummary(accepted=accepted))
        pass_by(house, watch, 1)
    assert generation(installation) == 6
    watch.note(DeliverySummary(accepted=301))
    watch.end()
    assert generation(installation) == 7
    # An idle run, then one that sends as much as the last.
    watch.note(DeliverySummary())
    watch.end()
    assert generation(installation) == 7
    watch.note(DeliverySummary(accepted=301))
    watch.end()
    assert generation(installation) == 8


def test_nothing_moves_on_once_sending_is_held(house: House, installation: Installation) -> None:
    assert_may_send(installation)
    watch = SendingWatch(installation)
    watch.note(DeliverySummary(accepted=1))
    hold(installation)
    house.clock.sleep(2 * ADVANCE_SECONDS)
    assert not watch.may_go_on()
    watch.end()
    assert generation(installation) == 1


def test_a_process_that_lay_still_for_long_is_held_by_its_own_look(
    house: House, installation: Installation
) -> None:
    assert_may_send(installation)
    house.add_issue()
    watch = SendingWatch(installation)
    pass_by(house, watch, 60)
    house.clock.instant += 13 * HOUR
    assert not watch.may_go_on()


def test_being_watched_is_being_there(house: House, installation: Installation) -> None:
    assert_may_send(installation)
    house.add_issue()
    watch = SendingWatch(installation)
    for _ in range(13 * 6):
        house.clock.instant += timedelta(minutes=10)
        assert watch.may_go_on()
    house.send()


def test_waits_and_goes_on_when_released(house: House, installation: Installation) -> None:
    assert_may_send(installation)
    hold(installation)
    held_since = house.clock.instant
    asked = 0

    def release_later() -> bool:
        nonlocal asked
        asked += 1
        if asked == 200:
            adopt(installation, actor="test")
        return False

    assert wait_until_may_send(installation, release_later)
    assert asked > 200
    assert timedelta(seconds=10) < house.clock.instant - held_since < timedelta(minutes=2)


def test_a_stop_is_heard_while_it_waits(house: House, installation: Installation) -> None:
    assert_may_send(installation)
    hold(installation)
    stops = iter([False] * 100 + [True] * 100)
    assert not wait_until_may_send(installation, lambda: next(stops))


def test_free_to_send_means_no_waiting(house: House, installation: Installation) -> None:
    before = house.clock.instant
    assert wait_until_may_send(installation, lambda: False)
    assert house.clock.instant == before
    attend(installation)
