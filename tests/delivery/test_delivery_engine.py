import contextlib
import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from newsletter.delivery.engine import Callbacks, Engine, Limits
from newsletter.delivery.judging import Alert
from newsletter.delivery.lease import LEASE
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import (
    Delivery,
    DeliveryState,
    DeliverySummary,
    Mailing,
    Outcome,
    OutcomeKind,
    Permit,
    Relay,
)
from newsletter.delivery.responder import InProcessLink, accept
from newsletter.delivery.smtp import Link, TimeLimits, open_connection
from newsletter.delivery.writing import LetterWriter
from newsletter.errors import (
    RelayError,
    RelayRejectedLogin,
    RelayUnavailable,
    StorageError,
)
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.samples import GIVE_UP, ISSUE, KEYRING, NOW, SYSTEM, SetClock, issue
from tests.delivery.smtp_servers import DROP, Faults, login_as, smtp_server
from tests.marking import first_soon

QUICK = TimeLimits(connect=5, step=5, final=5)
MINUTE = timedelta(minutes=1)


def addresses(count: int) -> list[str]:
    return [f"reader{number:03d}@reader.example" for number in range(count)]


def ledger_of(count: int, mailing: Mailing = ISSUE) -> MemoryLedger:
    ledger = MemoryLedger(mailing)
    ledger.enqueue(mailing, *addresses(count))
    return ledger


def relay_at(port: int, connections: int = 1, **changes: Any) -> Relay:
    return Relay("main", "127.0.0.1", port, tls="none", connections=connections,
                 local_hostname="localhost", **changes)  # fmt: skip


@contextlib.contextmanager
def worker(
    ledger: MemoryLedger,
    *relays: Relay,
    clock: SetClock | None = None,
    connect: Callable[[Relay], Link] = lambda relay: open_connection(relay, limits=QUICK),
    lease: timedelta = LEASE,
    limits: dict[str, Any] | None = None,
    **callbacks: Any,
) -> Iterator[Engine]:
    """An engine for the block."""
    writer = LetterWriter(ledger.mailing, lambda m: MessageTemplate.of(m, KEYRING), str.lower)
    usual = {"give_up_after": GIVE_UP, "lease": lease, "times": QUICK}
    whole = Limits(**usual | (limits or {}))
    engine = Engine(
        ledger,
        relays,
        writer,
        clock or SetClock(),
        whole,
        Callbacks(**callbacks),
        name="w1",
        connect=connect,
    )
    try:
        yield engine
    finally:
        engine.close()


def deliver(ledger: MemoryLedger, *relays: Relay, **options: Any) -> DeliverySummary:
    """Send what is due; raises why no relay could be used."""
    with worker(ledger, *relays, **options) as engine:
        summary = engine.run()
        if engine.failure is not None:
            raise engine.failure
    return summary


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
        first = deliver(ledger, relay_at(port), clock=clock)
        assert first == DeliverySummary(accepted=2, deferred=1)
        assert deliver(ledger, relay_at(port), clock=clock) == DeliverySummary()
        due = ledger.next_due(clock.now())
        assert due is not None
        clock.instant = due
        assert deliver(ledger, relay_at(port), clock=clock) == DeliverySummary(accepted=1)
    assert faults.fired["DOT"] == 1
    assert faults.recipients() == addresses(3)


@pytest.mark.long
def test_a_4xx_without_end_becomes_a_refusal() -> None:
    ledger, clock = ledger_of(1), SetClock()
    faults = Faults({"RCPT": lambda _: "451 4.3.0 trouble"})
    with smtp_server(faults) as port:
        while (due := deliver(ledger, relay_at(port), clock=clock)) == DeliverySummary(deferred=1):
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


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        *itertools.product(["MAIL", "RCPT", "DATA", "DOT"], ["421 4.3.2 closing", "421 later"]),
        # A drop after the dot is a doubt.
        *itertools.product(["MAIL", "RCPT", "DATA"], [DROP]),
    ],
)
def test_who_is_answered_by_nothing_but_a_421_is_given_up_in_time(step: str, reply: str) -> None:
    ledger, clock = ledger_of(3), SetClock()
    faults = Faults({step: lambda _: reply})
    with smtp_server(faults) as port:
        while not ledger.is_settled and clock.instant < NOW + 2 * GIVE_UP:
            with contextlib.suppress(RelayUnavailable):
                deliver(ledger, relay_at(port), clock=clock)
            soon = clock.instant + timedelta(minutes=5)
            clock.move(max(soon, ledger.next_due(clock.instant) or soon))
    assert ledger.states() == {"refused": 3}
    assert {row.outcomes[-1].reason for row in ledger.rows.values()} == {"expired"}
    assert NOW + GIVE_UP < clock.instant <= NOW + GIVE_UP + timedelta(hours=1)
    assert not faults.messages


class Unwilling(Faults):
    """Answers one domain at the dot as it is told, and takes what others get."""

    reply: str | None = "421 4.7.28 unusual rate"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.reply is not None and envelope.rcpt_tos[0].endswith("@slow.example"):
            self.fired["DOT"] += 1
            if self.reply.startswith("421"):
                server.loop.call_soon(server.transport.close)
            return self.reply
        return await super().handle_DATA(server, session, envelope)


