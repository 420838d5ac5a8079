"""What is counted at the door for new readers."""

from datetime import timedelta

from newsletter.storage.database import Database
from newsletter.subscribers.model import Alarm, Lane, Posts
from tests.contracts.nouns import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_sign_ups_are_counted_by_network_domain_and_in_all(database: Database) -> None:
    with database.write() as tx:
        count = tx.sign_ups.count_post
        assert count("one", "a.example", NOW) == Posts(1, 1, 1, 1)
        assert count("one", "b.example", NOW) == Posts(2, 1, 2, 2)
        assert count("two", "a.example", NOW + 5 * MINUTE) == Posts(1, 2, 3, 3)
        assert count("two", "a.example", NOW + 12 * MINUTE) == Posts(2, 3, 4, 2)
        assert count("one", "a.example", NOW + 65 * MINUTE) == Posts(1, 1, 2, 1)
        assert tx.sign_ups.tidy(NOW + 2 * HOUR) == 0
        assert tx.sign_ups.tidy(NOW + 5 * HOUR) > 0
        assert count("one", "a.example", NOW) == Posts(1, 1, 1, 1)


def test_what_a_network_sends_beyond_its_share_counts_for_nobody_else(
    database: Database,
) -> None:
    with database.write() as tx:
        count = tx.sign_ups.count_post
        for number in range(1, 5):
            posts = count("one", "a.example", NOW, network_most=3)
            assert posts == (
                Posts(number, number, number, number) if number < 4 else Posts(4, 0, 0, 0)
            )
        assert count("two", "a.example", NOW, network_most=3) == Posts(1, 4, 4, 4)


def test_an_alarm_is_one_for_all(database: Database) -> None:
    with database.write() as tx:
        assert tx.sign_ups.alarm() == Alarm()
        for alarm in (Alarm(NOW, NOW + HOUR), Alarm(NOW, NOW + DAY, told=True), Alarm()):
            tx.sign_ups.set_alarm(alarm)
            assert tx.sign_ups.alarm() == alarm


def test_a_proof_counts_once(database: Database) -> None:
    with database.write() as tx:
        assert tx.sign_ups.spend_proof("nonce", NOW + HOUR)
        assert not tx.sign_ups.spend_proof("nonce", NOW + HOUR)
        assert tx.sign_ups.spend_proof("other", NOW + HOUR)


def test_a_lane_gives_its_places_one_after_the_other(database: Database) -> None:
    lane = Lane("proven", 2 * MINUTE)
    with database.write() as tx:
        places = []
        for _ in range(3):
            places.append(tx.sign_ups.lane_free_at(lane, NOW))
            tx.sign_ups.take_place(lane, places[-1])
        assert places == [NOW, NOW + 2 * MINUTE, NOW + 4 * MINUTE]
        # Told, and not taken.
        assert tx.sign_ups.lane_free_at(lane, NOW) == NOW + 6 * MINUTE
        assert tx.sign_ups.lane_free_at(lane, NOW + DAY) == NOW + DAY
        assert tx.sign_ups.lane_free_at(Lane("unproven", MINUTE), NOW) == NOW


def test_confirmations_one_a_day_and_three_until_one_is_answered(database: Database) -> None:
    with database.write() as tx:

        def ask(hours: int) -> bool:
            at = NOW + hours * HOUR
            return tx.sign_ups.count_confirmation("hash", at, quiet=DAY, most=3)

        assert [ask(hours) for hours in (0, 1, 23, 24, 25, 48, 72, 1000)] == [
            *(True, False, False, True),
            *(False, True, False, False),
        ]
        tx.sign_ups.answer_confirmation("hash")
        assert [ask(1000), ask(1001), ask(1024)] == [True, False, True]
        assert tx.sign_ups.count_confirmation("other", NOW, quiet=DAY, most=3)
