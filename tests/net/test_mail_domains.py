import threading
from collections.abc import Iterator

import pytest

from newsletter.net.mail_domains import MailDomains
from newsletter.net.resolver import Resolver
from tests.dns_server import GARBAGE, SERVFAIL, SILENCE, DnsServer, dns_server

ZONE = {
    ("paper.example", "MX"): ["10 mx.paper.example."],
    ("host.example", "A"): ["192.0.2.1"],
    ("six.example", "AAAA"): ["2001:db8::1"],
    ("null.example", "MX"): ["0 ."],
    ("null.example", "A"): ["192.0.2.1"],
    ("words.example", "TXT"): ['"nothing"'],
}
FAULTS = {"mute.example": SILENCE, "broken.example": SERVFAIL, "odd.example": GARBAGE}


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with dns_server(ZONE, FAULTS) as server:
        yield server


def domains(dns: DnsServer, *, at_once: int = 8) -> MailDomains:
    return MailDomains(Resolver(["127.0.0.1"], dns.port).within(0.3), at_once=at_once)


@pytest.mark.parametrize(
    ("domain", "refuses"),
    [
        ("paper.example", False),
        # Without MX records mail goes to the host itself.
        ("host.example", False),
        ("six.example", False),
        ("null.example", True),
        ("words.example", True),
        ("nowhere.example", True),
        # DNS that says nothing is no reason to turn a reader away.
        ("mute.example", False),
        ("broken.example", False),
        ("odd.example", False),
    ],
)
def test_domains_that_take_mail_and_those_that_do_not(
    dns: DnsServer, domain: str, refuses: bool
) -> None:
    assert domains(dns).refuses_mail(domain) is refuses


def test_an_answer_is_kept_and_a_silence_is_not(dns: DnsServer) -> None:
    known = domains(dns)
    for _ in range(3):
        assert not known.refuses_mail("paper.example")
        assert not known.refuses_mail("broken.example")
    assert dns.asked["paper.example", "MX", "udp"] == 1
    assert dns.asked["broken.example", "MX", "udp"] > 1


def test_nobody_waits_for_a_turn(dns: DnsServer) -> None:
    known = domains(dns, at_once=1)
    slow = threading.Thread(target=known.refuses_mail, args=("mute.example",))
    slow.start()
    while not dns.asked:
        pass
    # The one place is taken: the domain is taken as it is, unasked.
    assert not known.refuses_mail("null.example")
    assert dns.asked["null.example", "MX", "udp"] == 0
    slow.join()
    assert known.refuses_mail("null.example")
