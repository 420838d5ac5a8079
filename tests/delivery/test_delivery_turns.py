"""Whose turn it is in the middle of a send, over the real ledger and real servers."""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.delivery import engine as engine_module
from newsletter.delivery.judging import Alert
from newsletter.delivery.model import DeliveryState, OutcomeKind, Permit, Relay
from newsletter.delivery.smtp import Link, TimeLimits, open_connection
from newsletter.errors import RelayError
from newsletter.storage import tables as t
from newsletter.storage.ledger import SqlLedger
from tests.delivery.smtp_servers import Faults, scripted_server, smtp_server
from tests.delivery.sql_sending import QUICK, MakeSending, SwiftClock, local_relay

pytest_plugins = ["tests.delivery.sql_fixtures"]

# For clocks that go fast.
NO_LIMITS = TimeLimits(connect=1e6, step=1e6, final=1e6)
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


@pytest.mark.long
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


@dataclass
class CountedLinks:
    """Opens connections, and knows how many are open to each port."""

    open: Counter[int] = field(default_factory=Counter)
    most: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def connect(self, relay: Relay) -> Link:
        self._count(relay.port, 1)
        try:
            link = open_connection(relay, limits=QUICK)
        except RelayError:
            self._count(relay.port, -1)
            raise
        close = link.close

        def count_and_close() -> None:
            self._count(relay.port, -1)
            close()

        link.close = count_and_close  # type: ignore[method-assign]
        return link

    def _count(self, port: int, change: int) -> None:
        with self.lock:
            self.open[port] += change
            self.most[port] = max(self.most[port], self.open[port])