@pytest.mark.parametrize("reply", ["421 4.7.28 unusual rate", "554 5.7.1 blocked by us"])
@pytest.mark.parametrize("restarts", [True, False])
def test_of_a_destination_that_takes_nothing_all_are_given_up_at_once(
    reply: str, restarts: bool
) -> None:
    ledger, clock, faults = ledger_of(3), SetClock(), Unwilling()
    faults.reply = reply
    alerts: dict[str, tuple[timedelta, Alert]] = {}

    def note(alert: Alert) -> None:
        alerts.setdefault(alert.key, (clock.instant - NOW, alert))

    give_up, many, late = timedelta(hours=8), 1_000, NOW + timedelta(hours=5)
    ledger.enqueue(ISSUE, *(f"reader{n}@slow.example" for n in range(many)))
    ledger.enqueue(issue(public_id="later", created_at=late), "reader@slow.example")
    ledger.mailings["later"] = issue(public_id="later", created_at=late)
    last = ledger.rows[len(ledger.rows)]
    last.due = late
    with smtp_server(faults) as port, contextlib.ExitStack() as stack:
        relay = relay_at(port, connections=2)
        engine = None
        while ledger.states().get("refused", 0) < many and clock.instant < NOW + 2 * give_up:
            if engine is None or restarts:
                stack.close()
                options = {"clock": clock, "on_alert": note, "limits": {"give_up_after": give_up}}
                engine = stack.enter_context(worker(ledger, relay, **options))
            engine.run()
            clock.move(max(ledger.next_due(clock.instant) or NOW, clock.instant + MINUTE * 5))
        # Whose issue came later is tried on.
        assert last.state is not DeliveryState.REFUSED
    assert faults.recipients() == addresses(3)
    # Some of them were never tried.
    assert 20 < faults.fired["DOT"] < many
    assert give_up < clock.instant - NOW < give_up + timedelta(hours=2)
    assert list(alerts) == ["destination:slow.example", "given-up:slow.example"]
    told, alert = alerts["destination:slow.example"]
    assert told <= timedelta(minutes=15)
    assert reply in alert.sentence
    assert alert.waiting
    assert not alerts["given-up:slow.example"][1].waiting


@pytest.mark.long
def test_a_destination_that_takes_something_again_is_not_given_up() -> None:
    ledger, clock, faults = ledger_of(3), SetClock(), Unwilling()
    keys: list[str] = []
    ledger.enqueue(ISSUE, *(f"reader{n}@slow.example" for n in range(200)))
    begun = clock.instant
    with smtp_server(faults) as port:
        while not ledger.is_settled and clock.instant < NOW + 2 * GIVE_UP:
            # Ten minutes of each hour and a half it is content.
            content = (clock.instant - begun) % timedelta(minutes=90) >= timedelta(minutes=80)
            faults.reply = None if content else Unwilling.reply
            deliver(
                *(ledger, relay_at(port)),
                clock=clock,
                on_alert=lambda alert: keys.append(alert.key),
            )
            clock.move(max(ledger.next_due(clock.instant) or NOW, clock.instant + MINUTE))
    assert faults.fired["DOT"] > 20
    assert set(keys) <= {"destination:slow.example"}
    assert not [row for row in ledger.rows.values() if row.outcomes[-1].reply.code == 0]


def test_a_relay_that_takes_so_many_messages_a_connection_is_called_again_at_once() -> None:
    ledger = ledger_of(200)

    class Limited(Faults):
        async def handle_MAIL(self, server, session, envelope, address, options) -> str:
            session.count = getattr(session, "count", 0) + 1
            if session.count > 20:
                self.fired["421"] += 1
                server.loop.call_soon(server.transport.close)
                return "421 4.7.0 Too many messages on this connection"
            return await super().handle_MAIL(server, session, envelope, address, options)

    faults, clock = Limited(), SetClock()
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port, connections=8), clock=clock)
    assert faults.fired["421"] >= 7
    assert summary == DeliverySummary(accepted=200, requeued=faults.fired["421"])
    assert faults.recipients() == addresses(200)


def test_a_relay_that_asks_for_less_is_left_for_a_while_and_no_reader_tried_in_vain() -> None:
    ledger = ledger_of(30)
    faults = Faults({"MAIL": lambda n: "450 4.7.1 Error: too much mail" if n > 10 else None})
    with smtp_server(faults) as port, pytest.raises(RelayUnavailable, match="takes no more for"):
        deliver(ledger, relay_at(port, connections=2))
    assert faults.fired["MAIL"] <= 2
    assert ledger.states() == {"accepted": 10, "queued": 20}
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


@pytest.mark.parametrize(
    ("reply", "mend"),
    [
        ("552 5.3.4 Message too big for us", "take out some stories"),
        ("554 5.6.0 Message contains a virus", "take out what it objects to"),
        ("554 5.3.5 System config error", "the relay's operator"),
        ("554 Transaction failed", "the relay's operator"),
    ],
)
@pytest.mark.parametrize("step", ["DATA", "DOT"])
def test_a_message_that_is_refused_of_everybody_costs_nobody_the_issue(
    reply: str, mend: str, step: str
) -> None:
    ledger = ledger_of(60)
    faults = Faults({step: lambda _: reply})
    with smtp_server(faults) as port, pytest.raises(RelayError, match=mend):
        deliver(ledger, relay_at(port))
    assert ledger.states() == {"queued": 56, "deferred": 4}
    assert faults.fired[step] == 5


