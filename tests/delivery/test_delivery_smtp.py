import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from newsletter.delivery.model import Phase, Relay
from newsletter.delivery.smtp import Exchange, RelayConnection, TimeLimits, open_connection
from newsletter.errors import RelayRejectedLogin, RelayUnavailable, StorageError
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
QUICK = TimeLimits(connect=5, step=5, final=5, quit=1)


def relay(port: int, **changes: str) -> Relay:
    settings = {"tls": "none", "local_hostname": "localhost", "host": "127.0.0.1", **changes}
    return Relay(slug="main", port=port, **settings)


def offer(
    connection: RelayConnection,
    message: bytes = MESSAGE,
    hand_over: Callable[[], bool] = lambda: True,
) -> Exchange:
    return connection.send(SENDER, READER, message, hand_over)


def test_a_message_arrives_byte_for_byte_dots_and_all() -> None:
    faults = Faults()
    message = b"Subject: s\r\n\r\n.\r\n..two\r\n.x\r\nend.\r\n.\r\n"
    with smtp_server(faults) as port:
        connection = open_connection(relay(port), limits=QUICK)
        for _ in range(3):
            exchange = offer(connection, message)
            assert (exchange.phase, exchange.reply.code) == (Phase.DOT, 250)
            assert exchange.reply.enhanced == "2.0.0"
        connection.close()
    assert faults.messages == [(SENDER, READER, message)] * 3


def test_the_hand_over_comes_after_the_recipient_and_before_the_data() -> None:
    faults = Faults()
    seen: list[dict[str, int]] = []
    with smtp_server(faults) as port:
        connection = open_connection(relay(port), limits=QUICK)
        offer(connection, hand_over=lambda: not seen.append(dict(faults.reached)))
        connection.close()
    assert seen == [{"MAIL": 1, "RCPT": 1}]


def test_what_is_withheld_is_not_sent_and_the_next_message_goes() -> None:
    faults = Faults()
    with smtp_server(faults) as port:
        connection = open_connection(relay(port), limits=QUICK)
        assert offer(connection, hand_over=lambda: False).withheld
        assert connection.usable
        assert not offer(connection).withheld
        connection.close()
    assert faults.reached["DATA"] == 1
    assert len(faults.messages) == 1


def test_a_hand_over_that_fails_sends_nothing_and_ends_the_connection() -> None:
    faults = Faults()

    def fail() -> bool:
        raise StorageError("the disk is full")

    with smtp_server(faults) as port:
        connection = open_connection(relay(port), limits=QUICK)
        with pytest.raises(StorageError):
            offer(connection, hand_over=fail)
        assert not connection.usable
        connection.close()
    assert faults.reached["DATA"] == 0


@pytest.mark.parametrize(
    ("step", "phase"),
    [("MAIL", Phase.MAIL), ("RCPT", Phase.RCPT), ("DATA", Phase.DATA), ("DOT", Phase.DOT)],
)
@pytest.mark.parametrize("reply", ["450 4.2.0 later", "550 5.1.1 no", "421 4.3.2 going", DROP])
def test_every_fault_is_reported_with_its_phase(step: str, phase: Phase, reply: str) -> None:
    faults = Faults({step: lambda count: reply if count == 1 else None})
    with smtp_server(faults) as port:
        connection = open_connection(relay(port), limits=QUICK)
        exchange = offer(connection)
        assert exchange.phase is phase
        assert exchange.reply.code == (0 if reply == DROP else int(reply[:3]))
        # After a plain refusal the connection goes on; after a drop or 421 it does not.
        assert connection.usable == reply.startswith(("450", "550"))
        if connection.usable:
            assert offer(connection).reply.code == 250
        connection.close()
    assert faults.fired[step] == 1


def test_a_connection_lost_in_mid_message_has_not_reached_the_dot() -> None:
    # Far more than the sockets' buffers hold, so that the loss shows while writing.
    message = b"Subject: s\r\n\r\n" + b"x" * 70 + b"\r\n" * 8_000_000
    with scripted_server(
        b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go\r\n"
    ) as port:
        connection = open_connection(relay(port), limits=QUICK)
        exchange = offer(connection, message)
        connection.close()
    assert (exchange.phase, exchange.reply.code) == (Phase.DATA, 0)


