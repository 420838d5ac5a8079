"""Which addresses may be reached, and a network backend that reaches no others.

A name is resolved once. What the resolver answers is checked, and the socket is
opened to the checked number, so that a second answer (DNS rebinding) cannot
lead elsewhere. TLS and the Host header keep the name.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from newsletter.clock import Clock

# Networks that some Pythons call global, although no site lies there: wrappers of
# IPv4 with whatever is inside, which are NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056)
# with its relays and Teredo (RFC 4380); IETF protocols, to which Teredo belongs
# (RFC 6890); documentation (RFC 9637), segment routing (RFC 9602), and the long
# retired site-local range (RFC 3879).
_REFUSED = (
    *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "192.88.99.0/24", "2001::/23"),
    *("192.0.0.0/24", "3fff::/20", "5f00::/16", "fec0::/10"),
)
_REFUSED_NETWORKS = tuple(map(ipaddress.ip_network, _REFUSED))

# Public sites are on few ports; behind others lie mail, databases and consoles.
PUBLIC_PORTS = frozenset((80, 443, 8000, 8008, 8080, 8081, 8443, 8888))

# A resolver answers numeric addresses for a host name, or raises OSError.
Resolver = Callable[[str, int], Sequence[str]]
# Opens a TCP connection to a numeric address within so many seconds.
Connect = Callable[[str, int, float], httpcore2.NetworkStream]


class AddressRefused(Exception):
    """A host lies where we do not go. ``private`` tells whether a setting can allow it."""

    def __init__(self, host: str, address: str, *, private: bool) -> None:
        super().__init__(f"{host} is {address}")
        self.host = host
        self.address = address
        self.private = private


class PortRefused(Exception):
    """A public host is asked at a port that is none of the web's."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port}")
        self.port = port


# What getaddrinfo says of a name that does not exist, or has no address.
_NO_NAME = frozenset((socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)))


class HostUnknown(Exception):
    """The resolver knows no such host; ``unnamed``: because the name has no address."""

    def __init__(self, host: str, *, unnamed: bool = False) -> None:
        super().__init__(host)
        self.unnamed = unnamed


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the open internet."""
    ip = _unwrap(address)
    return ip is not None and ip.is_global and not ip.is_reserved and not _is_never_reached(ip)


def is_reachable(address: str, *, allow_private: bool) -> bool:
    """Whether we may connect to a numeric address.

    With ``allow_private`` private and loopback networks are open. Link-local
    addresses stay closed: no paper lives there, but the machine's own cloud
    credentials may (169.254.169.254).
    """
    if is_public(address):
        return True
    ip = _unwrap(address)
    if ip is None or not allow_private or _is_never_reached(ip):
        return False
    return ip.is_private or ip in _CARRIER_NAT


_CARRIER_NAT = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598


def _unwrap(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _is_never_reached(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return True
    return any(ip in network for network in _REFUSED_NETWORKS)


def resolve_host(host: str, port: int) -> list[str]:
    """The numeric addresses of ``host`` by the system's resolver, in its order.

    Decimal and hexadecimal spellings of an address (``2130706433``) come out as
    what they mean. The wait is the resolver's own: getaddrinfo has no timeout.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def open_stream(address: str, port: int, seconds: float) -> httpcore2.NetworkStream:
    """A TCP connection to a numeric address."""
    return httpcore2.SyncBackend().connect_tcp(address, port, timeout=seconds, socket_options=())


class Deadline(threading.local):
    """When the fetch of the calling thread must be over.

    Read and write timeouts start anew with every byte, so a server that drips
    could hold us for ever: the streams below shorten each by what is left.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._end = float("inf")

    def start(self, seconds: float) -> None:
        """Begin a fetch that may take ``seconds``."""
        self._end = self._clock.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Give back time that was spent waiting for our turn."""
        self._end += seconds

    def limit(self, seconds: float | None = None) -> float:
        """``seconds``, or what is left if that is less; httpcore2's timeout if nothing is."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the time for this fetch is over")
        return left if seconds is None else min(seconds, left)


class GuardedBackend(httpcore2.NetworkBackend):
    """Connects only to addresses that `is_reachable` lets through."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        allow_private: bool,
        resolve: Resolver = resolve_host,
        connect: Connect = open_stream,
    ) -> None:
        self._deadline = deadline
        self._allow_private = allow_private
        self._resolve = resolve
        self._connect = connect

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        failure: Exception | None = None
        for address in self._checked_addresses(host, port):
            try:
                seconds = self._deadline.limit(timeout)
                return _TimedStream(self._connect(address, port, seconds), self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError(f"no address of {host} answers")

    def _checked_addresses(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            unnamed = isinstance(error, socket.gaierror) and error.errno in _NO_NAME
            raise HostUnknown(host, unnamed=unnamed) from error
        if not found:
            raise HostUnknown(host)
        reachable = [a for a in found if is_reachable(a, allow_private=self._allow_private)]
        if not reachable:
            private = any(is_reachable(address, allow_private=True) for address in found)
            raise AddressRefused(host, found[0], private=private)
        if port not in PUBLIC_PORTS:
            reachable = [address for address in reachable if not is_public(address)]
            if not reachable:
                raise PortRefused(port)
        return reachable


class _TimedStream(httpcore2.NetworkStream):
    """A stream none of whose waits outlasts the fetch."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.limit(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            seconds = self._deadline.limit(timeout)
        except httpcore2.ReadTimeout:
            self.close()  # the pool drops a connection that never began without closing it
            raise
        stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