def test_readers_at_as_many_domains_are_no_less_safe() -> None:
    ledger = MemoryLedger(ISSUE)
    ledger.enqueue(ISSUE, *(f"reader@town{n}.example" for n in range(60)))
    faults = Faults({"DOT": lambda _: "552 5.3.4 Message too big for us"})
    with smtp_server(faults) as port, pytest.raises(RelayError, match="take out some stories"):
        deliver(ledger, relay_at(port))
    assert ledger.states() == {"queued": 41, "deferred": 19}


@pytest.mark.parametrize("reply", ["552 5.2.3 too long for this mailbox", "554 5.6.0 filtered"])
def test_a_mailbox_that_refuses_the_message_is_refused_alone(reply: str) -> None:
    ledger = ledger_of(20)
    faults = Faults({"DOT": lambda count: reply if count == 7 else None})
    with smtp_server(faults) as port:
        assert deliver(ledger, relay_at(port)) == DeliverySummary(accepted=19, refused=1)
    assert ledger.rows[7].outcomes[0].sender_fault


def test_a_destination_that_refuses_the_message_waits_and_the_others_go_on() -> None:
    class Strict(Faults):
        async def handle_DATA(self, server, session, envelope) -> str:
            if envelope.rcpt_tos[0].endswith("@strict.example"):
                return "554 5.6.0 Message contains a virus"
            return await super().handle_DATA(server, session, envelope)

    ledger, faults = ledger_of(20), Strict()
    alerts: list[Alert] = []
    ledger.enqueue(ISSUE, *(f"reader{n}@strict.example" for n in range(20)))
    ledger.enqueue(ISSUE, *(f"more{n}@reader.example" for n in range(20)))
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port), on_alert=alerts.append)
    assert (summary.accepted, summary.refused) == (40, 0)
    assert {alert.key for alert in alerts} == {"destination:strict.example"}
    alert = alerts[0]
    assert "554 5.6.0 Message contains a virus" in alert.sentence
    assert "take out what it objects to" in alert.sentence


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

    def connect(where: Relay) -> Link:
        if not opened.acquire(blocking=False):
            raise RelayUnavailable("too many connections")
        return open_connection(where, limits=QUICK)

    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port, connections=4), connect=connect)
    assert summary == DeliverySummary(accepted=60)


def test_a_failing_ledger_stops_every_connection() -> None:
    ledger, faults = ledger_of(400), Faults(delay=0.005)

    def fail(entered: str) -> None:
        if entered == "commit" and ledger.calls["commit"] >= 4:
            raise StorageError("the disk is full")

    ledger.before = fail
    with smtp_server(faults) as port, pytest.raises(StorageError, match="full"):
        deliver(ledger, relay_at(port, connections=3))
    assert len(faults.messages) <= 6
    states = ledger.states()
    # What was sent and not recorded is visibly handed over: at most one a connection.
    handed_over = states.get("handed_over", 0)
    assert states.get("accepted", 0) + handed_over == len(faults.messages)
    assert handed_over <= 3
    assert states["queued"] == 400 - len(faults.messages)


def test_what_cannot_be_mailed_or_built_is_refused_and_the_others_go_on() -> None:
    broken = replace(SYSTEM, public_id="mailing000000009", subject="two\nlines")
    ledger = MemoryLedger(ISSUE, broken)
    ledger.enqueue(broken, "ani@reader.example")
    ledger.enqueue(ISSUE, "լիլիթ@reader.example", "a\r\nb@reader.example", "aram@reader.example")
    faults = Faults()
    with smtp_server(faults, enable_SMTPUTF8=False) as port:
        summary = deliver(ledger, relay_at(port))
    assert summary == DeliverySummary(accepted=1, refused=3)
    assert [ledger.rows[n].outcomes[0].reason for n in (1, 2, 3)] == [
        "content",
        "non_ascii_address",
        "unknown_user",
    ]
    assert "Subject" in ledger.rows[1].outcomes[0].reply.text
    assert faults.recipients() == ["aram@reader.example"]


@pytest.mark.parametrize("signs", first_soon([True, False]))
def test_an_issue_of_which_no_message_can_be_written_waits_until_it_is_mended(signs: bool) -> None:
    mended = issue(public_id="mailing000000009")
    ledger, faults, clock = (
        MemoryLedger(replace(mended, subject="two\nlines"), ISSUE),
        Faults(),
        SetClock(),
    )
    alerts: list[Alert] = []
    ledger.enqueue(mended, *addresses(700))
    ledger.enqueue(ISSUE, *(f"other{n}@reader.example" for n in range(20)))
    options = {"clock": clock, "limits": {"signs": signs}, "on_alert": alerts.append}
    with smtp_server(faults) as port, worker(ledger, relay_at(port), **options) as engine:
        assert engine.run() == DeliverySummary(accepted=20)
        assert ledger.states() == {"queued": 700, "accepted": 20}
        assert {row.delivery.attempts for row in ledger.rows.values()} == {0}
        assert "Subject" in str(engine.failure)
        assert [(alert.key, alert.waiting) for alert in alerts] == [
            ("mailing:mailing000000009", True)
        ]
        assert "an issue can't be written" in alerts[0].sentence
        assert ledger.calls["mailing"] < 10
        assert engine.run() == DeliverySummary()
        ledger.mailings[mended.public_id] = mended
        clock.move(clock.instant + timedelta(hours=1))
        assert engine.failure is None
        assert engine.run() == DeliverySummary(accepted=700)


