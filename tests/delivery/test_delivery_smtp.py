"""Connections to real servers: opened, secured, signed in, and driven without waiting."""

import base64
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from newsletter.delivery.conversation import Exchange, Ready
from newsletter.delivery.line import Letter, Line
from newsletter.delivery.message import Envelope, Message
from newsletter.delivery.model import Delivery, Permit, Phase, Relay
from newsletter.delivery.pacing import TokenBucket
from newsletter.delivery.route import Route
from newsletter.delivery.smtp import SocketLink, TimeLimits, open_connection
from newsletter.errors import RelayError, RelayRejectedLogin, RelayUnavailable
from tests.delivery.smtp_servers import (
    DROP,
    Faults,
    client_context,
    login_as,
    scripted_server,
    server_context,
    smtp_server,
)

SENDER = "bounces+a.b.c@paper.example"
READER = "lilit@reader.example"
MESSAGE = b"Subject: s\r\n\r\nbody\r\n"
# Goes through sockets, and records of TLS, in many portions.
BIG = b"Subject: s\r\n\r\n" + (b"x" * 900 + b"\r\n") * 3_000
QUICK = TimeLimits(connect=5, step=5, final=5)


def relay(port: int, **changes: str) -> Relay:
    settings = {"tls": "none", "local_hostname": "localhost", "host": "127.0.0.1", **changes}
    return Relay(slug="main", port=port, **settings)


@contextmanager
def raises_for_good(match: str) -> Iterator[None]:
    """It is refused, and not by what may be well again by itself."""
    with pytest.raises(RelayError, match=match) as caught:
        yield
    assert not isinstance(caught.value, RelayUnavailable)


class Talk:
    """A line over a real link, to which one letter after the other is given."""

    def __init__(self, link: SocketLink, limits: TimeLimits = QUICK) -> None:
        route = Route(relay(1), Permit(1), TokenBucket(0, 0))
        self.line = Line(route, link, limits, lambda: True, for_system=False)
        self._count = 0

    @property
    def usable(self) -> bool:
        return not self.line.conversation.over

    def send(
        self, message: bytes = MESSAGE, hand_over: Callable[[], bool] = lambda: True
    ) -> Exchange | None:
        """What became of one more letter; None where it was not handed over."""
        self._count += 1
        delivery = Delivery(self._count, "m", "r", READER)
        whole = Message(Envelope(SENDER, "envelope"), [message], len(message))
        letter = Letter(delivery, READER, whole, "weekly@paper.example", "reader.example")
        events = self.line.offer(letter, time.monotonic())
        while True:
            for event in events:
                if isinstance(event, Exchange):
                    return event
                assert isinstance(event, Ready)
                if not hand_over():
                    self.line.take_back()
                    return None
            ready = any(isinstance(event, Ready) for event in events)
            now = time.monotonic()
            events = self.line.finish(letter, None, now) if ready else self._wait()

    def _wait(self) -> list[Any]:
        with selectors.DefaultSelector() as selector:
            watched = selectors.EVENT_READ
            if self.line.blocked:
                watched |= selectors.EVENT_WRITE
            selector.register(self.line.link.fileno(), watched)
            heard = selector.select(max(0.0, self.line.deadline - time.monotonic()))
        return self.line.go_on(time.monotonic()) if heard else self.line.expire()

    def close(self) -> None:
        self.line.say_goodbye()
        self.line.link.close()


@contextmanager
def talk_to(
    where: Relay, limits: TimeLimits = QUICK, context: ssl.SSLContext | None = None
) -> Iterator[Talk]:
    talk = Talk(open_connection(where, limits=limits, context=context), limits)
    try:
        yield talk
    finally:
        talk.close()


# Transactions.


def test_messages_arrive_byte_for_byte_over_one_connection() -> None:
    faults = Faults()
    messages = [MESSAGE, b"Subject: s\r\n\r\n", BIG]
    with smtp_server(faults) as port, talk_to(relay(port)) as talk:
        for message in messages:
            exchange = talk.send(message)
            assert exchange is not None
            assert (exchange.phase, exchange.reply.code) == (Phase.DOT, 250)
            assert exchange.reply.enhanced == "2.0.0"
    assert faults.messages == [(SENDER, READER, message) for message in messages]


def test_the_hand_over_comes_once_the_server_waits_for_the_message() -> None:
    faults = Faults()
    seen: list[dict[str, int]] = []
    with smtp_server(faults) as port, talk_to(relay(port)) as talk:
        talk.send(hand_over=lambda: not seen.append(dict(faults.reached)))
    assert seen == [{"MAIL": 1, "RCPT": 1, "DATA": 1}]


