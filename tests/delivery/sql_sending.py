"""An issue on its way to many readers, over the real ledger and the real engine."""

import functools
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsletter.delivery.engine import Callbacks, Engine, Limits
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import (
    DeliveryState,
    DeliverySummary,
    LedgerCounts,
    OnUncertain,
    Outcome,
    OutcomeKind,
    Relay,
    Settlement,
)
from newsletter.delivery.smtp import Link, TimeLimits, open_connection
from newsletter.delivery.writing import LetterWriter
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.storage.ledger import SqlLedger
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import SubscriptionState
from tests.contracts.nouns import a_mailing, a_settings, a_system_mailing, an_issue
from tests.delivery.samples import GIVE_UP, KEYRING, SetClock

QUICK = TimeLimits(connect=5, step=5, final=5)
# No test's clock moves on so far that a worker's lease would end.
LONG = timedelta(days=30)
MAILING = "mailing000000001"
CONFIRMATION = "mailing000000002"


class RecordingLedger(SqlLedger):
    """Remembers every outcome that it was told, and every row that it handed over."""

    def __init__(self, database: Database, *, on_uncertain: OnUncertain) -> None:
        super().__init__(database, on_uncertain=on_uncertain)
        self.outcomes: list[Outcome] = []
        self.handed_over: list[int] = []
        # Called with how many commits there were, after each: it may lose their answers.
        self.after_commit: Callable[[int], None] = lambda _: None
        self._commits = 0

    def commit(
        self,
        worker: int,
        settled: Sequence[Settlement],
        handing_over: Sequence[int],
        now: datetime,
    ) -> Collection[int]:
        granted = super().commit(worker, settled, handing_over, now)
        self.outcomes += [one.outcome for one in settled]
        self.handed_over += granted
        self._commits += 1
        self.after_commit(self._commits)
        return granted


class SwiftClock(SetClock):
    """All its hands go by how often it is asked: by ``step`` seconds each time, and as it is moved.

    So minutes pass while an engine looks around a few times.
    """

    def __init__(self, step: float) -> None:
        super().__init__()
        self._step = step
        self._gone = 0.0

    def now(self) -> datetime:
        return self.instant + timedelta(seconds=self._gone)

    def monotonic(self) -> float:
        self._gone += self._step
        return self._gone

    def boottime(self) -> float:
        return self._gone

    def move(self, instant: datetime) -> None:
        self._gone += max(0.0, (instant - self.now()).total_seconds())


