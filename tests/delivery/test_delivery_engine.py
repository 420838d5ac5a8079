import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from newsletter.delivery import feed as feed_module
from newsletter.delivery.engine import deliver_due
from newsletter.delivery.model import (
    Delivery,
    DeliverySummary,
    Mailing,
    Outcome,
    OutcomeKind,
    Phase,
    Relay,
    Reply,
)
from newsletter.delivery.replies import read_reply
from newsletter.delivery.smtp import Exchange, TimeLimits, Transport, open_connection
from newsletter.errors import (
    RelayError,
    RelayRejectedLogin,
    RelayUnavailable,
    StorageError,
)
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.samples import GIVE_UP, ISSUE, KEYRING, NOW, SYSTEM, SetClock, issue
from tests.delivery.smtp_servers import DROP, Faults, login_as, smtp_server

QUICK = TimeLimits(connect=5, step=5, final=5, quit=1)


def addresses(count: int) -> list[str]:
    return [f"reader{number:03d}@reader.example" for number in range(count)]


def ledger_of(count: int, mailing: Mailing = ISSUE) -> MemoryLedger:
    ledger = MemoryLedger(mailing)
    ledger.enqueue(mailing, *addresses(count))
    return ledger


def relay_at(port: int, connections: int = 1, **changes: Any) -> Relay:
    return Relay("main", "127.0.0.1", port, tls="none", connections=connections,
                 local_hostname="localhost", **changes)  # fmt: skip


def deliver(
    ledger: MemoryLedger,
    relay: Relay,
    clock: SetClock | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    **options: Any,
) -> DeliverySummary:
    options.setdefault("connect", lambda where: open_connection(where, limits=QUICK))
    return deliver_due(
        ledger,
        relay,
        KEYRING,
        clock or SetClock(),
        worker="w1",
        give_up_after=GIVE_UP,
        should_stop=should_stop,
        **options,
    )


def test_everyone_gets_one_message_over_several_connections() -> None:
    ledger, faults = ledger_of(120), Faults()
    progress: list[DeliverySummary] = []
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port, connections=4), on_progress=progress.append)
    assert summary == DeliverySummary(accepted=120)
    assert progress[-1] == summary
    assert faults.recipients() == addresses(120)
    assert len({sender for sender, _, _ in faults.messages}) == 120
    assert ledger.states() == {"accepted": 120}
    assert ledger.rows[1].outcomes[0].reply.text == "taken"


def test_nothing_due_needs_no_relay() -> None:
    assert deliver(ledger_of(0), relay_at(1)) == DeliverySummary()


def test_system_mail_goes_first() -> None:
    ledger, faults = ledger_of(3), Faults()
    ledger.mailings[SYSTEM.public_id] = SYSTEM
    ledger.enqueue(SYSTEM, "ani@reader.example")
    with smtp_server(faults) as port:
        deliver(ledger, relay_at(port))
    assert faults.messages[0][1] == "ani@reader.example"


def test_a_4xx_is_kept_for_later_and_then_accepted_with_the_same_bytes() -> None:
    ledger, clock = ledger_of(3), SetClock()
    faults = Faults({"DOT": lambda count: "450 4.2.0 greylisted" if count == 2 else None})
    with smtp_server(faults) as port:
        first = deliver(ledger, relay_at(port), clock)
        assert first == DeliverySummary(accepted=2, deferred=1)
        assert deliver(ledger, relay_at(port), clock) == DeliverySummary()
        due = ledger.next_due(clock.now())
        assert due is not None
        clock.instant = due
        assert deliver(ledger, relay_at(port), clock) == DeliverySummary(accepted=1)
    assert faults.fired["DOT"] == 1
    assert faults.recipients() == addresses(3)