def test_what_is_not_handed_over_is_nobodys_mail() -> None:
    faults = Faults()
    with smtp_server(faults) as port, talk_to(relay(port)) as talk:
        assert talk.send(hand_over=lambda: False) is None
        assert not talk.usable
    time.sleep(0.05)
    assert faults.reached["DATA"] == 1
    assert not faults.messages


@pytest.mark.parametrize(
    ("step", "phase"),
    [("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT), ("DATA", Phase.DATA), ("DOT", Phase.DOT)],
)
@pytest.mark.parametrize("reply", ["450 4.2.0 later", "550 5.1.1 no", "421 4.3.2 going", DROP])
def test_every_fault_is_reported_with_its_phase(step: str, phase: Phase, reply: str) -> None:
    faults = Faults({step: lambda count: reply if count == 1 else None})
    with smtp_server(faults) as port, talk_to(relay(port)) as talk:
        exchange = talk.send()
        assert exchange is not None
        assert exchange.phase is phase
        assert exchange.reply.code == (0 if reply == DROP else int(reply[:3]))
        # After a plain refusal the connection goes on; after a drop or 421 it does not.
        assert talk.usable == reply.startswith(("450", "550"))
        if talk.usable:
            following = talk.send()
            assert following is not None
            assert following.reply.code == 250
    assert faults.fired[step] == 1


def test_a_connection_lost_in_mid_message_has_not_reached_the_dot() -> None:
    # Far more than the sockets' buffers hold, so that the loss shows while writing.
    message = b"Subject: s\r\n\r\n" + b"x" * 70 + b"\r\n" * 8_000_000
    with (
        scripted_server(
            b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go\r\n"
        ) as port,
        talk_to(relay(port)) as talk,
    ):
        exchange = talk.send(message)
    assert exchange is not None
    assert (exchange.phase, exchange.reply.code) == (Phase.DATA, 0)


def test_a_server_that_takes_no_more_octets_is_left_after_the_limit() -> None:
    message = b"Subject: s\r\n\r\n" + b"x" * 70 + b"\r\n" * 8_000_000
    lines = (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go\r\n")
    limits = TimeLimits(connect=5, step=5, final=0.3)
    with (
        scripted_server(*lines, then_close=False) as port,
        talk_to(relay(port), limits) as talk,
    ):
        exchange = talk.send(message)
        assert not talk.usable
    assert exchange is not None
    assert (exchange.phase, exchange.reply.code) == (Phase.DATA, 0)


@pytest.mark.parametrize(
    ("answers", "phase"),
    [(2, Phase.MAIL), (3, Phase.RCPT), (4, Phase.DATA), (5, Phase.DOT)],
)
def test_a_server_that_falls_silent_is_left_after_the_limit(answers: int, phase: Phase) -> None:
    lines = (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go\r\n")[:answers]
    limits = TimeLimits(connect=5, step=0.3, final=0.3)
    with (
        scripted_server(*lines, then_close=False) as port,
        talk_to(relay(port), limits) as talk,
    ):
        exchange = talk.send()
        assert not talk.usable
    assert exchange is not None
    assert (exchange.phase, exchange.reply.code) == (phase, 0)
    assert exchange.reply.text == "no reply in time"


@pytest.mark.parametrize("babble", [b"hello\r\n", b"999 x\r\n", b"25\r\n", b"250-" + b"x" * 9000])
def test_what_is_no_reply_ends_the_connection_undecided(babble: bytes) -> None:
    with (
        scripted_server(b"220 x\r\n", b"250 x\r\n", babble) as port,
        talk_to(relay(port)) as talk,
    ):
        exchange = talk.send()
        assert exchange is not None
        assert (exchange.phase, exchange.reply.code) == (Phase.MAIL, 0)
        assert not talk.usable


def test_size_is_declared_where_it_is_offered() -> None:
    seen: list[list[str]] = []

    class Watching(Faults):
        async def handle_MAIL(self, server: SMTP, session, envelope, address, options) -> str:
            seen.append(options)
            return await super().handle_MAIL(server, session, envelope, address, options)

    with smtp_server(Watching(), data_size_limit=1_000_000) as port, talk_to(relay(port)) as talk:
        talk.send()
    assert [option for option in seen[0] if option.startswith("SIZE")] == [f"SIZE={len(MESSAGE)}"]


# Opening: TLS, login, reachability.


def test_starttls_with_the_right_certificate_and_login() -> None:
    faults = Faults()
    with (
        smtp_server(
            faults, tls_context=server_context("right"), require_starttls=True, **login_as("u", "p")
        ) as port,
        talk_to(
            relay(port, tls="starttls", username="u", password="p"),
            context=client_context("right"),
        ) as talk,
    ):
        for message in (MESSAGE, BIG, MESSAGE):
            exchange = talk.send(message)
            assert exchange is not None
            assert (exchange.phase, exchange.reply.code) == (Phase.DOT, 250)
    assert [message for *_, message in faults.messages] == [MESSAGE, BIG, MESSAGE]


def test_tls_from_the_start() -> None:
    lines = (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go\r\n")
    with (
        scripted_server(*lines, b"250 taken\r\n", context=server_context("right")) as port,
        talk_to(relay(port, tls="tls"), context=client_context("right")) as talk,
    ):
        exchange = talk.send()
    assert exchange is not None
    assert exchange.reply.text == "taken"


@pytest.mark.parametrize("tls", ["starttls", "tls"])
@pytest.mark.parametrize("trusted", [None, "wrong"])
@pytest.mark.parametrize("certificate", ["wrong", "right"])
def test_a_certificate_that_does_not_hold_is_refused(
    certificate: str, trusted: str | None, tls: str
) -> None:
    # "wrong" is of another name, and what nobody trusts was signed by itself.
    context = None if trusted is None else client_context(trusted)
    faults, server = Faults(), server_context(certificate)
    options = {"tls_context": server} if tls == "starttls" else {"ssl_context": server}
    with (
        smtp_server(faults, **options) as port,
        raises_for_good(match=r"relay main \(127.0.0.1:\d+\) shows a certificate"),
    ):
        open_connection(relay(port, tls=tls), limits=QUICK, context=context)
    assert not faults.reached


@pytest.mark.parametrize("answer", [b"250 x\r\n", b"250-x\r\n250 STARTTLSX\r\n"])
def test_a_relay_without_starttls_is_refused(answer: bytes) -> None:
    # Also where somebody on the way took the offer out.
    with (
        scripted_server(b"220 x\r\n", answer) as port,
        raises_for_good(match=r'does not offer STARTTLS.*tls = "tls"'),
    ):
        open_connection(relay(port, tls="starttls"), limits=QUICK)


def test_a_starttls_that_is_offered_and_then_refused_sends_nothing_in_the_clear() -> None:
    offered = b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
    with (
        scripted_server(b"220 x\r\n", offered, b"454 4.7.0 not now\r\n", b"235 ok\r\n") as port,
        pytest.raises(RelayUnavailable, match=r"454 4\.7\.0 not now"),
    ):
        open_connection(relay(port, tls="starttls", username="u", password="p"), limits=QUICK)


def test_tls_towards_a_plain_port_is_refused_with_a_hint() -> None:
    with (
        smtp_server(Faults()) as port,
        raises_for_good(match=r'agree on TLS.*"starttls" fits port 587'),
    ):
        open_connection(relay(port, tls="tls"), limits=QUICK)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_login_by_plain_and_by_login(mechanism: str) -> None:
    exclude = {"PLAIN": ["LOGIN"], "LOGIN": ["PLAIN"]}[mechanism]
    used: list[str] = []

    def authenticate(server: SMTP, session: Any, envelope: Any, name: str, data: Any) -> Any:
        used.append(name)
        return login_as("u", "p")["authenticator"](data)

    faults = Faults()
    with (
        smtp_server(
            faults,
            auth_require_tls=False,
            auth_exclude_mechanism=exclude,
            authenticator=authenticate,
        ) as port,
        talk_to(relay(port, username="u", password="p")) as talk,
    ):
        exchange = talk.send()
    assert exchange is not None
    assert exchange.reply.code == 250
    assert used == [mechanism]


def test_the_login_is_said_only_after_tls() -> None:
    said: list[bytes] = []

    def authenticate(*call: Any) -> Any:
        said.append(call[-1].password)
        return login_as("u", "p")["authenticator"](call[-1])

    with smtp_server(
        Faults(),
        tls_context=server_context("wrong"),
        auth_require_tls=False,
        authenticator=authenticate,
    ) as port:
        settings = relay(port, tls="starttls", username="u", password="p")
        with raises_for_good(match="shows a certificate"):
            open_connection(settings, limits=QUICK, context=client_context("wrong"))
        assert said == []
        open_connection(replace(settings, tls="none"), limits=QUICK).close()
    assert said == [b"p"]


def test_a_wrong_password_names_relay_user_and_mend_but_not_the_password() -> None:
    with (
        smtp_server(Faults(), auth_require_tls=False, **login_as("u", "p")) as port,
        pytest.raises(RelayRejectedLogin, match=r"rejects the login of 'u': 535 5\.7\.8") as caught,
    ):
        open_connection(relay(port, username="u", password="secret!"), limits=QUICK)
    assert "secret!" not in str(caught.value)
    assert base64.b64encode(b"\0u\0secret!").decode() not in str(caught.value)


def test_a_login_that_fails_for_now_may_be_tried_again() -> None:
    lines = (b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN\r\n", b"454 4.7.0 temporary failure\r\n")
    with (
        scripted_server(*lines) as port,
        pytest.raises(RelayUnavailable, match=r"454 4\.7\.0") as caught,
    ):
        open_connection(relay(port, username="u", password="p"), limits=QUICK)
    assert not isinstance(caught.value, RelayRejectedLogin)


def test_a_password_that_is_not_ascii_is_a_rejected_login() -> None:
    with (
        smtp_server(Faults(), auth_require_tls=False, **login_as("u", "p")) as port,
        pytest.raises(RelayRejectedLogin, match="not ASCII"),
    ):
        open_connection(relay(port, username="u", password="pässword"), limits=QUICK)


def test_a_relay_that_takes_no_login_says_so() -> None:
    lines = (b"220 x\r\n", b"250 x\r\n")
    with (
        scripted_server(*lines) as port,
        raises_for_good(match="takes no login here"),
    ):
        open_connection(relay(port, username="u", password="p"), limits=QUICK)


@pytest.mark.parametrize(
    ("banner", "sentence"),
    [
        (b"421 4.3.2 too busy\r\n", r"does not take us: 421 4\.3\.2 too busy"),
        (b"", "broke off"),
    ],
)
def test_a_relay_that_does_not_greet_is_quoted(banner: bytes, sentence: str) -> None:
    with scripted_server(banner) as port, pytest.raises(RelayUnavailable, match=sentence):
        open_connection(relay(port), limits=QUICK)


@pytest.mark.parametrize(
    "lines",
    [
        (b"554 5.7.1 no service for you\r\n",),
        (b"220 x\r\n", b"554 5.7.1 no service for you\r\n", b"554 5.7.1 no service for you\r\n"),
    ],
)
def test_a_relay_that_refuses_us_at_the_door_is_quoted(lines: tuple[bytes, ...]) -> None:
    sentence = r"does not take us: 554 5\.7\.1 no service for you"
    with scripted_server(*lines) as port, raises_for_good(match=sentence):
        open_connection(relay(port), limits=QUICK)


def test_a_server_of_the_oldest_kind_is_greeted_by_helo() -> None:
    lines = (b"220 x\r\n", b"500 5.5.1 what?\r\n", b"250 x\r\n", b"250 a\r\n", b"250 b\r\n")
    with (
        scripted_server(*lines, b"354 go\r\n", b"250 taken\r\n") as port,
        talk_to(relay(port)) as talk,
    ):
        assert talk.line.link.offers == {}
        exchange = talk.send()
    assert exchange is not None
    assert exchange.reply.code == 250


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"220 x\r\n",),
        (b"220 x\r\n", b"250-x\r\n"),
        (b"220 x\r\n", b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"),
        (b"220 x\r\n", b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", b"220 go\r\n"),
    ],
    ids=["greeting", "ehlo", "half-an-answer", "starttls", "handshake"],
)
def test_a_hang_at_any_step_of_opening_ends_with_the_limit(lines: tuple[bytes, ...]) -> None:
    limits = TimeLimits(connect=0.3, step=0.3, final=0.3)
    tls = "starttls" if len(lines) > 1 and b"STARTTLS" in lines[1] else "none"
    with (
        scripted_server(*lines, then_close=False) as port,
        pytest.raises(RelayUnavailable, match="does not answer in time"),
    ):
        open_connection(relay(port, tls=tls), limits=limits)


def test_a_hang_in_the_login_ends_with_the_limit() -> None:
    lines = (b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN\r\n")
    limits = TimeLimits(connect=0.3, step=0.3, final=0.3)
    with (
        scripted_server(*lines, then_close=False) as port,
        pytest.raises(RelayUnavailable, match="does not answer in time"),
    ):
        open_connection(relay(port, username="u", password="p"), limits=limits)


def test_a_port_behind_which_nobody_accepts_ends_with_the_limit() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                # Fills the queue of connections that the kernel holds for it.
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            with pytest.raises(RelayUnavailable, match="does not answer in time"):
                open_connection(relay(port), limits=TimeLimits(connect=0.3, step=0.3, final=0.3))
        finally:
            for one in waiting:
                one.close()


def test_a_closed_port_and_an_unknown_host_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(RelayUnavailable, match="refuses the connection"):
            open_connection(relay(port), limits=QUICK)

    def not_found(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    with pytest.raises(RelayUnavailable, match=r"relay main \(mail\.paper\.example:25\) was not"):
        open_connection(relay(25, host="mail.paper.example"), limits=QUICK)
