"""Whatever a server answers to everybody: no issue ends with all refused and nobody told."""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from newsletter.delivery.model import LedgerCounts, MailingKind
from newsletter.errors import RelayError
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.ledger import SqlLedger
from newsletter.workflows.deliver import deliver
from tests.contracts.nouns import a_mailing, an_issue
from tests.delivery.smtp_servers import Faults, smtp_server
from tests.workflows.sending import Sending, opened

STEPS = ("MAIL", "RCPT", "DATA", "DOT")
# A try every few hours until `give_up_after`, and the relay's pauses between.
ROUNDS = 60
READERS = 30
TEXTS = st.sampled_from(
    ["no", "mailbox full", "User unknown", "too big", "virus", "spam", "try later", "slow down",
     "policy", "blocked using zen.example", "Transaction failed", "System config error"]
)  # fmt: skip
ENHANCED = st.one_of(st.just(""), st.builds("{}.{}".format, st.integers(0, 7), st.integers(0, 40)))


class Audience:
    """One issue after the other to the same readers, a day for each."""

    def __init__(self, sending: Sending, faults: Faults) -> None:
        self._sending = sending
        self._faults = faults
        self._count = 0
        sending.start(READERS, domains=["reader.example", "town.example", "city.example"])
        self._move("issue-2025-W32", IssueState.CANCELLED)

    def send(self, step: str, reply: str) -> tuple[IssueState, LedgerCounts, int]:
        """Send an issue until somebody is told of it, it is settled, or long enough.

        How it ended, and how many things were told, to the person who sends it last of all.
        """
        sending, installation = self._sending, self._sending.installation
        self._count += 1
        sending.clock.sleep(timedelta(days=1).total_seconds())
        issue = an_issue(f"2026-W{self._count}", state=IssueState.SENDING)
        mailing = a_mailing(f"mailing{100 + self._count}")
        begun = sending.clock.now()
        with installation.database.write() as tx:
            # What is left of earlier issues is nobody's any more.
            tx.connection.execute(sa.delete(t.delivery).where(t.delivery.c.issue_id.is_(None)))
            tx.connection.execute(sa.delete(t.relay_state))
            assert tx.issues.create(issue, begun, "test")
            tx.mailings.create(
                mailing, key=issue.slot, issue_id=issue.public_id, newsletter="weekly"
            )
            tx.mailings.enqueue_audience(mailing.public_id, "weekly", begun)
        self._faults.answers = {step: lambda _: reply}
        with closing(SqlLedger(installation.database)) as ledger:
            for _ in range(ROUNDS):
                failure = None
                try:
                    deliver(installation, ledger)
                except RelayError as error:
                    failure = error
                now = sending.clock.now()
                due = ledger.next_due(now)
                told = self._told_since(begun)
                if told or self._state(issue.public_id) is not IssueState.SENDING or due is None:
                    break
                sending.clock.set(max(due, now + timedelta(minutes=5)))
        state = self._state(issue.public_id)
        with installation.database.read() as tx:
            counts = tx.mailings.counts(issue.public_id)
        if state in (IssueState.SENDING, IssueState.PAUSED):
            self._move(issue.public_id, IssueState.CANCELLED)
        return state, counts, self._told_since(begun) + (failure is not None)

    def _told_since(self, begun: datetime) -> int:
        with self._sending.installation.database.read() as tx:
            notices = sa.select(sa.func.count()).where(
                t.mailing.c.kind == MailingKind.SYSTEM.value, t.mailing.c.created_at >= begun
            )
            return tx.connection.scalar(notices) or 0

    def _state(self, issue_id: str) -> IssueState:
        with self._sending.installation.database.read() as tx:
            issue = tx.issues.by_id(issue_id)
        assert issue is not None
        return issue.state

    def _move(self, issue_id: str, to: IssueState) -> None:
        with self._sending.installation.database.write() as tx:
            now = self._sending.clock.now()
            assert tx.issues.move(issue_id, set(IssueState), to, "test", now)


def check_examples(folder: Path, examples: int) -> None:
    faults = Faults()
    with smtp_server(faults) as port, opened(folder, port=port) as sending:
        audience = Audience(sending, faults)
        ended: set[str] = set()

        @settings(
            max_examples=examples,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        )
        @example("DOT", 552, "3.4", "Message too big for us")
        @example("DOT", 554, "6.0", "Message contains a virus")
        @example("DOT", 554, "3.5", "System config error")
        @example("DOT", 554, "", "Transaction failed")
        @example("RCPT", 550, "1.1", "User unknown")
        @example("RCPT", 552, "2.2", "mailbox full")
        @example("RCPT", 451, "3.0", "try later")
        @example("MAIL", 421, "", "try later")
        @example("RCPT", 421, "7.28", "slow down")
        @example("DATA", 421, "3.2", "System config error")
        @example("DOT", 421, "", "try later")
        @given(st.sampled_from(STEPS), st.integers(400, 599), ENHANCED, TEXTS)
        def check(step: str, code: int, detail: str, text: str) -> None:
            words = filter(None, (f"{code}", f"{code // 100}.{detail}" if detail else "", text))
            state, counts, told = audience.send(step, " ".join(words))
            assert counts.accepted == 0
            assert counts.total == READERS
            ended.add(state.value)
            if state is IssueState.SENT:
                assert counts.reached_nobody
            # Who is put off has a time at which he is given up, and that is told of.
            put_off = counts.deferred == READERS
            assert told or (state is IssueState.SENDING and put_off)

        check()
        assert ended >= {"paused", "sending"}


def test_nobody_loses_an_issue_unnoticed(tmp_path: Path) -> None:
    check_examples(tmp_path, 2)


@pytest.mark.long
def test_nobody_loses_an_issue_unnoticed_at_length(tmp_path: Path) -> None:
    check_examples(tmp_path, 100)