@functools.cache
def _migrated_file() -> bytes:
    """A database without a row: made once, since that takes longer than most sends here."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "newsletter.db"
        database = Database.open(f"sqlite:///{path}")
        database.migrate()
        database.close()
        return path.read_bytes()


def add_readers(tx: Transaction, addresses: Sequence[str], now: datetime) -> None:
    """Active readers of the weekly, reader0 first; all at once, for there may be thousands."""
    connection = tx.connection
    connection.execute(
        sa.insert(t.subscriber),
        [
            {
                "public_id": f"reader{number}",
                "address": address,
                "address_hash": f"hash{number}",
                "created_at": now,
            }
            for number, address in enumerate(addresses)
        ],
    )
    newsletter = sa.select(t.newsletter.c.id).where(t.newsletter.c.slug == "weekly")
    columns = {
        "subscriber_id": t.subscriber.c.id,
        "newsletter_id": newsletter.scalar_subquery(),
        "state": sa.literal(SubscriptionState.ACTIVE.value),
        "changed_at": sa.literal(now, t.subscription.c.changed_at.type),
        "consent_at": sa.literal(now, t.subscription.c.consent_at.type),
        "consent_how": sa.literal("form"),
        "consent_wording": sa.literal("I want the weekly."),
        "consent_placement": sa.literal(""),
    }
    connection.execute(
        sa.insert(t.subscription).from_select(list(columns), sa.select(*columns.values()))
    )


class Sending:
    """One issue of a small paper, queued for ``readers``; the address of each is its domain's."""

    def __init__(
        self,
        database: Database,
        readers: int,
        *,
        domains: Sequence[str] = ("reader.example",),
        clock: SetClock | None = None,
        on_uncertain: OnUncertain = OnUncertain.RESEND,
    ) -> None:
        self.database = database
        self.clock = clock or SetClock()
        self.ledger = RecordingLedger(database, on_uncertain=on_uncertain)
        self.issue = an_issue(public_id="issue00000000001", state=IssueState.SENDING)
        self.addresses = [f"r{n:05}@{domains[n % len(domains)]}" for n in range(readers)]
        now = self.clock.now()
        with database.write() as tx:
            tx.settings.register(a_settings(), now)
            add_readers(tx, self.addresses, now)
            assert tx.issues.create(self.issue, now, "test")
            tx.mailings.create(
                a_mailing(MAILING), key="issue", issue_id=self.issue.public_id, newsletter="weekly"
            )
            tx.mailings.enqueue_audience(MAILING, "weekly", now)

    @classmethod
    def on_sqlite(cls, folder: Path, readers: int, **options: Any) -> "Sending":
        path = folder / "newsletter.db"
        path.write_bytes(_migrated_file())
        return cls(Database.open(f"sqlite:///{path}"), readers, **options)

    def close(self) -> None:
        """Close the database."""
        self.ledger.close()
        self.database.close()

    def queue_system_mail(self, address: str) -> None:
        """A confirmation to somebody who has just signed up."""
        with self.database.write() as tx:
            tx.mailings.create(
                a_system_mailing(CONFIRMATION), key=CONFIRMATION, newsletter="weekly"
            )
            tx.mailings.enqueue(CONFIRMATION, "signup0000000001", address, self.clock.now())

    def engine(
        self,
        *relays: Relay,
        times: TimeLimits = QUICK,
        connect: Callable[[Relay], Link] | None = None,
        name: str = "w1",
        ledger: SqlLedger | None = None,
        limits: dict[str, Any] | None = None,
        **callbacks: Any,
    ) -> Engine:
        """A worker; close it."""
        writer = LetterWriter(
            self.ledger.mailing, lambda m: MessageTemplate.of(m, KEYRING), str.lower
        )
        return Engine(
            ledger or self.ledger,
            relays,
            writer,
            self.clock,
            Limits(**{"give_up_after": GIVE_UP, "times": times, "lease": LONG} | (limits or {})),
            Callbacks(**callbacks),
            name=name,
            connect=connect or (lambda relay: open_connection(relay, limits=times)),
        )

    def run(self, *relays: Relay, **options: Any) -> DeliverySummary:
        """Send what is due, by a worker of its own."""
        engine = self.engine(*relays, **options)
        try:
            return engine.run()
        finally:
            engine.close()

    def run_to_the_end(self, *relays: Relay, rounds: int = 40, **options: Any) -> None:
        """Send until nothing waits any more, moving the clock to when something is due."""
        engine = self.engine(*relays, **options)
        try:
            for _ in range(rounds):
                engine.try_again()
                engine.run()
                now = self.clock.now()
                due = self.ledger.next_due(now)
                if due is None:
                    return
                pauses = [state.paused_until for state in self.ledger.relay_states().values()]
                self._move_to(max([due, *(pause for pause in pauses if pause is not None)]))
        finally:
            engine.close()
        raise AssertionError(f"after {rounds} rounds somebody waits yet: {self.counts()}")

    def counts(self) -> LedgerCounts:
        with self.database.read() as tx:
            return tx.mailings.counts(self.issue.public_id)

    def rows(self) -> dict[str, DeliveryRow]:
        """The ledger's rows by address."""
        with self.database.read() as tx:
            return {str(row.address): row for row in tx.mailings.deliveries(self.issue.public_id)}

    def count_outcomes(self) -> Counter[tuple[OutcomeKind, int]]:
        """The outcomes that were recorded, by kind and reply code."""
        return Counter((one.kind, one.reply.code) for one in self.ledger.outcomes)

    def account(self, arrived: Counter[str]) -> None:
        """Nobody is lost, nobody served twice without a doubt on record, the totals add up."""
        counts, rows = self.counts(), self.rows()
        assert counts.total == len(self.addresses) == len(rows)
        assert counts.open == 0
        doubtless_copies = [
            address
            for address, copies in arrived.items()
            if copies > 1 + min(rows[address].doubts, 1)
        ]
        assert doubtless_copies == []
        lost = [
            address
            for address, row in rows.items()
            if not arrived[address] and row.state is DeliveryState.ACCEPTED
        ]
        assert lost == []
        unasked = [
            a for a, row in rows.items() if row.state is DeliveryState.REFUSED and arrived[a]
        ]
        assert unasked == []

    def _move_to(self, instant: datetime) -> None:
        self.clock.move(max(instant, self.clock.now() + timedelta(seconds=1)))


MakeSending = Callable[..., Sending]


def local_relay(port: int, connections: int = 3, **changes: Any) -> Relay:
    """A relay on this machine, without TLS and login."""
    return Relay("main", "127.0.0.1", port, tls="none", connections=connections,
                 local_hostname="localhost", **changes)  # fmt: skip