def test_an_address_in_armenian_goes_where_the_server_takes_it() -> None:
    ledger, faults = MemoryLedger(ISSUE), Faults()
    ledger.enqueue(ISSUE, "լիլիթ@reader.example")
    with smtp_server(faults) as port:
        assert deliver(ledger, relay_at(port)) == DeliverySummary(accepted=1)
    assert faults.recipients() == ["լիլիթ@reader.example"]


@pytest.mark.parametrize("weight", [1, 0])
@pytest.mark.parametrize("system", [True, False])
def test_an_address_in_armenian_goes_over_the_relay_that_takes_it(
    weight: int, system: bool
) -> None:
    ledger, plain, able = ledger_of(20), Faults(), Faults()
    ledger.mailings[SYSTEM.public_id] = SYSTEM
    ledger.enqueue(SYSTEM if system else ISSUE, "լիլիթ@reader.example")
    with smtp_server(plain, enable_SMTPUTF8=False) as one, smtp_server(able) as other:
        summary = deliver(
            ledger,
            relay_called("plain", one, weight=9),
            relay_called("able", other, weight=weight),
        )
    assert summary == DeliverySummary(accepted=21)
    assert "լիլիթ@reader.example" in able.recipients()
    assert plain.messages


def test_an_address_in_armenian_waits_for_the_relay_that_may_take_it() -> None:
    ledger, plain, able = ledger_of(5), Faults(), Faults()
    ledger.enqueue(ISSUE, "լիլիթ@reader.example")
    clock = SetClock()
    with smtp_server(plain, enable_SMTPUTF8=False) as one:
        with smtp_server(able) as other:
            pass
        with worker(
            ledger, relay_called("plain", one), relay_called("able", other), clock=clock
        ) as engine:
            assert engine.run() == DeliverySummary(accepted=5, deferred=1)
            with smtp_server(able, at=other):
                engine.try_again()
                clock.instant = ledger.next_due(clock.now()) or NOW
                assert engine.run() == DeliverySummary(accepted=1)
    assert able.recipients() == ["լիլիթ@reader.example"]


def test_where_no_relay_takes_an_address_in_armenian_it_is_refused() -> None:
    ledger, one, other = ledger_of(5), Faults(), Faults()
    ledger.enqueue(ISSUE, "լիլիթ@reader.example")
    with (
        smtp_server(one, enable_SMTPUTF8=False) as first,
        smtp_server(other, enable_SMTPUTF8=False) as second,
    ):
        summary = deliver(ledger, relay_called("one", first), relay_called("other", second))
    assert summary == DeliverySummary(accepted=5, refused=1)
    assert ledger.rows[6].outcomes[0].reply.enhanced == "5.6.7"


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


@pytest.mark.parametrize("reply", ["550 5.1.1 User unknown", "451 4.3.0 later"])
@pytest.mark.parametrize("connections", [1, 3])
def test_a_pause_bites_where_recipients_are_refused_too(reply: str, connections: int) -> None:
    ledger = ledger_of(300)

    def refuse(count: int) -> str:
        if count == 60:
            ledger.sending = False
        return reply

    faults = Faults({"RCPT": refuse})
    with smtp_server(faults) as port:
        deliver(ledger, relay_at(port, connections=connections))
    # One that was offered when it was paused, and one that was on its way to be.
    assert 60 <= faults.reached["RCPT"] <= 60 + 2 * connections
    assert ledger.states()["queued"] == 300 - faults.reached["RCPT"]


def test_nothing_is_asked_while_all_is_well() -> None:
    ledger = ledger_of(50)
    with smtp_server(Faults()) as port:
        deliver(ledger, relay_at(port))
    assert ledger.calls["called_off"] == 0


def small_server(faults: Faults, size: int = 1_000) -> contextlib.AbstractContextManager[int]:
    """A server that says what it takes at most."""
    return smtp_server(faults, data_size_limit=size)


def test_an_issue_too_big_for_the_relay_waits_before_anything_is_offered() -> None:
    ledger, faults = ledger_of(60), Faults()
    alerts: list[Alert] = []
    figures = r"up to 1,000 octets \(SIZE\), and one of weekly@paper\.example has [12],\d{3}"
    with small_server(faults) as port, pytest.raises(RelayError, match=figures):
        deliver(ledger, relay_at(port, connections=3), on_alert=alerts.append)
    assert not faults.reached
    # The one it was found out by comes after those like it, of which some may be smaller.
    assert ledger.states() == {"queued": 59, "deferred": 1}
    assert [alert.key for alert in alerts] == ["size:main"]
    assert ledger.rows[1].outcomes[0].sender_fault


