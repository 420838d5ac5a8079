"""Waves in the ledger: who is in which, when it may be claimed, and its first rows."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from newsletter.delivery.model import FirstRows, PlannedWave, Wave
from newsletter.issues.model import IssueState
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.subscribers.model import Subscriber, SubscriptionState, SuppressionReason
from newsletter.tokens import derived_public_id
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    MINUTE,
    NOW,
    REFUSED,
    UNCERTAIN,
    a_consent,
    a_mailing,
    add_system_mail,
    an_issue,
    an_outcome,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

LATER = NOW + 30 * MINUTE
ISSUE = "issue-2025-W32"
STAFF = PlannedWave("staff", NOW, addresses=("chief@x.example",), domains=("paper.example",))
CANARY = PlannedWave("canary", NOW, share=0.1)
REST = PlannedWave("the rest", LATER, others=True)


def add_readers(
    database: Database, addresses: Sequence[str], zones: Sequence[str | None] = (None,)
) -> dict[str, str]:
    """Active readers of the weekly with random ids; their addresses by id."""
    found = {}
    with database.write() as tx:
        for number, address in enumerate(addresses):
            zone = zones[number % len(zones)]
            public_id = derived_public_id("reader", address)
            reader = Subscriber(public_id, address, NOW, timezone=zone)
            tx.subscribers.add(reader, f"hash-{address}")
            active = SubscriptionState.ACTIVE
            tx.subscribers.subscribe(public_id, "weekly", active, a_consent(), NOW, "reader")
            found[public_id] = address
    return found


def queue(
    database: Database, waves: Sequence[PlannedWave], slot: str = "2025-W32", key: str = ""
) -> int:
    issue = an_issue(slot, state=IssueState.SENDING)
    mailing = a_mailing(derived_public_id(key or slot))
    with database.write() as tx:
        assert tx.issues.create(issue, NOW, "test")
        tx.mailings.create(mailing, key=slot, issue_id=issue.public_id, newsletter="weekly")
        return tx.mailings.enqueue_audience(mailing.public_id, "weekly", NOW, waves)


def waves_of(database: Database) -> list[Wave]:
    with database.read() as tx:
        return tx.waves.of_issue(ISSUE)


def rows(database: Database) -> list[DeliveryRow]:
    with database.read() as tx:
        return list(tx.mailings.deliveries(ISSUE))


def members(database: Database) -> dict[str, list[str]]:
    """Addresses by the name of their wave."""
    names = {wave.number: wave.name for wave in waves_of(database)}
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for row in rows(database):
        found[names[row.wave]].append(row.address)
    return found


def first_rows(database: Database, number: int, limit: int, *, after: int = 0) -> FirstRows:
    wave = next(wave for wave in waves_of(database) if wave.number == number)
    with database.read() as tx:
        return tx.waves.first_rows(wave, limit, after=after)


def test_staff_first_then_a_sample_then_the_rest(database: Database) -> None:
    crowd = [f"reader{n}@reader.example" for n in range(95)]
    staff = ["anna@paper.example", "chief@x.example"]
    add_readers(database, [*crowd, *staff, "x@sub.paper.example", "other@x.example"])
    with database.write() as tx:
        tx.subscribers.suppress(f"hash-{crowd[0]}", SuppressionReason.BOUNCED, NOW, "test")
    assert queue(database, [STAFF, CANARY, REST]) == 98
    found = members(database)
    assert set(found["staff"]) == set(staff)
    assert len(found["canary"]) == 10
    assert len(found["the rest"]) == 86
    assert len({*found["staff"], *found["canary"], *found["the rest"]}) == 98
    assert [(w.number, w.readers, w.starts_at, w.released_at) for w in waves_of(database)] == [
        (0, 2, NOW, NOW),
        (1, 10, NOW, None),
        (2, 86, LATER, None),
    ]


def test_rows_of_a_wave_follow_one_another(database: Database) -> None:
    add_readers(
        database,
        [f"reader{n}@reader.example" for n in range(30)],
        ["Asia/Yerevan", None, "America/New_York", "Mars/Base"],
    )
    east = PlannedWave("UTC+04:00", NOW, zones=("Asia/Yerevan",), rank=1)
    home = PlannedWave("UTC-04:00", LATER, zones=("America/New_York",), others=True)
    assert queue(database, [CANARY, east, home]) == 30
    found = rows(database)
    assert [row.wave for row in found] == sorted(row.wave for row in found)
    starts = {wave.number: wave.first_delivery for wave in waves_of(database)}
    with database.read() as tx:
        assert tx.waves.reader_zones("weekly")[0] in ("Asia/Yerevan", None)
        assert set(tx.waves.reader_zones("weekly")) == set(tx.waves.known_zones())
        assert tx.waves.waiting(ISSUE) == {w.number: w.readers for w in waves_of(database)}
    assert list(starts) == [0, 1, 2]
    assert sorted(starts.values()) == list(starts.values())


@pytest.mark.parametrize("key", ["a", "b", "c", "d", "e", "f"])
def test_each_mailing_has_a_fair_sample_of_its_own(database: Database, key: str) -> None:
    add_readers(database, [f"reader{n}@town{n % 4}.example" for n in range(200)])
    queue(database, [replace(CANARY, share=0.25), REST], key=key)
    sample = members(database)["canary"]
    assert len(sample) == 50
    for town in range(4):
        assert 3 <= sum(address.endswith(f"town{town}.example") for address in sample) <= 27
    # The oldest half of the readers is not all of it either.
    assert 12 <= sum(int(address[6 : address.index("@")]) < 100 for address in sample) <= 38
    # Again with the same key: the same sample; with another one: another one.
    queue(database, [replace(CANARY, share=0.25), REST], slot="2025-W33", key=key + key)
    with database.read() as tx:
        again = {row.address for row in tx.mailings.deliveries("issue-2025-W33") if row.wave == 0}
    assert len(again) == 50
    assert again != set(sample)


@pytest.mark.parametrize(("share", "readers"), [(0.1, 1), (0.5, 2), (0.05, 1)])
def test_the_smallest_samples(database: Database, share: float, readers: int) -> None:
    add_readers(database, [f"reader{n}@reader.example" for n in range(4)])
    queue(database, [replace(CANARY, share=share), REST])
    assert [len(found) for found in members(database).values()] == [readers, 4 - readers]


def test_a_wave_of_nobody_is_left_out(database: Database) -> None:
    add_readers(database, ["reader@reader.example"])
    queue(database, [STAFF, replace(CANARY, share=0.5), REST])
    assert [(w.name, w.readers, w.released_at) for w in waves_of(database)] == [("canary", 1, NOW)]


def test_without_readers_there_is_a_wave_of_nobody(database: Database) -> None:
    assert queue(database, [STAFF, CANARY, REST]) == 0
    assert [(w.number, w.readers, w.first_delivery) for w in waves_of(database)] == [(2, 0, None)]


def test_newcomers_join_the_last_wave(database: Database, ledger: Workers) -> None:
    add_readers(database, ["anna@paper.example", "reader@reader.example"])
    queue(database, [STAFF, REST])
    add_readers(database, ["new@paper.example"])
    with database.write() as tx:
        mailing = derived_public_id("2025-W32")
        assert tx.mailings.enqueue_audience(mailing, "weekly", NOW, [STAFF, REST]) == 1
        tx.mailings.enqueue(mailing, "guest", "guest@paper.example", NOW)
    assert [(w.name, w.readers) for w in waves_of(database)] == [("staff", 1), ("the rest", 3)]
    assert [d.address for d in ledger.claim("w", NOW, LEASE, 9)] == ["anna@paper.example"]


def test_only_released_waves_are_claimed(database: Database, ledger: Workers) -> None:
    add_readers(database, ["anna@paper.example", "reader@reader.example"])
    queue(database, [STAFF, REST])
    assert [d.address for d in ledger.claim("w", LATER, LEASE, 9)] == ["anna@paper.example"]
    rest = waves_of(database)[1]
    with database.write() as tx:
        assert tx.waves.release(rest, LATER)
        assert not tx.waves.release(rest, LATER)
    assert waves_of(database)[1].released_at == LATER
    assert [d.address for d in ledger.claim("w", LATER, LEASE, 9)] == ["reader@reader.example"]


@pytest.mark.parametrize("state", sorted(set(IssueState) - {IssueState.SENDING}))
def test_nothing_is_released_of_an_issue_that_does_not_send(
    database: Database, state: IssueState
) -> None:
    add_readers(database, ["anna@paper.example", "reader@reader.example"])
    queue(database, [STAFF, REST])
    with database.write() as tx:
        assert tx.waves.due(LATER) != []
        assert tx.issues.move(ISSUE, set(IssueState), state, "test", NOW)
        assert tx.waves.due(LATER) == []
        assert not tx.waves.release(tx.waves.of_issue(ISSUE)[1], LATER)


def test_due_is_the_next_wave_of_each_issue_once_its_time_has_come(database: Database) -> None:
    add_readers(database, ["anna@paper.example", "a@reader.example", "b@reader.example"])
    queue(database, [STAFF, replace(CANARY, share=0.5), REST])
    queue(database, [replace(STAFF, starts_at=LATER), REST], slot="2025-W33")

    def due(minutes: int) -> list[tuple[str, str, str | None]]:
        with database.read() as tx:
            found = tx.waves.due(NOW + minutes * MINUTE)
        return [(w.issue_id[-3:], w.name, before and before.name) for w, before in found]

    assert due(0) == [("W32", "canary", "staff")]
    assert due(30) == [("W32", "canary", "staff"), ("W33", "staff", None)]
    with database.write() as tx:
        assert tx.waves.release(tx.waves.of_issue(ISSUE)[1], NOW)
        tx.waves.hold_until(tx.waves.of_issue(ISSUE)[2], NOW + 40 * MINUTE)
    assert due(30) == [("W33", "staff", None)]
    assert due(40) == [("W32", "the rest", "canary"), ("W33", "staff", None)]
    with database.write() as tx:
        tx.waves.hold_until(tx.waves.of_issue(ISSUE)[2], NOW + 10 * MINUTE)
    assert waves_of(database)[2].starts_at == NOW + 40 * MINUTE


def test_the_first_rows_are_counted_by_what_became_of_them(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 3, "2025-W31")
    start_sending(database, 9)
    add_system_mail(database, 1)
    claimed = [d for d in ledger.claim("w", NOW, LEASE, 99) if d.mailing_id.endswith("W32")]
    claimed.sort(key=lambda delivery: delivery.id)
    fault = an_outcome(REFUSED.kind, 550, "no", reason="unknown", sender_fault=True)
    for delivery, outcome in zip(
        claimed, (ACCEPTED, REFUSED, DEFERRED, fault, REFUSED, ACCEPTED), strict=False
    ):
        assert ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", outcome, NOW)
    assert first_rows(database, 0, 4) == FirstRows(4, 3, 0, {"unknown": 1, "unknown_user": 1})
    assert first_rows(database, 0, 500) == FirstRows(9, 5, 3, {"unknown": 1, "unknown_user": 2})
    assert first_rows(database, 0, 4, after=4) == FirstRows(4, 2, 2, {"unknown_user": 1})
    assert first_rows(database, 0, 4, after=9) == FirstRows(0, 0, 0, {})


def test_rows_in_doubt_are_settled_once_they_stay_so(database: Database, ledger: Workers) -> None:
    start_sending(database, 1)
    for settled in (0, 1):
        (delivery,) = ledger.claim("w", NOW + MINUTE, LEASE, 1)
        assert ledger.hand_over(delivery, "w", NOW + MINUTE)
        ledger.record(delivery, "w", UNCERTAIN._replace(retry_at=NOW), NOW + MINUTE)
        assert first_rows(database, 0, 9).closed == settled


def test_waves_are_found_by_their_first_rows(database: Database, ledger: Workers) -> None:
    start_sending(database, 3)
    add_system_mail(database, 1)
    claimed = ledger.claim("w", NOW, LEASE, 9)
    with database.write() as tx:
        found = tx.waves.of_first_rows([delivery.id for delivery in claimed])
        assert [(wave.issue_id, wave.name, wave.readers) for wave in found] == [(ISSUE, "all", 3)]
        system = [delivery.id for delivery in claimed if delivery.is_system]
        assert tx.waves.of_first_rows(system) == []
        tx.issues.move(ISSUE, set(IssueState), IssueState.PAUSED, "test", NOW)
        assert tx.waves.of_first_rows([delivery.id for delivery in claimed]) == []


def test_an_issue_with_waves_to_come_is_not_finished(database: Database, ledger: Workers) -> None:
    add_readers(database, ["anna@paper.example", "reader@reader.example"])
    queue(database, [STAFF, REST])
    (delivery,) = ledger.claim("w", NOW, LEASE, 9)
    assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(delivery, "w", ACCEPTED, NOW)
    assert ledger.close_finished(NOW) == []
    assert ledger.next_due(NOW) == LATER
    with database.write() as tx:
        assert tx.waves.waiting(ISSUE) == {1: 1}