def test_a_4xx_without_end_becomes_a_refusal() -> None:
    ledger, clock = ledger_of(1), SetClock()
    faults = Faults({"RCPT": lambda _: "451 4.3.0 trouble"})
    with smtp_server(faults) as port:
        while (due := deliver(ledger, relay_at(port), clock)) == DeliverySummary(deferred=1):
            clock.instant = ledger.next_due(clock.now()) or clock.instant
    assert due == DeliverySummary(refused=1)
    assert clock.instant == NOW + GIVE_UP
    assert ledger.rows[1].outcomes[-1].reason == "expired"
    assert 5 < len(ledger.rows[1].outcomes) < 20


def test_a_5xx_refuses_that_reader_only() -> None:
    ledger = ledger_of(5)
    faults = Faults({"RCPT": lambda count: "550 5.1.1 User unknown" if count == 2 else None})
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=4, refused=1)
    outcome = ledger.rows[2].outcomes[0]
    assert (outcome.reason, outcome.sender_fault) == ("unknown_user", False)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_421_in_mid_session_costs_nobody_anything(step: str) -> None:
    ledger = ledger_of(6)
    faults = Faults({step: lambda count: "421 4.3.2 closing" if count in (2, 5) else None})
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=6, requeued=2)
    assert faults.fired[step] == 2
    assert faults.recipients() == addresses(6)
    assert all(row.delivery.attempts == 0 for row in ledger.rows.values())


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_drop_before_the_dot_is_sent_again_at_once(step: str) -> None:
    ledger = ledger_of(4)
    faults = Faults({step: lambda count: DROP if count == 2 else None})
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=4, requeued=1)
    assert faults.recipients() == addresses(4)


def test_a_drop_after_the_dot_is_in_doubt_and_not_sent_again() -> None:
    ledger = ledger_of(4)
    faults = Faults({"DOT": lambda count: DROP if count == 2 else None})
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=3, uncertain=1)
    assert ledger.states() == {"accepted": 3, "uncertain": 1}
    assert faults.recipients() == addresses(4)


def test_a_message_that_breaks_every_conversation_does_not_hold_up_the_others() -> None:
    ledger = ledger_of(5)

    class Breaking(Faults):
        async def handle_RCPT(self, server, session, envelope, address, options) -> str:
            if address == addresses(5)[1]:
                self.fired["RCPT"] += 1
                server.transport.abort()
                return "421 never read"
            return await super().handle_RCPT(server, session, envelope, address, options)

    faults = Breaking()
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=4, requeued=2, deferred=1)
    assert faults.fired["RCPT"] == 3


def test_a_relay_that_breaks_off_every_conversation_is_left() -> None:
    ledger = ledger_of(20)
    faults = Faults({"RCPT": lambda _: DROP})
    with smtp_server(faults) as port, pytest.raises(RelayUnavailable, match="breaks off every"):
        deliver(ledger, relay_at(port, connections=2))
    assert set(ledger.states()) <= {"queued", "deferred"}
    assert faults.fired["RCPT"] <= 12


@pytest.mark.parametrize("reply", ["530 5.7.0 Log in first", "550 5.7.1 Sender not yours"])
def test_a_relay_that_refuses_the_sender_refuses_no_reader(reply: str) -> None:
    ledger = ledger_of(60)
    faults = Faults({"MAIL": lambda _: reply})
    with (
        smtp_server(faults) as port,
        pytest.raises(RelayError, match=r"refuses to send for weekly@paper\.example: 5[35]0 5\.7"),
    ):
        deliver(ledger, relay_at(port, connections=3))
    assert ledger.states() == {"queued": 60}
    assert faults.fired["MAIL"] <= 3


def test_a_relay_that_relays_for_nobody_is_left_before_readers_are_lost() -> None:
    ledger = ledger_of(60)
    faults = Faults({"RCPT": lambda _: "554 5.7.1 Relay access denied"})
    with smtp_server(faults) as port, pytest.raises(RelayError, match="Relay access denied"):
        deliver(ledger, relay_at(port))
    assert ledger.states() == {"queued": 56, "deferred": 4}
    assert faults.fired["RCPT"] == 5


def test_one_refusal_that_blames_us_is_recorded_once_the_relay_is_known_to_work() -> None:
    ledger = ledger_of(5)
    faults = Faults({"RCPT": lambda count: "550 5.7.1 blocked by RBL" if count == 3 else None})
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=4, refused=1)
    assert ledger.rows[3].outcomes[0].sender_fault