def test_a_relay_that_is_left_again_and_again_never_has_more_connections_than_it_allows(
    make_sending: MakeSending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_LONGEST_WAIT", 0.005)
    # The pauses of a relay that was left pass while the engine looks around.
    sending = make_sending(300, clock=SwiftClock(0.02))
    strict = Faults(
        {"MAIL": lambda n: "450 4.7.1 Too many messages, slow down" if n % 12 == 0 else None}
    )
    patient, links = Faults(delay=0.01), CountedLinks()
    with smtp_server(strict) as first, smtp_server(patient) as second:
        relays = (
            replace(local_relay(first, connections=4), slug="strict"),
            replace(local_relay(second, connections=3), slug="patient"),
        )
        engine = sending.engine(*relays, connect=links.connect)
        engine.run()
        engine.close()
    assert strict.fired["MAIL"] >= 3
    assert links.most[first] <= 4
    assert links.most[second] <= 3
    assert not +links.open
    assert sorted(strict.recipients() + patient.recipients()) == sorted(sending.addresses)


def test_a_second_worker_waits_for_the_connections_that_the_first_still_uses(
    make_sending: MakeSending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_LONGEST_WAIT", 0.005)
    monkeypatch.setattr(engine_module, "_LIMITS_EVERY", 1.0)
    sending = make_sending(300, clock=SwiftClock(0.05))
    release = threading.Event()

    class Slow(Faults):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            await server.loop.run_in_executor(None, release.wait, 30)
            return await super().handle_DATA(server, session, envelope)

    class Asking(SqlLedger):
        def __init__(self) -> None:
            super().__init__(sending.database)
            self.asked = threading.Semaphore(0)

        def share(self, worker: int, relay: Relay, in_use: int, now: datetime) -> Permit:
            permit = super().share(worker, relay, in_use, now)
            self.asked.release()
            return permit

        def ask_again(self) -> None:
            """Wait until it has asked twice more: once since now, and gone on with the answer."""
            while self.asked.acquire(blocking=False):
                pass
            assert self.asked.acquire(timeout=30)
            assert self.asked.acquire(timeout=30)

    def run(name: str, ledger: SqlLedger) -> None:
        engine = sending.engine(
            relay, name=name, ledger=ledger, connect=links.connect, times=NO_LIMITS
        )
        while sending.counts().open:
            engine.run()
        engine.close()
        ledger.close()

    faults, links = Slow(), CountedLinks()
    with smtp_server(faults) as port:
        relay = local_relay(port, connections=4)
        ledgers = [Asking(), Asking()]
        workers = [
            threading.Thread(target=run, args=(f"w{number}", ledger))
            for number, ledger in enumerate(ledgers)
        ]
        workers[0].start()
        while faults.reached["DATA"] < 3:
            assert workers[0].is_alive()
        workers[1].start()
        # Both learn of each other, and have time to open what they think is theirs.
        for ledger in (*ledgers, ledgers[1]):
            ledger.ask_again()
        release.set()
        for worker in workers:
            worker.join(60)
    assert links.most[port] <= 4
    assert faults.recipients() == sorted(sending.addresses)


@pytest.mark.parametrize("trouble", ["asks for less", "breaks off", "is not there"])
def test_a_relay_that_is_of_no_use_for_minutes_is_told_of(
    make_sending: MakeSending, trouble: str
) -> None:
    greeting, hello = b"220 hello\r\n", b"250 hello\r\n"
    lines = {
        "asks for less": (greeting, hello, b"450 4.7.1 Too many messages, slow down\r\n"),
        "breaks off": (greeting, hello),
        "is not there": (),
    }[trouble]
    sending, alerts = make_sending(20), list[Alert]()
    began = sending.clock.now()
    with scripted_server(*lines) as port:
        engine = sending.engine(local_relay(port), on_alert=alerts.append)
        while not alerts and sending.clock.now() - began < timedelta(hours=1):
            engine.run()
            sending.clock.move(sending.clock.now() + timedelta(seconds=5))
        engine.close()
    # It may have been a restart of the relay, for which nobody is bothered.
    assert timedelta(minutes=2) < sending.clock.now() - began < timedelta(minutes=30)
    assert [alert.key for alert in alerts] == ["relay:main"]
    state = sending.ledger.relay_states()["main"]
    assert state.reason == alerts[0].sentence
    assert state.paused_until is not None
    assert state.paused_until > sending.clock.now()
    assert sending.counts().open == 20
    # Once it is well again nothing of that is left.
    faults = Faults()
    with smtp_server(faults) as port:
        sending.run_to_the_end(local_relay(port))
    assert sending.counts().accepted == 20
    assert sending.ledger.relay_states()["main"].paused_until is None


def test_who_waits_for_relays_that_all_refuse_us_is_given_up_in_time(
    make_sending: MakeSending,
) -> None:
    sending, alerts, refused = make_sending(30), list[Alert](), list[int]()
    no = b"550 5.7.1 sender refused by policy\r\n"
    began = sending.clock.now()
    give_up_after = timedelta(hours=12)

    def unserved() -> int:
        return sending.counts().open

    with (
        scripted_server(b"220 hello\r\n", b"250 hello\r\n", no) as port,
        scripted_server(b"554 5.7.1 no service\r\n") as other,
    ):
        engine = sending.engine(
            replace(local_relay(port), slug="policy"),
            replace(local_relay(other), slug="greeting"),
            limits={"give_up_after": give_up_after},
            on_alert=alerts.append,
            on_refusals=refused.extend,
        )
        while unserved() and sending.clock.now() - began < timedelta(days=2):
            engine.run()
            if sending.clock.now() - began < give_up_after:
                assert unserved() == 30
            sending.clock.move(sending.clock.now() + timedelta(minutes=20))
        engine.close()
    assert give_up_after <= sending.clock.now() - began <= give_up_after + timedelta(hours=2)
    rows = sending.rows().values()
    assert {(row.state, row.reason) for row in rows} == {(DeliveryState.REFUSED, "expired")}
    assert {row.relay for row in rows} <= {"policy", "greeting"}
    assert all(
        row.reply_code == 550 or "refused all our mail since" in row.reply_text for row in rows
    )
    assert len(refused) == 30
    (given_up,) = [alert for alert in alerts if not alert.waiting]
    assert "are given up" in given_up.sentence
    with sending.database.read() as tx:
        assert tx.connection.execute(sa.select(t.suppression)).first() is None


def test_nobody_is_given_up_while_one_relay_only_can_not_be_reached(
    make_sending: MakeSending,
) -> None:
    sending = make_sending(5)
    with scripted_server(b"554 5.7.1 no service\r\n") as port, scripted_server() as silent:
        engine = sending.engine(
            replace(local_relay(port), slug="refuses"),
            replace(local_relay(silent), slug="silent"),
            limits={"give_up_after": timedelta(hours=3)},
        )
        for _ in range(30):
            engine.run()
            sending.clock.move(sending.clock.now() + timedelta(minutes=20))
        engine.close()
    assert sending.ledger.relay_states()["refuses"].since is not None
    assert sending.counts().open == 5
