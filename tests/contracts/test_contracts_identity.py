"""Who the installation is, what waits in it, and its leases, on both databases."""

from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from newsletter.issues.model import IssueState
from newsletter.storage.database import Database
from newsletter.storage.identity import Identity, WaitingMail
from newsletter.storage.tables import delivery, wave
from tests.contracts.nouns import (
    DEFERRED,
    MINUTE,
    NOW,
    add_reader,
    add_system_mail,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

HOUR = timedelta(hours=1)
ISSUE = ("weekly", "2025-W32")


def waiting(database: Database) -> list[WaitingMail]:
    with database.read() as tx:
        return tx.identity.waiting()


def identify(database: Database, **changes: str) -> Identity:
    with database.write() as tx:
        identity = Identity("this-one", 7, tx.identity.fingerprint(), **changes)
        assert tx.identity.create(identity, NOW)
    return identity


def test_there_is_one_row_and_whoever_comes_first_writes_it(database: Database) -> None:
    with database.read() as tx:
        assert tx.identity.current() is None
    first = identify(database)
    with database.write() as tx:
        assert not tx.identity.create(Identity("another", 1, "elsewhere"), NOW)
        assert tx.identity.current() == first
        tx.identity.replace(Identity("another", 1, "elsewhere"), NOW)
        assert tx.identity.current() == Identity("another", 1, "elsewhere")


def test_generations_grow_until_sending_is_held(database: Database) -> None:
    with database.write() as tx:
        assert not tx.identity.advance(NOW)
    identify(database)
    with database.write() as tx:
        assert tx.identity.advance(NOW)
        assert tx.identity.advance(NOW)
        assert tx.identity.hold("it is a copy", NOW)
        assert not tx.identity.advance(NOW)
        assert not tx.identity.hold("another reason", NOW)
    with database.read() as tx:
        found = tx.identity.current()
    assert found is not None
    assert (found.generation, found.hold) == (9, "it is a copy")


def test_a_database_knows_its_own_row(database: Database) -> None:
    here = identify(database)
    with database.read() as tx:
        assert tx.identity.is_at_home(here)
        assert tx.identity.fingerprint() == here.fingerprint
        for elsewhere in ("", "sqlite:1", "postgresql:1:1", here.fingerprint + "1"):
            assert not tx.identity.is_at_home(Identity("this-one", 7, elsewhere))


def test_a_servers_fingerprint_names_the_cluster_and_the_database(
    postgresql_database: Database,
) -> None:
    with postgresql_database.read() as tx:
        system = tx.connection.scalar(sa.text("SELECT system_identifier FROM pg_control_system()"))
        kind, cluster, oid = tx.identity.fingerprint().split(":")
    assert (kind, cluster) == ("postgresql", str(system))
    assert int(oid) > 0


def test_blank_until_something_was_drafted_or_sent(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        assert tx.identity.is_blank()
        tx.issues.create(an_issue(), NOW, "test")
        assert not tx.identity.is_blank()


def test_system_mail_waits_by_itself(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        assert not tx.identity.waiting()
    add_system_mail(database, 1)
    assert waiting(database) == [WaitingMail("", "", 1, NOW)]
    with database.read() as tx:
        assert not tx.identity.is_blank()


@pytest.mark.parametrize("state", IssueState)
def test_only_an_issue_on_its_way_waits(database: Database, state: IssueState) -> None:
    start_sending(database, 3)
    with database.write() as tx:
        assert tx.issues.move("issue-2025-W32", set(IssueState), state, "test", NOW)
    expected = [WaitingMail(*ISSUE, 3, NOW)] if state is IssueState.SENDING else []
    assert waiting(database) == expected


def test_readers_who_were_put_off_wait_apart(database: Database, ledger: Workers) -> None:
    start_sending(database, 3)
    (first, *_) = ledger.claim("w", NOW, NOW + HOUR, 1)
    assert ledger.hand_over(first, "w", NOW)
    ledger.record(first, "w", DEFERRED, NOW)
    assert waiting(database) == [WaitingMail(*ISSUE, 3, NOW, NOW + 5 * MINUTE)]


def test_what_a_dead_worker_held_waits_since_it_took_it(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)
    ledger.claim("w", NOW + MINUTE, NOW + HOUR, 10)
    assert waiting(database) == [WaitingMail(*ISSUE, 1, NOW + MINUTE)]


def test_a_wave_waits_from_its_start_on(database: Database) -> None:
    start_sending(database, 4)
    with database.write() as tx:
        issue_id = tx.connection.scalar(sa.select(wave.c.issue_id))
        tx.connection.execute(
            wave.insert().values(
                issue_id=issue_id, number=1, name="rest", readers=2, starts_at=NOW + 9 * HOUR
            )
        )
        later = delivery.c.recipient.in_(["reader2", "reader3"])
        tx.connection.execute(delivery.update().where(later).values(wave=1))
    assert waiting(database) == [
        WaitingMail(*ISSUE, 2, NOW),
        WaitingMail(*ISSUE, 2, NOW + 9 * HOUR),
    ]
    with database.write() as tx:
        released = wave.update().where(wave.c.number == 1).values(released_at=NOW + 10 * HOUR)
        tx.connection.execute(released)
    assert waiting(database)[1].untried_since == NOW + 10 * HOUR


def test_a_lease_has_one_holder_who_renews_it_and_gives_it_up(database: Database) -> None:
    with database.write() as tx:
        assert tx.leases.current("tick", NOW) is None
        assert tx.leases.take("tick", "ani", NOW, HOUR)
        assert not tx.leases.take("tick", "lilit", NOW, HOUR)
        assert tx.leases.take("other", "lilit", NOW, HOUR)
        assert tx.leases.take("tick", "ani", NOW, 2 * HOUR)
        lease = tx.leases.current("tick", NOW)
        assert lease is not None
        assert lease.holder == "ani"
        assert HOUR < lease.left <= 2 * HOUR
        assert not tx.leases.give_up("tick", "lilit")
        assert tx.leases.give_up("tick", "ani")
        assert tx.leases.take("tick", "lilit", NOW, HOUR)


def test_a_lease_that_ended_is_anybodys(database: Database) -> None:
    with database.write() as tx:
        assert tx.leases.take("tick", "ani", NOW, timedelta(0))
        lease = tx.leases.current("tick", NOW)
        assert lease is not None
        assert lease.left <= timedelta(0)
        assert tx.leases.take("tick", "lilit", NOW, HOUR)
        assert not tx.leases.take("tick", "ani", NOW, HOUR)


def test_on_a_server_its_own_clock_counts(postgresql_database: Database) -> None:
    with postgresql_database.write() as tx:
        tx.connection.execute(sa.text("DELETE FROM lease"))
        assert tx.leases.take("tick", "ani", NOW, HOUR)
        years_ahead = NOW + timedelta(days=9_000)
        assert not tx.leases.take("tick", "a wrong clock", years_ahead, HOUR)
        now = tx.connection.scalar(sa.text("SELECT clock_timestamp()"))
        assert abs(tx.leases.time(years_ahead) - now) < HOUR


def test_of_many_that_take_a_lease_at_once_one_gets_it(database: Database) -> None:
    barrier = Barrier(4)
    winners = []

    def take(holder: str) -> None:
        barrier.wait()
        with database.write() as tx:
            if tx.leases.take("race", holder, NOW, HOUR):
                winners.append(holder)

    threads = [Thread(target=take, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1


def test_a_checkpoint_makes_commits_durable(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.sqlite"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    identify(database)
    before = path.read_bytes()
    database.make_durable()
    assert b"this-one" not in before
    assert b"this-one" in path.read_bytes()
    with database.write() as tx:
        assert tx.identity.advance(NOW)
    database.close()
