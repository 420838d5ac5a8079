"""The ledger over SQL: every call is one transaction.

The moves are those of `delivery.states`, written as guarded updates in
`ledger_statements`.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from newsletter.delivery.model import (
    Delivery,
    DeliveryState,
    Mailing,
    OnUncertain,
    OutcomeKind,
    Settlement,
)
from newsletter.errors import InvalidTransition, NotFound
from newsletter.issues.model import IssueState
from newsletter.log import get_logger, mask_address
from newsletter.storage import ledger_statements as statements
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.columns import clean_text
from newsletter.storage.database import Database
from newsletter.storage.documents import mailing_from_document
from newsletter.storage.quick import Prepared, QuickWriter, Version
from newsletter.storage.relay_limits import RelayLimits
from newsletter.storage.statements import SHARE_FENCE, fence, lease_end
from newsletter.storage.worker_sessions import WorkerSessions

log = get_logger(__name__)

_ADDRESS = re.compile(r"(?:\"[^\"@]*\"|[^\s<>\"'(),;:@\[\]\\]+)@[^\s<>\"'(),;:@\[\]\\]+")
# Replies run over a few lines at most; what comes after helps nobody.
_REPLY_LENGTH = 1_000


class SqlLedger(RelayLimits):
    """All deliveries, one row a mailing and recipient, in the database.

    ``on_uncertain`` may be set anew at any time.
    """

    def __init__(
        self, database: Database, *, on_uncertain: OnUncertain = OnUncertain.RESEND
    ) -> None:
        super().__init__(database)
        self.on_uncertain = on_uncertain
        self._sessions = WorkerSessions(database)
        dialect = "sqlite" if database.is_sqlite else "postgresql"
        quick = QuickWriter(database)
        self._quick = quick
        self._claim_system = quick.prepare(statements.CLAIM_SYSTEM)
        self._claim_slow = quick.prepare(statements.CLAIM_SLOW)
        self._claim_wave = quick.prepare(statements.CLAIM_WAVE)
        self._share_fence = quick.prepare(SHARE_FENCE)
        self._released_waves = quick.prepare(statements.RELEASED_WAVES)
        self._hand_over = quick.prepare(statements.hand_over(dialect))
        self._hand_over_judged = quick.prepare(statements.hand_over(dialect, judged=True))
        self._handed_over = quick.prepare(statements.handed_over(dialect))
        self._record = {k: quick.prepare(one) for k, one in statements.RECORD.items()}
        self._record_as_late = {k: quick.prepare(one) for k, one in statements.RECORD_LATE.items()}
        # On SQLite: the rows whose reader had not left when they were claimed, and the version
        # of the database that this was last true of.
        self._judged: set[int] = set()
        self._judged_in: Version | None = None
        self._end_leases = statements.end_leases(dialect)
        self._dialect = dialect

    def close(self) -> None:
        """Let go of the connections of its own."""
        self._quick.close()
        self._sessions.close()

    def enroll(self, name: str, now: datetime, lasting: timedelta) -> int:
        row = (
            sa.insert(t.worker)
            .values(name=name, started_at=now, lease_until=lease_end(self._dialect, now, lasting))
            .returning(t.worker.c.id)
        )
        return self._sessions.begin(row)

    def renew(self, worker: int, now: datetime, lasting: timedelta) -> bool:
        with self._database.write() as transaction:
            held = transaction.connection.execute(
                sa.update(t.worker)
                .where(t.worker.c.id == worker, t.worker.c.lease_until.is_not(None))
                .values(lease_until=lease_end(self._dialect, now, lasting))
            ).rowcount
        self._sessions.keep(worker)
        return bool(held)

    def release(self, worker: int) -> int:
        with self._database.write() as transaction:
            return transaction.connection.execute(statements.RELEASE, {"worker": worker}).rowcount

    def retire(self, worker: int) -> int:
        try:
            with self._database.write() as transaction:
                connection = transaction.connection
                released = connection.execute(statements.RELEASE, {"worker": worker}).rowcount
                connection.execute(sa.delete(t.permit).where(t.permit.c.worker_id == worker))
                connection.execute(
                    sa.update(t.worker).where(t.worker.c.id == worker).values(lease_until=None)
                )
        finally:
            # Also where the database is gone: whoever comes next sees a dead worker at once.
            self._sessions.end(worker)
        return released

    def claim_system(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:
        values = {"worker": worker, "now": self._quick.instant(now)}
        claimed = self._claim(self._claim_system, values, limit, is_system=True)
        if len(claimed) < limit:
            left = limit - len(claimed)
            claimed += self._claim(self._claim_slow, values, left, is_system=True)
        return claimed

    def claim_issues(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:
        claimed: list[Delivery] = []
        waves = self._quick.fetch(self._released_waves, {})
        values = {"worker": worker, "now": self._quick.instant(now)}
        for issue, number in waves:
            of_wave = values | {"issue_row": issue, "wave_number": number}
            left = limit - len(claimed)
            claimed += self._claim(self._claim_wave, of_wave, left, is_system=False)
            if len(claimed) >= limit:
                break
        return claimed

    def mailing(self, public_id: str) -> Mailing:
        with self._database.read() as transaction:
            content = transaction.connection.scalar(
                sa.select(t.mailing.c.content).where(t.mailing.c.public_id == public_id)
            )
        if content is None:
            raise NotFound("there is no such mailing any more", subject=public_id)
        return mailing_from_document(content)

    def commit(
        self,
        worker: int,
        settled: Sequence[Settlement],
        handing_over: Sequence[int],
        now: datetime,
    ) -> Collection[int]:
        """As the port says. A row in doubt is queued once more, as `recover` does it.

        An outcome for a row that is no longer the worker's is logged and
        dropped, unless it settles a doubt. InvalidTransition where a message
        that was never handed over is said to have been taken.
        """
        quick, by_kind = self._quick, self._by_kind(settled, now)
        common = {"worker": worker, "now": quick.instant(now), "again": self._sends_again}
        recorded = []
        granted: Collection[int] = ()
        handed_over = None
        with quick.transaction() as connection:
            if not self._database.is_sqlite:
                quick.execute(connection, self._share_fence, {})
            for kind, rows in by_kind.items():
                cursor = quick.execute_each(connection, self._record[kind], common, rows)
                recorded.append((kind, rows, cursor))
            if handing_over and self._database.is_sqlite:
                granted = self._hand_over_each(connection, common, handing_over)
            elif handing_over:
                values = common | {"rows": self._keys(handing_over)}
                handed_over = quick.execute(connection, self._hand_over, values)
        if handed_over is not None:
            granted = {row for (row,) in handed_over}
        for kind, rows, cursor in recorded:
            if cursor.rowcount != len(rows):
                self._record_late(kind, common, rows)
        if len(granted) != len(handing_over):
            self.put_back(worker, [row for row in handing_over if row not in granted], now)
        return granted

    def put_back(self, worker: int, rows: Sequence[int], now: datetime) -> None:
        values = [{"row": row, "worker": worker, "now": now} for row in rows]
        if values:
            with self._database.write() as transaction:
                transaction.connection.execute(statements.RETURN_CLAIMED, values)

    def put_off(self, worker: int, dues: Mapping[int, datetime]) -> None:
        rows = [{"row": row, "worker": worker, "now": due, "due": due} for row, due in dues.items()]
        if rows:
            with self._database.write() as transaction:
                transaction.connection.execute(statements.PUT_OFF, rows)

    def give_up(
        self, queued_before: datetime, relay: str, words: str, now: datetime, limit: int
    ) -> Sequence[int]:
        values = {"due": queued_before, "now": now, "its_relay": relay, "its_text": words}
        given_up: list[int] = []
        left = limit
        with self._database.write() as transaction:
            connection = transaction.connection
            waves = connection.execute(statements.RELEASED_WAVES).all()
            whose: list[tuple[sa.Executable, dict[str, Any]]] = [
                *((one, {}) for one in statements.GIVE_UP_SYSTEM),
                *(
                    (statements.GIVE_UP_WAVE, {"issue_row": issue, "wave_number": number})
                    for issue, number in waves
                ),
            ]
            for statement, own in whose:
                rows = connection.execute(statement, values | own | {"wanted": left}).all()
                given_up += [row.id for row in rows if row.state == DeliveryState.REFUSED.value]
                left -= len(rows)
        return given_up

    def hold_mailing(self, mailing_id: str, until: datetime, because: str) -> None:
        self._note_hold(t.mailing.c.public_id == mailing_id, until, because)

    def forget_holds(self) -> None:
        self._note_hold(t.mailing.c.held_until.is_not(None), None, None)

    def called_off(self, mailings: Collection[str]) -> Collection[str]:
        with self._database.read() as transaction:
            wanted = {"mailings": list(mailings)}
            return transaction.connection.scalars(statements.CALLED_OFF, wanted).all()

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        """As the port says; the first figure counts every row that is queued again,
        the second those that stay uncertain."""
        with self._database.write() as transaction:
            connection = transaction.connection
            fence(connection)
            living = connection.scalars(
                sa.select(t.worker.c.id).where(t.worker.c.lease_until.is_not(None))
            ).all()
            dead = living if all_workers else self._sessions.dead_among(connection, living)
            ended = connection.scalars(
                self._end_leases, {"now": now, "dead": self._keys(dead)}
            ).all()
            connection.execute(sa.delete(t.permit).where(t.permit.c.worker_id.in_(ended)))
            values = {"now": now, "again": self._sends_again}
            claimed = connection.execute(statements.RECOVER_CLAIMED, values).rowcount
            states = connection.scalars(statements.RECOVER_HANDED_OVER, values).all()
        uncertain = states.count(DeliveryState.UNCERTAIN.value)
        return claimed + len(states) - uncertain, uncertain

    def has_dead_workers(self, now: datetime) -> bool:
        """As the port says: a read, for `recover` lets no hand-over begin meanwhile."""
        with self._database.read() as transaction:
            connection = transaction.connection
            if not self._database.is_sqlite:
                return self._sessions.seem_dead(connection)
            ended = sa.select(t.worker.c.id).where(t.worker.c.lease_until <= now)
            return connection.execute(ended).first() is not None

    def next_due(self, now: datetime) -> datetime | None:
        """As the port says; ``now`` where something is due already."""
        with self._database.read() as transaction:
            dues = transaction.connection.scalars(statements.NEXT_DUE).all()
        waiting = [due for due in dues if due is not None]
        return max(now, min(waiting)) if waiting else None

    def close_finished(self, now: datetime) -> Sequence[str]:
        """Move sending issues without open rows to sent; their public ids."""
        finished = statements.FINISHED_ISSUES
        # Asked after every run: a look that finds nothing must not wait to write.
        with self._database.read() as transaction:
            if transaction.connection.execute(finished).first() is None:
                return []
        with self._database.write() as transaction:
            # A person may be putting a row back in the queue at this moment.
            fence(transaction.connection)
            closed = transaction.connection.scalars(
                sa.update(t.issue)
                .where(t.issue.c.id.in_(finished))
                .values(state=IssueState.SENT.value, changed_at=now)
                .returning(t.issue.c.public_id)
            ).all()
            changes = ChangeLog(transaction.connection)
            for public_id in closed:
                changes.record(now, "delivery", "issue", public_id, IssueState.SENT.value)
        return closed

    def _claim(
        self, prepared: Prepared, values: dict[str, Any], limit: int, *, is_system: bool
    ) -> list[Delivery]:
        """Claim until ``limit`` rows are there or none is due; skipped rows don't count."""
        claimed: list[Delivery] = []
        written = queued = None
        while len(claimed) < limit:
            wanted = limit - len(claimed)
            rows = self._judge(prepared, values | {"wanted": wanted})
            # In the order of their keys; of a delivery's own fields the first is its key.
            for state, first_tried_at, queued_at, *fields in sorted(rows, key=_by_key):
                if state == _CLAIMED:
                    if queued_at != written:
                        # An issue's rows were queued together: read once.
                        written, queued = queued_at, self._quick.read_instant(queued_at)
                    tried = self._quick.read_instant(first_tried_at) if first_tried_at else None
                    claimed.append(Delivery._make((*fields, is_system, tried, queued)))
            if len(rows) < wanted:
                break
        return claimed

    def _judge(self, prepared: Prepared, values: dict[str, Any]) -> list[Any]:
        """The rows that a claim takes or skips, by what became of their readers."""
        quick = self._quick
        if not self._database.is_sqlite:
            return quick.fetch(prepared, values)
        with quick.transaction() as connection:
            rows = list(quick.execute(connection, prepared, values))
            self._forget_judged_before(quick.version(connection))
            self._judged.update(_by_key(row) for row in rows if row[0] == _CLAIMED)
        return rows

    def _forget_judged_before(self, version: Version) -> None:
        if version != self._judged_in:
            self._judged.clear()
            self._judged_in = version

    def _note_hold(
        self, which: sa.ColumnElement[bool], until: datetime | None, because: str | None
    ) -> None:
        noted = sa.update(t.mailing).where(which)
        with self._database.write() as transaction:
            transaction.connection.execute(noted.values(held_until=until, held_because=because))

    @property
    def _sends_again(self) -> bool:
        return self.on_uncertain is OnUncertain.RESEND

    def _hand_over_each(
        self, connection: Any, common: dict[str, Any], rows: Sequence[int]
    ) -> Collection[int]:
        """Hand over row after row on SQLite; those that may go.

        Whether a reader left or was suppressed takes four look-ups all over the file. The
        claim has made them, and they need not be made again while nobody else has written
        to the database: what this connection writes are deliveries.
        """
        quick, own = self._quick, [{"row": row} for row in rows]
        self._forget_judged_before(quick.version(connection))
        judged = self._judged.issuperset(rows)
        self._judged.difference_update(rows)
        statement = self._hand_over_judged if judged else self._hand_over
        cursor = quick.execute_each(connection, statement, common, own)
        if cursor.rowcount == len(rows):
            return set(rows)
        values = common | {"rows": self._keys(rows)}
        return {row for (row,) in quick.execute(connection, self._handed_over, values)}

    def _by_kind(
        self, settled: Sequence[Settlement], now: datetime
    ) -> dict[OutcomeKind, list[dict[str, Any]]]:
        """The values of outcomes, as the driver wants them."""
        by_kind: dict[OutcomeKind, list[dict[str, Any]]] = {}
        for one in settled:
            outcome, row = one.outcome, _reply_values(one)
            if outcome.kind in _WAITING:
                row["due"] = self._quick.instant(outcome.retry_at or now)
            by_kind.setdefault(outcome.kind, []).append(row)
        return by_kind

    def _record_late(
        self, kind: OutcomeKind, common: dict[str, Any], rows: list[dict[str, Any]]
    ) -> None:
        """Outcomes of which some found their row no longer ours: they may settle a doubt."""
        with self._database.read() as transaction:
            never = transaction.connection.scalar(
                sa.select(t.delivery.c.id).where(
                    t.delivery.c.id.in_([row["row"] for row in rows]),
                    t.delivery.c.worker_id == common["worker"],
                    t.delivery.c.state == DeliveryState.CLAIMED.value,
                )
            )
        if never is not None:
            raise InvalidTransition(
                f"delivery {never} was never handed over and can't be {kind}", subject=str(never)
            )
        settled = 0
        if kind in self._record_as_late:
            with self._quick.transaction() as connection:
                late = self._record_as_late[kind]
                cursor = self._quick.execute_each(connection, late, common, rows)
            settled = cursor.rowcount
        log.warning("outcome_too_late", outcome=str(kind), rows=len(rows), settled_doubts=settled)

    def _keys(self, keys: Collection[int]) -> Any:
        """Keys as `ledger_statements.among` wants them."""
        return json.dumps(list(keys)) if self._database.is_sqlite else list(keys)


_by_key = itemgetter(3)
_CLAIMED = DeliveryState.CLAIMED.value

_WAITING = (OutcomeKind.DEFERRED, OutcomeKind.REQUEUED, OutcomeKind.UNCERTAIN)
_DECIDED = (OutcomeKind.ACCEPTED, OutcomeKind.REFUSED)


def _reply_values(settlement: Settlement) -> dict[str, Any]:
    """What is kept of an outcome; of the server's words no address."""
    outcome = settlement.outcome
    reply = outcome.reply
    text = clean_text(reply.text)
    if "@" in text:
        text = _ADDRESS.sub(lambda found: mask_address(found[0]), text)
    answered = outcome.kind in _DECIDED and reply.code > 0
    return {
        "row": settlement.delivery_id,
        # A server that put us off was tried, even where it hung up without a word.
        "tried": 1 if answered or outcome.kind is OutcomeKind.DEFERRED else 0,
        "its_reason": outcome.reason,
        "its_fault": outcome.sender_fault,
        "its_relay": settlement.relay,
        "its_code": reply.code,
        "its_enhanced": reply.enhanced,
        "its_text": text[:_REPLY_LENGTH],
    }
