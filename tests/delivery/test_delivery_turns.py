"""Whose turn it is in the middle of a send, over the real ledger and real servers."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.delivery import engine as engine_module
from newsletter.delivery.model import DeliveryState, OutcomeKind
from newsletter.delivery.smtp import TimeLimits
from tests.delivery.smtp_servers import Faults, smtp_server
from tests.delivery.sql_sending import MakeSending, SwiftClock, local_relay

pytest_plugins = ["tests.delivery.sql_fixtures"]

NEWCOMER = "newcomer@signup.example"


def test_a_confirmation_overtakes_the_issue_that_is_being_sent(make_sending: MakeSending) -> None:
    sending = make_sending(2_000)
    # Each message takes the relay 20 ms: two connections for the issue give 100/s at most.
    faults, signed_up = Faults(delay=0.02), threading.Event()
    before: list[int] = []

    def sign_up() -> None:
        assert signed_up.wait(30)
        sending.queue_system_mail(NEWCOMER)
        before.append(len(faults.messages))

    def count(messages: int) -> None:
        if messages == 100:
            signed_up.set()

    faults.on_message = count
    reader = threading.Thread(target=sign_up)
    reader.start()

    def arrived() -> bool:
        return any(recipient == NEWCOMER for _, recipient, _ in faults.messages)

    with smtp_server(faults) as port:
        sending.run(local_relay(port), should_stop=arrived)
    reader.join()
    order = [recipient for _, recipient, _ in faults.messages]
    overtaken = len(sending.addresses) - before[0]
    assert overtaken > 1_500, "the issue was all but sent before"
    # At 100/s five seconds are 500 messages.
    assert order.index(NEWCOMER) - before[0] <= 300
    counts = sending.counts()
    assert counts.accepted == len(order) - 1
    assert counts.queued == 2_000 - counts.accepted


def test_a_confirmation_has_its_connection_while_all_others_hang(make_sending: MakeSending) -> None:
    sending = make_sending(50)
    release = threading.Event()

    class Slow(Faults):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            if envelope.rcpt_tos[0] != NEWCOMER:
                await server.loop.run_in_executor(None, release.wait, 30)
            else:
                release.set()
            return await super().handle_DATA(server, session, envelope)

    faults = Slow()

    def sign_up() -> None:
        sending.queue_system_mail(NEWCOMER)

    with smtp_server(faults) as port:
        threading.Timer(0.5, sign_up).start()
        sending.run(local_relay(port, connections=3))
    assert release.is_set()
    assert faults.messages[0][1] == NEWCOMER
    assert sending.counts().accepted == 50


@dataclass
class Quotas(Faults):
    """Takes ``quota`` messages a minute for the strict domain, and any number for others."""

    strict: str = "gmail.example"
    quota: int = 20
    clock: SwiftClock = field(default_factory=lambda: SwiftClock(0.0))
    taken: Counter[datetime] = field(default_factory=Counter)
    tries: Counter[datetime] = field(default_factory=Counter)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.endswith(self.strict):
            minute = self.clock.now().replace(second=0, microsecond=0)
            self.tries[minute] += 1
            if self.taken[minute] >= self.quota:
                self.fired["421"] += 1
                server.loop.call_soon(server.transport.close)
                return "421 4.7.28 Our system has detected an unusual rate of mail from you"
            self.taken[minute] += 1
        return await super().handle_RCPT(server, session, envelope, address, options)


def test_a_domain_over_its_quota_waits_and_the_others_go_on_unhindered(
    make_sending: MakeSending, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A look around takes a part of a second of the clock's time, and hardly any of ours.
    monkeypatch.setattr(engine_module, "_LONGEST_WAIT", 0.005)
    clock = SwiftClock(0.08)
    domains = ["gmail.example", "reader.example", "gmail.example", "other.example"]
    sending = make_sending(200, domains=domains, clock=clock)
    faults = Quotas(clock=clock)
    others = [address for address in sending.addresses if not address.endswith("gmail.example")]
    began = clock.now()
    with smtp_server(faults) as port:
        engine = sending.engine(local_relay(port), times=TimeLimits())
        engine.run()
        first = Counter(faults.recipients())
        for _ in range(200):
            due = sending.ledger.next_due(clock.now())
            if due is None:
                break
            clock.move(max(due, clock.now() + timedelta(seconds=30)))
            engine.run()
        engine.close()
    # At first everybody else is served, and the strict domain as far as it likes.
    assert all(first[address] for address in others)
    assert sum(first.values()) - len(others) < 100
    # Refused are the one that goes beyond and what was under way beside it: no hot retry.
    assert faults.fired["421"] > 0
    assert all(faults.tries[m] - faults.taken[m] <= 3 for m in faults.tries)
    assert faults.fired["421"] <= 100 / 5
    # And all arrive in the end, once.
    assert faults.recipients() == sorted(sending.addresses)
    sending.account(Counter(faults.recipients()))
    assert sending.counts().accepted == 200
    assert not sending.count_outcomes()[OutcomeKind.UNCERTAIN, 0]
    assert all(row.state is DeliveryState.ACCEPTED for row in sending.rows().values())
    # 100 messages at 20 a minute take five minutes; finding that out must not take the day.
    assert clock.now() - began < timedelta(hours=1)