def test_a_silent_server_is_left_after_the_limit_in_doubt() -> None:
    lines = (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 go\r\n")
    with scripted_server(*lines, then_close=False) as port:
        connection = open_connection(
            relay(port), limits=TimeLimits(connect=5, step=5, final=0.2, quit=1)
        )
        exchange = offer(connection)
        assert (exchange.phase, exchange.reply.code) == (Phase.DOT, 0)
        assert not connection.usable
        connection.close()


@pytest.mark.parametrize("babble", [b"hello\r\n", b"999 x\r\n", b"25\r\n", b"250-" + b"x" * 9000])
def test_what_is_no_reply_ends_the_connection_undecided(babble: bytes) -> None:
    with scripted_server(b"220 x\r\n", b"250 x\r\n", babble) as port:
        connection = open_connection(relay(port), limits=QUICK)
        exchange = offer(connection)
        assert (exchange.phase, exchange.reply.code) == (Phase.MAIL, 0)
        assert not connection.usable


def test_a_data_answered_by_250_is_undecided() -> None:
    lines = (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 what\r\n")
    with scripted_server(*lines) as port:
        connection = open_connection(relay(port), limits=QUICK)
        exchange = offer(connection)
        assert (exchange.phase, exchange.reply.code) == (Phase.DATA, 0)
        assert not connection.usable


def test_replies_of_many_lines_are_read_whole() -> None:
    reply = b"550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n"
    with scripted_server(b"220 x\r\n", b"250 x\r\n", reply, b"250 x\r\n") as port:
        connection = open_connection(relay(port), limits=QUICK)
        exchange = offer(connection)
        connection.close()
    assert (exchange.reply.enhanced, exchange.reply.text) == ("5.7.1", "one two three")


def test_size_is_declared_where_it_is_offered() -> None:
    seen: list[list[str]] = []

    class Watching(Faults):
        async def handle_MAIL(self, server: SMTP, session, envelope, address, options) -> str:
            seen.append(options)
            return await super().handle_MAIL(server, session, envelope, address, options)

    with smtp_server(Watching(), data_size_limit=1_000_000) as port:
        connection = open_connection(relay(port), limits=QUICK)
        offer(connection)
        connection.close()
    assert seen == [[f"SIZE={len(MESSAGE)}"]]


@pytest.mark.parametrize("address", ["a@b.example>\r\nRCPT TO:<x@y.example", "լ@reader.example"])
def test_a_command_that_is_not_one_ascii_line_never_reaches_the_wire(address: str) -> None:
    faults = Faults()
    with smtp_server(faults) as port:
        connection = open_connection(relay(port), limits=QUICK)
        with pytest.raises(ValueError, match="one line"):
            connection.send(SENDER, address, MESSAGE, lambda: True)
    assert faults.reached["RCPT"] == 0


# Opening: TLS, login, reachability.


def test_starttls_with_the_right_certificate_and_login() -> None:
    faults = Faults()
    with smtp_server(
        faults, tls_context=server_context("right"), require_starttls=True, **login_as("u", "p")
    ) as port:
        settings = relay(port, tls="starttls", username="u", password="p")
        connection = open_connection(settings, limits=QUICK, context=client_context("right"))
        assert offer(connection).reply.code == 250
        connection.close()


def test_tls_from_the_start() -> None:
    faults = Faults()
    lines = (b"220 x\r\n", b"250 x\r\n", b"221 bye\r\n")
    with scripted_server(*lines, context=server_context("right")) as port:
        connection = open_connection(
            relay(port, tls="tls"), limits=QUICK, context=client_context("right")
        )
        assert connection.usable
        connection.close()
    assert not faults.messages


@pytest.mark.parametrize("context", [None, client_context("wrong")])
@pytest.mark.parametrize("certificate", ["wrong", "right"])
def test_a_certificate_that_does_not_hold_is_refused(
    certificate: str, context: ssl.SSLContext | None
) -> None:
    faults = Faults()
    with (
        smtp_server(faults, tls_context=server_context(certificate)) as port,
        pytest.raises(RelayUnavailable, match=r"relay main \(127.0.0.1:\d+\) shows a certificate"),
    ):
        open_connection(relay(port, tls="starttls"), limits=QUICK, context=context)
    assert not faults.reached


def test_a_relay_without_starttls_is_refused() -> None:
    with (
        smtp_server(Faults()) as port,
        pytest.raises(RelayUnavailable, match=r'does not offer STARTTLS.*tls = "tls"'),
    ):
        open_connection(relay(port, tls="starttls"), limits=QUICK)


def test_tls_towards_a_plain_port_is_refused_with_a_hint() -> None:
    with (
        smtp_server(Faults()) as port,
        pytest.raises(RelayUnavailable, match=r'agree on TLS.*"starttls" fits port 587'),
    ):
        open_connection(relay(port, tls="tls"), limits=QUICK)


def test_a_wrong_password_names_relay_user_and_mend_but_not_the_password() -> None:
    with (
        smtp_server(Faults(), auth_require_tls=False, **login_as("u", "p")) as port,
        pytest.raises(RelayRejectedLogin, match=r"rejects the login of 'u': 535 5\.7\.8") as caught,
    ):
        open_connection(relay(port, username="u", password="secret!"), limits=QUICK)
    assert "secret!" not in str(caught.value)


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
        pytest.raises(RelayUnavailable, match="takes no login here"),
    ):
        open_connection(relay(port, username="u", password="p"), limits=QUICK)


@pytest.mark.parametrize(
    ("banner", "sentence"),
    [
        (b"554 5.7.1 no service for you\r\n", r"does not take us: 554 5\.7\.1 no service for you"),
        (b"421 4.3.2 too busy\r\n", r"does not take us: 421 4\.3\.2 too busy"),
        (b"", "broke off"),
    ],
)
def test_a_relay_that_does_not_greet_is_quoted(banner: bytes, sentence: str) -> None:
    with scripted_server(banner) as port, pytest.raises(RelayUnavailable, match=sentence):
        open_connection(relay(port), limits=QUICK)


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


def test_postfixs_sink_takes_what_we_write(tmp_path: Path) -> None:
    sink = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
    assert sink, "smtp-sink is missing: apt-get install --no-install-recommends postfix"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    message = b"Subject: s\r\n\r\n.\r\n.dots\r\nend\r\n"
    process = subprocess.Popen(
        [sink, "-u", "root", "-d", str(tmp_path / "%M."), f"127.0.0.1:{port}", "10"],
        cwd=tmp_path,
    )
    try:
        connection = _open_patiently(port)
        for _ in range(5):
            assert offer(connection, message).reply.code == 250
        connection.close()
    finally:
        process.terminate()
        process.wait(10)
    kept = list(tmp_path.iterdir())
    assert len(kept) == 5
    for path in kept:
        assert path.read_bytes().replace(b"\r\n", b"\n").rstrip().endswith(b"\n\n.\n.dots\nend")


def _open_patiently(port: int) -> RelayConnection:
    for _ in range(100):
        try:
            return open_connection(relay(port), limits=QUICK)
        except RelayUnavailable:
            time.sleep(0.05)
    raise AssertionError("smtp-sink never listened")
