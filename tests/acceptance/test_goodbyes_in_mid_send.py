"""No message is handed over once its reader has left, or its issue was paused.

Not "soon after": PostgreSQL itself says in which order the transactions were
committed, of two workers that send and of threads that take readers away.
"""

import bisect
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import psycopg
import pytest

from newsletter.delivery.engine import Engine
from newsletter.delivery.model import OnUncertain, Relay
from newsletter.delivery.responder import InProcessLink, accept
from newsletter.errors import NotFound
from newsletter.issues.model import IssueState
from newsletter.storage.database import Database
from newsletter.subscribers.model import SubscriptionState, SuppressionReason
from tests.delivery.samples import NOW
from tests.delivery.sql_sending import RecordingLedger, Sending, local_relay
from tests.postgres import fresh_database, running_server

READERS = 900

# Writes down who does what, in the transaction that does it.
_WATCH = """
CREATE TABLE seen (what text, subscriber bigint, state text);

CREATE FUNCTION see_hand_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen VALUES ('handed over', OLD.subscriber_id, NULL); RETURN NULL; END $$;
CREATE TRIGGER see AFTER UPDATE ON delivery FOR EACH ROW
  WHEN (NEW.state = 'handed_over' AND OLD.state <> 'handed_over')
  EXECUTE FUNCTION see_hand_over();

CREATE FUNCTION see_goodbye() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen VALUES (TG_ARGV[0], OLD.subscriber_id, NULL); RETURN NULL; END $$;
CREATE TRIGGER see_left AFTER UPDATE ON subscription FOR EACH ROW
  WHEN (NEW.state <> 'active') EXECUTE FUNCTION see_goodbye('left');
CREATE TRIGGER see_forgotten AFTER DELETE ON subscription FOR EACH ROW
  EXECUTE FUNCTION see_goodbye('forgotten');

CREATE FUNCTION see_suppression() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen SELECT 'suppressed', id, NULL FROM subscriber
    WHERE address_hash = NEW.address_hash; RETURN NULL; END $$;
CREATE TRIGGER see AFTER INSERT ON suppression FOR EACH ROW EXECUTE FUNCTION see_suppression();

CREATE FUNCTION see_issue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO seen VALUES ('issue', NULL, NEW.state); RETURN NULL; END $$;
CREATE TRIGGER see AFTER UPDATE ON issue FOR EACH ROW
  WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION see_issue();
"""


@dataclass
class Seen:
    """What was committed, and when."""

    handed_over: list[tuple[datetime, int]] = field(default_factory=list)
    goodbyes: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    issue: list[tuple[datetime, str]] = field(default_factory=list)

    @classmethod
    def read(cls, database: str) -> "Seen":
        seen = cls()
        with psycopg.connect(database) as connection:
            rows = connection.execute(
                "SELECT pg_xact_commit_timestamp(xmin), what, subscriber, state"
                " FROM seen ORDER BY 1"
            ).fetchall()
        for at, what, subscriber, state in rows:
            if what == "handed over":
                seen.handed_over.append((at, subscriber))
            elif what == "issue":
                seen.issue.append((at, state))
            else:
                seen.goodbyes.setdefault(subscriber, (at, what))
        return seen

    def after_goodbye(self) -> list[tuple[int, str]]:
        """Whose message was handed over after the goodbye, and what that was."""
        return [
            (subscriber, self.goodbyes[subscriber][1])
            for at, subscriber in self.handed_over
            if subscriber in self.goodbyes and at > self.goodbyes[subscriber][0]
        ]

    def while_paused(self) -> int:
        """How many messages were handed over while the issue was not sending."""
        times = [at for at, _ in self.issue]
        found = 0
        for at, _ in self.handed_over:
            before = bisect.bisect_left(times, at)
            found += before > 0 and self.issue[before - 1][1] != "sending"
        return found


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with running_server("track_commit_timestamp=on") as server:
        yield server.url


def take_their_time(command: str, argument: bytes) -> bytes | None:
    """A relay in this process that needs a moment for each message."""
    if command == "DOT":
        time.sleep(0.001)
    return accept(command, argument)


