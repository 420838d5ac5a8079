"""Questions to DNS; the only home of dnspython.

Every answer is a value: a name that does not exist, a name without the wanted
records and a DNS that does not answer are three different things, and none of
them is an error of ours.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename

from newsletter.net.dns_answers import DnsAnswer, DnsStatus, MailExchange

T = TypeVar("T")

TIMEOUT_SECONDS = 2.5
# UDP packets get lost: a question is asked again within its time.
_TRIES = 2.5
# Below the smallest MTU of IPv6, so that no fragment is needed or dropped; a
# longer answer comes by TCP.
_UDP_PAYLOAD = 1232


class Resolver:
    """Asks the given name servers, or the machine's, within ``timeout`` seconds a question.

    Threads may share one. Names are absolute: search lists are not used. The
    machine's own list of servers is read for every question, because a laptop
    or a container may change its network.
    """

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        port: int = 53,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._nameservers = tuple(nameservers)
        self._port = port
        self._timeout = timeout

    def within(self, timeout: float) -> "Resolver":
        """The same name servers, asked for no longer than ``timeout`` seconds a question."""
        return Resolver(self._nameservers, self._port, timeout)

    def txt(self, name: str) -> DnsAnswer[str]:
        """The TXT records of ``name``, the strings of each joined (RFC 7208 section 3.3)."""
        return self._ask(
            name, "TXT", lambda record: b"".join(record.strings).decode("utf-8", "replace")
        )

    def mx(self, domain: str) -> DnsAnswer[MailExchange]:
        """The mail servers of ``domain``, the preferred ones first."""
        answer = self._ask(
            domain, "MX", lambda record: MailExchange(record.preference, _text(record.exchange))
        )
        ordered = sorted(answer.values, key=lambda mx: (mx.preference, mx.host))
        return DnsAnswer(answer.status, tuple(ordered), answer.why)

    def addresses(self, name: str) -> DnsAnswer[str]:
        """The IPv4 and IPv6 addresses of ``name``."""
        four = self._ask(name, "A", lambda record: str(record.address))
        if four.silent or four.status is DnsStatus.NO_NAME:
            return four
        six = self._ask(name, "AAAA", lambda record: str(record.address))
        values = four.values + six.values
        return DnsAnswer(DnsStatus.FOUND, values) if values else six

    def ptr(self, address: str) -> DnsAnswer[str]:
        """The names that a numeric address is known by."""
        try:
            name = dns.reversename.from_address(address).to_text()
        except (dns.exception.DNSException, ValueError):
            return DnsAnswer(DnsStatus.NO_NAME, why=f"{address} is no address")
        return self._ask(name, "PTR", lambda record: _text(record.target))

    def _ask(self, name: str, kind: str, read: Callable[[Any], T]) -> DnsAnswer[T]:
        try:
            question = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return DnsAnswer(DnsStatus.NO_NAME, why=f"{name!r} is no name")
        if question == dns.name.root:
            return DnsAnswer(DnsStatus.NO_NAME, why="the name is empty")
        try:
            answer = self._foreign().resolve(question, kind, search=False, lifetime=self._timeout)
        except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
            return DnsAnswer(DnsStatus.NO_NAME)
        except dns.resolver.NoAnswer:
            return DnsAnswer(DnsStatus.NO_DATA)
        except (dns.exception.DNSException, OSError) as error:
            return DnsAnswer(DnsStatus.SILENT, why=_why(error))
        return DnsAnswer(DnsStatus.FOUND, tuple(read(record) for record in answer))

    def _foreign(self) -> dns.resolver.Resolver:
        foreign = dns.resolver.Resolver(configure=not self._nameservers)
        if self._nameservers:
            foreign.nameservers = list(self._nameservers)
        foreign.port = self._port
        foreign.timeout = self._timeout / _TRIES
        foreign.use_edns(0, 0, _UDP_PAYLOAD)
        return foreign


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")


def _why(error: Exception) -> str:
    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "no name server answered in time"
    if isinstance(error, dns.resolver.NoResolverConfiguration):
        return "this machine names no name server"
    if isinstance(error, dns.resolver.NoNameservers):
        return "the name server could not answer"
    return "the network did not carry the question"
