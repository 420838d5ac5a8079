"""What the real ledger's own trouble does to a send."""

import threading
from collections import Counter

import pytest

from newsletter.errors import StorageError
from tests.delivery.smtp_servers import Faults, smtp_server
from tests.delivery.sql_sending import MakeSending, local_relay

pytest_plugins = ["tests.delivery.sql_fixtures"]


def test_an_answer_of_the_ledger_that_is_lost_costs_nobody_anything(
    make_sending: MakeSending,
) -> None:
    """It wrote what it was told, and its "yes" never came: it is asked the same once more."""
    sending, faults = make_sending(60), Faults()
    lost: list[int] = []

    def lose(commits: int) -> None:
        if commits in (1, 5, 6, 20):
            lost.append(commits)
            raise StorageError("the server closed the connection")

    sending.ledger.after_commit = lose
    with smtp_server(faults) as port:
        summary = sending.run(local_relay(port))
    assert lost == [1, 5, 6, 20]
    assert summary.accepted == 60
    assert faults.recipients() == sorted(sending.addresses)
    sending.account(Counter(faults.recipients()))
    counts = sending.counts()
    assert (counts.accepted, counts.open) == (60, 0)


def test_a_worker_that_never_got_its_answer_leaves_a_doubt_and_no_more(
    make_sending: MakeSending,
) -> None:
    sending, faults = make_sending(30), Faults()
    broken = threading.Event()

    def lose(commits: int) -> None:
        if commits >= 8:
            broken.set()
            raise StorageError("the server closed the connection")

    sending.ledger.after_commit = lose
    with smtp_server(faults) as port:
        with pytest.raises(StorageError, match="closed the connection"):
            sending.run(local_relay(port))
        assert broken.is_set()
        sending.ledger.after_commit = lambda _: None
        sending.ledger.recover(sending.clock.now(), all_workers=True)
        sending.run_to_the_end(local_relay(port))
    arrived = Counter(faults.recipients())
    sending.account(arrived)
    assert set(arrived) == set(sending.addresses)
    assert arrived.total() - 30 <= sum(row.doubts for row in sending.rows().values()) <= 3
