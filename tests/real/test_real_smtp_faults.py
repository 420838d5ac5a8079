"""smtp-sink's faults, over the real ledger: afterwards everybody is accounted for.

A fault that does not fire proves nothing: each is counted, by the commands that
the sink logged or by the replies that our ledger was told.
"""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from newsletter.delivery.model import DeliveryState, OnUncertain, OutcomeKind
from newsletter.delivery.smtp import TimeLimits
from newsletter.errors import RelayError, RelayUnavailable
from tests.delivery.sql_sending import MakeSending, Sending, local_relay
from tests.real.sink import Sink, running_sink

pytest_plugins = ["tests.delivery.sql_fixtures"]

READERS = 30


def send_rest(sending: Sending, folder: Path, port: int) -> Counter[str]:
    """Put a good sink in the place of the faulty one, send the rest; who got it there."""
    with running_sink(folder / "good", port=port) as good:
        sending.run_to_the_end(local_relay(port))
        return good.recipients()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_drop_before_the_dot_costs_nobody_anything(
    tmp_path: Path, make_sending: MakeSending, step: str
) -> None:
    sending = make_sending(READERS)
    with running_sink(tmp_path / "bad", "-q", step) as sink:
        sending.run(local_relay(sink.port))
        assert sink.commands()[step] > 0
        assert not sink.recipients()
    outcomes = sending.count_outcomes()
    assert set(outcomes) <= {(OutcomeKind.REQUEUED, 0), (OutcomeKind.DEFERRED, 0)}
    # A relay that breaks off every conversation is left soon.
    assert 0 < outcomes.total() <= 20
    arrived = send_rest(sending, tmp_path, sink.port)
    assert arrived == Counter(sending.addresses)
    sending.account(arrived)
    assert sending.counts().accepted == READERS
    assert not any(row.doubts for row in sending.rows().values())


@pytest.mark.parametrize("on_uncertain", list(OnUncertain))
def test_a_drop_after_the_dot_is_a_doubt_that_is_resent_once_or_held(
    tmp_path: Path, make_sending: MakeSending, on_uncertain: OnUncertain
) -> None:
    sending = make_sending(READERS, on_uncertain=on_uncertain)
    with running_sink(tmp_path / "bad", "-q", ".") as sink:
        sending.run(local_relay(sink.port))
        dots, taken = sink.commands()["."], sink.recipients()
    doubts = sending.count_outcomes()[OutcomeKind.UNCERTAIN, 0]
    # It kept what it never confirmed, and not a dot went by unnoticed.
    assert dots == doubts == taken.total() > 0
    arrived = taken + send_rest(sending, tmp_path, sink.port)
    sending.account(arrived)
    assert set(arrived) == set(sending.addresses)
    copies = arrived.total() - READERS
    counts = sending.counts()
    if on_uncertain is OnUncertain.RESEND:
        assert counts.accepted + counts.uncertain == READERS
        assert copies == sum(row.doubts > 0 for row in sending.rows().values())
    else:
        assert (copies, counts.uncertain) == (0, doubts)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
def test_a_421_at_any_step_is_no_outcome(
    tmp_path: Path, make_sending: MakeSending, step: str
) -> None:
    sending = make_sending(READERS)
    with running_sink(tmp_path / "bad", "-Q", step) as sink:
        sending.run(local_relay(sink.port))
        assert sink.commands()[step] > 0
    outcomes = sending.count_outcomes()
    assert outcomes[OutcomeKind.REQUEUED, 421] > 0
    assert outcomes[OutcomeKind.UNCERTAIN, 0] == 0
    arrived = send_rest(sending, tmp_path, sink.port)
    # What it called not taken is sent, and as often as once.
    assert arrived == Counter(sending.addresses)
    sending.account(arrived)
    assert sending.counts().accepted == READERS


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
def test_a_450_is_tried_again_later(tmp_path: Path, make_sending: MakeSending, step: str) -> None:
    sending = make_sending(READERS)
    with running_sink(tmp_path / "bad", "-r", step, "-b", "450 4.2.0 Not now") as sink:
        summary = sending.run(local_relay(sink.port))
        assert sink.commands()[step] == READERS
    assert summary.deferred == READERS
    assert sending.count_outcomes() == {(OutcomeKind.DEFERRED, 450): READERS}
    due = sending.ledger.next_due(sending.clock.now())
    assert due is not None
    assert due > sending.clock.now()
    arrived = send_rest(sending, tmp_path, sink.port)
    assert arrived == Counter(sending.addresses)
    assert all(row.attempts == 2 for row in sending.rows().values())


