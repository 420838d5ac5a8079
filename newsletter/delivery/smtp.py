"""One SMTP connection to a relay: opened by smtplib, then driven without waiting.

smtplib greets, secures and signs in. The transactions are those of
`delivery.conversation`: smtplib raises the same exception for a drop before and
after the final dot, and costs ten times what the prepared bytes take.
"""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from newsletter.delivery.dialling import Watch, WatchedSMTP, WatchedSMTPS, watch_nothing
from newsletter.delivery.model import Phase, Relay
from newsletter.delivery.relay_errors import explain_failure
from newsletter.errors import RelayError, RelayUnavailable


@dataclass(frozen=True)
class TimeLimits:
    """How long each step may take, in seconds (RFC 5321 section 4.5.3.2)."""

    connect: float = 60.0
    step: float = 300.0
    # Servers scan and store before they answer the dot; leaving earlier makes doubles.
    final: float = 600.0


_BLOCK = 65536
# Of one call; Linux and the BSDs take 1,024 (IOV_MAX).
_MOST_PIECES = 1_000


class Link(Protocol):
    """What the engine needs of a connection: octets in and out, never waiting."""

    @property
    def offers(self) -> Mapping[str, str]:
        """The SMTP extensions that the server offers, in small letters, with their values."""
        ...

    def fileno(self) -> int | None:
        """What a selector can watch; None where there is always something to read or nothing."""
        ...

    def write(self, pieces: Collection[bytes | memoryview]) -> int:
        """Put some of ``pieces``, from their start, on the wire.

        How many octets, 0 where none could be taken now. OSError where the connection is gone.
        """
        ...

    def read(self) -> bytes | None:
        """What the server wrote; None where nothing came yet, empty where it hung up."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


def largest_message(offers: Mapping[str, str]) -> int:
    """The largest message that a server takes, in octets; 0 where it names no limit (RFC 1870)."""
    declared = offers.get("size", "").strip()
    return int(declared) if declared.isascii() and declared.isdecimal() else 0


def open_connection(
    relay: Relay,
    *,
    limits: TimeLimits | None = None,
    context: ssl.SSLContext | None = None,
    watch: Watch = watch_nothing,
) -> "SocketLink":
    """Connect to ``relay``, secured and signed in as configured.

    Without ``context`` the machine's certificate authorities decide. ``watch`` is shown the
    socket before anything waits for it. Raises RelayUnavailable where trying again may help,
    else RelayError.
    """
    limits = limits or TimeLimits()
    phase = Phase.CONNECT
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(relay, limits, context, watch)
        phase = Phase.EHLO
        _set_options(smtp, limits)
        _greet(smtp)
        if relay.tls == "starttls":
            phase = Phase.STARTTLS
            _secure(smtp, relay, context or _verified())
        if relay.username:
            phase = Phase.AUTH
            smtp.login(relay.username, relay.password)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        _drop(smtp)
        raise explain_failure(relay, phase, error) from error
    except BaseException:
        _drop(smtp)
        raise
    return SocketLink(relay, smtp)


class SocketLink:
    """A connection to a relay, secured and signed in. Made by `open_connection`."""

    def __init__(self, relay: Relay, smtp: smtplib.SMTP) -> None:
        sock = smtp.sock
        if sock is None:
            raise RelayUnavailable(f"relay {relay.slug} closed the connection", subject=relay.slug)
        sock.settimeout(0)
        self._smtp = smtp
        self._socket: socket.socket = sock
        self.offers: Mapping[str, str] = smtp.esmtp_features

    def fileno(self) -> int:
        return self._socket.fileno()

    def write(self, pieces: Collection[bytes | memoryview]) -> int:
        try:
            if isinstance(self._socket, ssl.SSLSocket):
                return self._socket.send(b"".join(pieces))
            return self._socket.sendmsg(islice(pieces, _MOST_PIECES))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def read(self) -> bytes | None:
        try:
            octets = self._socket.recv(_BLOCK)
            # TLS may hold more than the socket tells of.
            while isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                octets += self._socket.recv(_BLOCK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        return octets

    def close(self) -> None:
        _drop(self._smtp)


@lru_cache(maxsize=1)
def _verified() -> ssl.SSLContext:
    """TLS that trusts the machine's authorities: reading them takes 40 ms, once a process."""
    return ssl.create_default_context()


def _connect(
    relay: Relay, limits: TimeLimits, context: ssl.SSLContext | None, watch: Watch
) -> smtplib.SMTP:
    if relay.tls == "tls":
        return WatchedSMTPS(
            watch,
            relay.host,
            relay.port,
            local_hostname=relay.local_hostname,
            timeout=limits.connect,
            context=context or _verified(),
        )
    return WatchedSMTP(
        watch,
        relay.host,
        relay.port,
        local_hostname=relay.local_hostname,
        timeout=limits.connect,
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
        raise RelayError(
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