def test_refusals_that_blame_us_now_and_then_do_not_stop_the_run() -> None:
    ledger = ledger_of(20)
    blocked = "550 5.7.1 blocked by RBL"
    faults = Faults({"RCPT": lambda count: None if count % 2 else blocked})
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=10, refused=10)


def test_a_rejected_login_stops_all_and_releases_all() -> None:
    ledger, faults = ledger_of(60), Faults()
    with (
        smtp_server(faults, auth_require_tls=False, **login_as("u", "p")) as port,
        pytest.raises(RelayRejectedLogin),
    ):
        deliver(ledger, relay_at(port, connections=3, username="u", password="wrong"))
    assert ledger.states() == {"queued": 60}
    assert not faults.reached


def test_an_unreachable_relay_releases_all() -> None:
    ledger = ledger_of(60)
    with smtp_server(Faults()) as port:
        pass
    with pytest.raises(RelayUnavailable, match="refuses the connection"):
        deliver(ledger, relay_at(port, connections=3))
    assert ledger.states() == {"queued": 60}


def test_fewer_connections_than_wished_still_do_the_work() -> None:
    ledger, faults = ledger_of(60), Faults()
    opened = threading.Semaphore(1)

    def connect(where: Relay) -> Transport:
        if not opened.acquire(blocking=False):
            raise RelayUnavailable("too many connections")
        return open_connection(where, limits=QUICK)

    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port, connections=4), connect=connect)
    assert summary == DeliverySummary(accepted=60)


def test_rows_that_a_lost_connection_leaves_behind_are_reported() -> None:
    ledger, faults = ledger_of(2), Faults()
    first, other_ended = threading.Semaphore(1), threading.Event()

    class Telling:
        def __init__(self, transport: Transport) -> None:
            self.send = transport.send
            self.usable = True
            self._transport = transport

        def close(self) -> None:
            self._transport.close()
            other_ended.set()

    def connect(where: Relay) -> Transport:
        if first.acquire(blocking=False):
            assert other_ended.wait(10)
            raise RelayUnavailable("the relay went away")
        return Telling(open_connection(where, limits=QUICK))

    with smtp_server(faults) as port, pytest.raises(RelayUnavailable, match="went away"):
        deliver(ledger, relay_at(port, connections=2), connect=connect)
    assert ledger.states() == {"accepted": 1, "queued": 1}


def test_one_failing_write_stops_every_connection() -> None:
    ledger, faults = ledger_of(400), Faults(delay=0.005)

    def fail(entered: str) -> None:
        if entered == "hand_over" and ledger.calls["hand_over"] == 3:
            raise StorageError("the disk is full")

    ledger.before = fail
    with smtp_server(faults) as port, pytest.raises(StorageError, match="full"):
        deliver(ledger, relay_at(port, connections=2))
    assert len(faults.messages) <= 5
    assert ledger.states() == {
        "accepted": len(faults.messages),
        "queued": 400 - len(faults.messages),
    }


def test_what_cannot_be_mailed_or_built_is_refused_and_the_others_go_on() -> None:
    broken = issue(public_id="mailing000000009", subject="two\nlines")
    ledger = MemoryLedger(ISSUE, broken)
    ledger.enqueue(broken, "ani@reader.example")
    ledger.enqueue(ISSUE, "լիլիթ@reader.example", "a\r\nb@reader.example", "aram@reader.example")
    faults = Faults()
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=1, refused=3)
    assert [ledger.rows[n].outcomes[0].reason for n in (1, 2, 3)] == [
        "content",
        "content",
        "unknown_user",
    ]
    assert "Subject" in ledger.rows[1].outcomes[0].reply.text
    assert faults.recipients() == ["aram@reader.example"]