def test_a_server_whose_answers_come_in_the_wrong_order_is_believed_nothing(
    tmp_path: Path,
    make_sending: MakeSending,
) -> None:
    # With pipelining the sink answers what comes behind a delayed dot before the dot.
    sending = make_sending(4)
    with running_sink(tmp_path / "bad", "-W", ".:1") as sink:
        sending.run(local_relay(sink.port))
        taken = sink.recipients()
    confused = [
        one.reply.text for one in sending.ledger.outcomes if "in answer to" in one.reply.text
    ]
    assert confused
    arrived = taken + send_rest(sending, tmp_path, sink.port)
    sending.account(arrived)


@pytest.mark.parametrize("step", ["RCPT", "DATA", "."])
def test_readers_who_are_refused_are_refused_once_and_for_all(
    tmp_path: Path, make_sending: MakeSending, step: str
) -> None:
    sending = make_sending(READERS)
    reply = "550 5.1.1 No such mailbox"
    with running_sink(tmp_path / "bad", "-f", step, "-B", reply) as sink:
        assert sending.run(local_relay(sink.port)).refused == READERS
        assert sink.commands()[step] == READERS
    assert sending.ledger.next_due(sending.clock.now()) is None
    for row in sending.rows().values():
        assert (row.state, row.reason) == (DeliveryState.REFUSED, "unknown_user")
        assert (row.reply_code, row.reply_enhanced) == (550, "5.1.1")
    assert sending.counts().total == READERS


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("MAIL", "550 5.7.1 You may not send"),
        ("RCPT", "550 5.7.1 Listed at rbl.example"),
        (".", "550 5.7.26 Unauthenticated mail is not taken"),
    ],
)
def test_a_refusal_that_blames_us_pauses_the_relay_and_costs_no_reader(
    tmp_path: Path, make_sending: MakeSending, step: str, reply: str
) -> None:
    sending = make_sending(READERS)
    alerts: list[str] = []
    with running_sink(tmp_path / "bad", "-f", step, "-B", reply) as sink:
        engine = sending.engine(
            local_relay(sink.port), on_alert=lambda alert: alerts.append(alert.sentence)
        )
        engine.run()
        assert isinstance(engine.failure, RelayError)
        engine.close()
        assert 0 < sink.commands()[step] <= 12
    assert len(alerts) == 1
    assert reply[4:] in alerts[0]
    assert sending.counts().refused == 0
    arrived = send_rest(sending, tmp_path, sink.port)
    assert arrived == Counter(sending.addresses)
    assert sending.counts().accepted == READERS