class Crowd:
    """Readers who leave, are suppressed or forgotten just when it is their turn."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        self._database = Database.open(url)
        self._url = url
        self._stop = stop
        self.acts: Counter[str] = Counter()

    def run(self, seed: int) -> None:
        random = Random(seed)
        acts: list[tuple[str, Callable[[str], None]]] = [
            ("leave", self._leave),
            ("suppress", self._suppress),
            ("forget", self._forget),
        ]
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._stop.is_set():
                # Those whose turn is next: some are quicker than their goodbye.
                held = connection.execute(
                    "SELECT recipient FROM delivery WHERE state = 'claimed' ORDER BY id LIMIT 12"
                ).fetchall()
                if held:
                    name, act = random.choice(acts)
                    act(random.choice(held)[0])
                    self.acts[name] += 1
                time.sleep(random.uniform(0, 0.004))

    def close(self) -> None:
        self._database.close()

    def _leave(self, reader: str) -> None:
        with self._database.write() as tx:
            tx.subscribers.move(
                reader,
                "weekly",
                {SubscriptionState.ACTIVE},
                SubscriptionState.UNSUBSCRIBED,
                NOW,
                "reader",
            )

    def _suppress(self, reader: str) -> None:
        with self._database.write() as tx:
            tx.subscribers.suppress(
                reader.replace("reader", "hash"), SuppressionReason.COMPLAINT, NOW, "feedback"
            )

    def _forget(self, reader: str) -> None:
        try:
            with self._database.write() as tx:
                tx.subscribers.forget(reader, NOW, "anna")
        except NotFound:
            self.acts["forgotten before"] += 1


def pause_and_resume(sending: Sending, url: str, stop: threading.Event) -> int:
    """The editor's finger on the button; how often it was pressed."""
    database, pauses = Database.open(url), 0
    issue, random = sending.issue.public_id, Random(1)
    try:
        while not stop.is_set():
            for before, after in (
                (IssueState.SENDING, IssueState.PAUSED),
                (IssueState.PAUSED, IssueState.SENDING),
            ):
                with database.write() as tx:
                    assert tx.issues.move(issue, {before}, after, "anna", NOW)
                pauses += after is IssueState.PAUSED
                time.sleep(random.uniform(0.002, 0.03))
    finally:
        database.close()
    return pauses


def work(sending: Sending, url: str, name: str, stop: threading.Event) -> None:
    """A worker that looks again and again, as `newsletter worker` does."""
    database = Database.open(url)
    ledger = RecordingLedger(database, on_uncertain=OnUncertain.RESEND)

    def connect(_: Relay) -> InProcessLink:
        return InProcessLink(take_their_time)

    engine: Engine = sending.engine(
        local_relay(1, connections=8), ledger=ledger, name=name, connect=connect
    )
    try:
        while not stop.is_set() and sending.counts().open:
            engine.run()
            time.sleep(0.01)
    finally:
        engine.close()
        ledger.close()
        database.close()


@pytest.mark.long
def test_nothing_is_handed_over_after_a_goodbye_or_a_pause(server_url: str) -> None:
    url = fresh_database(server_url)
    sending = Sending(Database.open(url), READERS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_WATCH)
    stop = threading.Event()
    crowd = Crowd(url, stop)
    # So that many different readers may be asked for, goodbyes come one by one.
    with ThreadPoolExecutor(6) as pool:
        workers = [pool.submit(work, sending, url, name, stop) for name in ("w1", "w2")]
        others = [pool.submit(crowd.run, seed) for seed in (1, 2, 3)]
        button = pool.submit(pause_and_resume, sending, url, stop)
        for worker in workers:
            worker.result(60)
        stop.set()
        for other in others:
            other.result(60)
        pauses = button.result(60)
    crowd.close()
    seen, counts = Seen.read(url), sending.counts()
    sending.close()

    assert seen.after_goodbye() == []
    assert seen.while_paused() == 0
    # It was a race: on both sides of many a hand-over somebody left, and somebody paused.
    assert pauses > 10
    assert min(crowd.acts[act] for act in ("leave", "suppress", "forget")) > 10
    sent = {subscriber for _, subscriber in seen.handed_over}
    assert len(seen.goodbyes.keys() - sent) > 20, "nobody left in time"
    assert len(seen.goodbyes.keys() & sent) > 0, "nobody left too late"
    assert counts.accepted == len(seen.handed_over) == len(sent)
    assert counts.accepted + counts.skipped == counts.total == READERS