@pytest.mark.long
def test_an_issue_too_big_for_the_relay_holds_up_no_other_mail() -> None:
    small, large, faults, clock = (
        issue(public_id="small", html="<p>.</p>"),
        ISSUE,
        Faults(),
        SetClock(),
    )
    ledger = MemoryLedger(large, small, SYSTEM)
    alerts: list[Alert] = []
    ledger.enqueue(large, *addresses(400))
    ledger.enqueue(small, *(f"small{n}@reader.example" for n in range(20)))
    measured = Faults()
    with smtp_server(measured) as port:
        for mailing in (small, SYSTEM):
            one = MemoryLedger(mailing)
            one.enqueue(mailing, "small19@reader.example")
            deliver(one, relay_at(port))
    limit = max(len(content) for _, _, content in measured.messages) + 20
    options = {"clock": clock, "on_alert": alerts.append}
    with small_server(faults, limit) as port, worker(ledger, relay_at(port), **options) as engine:
        for hour in range(3):
            assert engine.run().accepted == (20 if hour == 0 else 1)
            assert "(SIZE)" in str(engine.failure)
            ledger.enqueue(SYSTEM, f"system{hour}@reader.example")
            engine.run()
            assert f"system{hour}@reader.example" in faults.recipients()
            ledger.enqueue(SYSTEM, f"again{hour}@reader.example")
            clock.move(clock.instant + timedelta(minutes=59))
    assert not ledger.states_of_relays
    states = ledger.states()
    assert states.pop("accepted") == 20 + 5
    assert sum(states.values()) == 401
    assert {alert.key for alert in alerts} == {"size:main"}


@pytest.mark.parametrize("weight", [1, 0])
def test_a_relay_with_more_room_takes_what_is_too_big_for_another(weight: int) -> None:
    ledger, small, large = ledger_of(60), Faults(), Faults()
    with small_server(small) as one, smtp_server(large) as other:
        summary = deliver(
            ledger,
            relay_called("small", one, weight=9),
            relay_called("large", other, weight=weight),
        )
    assert summary == DeliverySummary(accepted=60)
    assert not small.reached
    assert large.recipients() == addresses(60)
    assert ledger.states_of_relays["small"].trips == 1


def test_a_message_larger_than_those_like_it_does_not_hold_them_up() -> None:
    ledger, faults, measured = ledger_of(20), Faults(), Faults()
    alerts: list[Alert] = []
    with smtp_server(measured) as port:
        deliver(ledger_of(1), relay_at(port))
    usual = len(measured.messages[0][2])
    # The reader's address stands in the message.
    ledger.enqueue(ISSUE, *(f"{'x' * 60}{n}@reader.example" for n in range(3)))
    ledger.enqueue(ISSUE, *(f"late{n}@reader.example" for n in range(20)))
    with small_server(faults, usual + 20) as port:
        summary = deliver(ledger, relay_at(port), on_alert=alerts.append)
    assert summary == DeliverySummary(accepted=40, deferred=3)
    assert [alert.key for alert in alerts] == ["size:main"]
    assert not ledger.states_of_relays


@pytest.mark.parametrize("call", ["claim_system", "claim_issues", "mailing", "commit", "release"])
def test_a_database_that_fails_stops_the_run_and_sends_nothing_unrecorded(call: str) -> None:
    ledger, faults = ledger_of(800), Faults()
    first = {"mailing", "release", "claim_system"}

    def fail(entered: str) -> None:
        if entered == call and (call in first or ledger.calls[call] > 1):
            raise StorageError("the disk of newsletter.db is full")

    ledger.before = fail
    with smtp_server(faults) as port, pytest.raises(StorageError, match="disk"):
        deliver(ledger, relay_at(port, connections=2))
    states = ledger.states()
    sent = len(faults.messages)
    # What was sent is either accepted or visibly handed over: at most one a connection.
    assert sent <= states.get("accepted", 0) + states.get("handed_over", 0)
    assert states.get("handed_over", 0) <= 2
    if call != "release":
        assert states.get("claimed", 0) == 0


def test_a_disk_that_is_cleared_in_time_costs_no_reader_a_second_copy() -> None:
    ledger, faults, failed = ledger_of(10), Faults(), []

    def fail(entered: str) -> None:
        if entered == "commit" and 3 < ledger.calls["commit"] <= 6:
            failed.append(entered)
            raise StorageError("the disk of newsletter.db is full")

    ledger.before = fail
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port))
    assert len(failed) == 3
    assert summary == DeliverySummary(accepted=10)
    assert faults.recipients() == addresses(10)
    assert ledger.states() == {"accepted": 10}


def test_a_renewal_that_fails_is_no_matter_while_the_lease_lasts() -> None:
    ledger, faults = ledger_of(20), Faults(delay=0.03)

    def fail(entered: str) -> None:
        if entered == "renew" and ledger.calls["renew"] == 1:
            raise StorageError("gone")

    ledger.before = fail
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port), lease=timedelta(seconds=0.9))
    assert summary == DeliverySummary(accepted=20)
    assert ledger.calls["renew"] >= 1


def test_the_lease_is_renewed_while_a_slow_reply_is_awaited() -> None:
    ledger, faults, clock = ledger_of(2), Faults(delay=0.4), SetClock()
    # By the ledger's clock the first lease is long over when the second row's turn comes.
    faults.on_message = lambda _: setattr(clock, "instant", clock.instant + timedelta(seconds=40))
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port), clock=clock, lease=timedelta(seconds=0.3))
    assert summary == DeliverySummary(accepted=2)
    assert ledger.calls["renew"] > 0


def test_a_worker_whose_lease_was_taken_sends_nothing_more() -> None:
    ledger, faults = ledger_of(30), Faults(delay=0.02)

    def take_over(count: int) -> None:
        if count == 3:
            ledger.leases[1] = None

    faults.on_message = take_over
    with smtp_server(faults) as port, pytest.raises(StorageError, match="taken this one's place"):
        deliver(ledger, relay_at(port), lease=timedelta(seconds=0.3))
    assert len(faults.messages) == 3


