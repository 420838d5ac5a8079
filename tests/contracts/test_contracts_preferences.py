"""Pauses with an end, words on leaving, another address, and everything held about one."""

from datetime import timedelta

import pytest

from newsletter.errors import Conflict, NotFound
from newsletter.publication.cadence import Cadence
from newsletter.storage.database import Database
from newsletter.subscribers.model import (
    AddressChange,
    DomainRule,
    LeaveReason,
    PreviousAddress,
    SubscriptionState,
    SuppressionReason,
)
from tests.contracts.nouns import (
    ACCEPTED,
    LEASE,
    NOW,
    a_consent,
    add_reader,
    add_system_mail,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

ACTIVE, PAUSED = SubscriptionState.ACTIVE, SubscriptionState.PAUSED
UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED
DAY = timedelta(days=1)


def test_pauses_that_are_over_are_found_the_longest_over_first(database: Database) -> None:
    with database.write() as tx:
        for number, days in ((1, 3), (2, 1), (3, 2), (4, 9)):
            add_reader(tx, number, PAUSED)
            tx.preferences.end_pause_at(f"reader{number}", "weekly", NOW + days * DAY)
        add_reader(tx, 5)
        tx.preferences.end_pause_at("reader5", "weekly", NOW)
        found = tx.preferences.paused_too_long(NOW + 3 * DAY, 10)
        assert tx.preferences.paused_too_long(NOW + 3 * DAY, 1) == found[:1]
        # What comes between takes the end away: also a new wish, and a new pause.
        tx.subscribers.move("reader1", "weekly", [PAUSED], ACTIVE, NOW, "reader")
        tx.subscribers.move("reader1", "weekly", [ACTIVE], PAUSED, NOW, "reader")
        tx.subscribers.subscribe("reader3", "weekly", PAUSED, a_consent(), NOW, "reader")
        left = tx.preferences.paused_too_long(NOW + 3 * DAY, 10)
    assert found == [("reader2", "weekly"), ("reader3", "weekly"), ("reader1", "weekly")]
    assert left == [("reader2", "weekly")]


def test_a_cadence_is_chosen_counted_and_logged(database: Database) -> None:
    with database.write() as tx:
        for number in range(3):
            add_reader(tx, number)
        add_reader(tx, 3, PAUSED)
        for number in (1, 3):
            chose = ("weekly", Cadence.MONTHLY, NOW + DAY, "reader")
            assert tx.subscribers.choose_cadence(f"reader{number}", *chose)
            assert not tx.subscribers.choose_cadence(f"reader{number}", *chose)
        assert tx.subscribers.cadences("weekly") == {Cadence.EACH: 2, Cadence.MONTHLY: 1}
        # Who is paused does not count, and who chose it later had not by then.
        assert not tx.subscribers.chose_by("weekly", Cadence.MONTHLY, NOW)
        assert tx.subscribers.chose_by("weekly", Cadence.MONTHLY, NOW + DAY)
        assert tx.subscribers.chose_by("weekly", Cadence.EACH, NOW)
        assert not tx.subscribers.chose_by("daily", Cadence.EACH, NOW)
        # It outlives what becomes of the subscription.
        tx.subscribers.move("reader1", "weekly", [ACTIVE], UNSUBSCRIBED, NOW, "reader")
        tx.subscribers.subscribe("reader1", "weekly", ACTIVE, a_consent(), NOW, "reader")
        (subscription,) = tx.subscribers.subscriptions("reader1")
        (change,) = [c for c in tx.changes.of("subscription", "reader1") if c.act == "cadence"]
        (told,) = [c for c in tx.growth.since(NOW) if c.act == "cadence"]
    assert subscription.cadence is Cadence.MONTHLY
    assert change.detail == {"newsletter": "weekly", "cadence": "monthly"}
    assert (told.reason, told.count) == ("monthly", 2)


def test_why_a_reader_left_is_kept_until_they_come_back(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        told = (LeaveReason.TOO_MUCH, NOW, "reader")
        assert not tx.preferences.tell_why_left("reader1", "weekly", *told)
        tx.subscribers.move("reader1", "weekly", [ACTIVE], UNSUBSCRIBED, NOW, "reader")
        assert tx.preferences.tell_why_left("reader1", "weekly", *told)
        assert not tx.preferences.tell_why_left("reader1", "weekly", *told)
        (subscription,) = tx.subscribers.subscriptions("reader1")
        assert subscription.left_because is LeaveReason.TOO_MUCH
        told_by = tx.preferences.reasons_told("weekly")
        assert told_by == dict.fromkeys(LeaveReason, 0) | {LeaveReason.TOO_MUCH: 1}
        assert set(tx.preferences.reasons_told("daily").values()) == {0}
        tx.subscribers.move("reader1", "weekly", [UNSUBSCRIBED], ACTIVE, NOW, "reader")
        (subscription,) = tx.subscribers.subscriptions("reader1")
    assert subscription.left_because is None


def test_another_address_takes_the_place_of_the_old_one(
    database: Database, ledger: Workers
) -> None:
    issue = start_sending(database, 3)
    (first,) = ledger.claim("w", NOW, LEASE, 1)
    ledger.hand_over(first, "w", NOW)
    ledger.record(first, "w", ACCEPTED, NOW)
    with database.write() as tx:
        for wish in ("wish1", "wish2"):
            tx.preferences.ask_address("reader0", AddressChange(wish, "new@other.example", NOW))
        assert tx.preferences.asked_address("reader0") == AddressChange(
            "wish2", "new@other.example", NOW
        )
        tx.preferences.change_address("reader0", "new@other.example", "newhash", NOW, "reader")
        tx.preferences.change_address("reader1", "next@other.example", "nexthash", NOW, "reader")
        assert tx.preferences.asked_address("reader0") is None
        with pytest.raises(NotFound):
            tx.preferences.change_address("nobody", "a@other.example", "h", NOW, "reader")
    with database.read() as tx:
        rows = {row.recipient_id: row for row in tx.mailings.deliveries(issue.public_id)}
        moved = tx.subscribers.find("new@other.example")
        assert tx.subscribers.find("reader000@reader.example") is None
        log = tx.changes.of("subscriber", "reader0")
    assert moved is not None
    assert moved.public_id == "reader0"
    # What was sent stays as it was; what waits goes to the new one.
    assert rows["reader0"].address == "reader000@reader.example"
    assert (rows["reader1"].address, rows["reader1"].domain) == (
        "next@other.example",
        "other.example",
    )
    assert [(change.act, change.detail) for change in log] == [("address", {})]


def test_the_addresses_of_before_are_kept_until_they_are_dropped(database: Database) -> None:
    first, second, others = (
        PreviousAddress(f"change{number}", f"old{number}@other.example", NOW + number * DAY)
        for number in range(3)
    )
    with database.write() as tx:
        add_reader(tx, 1)
        add_reader(tx, 2)
        for name, kept in (("reader1", first), ("reader1", second), ("reader2", others)):
            tx.preferences.keep_previous(name, kept)
        assert tx.preferences.previous("reader1") == [second, first]
        tx.preferences.drop_previous("reader1", second.changed_at)
        assert tx.preferences.previous("reader1") == [first]
        assert tx.retention.count_previous_addresses(second.changed_at) == 1
        assert tx.retention.drop_previous_addresses(second.changed_at, 9) == 1
        assert tx.preferences.previous("reader1") == []
        assert tx.preferences.previous("reader2") == [others]


def test_who_has_nothing_with_an_address_gives_way_and_what_they_left_stays_left(
    database: Database,
) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        add_reader(tx, 2, UNSUBSCRIBED)
        add_reader(tx, 2, UNSUBSCRIBED, "daily")
        add_reader(tx, 3, SubscriptionState.PENDING, "daily")
        for holder in ("reader2", "reader3"):
            tx.preferences.take_over(holder, "reader1", NOW, "reader")
            assert tx.subscribers.by_id(holder) is None
        tx.preferences.change_address(
            *("reader1", "reader002@reader.example", "hash2", NOW, "reader")
        )
        daily, weekly = tx.subscribers.subscriptions("reader1")
        for number, state in ((4, ACTIVE), (5, PAUSED)):
            add_reader(tx, number, state)
            with pytest.raises(Conflict, match="somebody gets mail"):
                tx.preferences.take_over(f"reader{number}", "reader1", NOW, "reader")
    assert (daily.state, weekly.state) == (UNSUBSCRIBED, ACTIVE)
    assert daily.left_from is None


def test_a_rule_for_a_domain_holds_for_who_moves_there_and_no_longer_for_who_moves_away(
    database: Database,
) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        rule = DomainRule("*.other.example", SuppressionReason.LEGAL, NOW, "anna")
        tx.suppressions.add_rules([rule], "anna")
        sizes = [tx.subscribers.audience_size("weekly")]
        for address in ("new@mail.other.example", "new@reader.example"):
            tx.preferences.change_address("reader1", address, "newhash", NOW, "reader")
            sizes.append(tx.subscribers.audience_size("weekly"))
    assert sizes == [1, 0, 1]


def test_everything_held_about_a_reader_and_nothing_of_others(database: Database) -> None:
    start_sending(database, 2)
    add_system_mail(database, 0)
    with database.write() as tx:
        tx.preferences.ask_address("reader0", AddressChange("wish", "new@other.example", NOW))
        for counted_by in ("counted0", "counted1"):
            tx.sign_ups.count_confirmation(counted_by, NOW, quiet=DAY, most=3)
        held = tx.holdings.of("reader0", "hash0", "counted0")
        with pytest.raises(NotFound):
            tx.holdings.of("reader9", "hash9", "counted9")
    assert held["subscriber"]["address"] == "reader000@reader.example"
    assert held["subscriber"]["created_at"] == NOW
    assert [one["newsletter"] for one in held["subscriptions"]] == ["weekly"]
    assert [one["address"] for one in held["address_wanted"]] == ["new@other.example"]
    assert [(one["kind"], one["issue"], one["subject"]) for one in held["deliveries"]] == [
        ("issue", "2025-W32", "Headline 1"),
        ("system", None, "Please confirm"),
    ]
    assert [(one["mailed"], one["last_at"]) for one in held["confirmations"]] == [(1, NOW)]
    assert (held["clicks"], held["suppression"]) == ([], [])
    assert [one["act"] for one in held["changes"]] == ["active"]
    assert "reader001" not in str(held)