def test_stopping_bites_within_one_message_a_connection_and_loses_nobody() -> None:
    ledger, faults, stop = ledger_of(100), Faults(), threading.Event()
    faults.on_message = lambda count: stop.set() if count == 10 else None
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port, connections=2), should_stop=stop.is_set)
    assert 10 <= summary.accepted <= 12
    assert ledger.states() == {"accepted": summary.accepted, "queued": 100 - summary.accepted}
    with smtp_server(faults) as port:
        deliver(ledger, relay_at(port))
    assert faults.recipients() == addresses(100)


def test_a_pause_and_a_goodbye_in_mid_send_are_heeded() -> None:
    ledger, faults = ledger_of(30), Faults()

    def change(count: int) -> None:
        if count == 5:
            ledger.left.add(addresses(30)[20])
        if count == 25:
            ledger.sending = False

    faults.on_message = change
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary.accepted == 25
    assert addresses(30)[20] not in faults.recipients()
    assert ledger.states() == {"accepted": 25, "skipped": 1, "queued": 4}


@pytest.mark.parametrize("call", ["claim", "mailing", "hand_over", "record", "release"])
def test_a_database_that_fails_stops_the_run_and_sends_nothing_unrecorded(call: str) -> None:
    ledger, faults = ledger_of(80), Faults()

    def fail(entered: str) -> None:
        if entered == call and (call in ("mailing", "release") or ledger.calls[call] > 1):
            raise StorageError("the disk of newsletter.db is full")

    ledger.before = fail
    with smtp_server(faults) as port, pytest.raises(StorageError, match="disk"):
        deliver(ledger, relay_at(port, connections=2))
    states = ledger.states()
    sent = len(faults.messages)
    # What was sent is either accepted or visibly handed over: at most one a connection.
    assert sent <= states.get("accepted", 0) + states.get("handed_over", 0)
    assert states.get("handed_over", 0) <= 2
    if call in ("claim", "mailing", "hand_over", "record"):
        assert states.get("claimed", 0) == 0


def test_a_disk_that_is_cleared_in_time_costs_no_reader_a_second_copy() -> None:
    ledger, faults = ledger_of(10), Faults()

    def fail(entered: str) -> None:
        if entered == "record" and 1 < ledger.calls["record"] <= 4:
            raise StorageError("the disk of newsletter.db is full")

    ledger.before = fail
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert ledger.calls["record"] == 13
    assert summary == DeliverySummary(accepted=10)
    assert faults.recipients() == addresses(10)
    assert ledger.states() == {"accepted": 10}


def test_a_failing_renewal_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.delivery.engine.LEASE", timedelta(seconds=0.06))
    ledger, faults = ledger_of(50), Faults(delay=0.03)

    def fail(entered: str) -> None:
        if entered == "renew":
            raise StorageError("gone")

    ledger.before = fail
    with smtp_server(faults) as port, pytest.raises(StorageError, match="gone"):
        deliver(ledger, relay_at(port))
    assert ledger.calls["renew"] == 1
    assert ledger.states() == {
        "accepted": len(faults.messages),
        "queued": 50 - len(faults.messages),
    }


def test_the_lease_is_renewed_while_a_slow_reply_is_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("newsletter.delivery.engine.LEASE", timedelta(seconds=0.03))
    ledger, faults, clock = ledger_of(2), Faults(delay=0.2), SetClock()
    # By the ledger's clock the first lease is long over when the second row's turn comes.
    faults.on_message = lambda _: setattr(clock, "instant", clock.instant + timedelta(seconds=40))
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port), clock)
    assert summary == DeliverySummary(accepted=2)
    assert ledger.calls["renew"] > 0


def test_a_lost_lease_means_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "LEASE", timedelta(seconds=-1))
    ledger, faults, rounds = ledger_of(1), Faults(), iter([False, False, False, True])
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port), should_stop=lambda: next(rounds, True))
    assert summary.accepted == 0
    assert not faults.messages
    assert ledger.states() == {"queued": 1}