def test_a_worker_that_wakes_up_after_its_lease_closes_the_connection_before_the_dot() -> None:
    ledger, faults = ledger_of(1), Faults()

    class Sleeper(SetClock):
        """The machine sleeps between the hand-over and the message."""

        slept = 0.0

        def boottime(self) -> float:
            return self.monotonic() + self.slept

    clock = Sleeper()

    def fall_asleep(entered: str) -> None:
        if entered == "commit" and not clock.slept:
            clock.slept = 3600.0
            clock.instant += timedelta(hours=1)

    ledger.before = fall_asleep
    rounds = itertools.count()
    with smtp_server(faults) as port:
        summary = deliver(
            ledger, relay_at(port), clock=clock, should_stop=lambda: next(rounds) > 40
        )
    assert not faults.messages
    assert faults.reached["DATA"] >= 1
    assert summary.accepted == 0
    assert summary.uncertain == 0
    assert set(ledger.states()) <= {"queued", "deferred"}


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


class Chance:
    """A server whose conversations end as the list says: a step, and what it answers there."""

    def __init__(self, ends: Iterator[tuple[str, int]], sent: list[str]) -> None:
        self._ends = ends
        self._sent = sent
        self._end = ("DOT", 250)
        self._recipient = ""

    def __call__(self, command: str, argument: bytes) -> bytes | None:
        if command == "MAIL":
            self._end = next(self._ends, ("DOT", 250))
        if command == "RCPT":
            self._recipient = argument.decode().partition("<")[2].partition(">")[0]
        step, code = self._end
        if command == "DOT" and not argument:
            # It refused sender or recipient, and said "go on" to DATA all the same.
            return b"554 no valid recipients\r\n"
        if command == "DOT" and (step != "DOT" or code in (0, 250)):
            assert argument.endswith(b"--\r\n")
            self._sent.append(self._recipient)
        if command != step or code == 250:
            return accept(command, argument)
        return None if code == 0 else f"{code} no\r\n".encode()


ENDS = st.tuples(
    st.sampled_from(["MAIL", "RCPT", "DATA", "DOT"]),
    st.sampled_from([0, 421, 450, 452, 550, 554, 530]),
)


@given(st.integers(1, 12), st.lists(ENDS | st.just(("DOT", 250)), max_size=40))
def test_whatever_the_relay_does_nobody_is_lost_and_nobody_served_twice(
    count: int, ends: list[tuple[str, int]]
) -> None:
    ledger, clock, sent = ledger_of(count), SetClock(), []
    answers = iter(ends)
    for _ in range(60):
        with contextlib.suppress(RelayError):
            deliver(
                ledger,
                relay_at(1, connections=2),
                clock=clock,
                connect=lambda _: InProcessLink(Chance(answers, sent)),
            )
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
    row.delivery = row.delivery._replace(recipient_id="editor0000000001")
    with smtp_server(faults) as port:
        assert deliver(ledger, relay_at(port)).accepted == 1
    assert isinstance(row.delivery, Delivery)


def relay_called(slug: str, port: int, **changes: Any) -> Relay:
    return replace(relay_at(port, **changes), slug=slug)


@pytest.mark.parametrize(
    ("light_delay", "heavy_delay", "connections"),
    # Both as quick, in one connection or more; the light one quicker; and no wire to wait for.
    [(0.004, 0.004, 1), (0.004, 0.004, 4), (0.0, 0.01, 3), (0.0, 0.0, 3)],
)
def test_relays_share_the_work_by_their_weights(
    light_delay: float, heavy_delay: float, connections: int
) -> None:
    ledger = ledger_of(440)
    light, heavy = Faults(delay=light_delay), Faults(delay=heavy_delay)
    with smtp_server(light) as one, smtp_server(heavy) as other:
        summary = deliver(
            ledger,
            relay_called("light", one, connections=connections),
            relay_called("heavy", other, connections=connections, weight=3),
        )
    assert summary.accepted == 440
    assert sorted(light.recipients() + heavy.recipients()) == addresses(440)
    assert abs(len(heavy.messages) - 330) <= 33
    assert abs(len(light.messages) - 110) <= 11


def test_a_heavy_relay_does_not_wait_for_a_light_one() -> None:
    ledger, heavy, release = ledger_of(200), Faults(), threading.Event()

    class Stuck(Faults):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            await server.loop.run_in_executor(None, release.wait, 4)
            return await super().handle_DATA(server, session, envelope)

    light = Stuck()
    # Only once nearly all is sent does the light one answer for the first time.
    heavy.on_message = lambda count: release.set() if count >= 190 else None
    with smtp_server(light) as one, smtp_server(heavy) as other:
        deliver(ledger, relay_called("light", one), relay_called("heavy", other, weight=3))
    assert release.is_set()
    assert sorted(light.recipients() + heavy.recipients()) == addresses(200)


def test_a_light_relay_takes_all_where_the_heavy_one_is_dead() -> None:
    ledger, light = ledger_of(100), Faults()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()[1]
    with smtp_server(light) as port:
        deliver(ledger, relay_called("light", port), relay_called("dead", dead, weight=9))
    assert light.recipients() == addresses(100)


