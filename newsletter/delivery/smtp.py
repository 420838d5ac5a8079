"""One SMTP connection to a relay, and the transaction on it (RFC 5321).

smtplib greets, secures and signs in. The transaction is ours: smtplib raises
the same exception for a drop before and after the final dot, and it is this
difference that decides whether a message may be sent again.
"""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from newsletter.delivery.model import Phase, Relay, Reply
from newsletter.delivery.relay_errors import explain_failure
from newsletter.delivery.replies import read_reply
from newsletter.delivery.reply_reader import ReplyReader
from newsletter.errors import RelayUnavailable


@dataclass(frozen=True)
class TimeLimits:
    """How long each step may take, in seconds (RFC 5321 section 4.5.3.2)."""

    connect: float = 60.0
    step: float = 300.0
    # Servers scan and store before they answer the dot; leaving earlier makes doubles.
    final: float = 600.0
    quit: float = 5.0


@dataclass(frozen=True)
class Exchange:
    """How a transaction ended: the phase and its reply (code 0: none came).

    ``withheld``: the hand-over did not hold, and nothing was sent.
    """

    phase: Phase
    reply: Reply
    withheld: bool = False


class Transport(Protocol):
    """What the engine needs of a connection."""

    @property
    def usable(self) -> bool:
        """Whether another message may follow."""
        ...

    def send(
        self, sender: str, recipient: str, message: bytes, hand_over: Callable[[], bool]
    ) -> Exchange:
        """Offer one message to one recipient; see `RelayConnection.send`."""
        ...

    def close(self) -> None:
        """Say goodbye where that is possible, and let go."""
        ...


def open_connection(
    relay: Relay,
    *,
    limits: TimeLimits | None = None,
    context: ssl.SSLContext | None = None,
) -> "RelayConnection":
    """Connect to ``relay``, secured and signed in as configured.

    Without ``context`` the machine's certificate authorities decide. Raises
    RelayUnavailable or RelayRejectedLogin.
    """
    limits = limits or TimeLimits()
    phase = Phase.CONNECT
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(relay, limits, context or ssl.create_default_context())
        phase = Phase.EHLO
        _set_options(smtp, limits)
        _greet(smtp)
        if relay.tls == "starttls":
            phase = Phase.STARTTLS
            _secure(smtp, relay, context or ssl.create_default_context())
        if relay.username:
            phase = Phase.AUTH
            smtp.login(relay.username, relay.password)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        _drop(smtp)
        raise explain_failure(relay, phase, error) from error
    except BaseException:
        _drop(smtp)
        raise
    return RelayConnection(relay, smtp, limits)