def test_an_interrupt_finishes_the_message_at_hand_and_releases_the_rest() -> None:
    ledger, faults = ledger_of(60), Faults()

    def interrupt(summary: DeliverySummary) -> None:
        if summary.accepted:
            raise KeyboardInterrupt

    faults.delay = 0.02
    with smtp_server(faults) as port, pytest.raises(KeyboardInterrupt):
        deliver(ledger, relay_at(port, connections=2), on_progress=interrupt)
    accepted = len(faults.messages)
    assert 0 < accepted < 60
    assert ledger.states() == {"accepted": accepted, "queued": 60 - accepted}
    assert threading.active_count() < 10


class _Chance:
    """A transport whose conversations end as the list says."""

    def __init__(self, ends: Iterator[tuple[Phase, int]], sent: list[str]) -> None:
        self.usable = True
        self._ends = ends
        self._sent = sent

    def send(
        self, _: str, recipient: str, message: bytes, hand_over: Callable[[], bool]
    ) -> Exchange:
        assert message.endswith(b"--\r\n")
        phase, code = next(self._ends, (Phase.DOT, 250))
        if phase in (Phase.DATA, Phase.DOT) and not hand_over():
            return Exchange(Phase.RCPT, Reply(250), withheld=True)
        self.usable = code not in (0, 421)
        if phase is Phase.DOT and code in (0, 250):
            self._sent.append(recipient)
        reply = Reply(0) if code == 0 else read_reply(code, "")
        return Exchange(phase, reply)

    def close(self) -> None:
        self.usable = False


ENDS = st.tuples(
    st.sampled_from([Phase.MAIL, Phase.RCPT, Phase.DATA, Phase.DOT]),
    st.sampled_from([0, 421, 450, 452, 550, 554, 530]),
)


@settings(deadline=None)
@given(st.integers(1, 12), st.lists(ENDS | st.just((Phase.DOT, 250)), max_size=40))
def test_whatever_the_relay_does_nobody_is_lost_and_nobody_served_twice(
    count: int, ends: list[tuple[Phase, int]]
) -> None:
    ledger, clock, sent = ledger_of(count), SetClock(), []
    answers = iter(ends)
    for _ in range(60):
        with contextlib.suppress(RelayError):
            deliver(ledger, relay_at(1), clock, connect=lambda _: _Chance(answers, sent))
        clock.instant += timedelta(hours=1)
    assert len(sent) == len(set(sent))
    states = ledger.states()
    assert sum(states.values()) == count
    assert set(states) <= {"accepted", "refused", "uncertain"}
    for row in ledger.rows.values():
        last = row.outcomes[-1]
        served = row.delivery.address in sent
        assert served == (last.kind in (OutcomeKind.ACCEPTED, OutcomeKind.UNCERTAIN))


def test_outcomes_name_their_delivery_in_the_log_without_the_address() -> None:
    ledger = ledger_of(1)
    faults = Faults({"RCPT": lambda _: f"550 5.1.1 <{addresses(1)[0]}>: User unknown"})
    with capture_logs() as logs, smtp_server(faults) as port:
        deliver(ledger, relay_at(port))
    outcome: Outcome = ledger.rows[1].outcomes[0]
    assert outcome.reply.text == "<r…@reader.example>: User unknown"
    (entry,) = logs
    assert (entry["event"], entry["delivery"]) == ("delivery_settled", 1)
    assert entry["reason"] == "unknown_user"
    assert addresses(1)[0] not in str(entry)


def test_the_template_is_made_once_a_mailing() -> None:
    ledger, faults = ledger_of(120), Faults()
    with smtp_server(faults) as port:
        deliver(ledger, relay_at(port, connections=3))
    assert ledger.calls["mailing"] == 1


def test_a_delivery_of_an_editor_needs_no_subscriber() -> None:
    ledger, faults = MemoryLedger(ISSUE), Faults()
    ledger.enqueue(ISSUE, "editor@paper.example")
    row = ledger.rows[1]
    row.delivery = replace(row.delivery, recipient_id="editor0000000001")
    with smtp_server(faults) as port:
        assert deliver(ledger, relay_at(port)).accepted == 1
    assert isinstance(row.delivery, Delivery)