def test_a_light_relay_takes_what_goes_beyond_the_rate_of_the_heavy_one() -> None:
    ledger, light, heavy = ledger_of(100), Faults(), Faults()
    with smtp_server(light) as one, smtp_server(heavy) as other:
        deliver(
            ledger,
            relay_called("light", one),
            relay_called("heavy", other, weight=9, rate=5.0),
        )
    assert sorted(light.recipients() + heavy.recipients()) == addresses(100)
    assert heavy.messages
    assert len(light.messages) > len(heavy.messages)


def test_a_relay_of_weight_0_stands_in_only_where_no_other_can() -> None:
    ledger, spare = ledger_of(40), Faults()
    main = Faults({"MAIL": lambda count: "530 5.7.0 log in" if count > 10 else None})
    alerts: list[str] = []
    with smtp_server(main) as one, smtp_server(spare) as other:
        summary = deliver(
            ledger,
            relay_called("main", one),
            relay_called("spare", other, weight=0),
            on_alert=lambda alert: alerts.append(alert.key),
        )
    assert summary.accepted == 40
    assert len(main.messages) == 10
    assert len(spare.messages) == 30
    assert alerts == ["relay:main"]
    assert ledger.states_of_relays["main"].trips == 1


def test_a_relay_whose_day_is_full_holds_no_other_back() -> None:
    ledger, capped, free = ledger_of(100), Faults(), Faults()
    started = time.monotonic()
    with smtp_server(capped) as one, smtp_server(free) as other:
        summary = deliver(
            ledger,
            relay_called("capped", one, daily_cap=10),
            relay_called("free", other),
            # It would stand still for as long as the idle connections last.
            should_stop=lambda: time.monotonic() - started > 20,
        )
    assert summary.accepted == 100
    assert (len(capped.messages), len(free.messages)) == (10, 90)


def test_a_relay_of_weight_0_stands_in_for_one_whose_day_is_full() -> None:
    ledger, capped, spare = ledger_of(60), Faults(), Faults()
    started = time.monotonic()
    with smtp_server(capped) as one, smtp_server(spare) as other:
        summary = deliver(
            ledger,
            relay_called("capped", one, daily_cap=10),
            relay_called("spare", other, weight=0),
            # It would stand still for ever.
            should_stop=lambda: time.monotonic() - started > 20,
        )
    assert summary.accepted == 60
    assert (len(capped.messages), len(spare.messages)) == (10, 50)


def test_an_issue_goes_on_where_its_connections_were_closed_and_the_kept_one_was_not() -> None:
    ledger = ledger_of(60)
    ledger.mailings[SYSTEM.public_id] = SYSTEM
    # Once the confirmation was served, over a connection of its own, the issue's is closed.
    faults = Faults(
        {"MAIL": lambda _: "421 4.3.2 closing" if faults.fired["MAIL"] < 1 and served() else None}
    )

    def served() -> bool:
        return "ani@reader.example" in faults.recipients()

    def sign_up(count: int) -> None:
        if count == 5:
            ledger.enqueue(SYSTEM, "ani@reader.example")

    faults.on_message, faults.delay = sign_up, 0.05
    started = time.monotonic()
    with smtp_server(faults) as port:
        summary = deliver(
            ledger,
            relay_at(port, connections=2),
            # It would stand still for as long as the kept connection lasts.
            should_stop=lambda: time.monotonic() - started > 20,
        )
    assert faults.fired["MAIL"] == 1
    assert summary.accepted == 61


def test_a_daily_cap_lets_system_mail_through_and_keeps_the_rest() -> None:
    ledger, faults = ledger_of(150), Faults()
    ledger.mailings[SYSTEM.public_id] = SYSTEM
    ledger.enqueue(SYSTEM, "ani@reader.example")
    with smtp_server(faults) as port:
        summary = deliver(ledger, relay_at(port, daily_cap=120))
        assert summary.accepted == 121
        assert deliver(ledger, relay_at(port, daily_cap=120)) == DeliverySummary()
    assert ledger.states() == {"accepted": 121, "queued": 30}
    assert ledger.granted["main"] == 120


def test_a_used_up_day_is_left_alone_until_the_next_one_begins() -> None:
    ledger, faults, clock = ledger_of(30), Faults(), SetClock()
    opened: list[Relay] = []

    def connect(where: Relay) -> Link:
        opened.append(where)
        return open_connection(where, limits=QUICK)

    with (
        smtp_server(faults) as port,
        worker(ledger, relay_at(port, daily_cap=20), clock=clock, connect=connect) as engine,
    ):
        assert engine.run().accepted == 20
        connections, asked = len(opened), ledger.calls["grant on 2025-08-08"]
        for _ in range(20):
            clock.sleep(1)
            assert engine.run() == DeliverySummary()
        assert len(opened) == connections
        assert ledger.calls["grant on 2025-08-08"] <= asked + 1
        # Of what was granted and given back others may use something before that.
        clock.instant = NOW.replace(hour=23, minute=59, second=58)
        assert engine.run() == DeliverySummary()
        ledger.granted.clear()
        clock.instant += timedelta(seconds=3)
        assert engine.run().accepted == 10