def test_a_relay_that_was_put_right_is_used_as_soon_as_a_person_says_so(
    tmp_path: Path, make_sending: MakeSending
) -> None:
    sending = make_sending(READERS)
    with running_sink(tmp_path / "bad", "-f", "MAIL", "-B", "550 5.7.1 Not you") as sink:
        sending.run(local_relay(sink.port))
        assert sink.commands()["MAIL"] > 0
    assert sending.ledger.relay_states()["main"].paused_until is not None
    with running_sink(tmp_path / "good", port=sink.port) as good:
        engine = sending.engine(local_relay(sink.port))
        # Left alone it waits for the end of the pause, and says why.
        assert engine.run().accepted == 0
        assert "550 5.7.1 Not you" in str(engine.failure)
        engine.try_again()
        assert engine.run().accepted == READERS
        engine.close()
        assert good.recipients() == Counter(sending.addresses)
    assert sending.ledger.relay_states()["main"].trips == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-q", "CONNECT"), "broke off"),
        (("-f", "CONNECT", "-B", "554 5.7.1 Go away"), r"does not take us: 554 5\.7\.1 Go away"),
        (("-Q", "CONNECT"), "does not take us: 421"),
        (("-q", "EHLO"), "broke off"),
        (("-Q", "EHLO"), "does not take us: 421"),
        (("-r", "EHLO,HELO"), "does not take us: 450"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_left_alone(
    tmp_path: Path, make_sending: MakeSending, options: tuple[str, ...], sentence: str
) -> None:
    sending = make_sending(READERS)
    with running_sink(tmp_path / "bad", *options) as sink:
        engine = sending.engine(local_relay(sink.port))
        engine.run()
        with pytest.raises(RelayError, match=sentence) as failure:
            raise engine.failure or AssertionError("it let us in")
        engine.close()
        # A refusal for good is told to the editors, and pauses the relay for all workers.
        refused = "-B" in options
        assert isinstance(failure.value, RelayUnavailable) is not refused
        assert bool(sending.ledger.relay_states()) is refused
        assert sink.commands()["MAIL"] == 0
    assert sending.counts().queued == READERS
    assert not sending.ledger.outcomes
    assert send_rest(sending, tmp_path, sink.port) == Counter(sending.addresses)


@pytest.mark.parametrize(
    "options",
    [("-e",), ("-p",), ("-8", "-N"), ("-P",), ("-f", "EHLO"), ("-E",), ("-m", "2")],
    ids=lambda options: " ".join(options),
)
def test_servers_that_offer_little_are_served_as_well(
    tmp_path: Path, make_sending: MakeSending, options: tuple[str, ...]
) -> None:
    sending = make_sending(READERS)
    with running_sink(tmp_path / "sink", *options) as sink:
        sending.run(local_relay(sink.port), times=TimeLimits(connect=1, step=1, final=5))
        assert sink.recipients() == Counter(sending.addresses)
    assert sending.counts().accepted == READERS


def test_slow_answers_are_waited_for(tmp_path: Path, make_sending: MakeSending) -> None:
    sending = make_sending(4)
    # Without pipelining: the sink's answers would come in the wrong order.
    with running_sink(tmp_path / "sink", "-p", "-W", ".:1") as sink:
        began = time.monotonic()
        assert sending.run(local_relay(sink.port)).accepted == 4
        # Four messages over two connections, one second each: the delay was real.
        assert time.monotonic() - began >= 1.5
        assert sink.recipients() == Counter(sending.addresses)
    assert not any(row.doubts for row in sending.rows().values())


def test_an_answer_that_comes_too_late_is_a_doubt(
    tmp_path: Path, make_sending: MakeSending
) -> None:
    sending = make_sending(2)
    with running_sink(tmp_path / "bad", "-p", "-W", ".:60") as sink:
        sending.run(local_relay(sink.port), times=TimeLimits(connect=5, step=5, final=0.5))
        dots = sink.commands()["."]
        taken = sink.recipients()
    assert sending.count_outcomes()[OutcomeKind.UNCERTAIN, 0] == dots > 0
    arrived = taken + send_rest(sending, tmp_path, sink.port)
    sending.account(arrived)
    assert set(arrived) == set(sending.addresses)


def wait_for_messages(sink: Sink, count: int) -> None:
    end = time.monotonic() + 30
    while sink.commands()["."] < count:
        assert time.monotonic() < end, "the sink gets nothing"
        time.sleep(0.005)


def count_silent(sending: Sending) -> int:
    return sum(one.reply.text == "no reply in time" for one in sending.ledger.outcomes)


def wait_for_silence(sending: Sending) -> None:
    end = time.monotonic() + 30
    while not count_silent(sending):
        assert time.monotonic() < end, "the silence is not noticed"
        time.sleep(0.02)


@pytest.mark.parametrize("patience", [0.4, 30.0])
def test_a_server_that_hangs_in_mid_send(
    tmp_path: Path, make_sending: MakeSending, patience: float
) -> None:
    """Longer than we wait for, and shorter."""
    many = 600
    sending = make_sending(many)
    times = TimeLimits(connect=patience, step=patience, final=patience)
    done: list[object] = []
    with running_sink(tmp_path / "sink") as sink:
        relay = local_relay(sink.port, rate=300.0)
        sender = threading.Thread(target=lambda: done.append(sending.run(relay, times=times)))
        sender.start()
        wait_for_messages(sink, 60)
        sink.stop()
        before = sending.counts().accepted
        if patience < 1:
            wait_for_silence(sending)
        else:
            time.sleep(1.0)
        # Nothing moves, and nothing is believed to have moved.
        assert sending.counts().accepted <= before + relay.connections
        hung = sending.counts()
        sink.go_on()
        sender.join(60)
        assert not sender.is_alive()
        sending.run_to_the_end(relay)
        arrived = sink.recipients()
    assert hung.open > many / 2
    sending.account(arrived)
    assert set(arrived) == set(sending.addresses)
    doubts = sum(row.doubts for row in sending.rows().values())
    silent = count_silent(sending)
    assert (silent > 0) == (patience < 1)
    assert arrived.total() - many <= doubts <= min(silent, relay.connections)