class RelayConnection:
    """An open connection, for one thread. Made by `open_connection`."""

    def __init__(self, relay: Relay, smtp: smtplib.SMTP, limits: TimeLimits) -> None:
        sock = smtp.sock
        if sock is None:
            raise RelayUnavailable(f"relay {relay.slug} closed the connection", subject=relay.slug)
        self._smtp = smtp
        self._socket: socket.socket = sock
        self._limits = limits
        self._replies = ReplyReader(sock)
        self._offers_size = smtp.has_extn("size")
        self.usable = True

    def send(
        self, sender: str, recipient: str, message: bytes, hand_over: Callable[[], bool]
    ) -> Exchange:
        """Offer ``message``; ``hand_over`` is called once the recipient is taken.

        Only when ``hand_over`` gives True is DATA sent. Exceptions of
        ``hand_over`` pass through and end the connection; then, and wherever
        the Exchange's phase comes before DOT, nothing was delivered.
        """
        try:
            return self._transact(sender, recipient, message, hand_over)
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """QUIT where the connection still works, and close it."""
        if self.usable:
            with contextlib.suppress(OSError):
                self._ask("QUIT", self._limits.quit)
        self._abandon()

    def _transact(
        self, sender: str, recipient: str, message: bytes, hand_over: Callable[[], bool]
    ) -> Exchange:
        wire = _stuff_dots(message)
        # The message is seven-bit throughout, so that BODY=8BITMIME would be untrue.
        size = f" SIZE={len(message)}" if self._offers_size else ""
        for phase, command in (
            (Phase.MAIL, f"MAIL FROM:<{sender}>{size}"),
            (Phase.RCPT, f"RCPT TO:<{recipient}>"),
        ):
            reply = self._step(command)
            if not 200 <= reply.code < 300:
                return self._end(phase, reply)
        if not hand_over():
            self._reset()
            return Exchange(Phase.RCPT, reply, withheld=True)
        reply = self._step("DATA")
        if reply.code != 354:
            return self._end(Phase.DATA, reply)
        try:
            self._write(wire, self._limits.step)
        except OSError as error:
            # The last bytes never reached the socket: without them there is no dot.
            self._abandon()
            return Exchange(Phase.DATA, _no_reply(error))
        try:
            reply = self._read(self._limits.final)
        except OSError as error:
            reply = _no_reply(error)
        if not 200 <= reply.code < 600 or reply.code == 421:
            self._abandon()
        return Exchange(Phase.DOT, reply)

    def _end(self, phase: Phase, reply: Reply) -> Exchange:
        """A transaction that stops before the message, the connection kept if it can be."""
        if not 400 <= reply.code < 600 or reply.code == 421:
            self._abandon()
            # An answer such as 250 to DATA leaves us with no idea where the server is.
            reply = Reply(code=0, text=reply.text) if 0 < reply.code < 400 else reply
        else:
            self._reset()
        return Exchange(phase, reply)

    def _reset(self) -> None:
        if self._step("RSET").code != 250:
            self._abandon()

    def _step(self, command: str) -> Reply:
        try:
            return self._ask(command, self._limits.step)
        except OSError as error:
            return _no_reply(error)

    def _ask(self, command: str, seconds: float) -> Reply:
        # Addresses were checked before; this is the last door before the wire.
        if not command.isascii() or not command.isprintable():
            raise ValueError("an SMTP command must be one line of ASCII")
        self._write(command.encode("ascii") + b"\r\n", seconds)
        return self._read(seconds)

    def _write(self, octets: bytes, seconds: float) -> None:
        self._socket.settimeout(seconds)
        self._socket.sendall(octets)

    def _read(self, seconds: float) -> Reply:
        code, text = self._replies.read(seconds)
        return read_reply(code, text)

    def _abandon(self) -> None:
        self.usable = False
        _drop(self._smtp)


def _connect(relay: Relay, limits: TimeLimits, context: ssl.SSLContext) -> smtplib.SMTP:
    if relay.tls == "tls":
        return smtplib.SMTP_SSL(
            relay.host,
            relay.port,
            local_hostname=relay.local_hostname,
            timeout=limits.connect,
            context=context,
        )
    return smtplib.SMTP(
        relay.host, relay.port, local_hostname=relay.local_hostname, timeout=limits.connect
    )


def _set_options(smtp: smtplib.SMTP, limits: TimeLimits) -> None:
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("the connection closed")
    smtp.sock.settimeout(limits.step)
    # Each command waits for its answer: Nagle's delay would only add to that.
    smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    smtp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _greet(smtp: smtplib.SMTP) -> None:
    code, text = smtp.ehlo()
    if 200 <= code < 300:
        return
    if code != 421:
        code, text = smtp.helo()
    if not 200 <= code < 300:
        raise smtplib.SMTPHeloError(code, text)


def _secure(smtp: smtplib.SMTP, relay: Relay, context: ssl.SSLContext) -> None:
    if not smtp.has_extn("starttls"):
        raise RelayUnavailable(
            f"relay {relay.slug} ({relay.host}:{relay.port}) does not offer STARTTLS, so nothing "
            'was sent; set tls = "tls" if it is encrypted from the start (as on port 465), or '
            'tls = "none" only for a server on this machine or a trusted network',
            subject=relay.slug,
        )
    # starttls() without a context would take any certificate.
    code, text = smtp.starttls(context=context)
    if code != 220:
        raise smtplib.SMTPResponseException(code, text)
    _greet(smtp)


def _drop(smtp: smtplib.SMTP | None) -> None:
    if smtp is not None:
        with contextlib.suppress(OSError):
            smtp.close()


def _stuff_dots(message: bytes) -> bytes:
    """RFC 5321 section 4.5.2, with the final dot."""
    if message.startswith(b".") or b"\n." in message:
        message = message.replace(b"\r\n.", b"\r\n..")
        message = b"." + message if message.startswith(b".") else message
    return message + (b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")


def _no_reply(error: OSError) -> Reply:
    return Reply(code=0, text=str(error) or type(error).__name__)