def test_what_was_granted_of_a_day_is_given_back_to_that_day() -> None:
    ledger, faults = ledger_of(30), Faults()
    clock = SetClock(NOW.replace(hour=23, minute=59))

    def turn(count: int) -> None:
        if count == 15:
            clock.instant += timedelta(hours=1)

    faults.on_message = turn
    with smtp_server(faults) as port:
        assert deliver(ledger, relay_at(port, daily_cap=500), clock=clock).accepted == 30
    assert ledger.granted_on == {("main", "2025-08-08"): 15, ("main", "2025-08-09"): 15}


def test_a_confirmation_waits_for_no_relay_that_hangs_when_called() -> None:
    ledger, faults, hang = MemoryLedger(ISSUE), Faults(), threading.Event()
    released: list[bool] = []
    ledger.mailings[SYSTEM.public_id] = SYSTEM
    ledger.enqueue(SYSTEM, "ani@reader.example")

    def connect(where: Relay) -> Link:
        if where.slug == "hung":
            released.append(hang.wait(20))
            raise RelayUnavailable("relay hung does not answer")
        return open_connection(where, limits=QUICK)

    faults.on_message = lambda _: hang.set()
    with smtp_server(faults) as port:
        # By its weight the one that hangs comes first.
        deliver(
            ledger,
            relay_called("hung", 1, weight=9),
            relay_called("main", port),
            connect=connect,
        )
    # It was let go by the confirmation's arrival, not by the end of its patience.
    assert released
    assert all(released)
    assert faults.recipients() == ["ani@reader.example"]


@pytest.mark.parametrize("spare_weight", [1, 0])
def test_a_confirmation_waits_for_no_relay_that_falls_silent(spare_weight: int) -> None:
    ledger, spare = ledger_of(40), Faults()
    ledger.mailings[SYSTEM.public_id] = SYSTEM
    released = threading.Event()
    waits: list[bool] = []
    started = time.monotonic()

    class Silent(Faults):
        async def handle_RCPT(self, server, session, envelope, address, options) -> str:
            self.fired["silence"] += 1
            if self.fired["silence"] == 1:
                ledger.enqueue(SYSTEM, "ani@reader.example")
            waits.append(await server.loop.run_in_executor(None, released.wait, 20))
            return await super().handle_RCPT(server, session, envelope, address, options)

    def arrived(_: int) -> None:
        if "ani@reader.example" in spare.recipients():
            released.set()

    silent = Silent()
    spare.on_message = arrived
    with smtp_server(silent) as one, smtp_server(spare) as other:
        deliver(
            ledger,
            relay_called("silent", one, connections=2, weight=9),
            relay_called("spare", other, connections=2, weight=spare_weight),
            limits={"times": TimeLimits()},
            should_stop=lambda: time.monotonic() - started > 30,
        )
    assert silent.fired["silence"] > 0
    assert all(waits)
    assert "ani@reader.example" in spare.recipients()


def test_one_of_two_workers_has_half_of_what_a_destination_bears() -> None:
    ledger = ledger_of(40)
    under_way, most = Counter[str](), Counter[str]()

    class Counting(Faults):
        async def handle_RCPT(self, server, session, envelope, address, options) -> str:
            under_way["now"] += 1
            most["now"] = max(most["now"], under_way["now"])
            return await super().handle_RCPT(server, session, envelope, address, options)

        async def handle_DATA(self, server, session, envelope) -> str:
            answer = await super().handle_DATA(server, session, envelope)
            under_way["now"] -= 1
            return answer

    ledger.permits = lambda _: Permit(4, workers=2)
    faults = Counting(delay=0.01)
    clock = SetClock()
    limits = {"domain_connections": 4}
    with (
        smtp_server(faults) as port,
        worker(ledger, relay_at(port, connections=4), clock=clock, limits=limits) as engine,
    ):
        while engine.run().accepted:
            clock.sleep(10)
    assert len(faults.messages) == 40
    assert most["now"] == 2


def test_what_one_worker_learned_of_a_destination_another_need_not_try() -> None:
    ledger = MemoryLedger(ISSUE)
    ledger.enqueue(ISSUE, *addresses(5), *(f"r{n}@gmail.example" for n in range(20)))

    class Strict(Faults):
        async def handle_RCPT(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, opts: list[str]
        ) -> str:
            if address.endswith("gmail.example"):
                self.fired["RCPT"] += 1
                return "421 4.7.28 unusual rate of mail"
            return await super().handle_RCPT(server, session, envelope, address, opts)

    first, second = Strict(), Strict()
    with smtp_server(first) as port:
        deliver(ledger, relay_at(port, connections=2))
    assert first.fired["RCPT"] == 1
    assert [one.group for one in ledger.slowed] == ["gmail.example"]
    # Those that were put off are due, and the destination still wants to be left alone.
    for row in ledger.rows.values():
        row.due = None
    ledger.enqueue(ISSUE, "ani@reader.example")
    with smtp_server(second) as port:
        deliver(ledger, relay_at(port, connections=2))
    assert second.recipients() == ["ani@reader.example"]
    assert second.fired["RCPT"] == 0


def test_a_worker_without_a_permit_claims_nothing() -> None:
    ledger = ledger_of(5)
    ledger.permits = lambda _: Permit(0)
    assert deliver(ledger, relay_at(1)) == DeliverySummary()
    assert ledger.calls["claim_issues"] == 0
    assert ledger.states() == {"queued": 5}
