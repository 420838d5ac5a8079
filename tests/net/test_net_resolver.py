"""Answers of DNS as values, asked of a real server on the loopback."""

import socket
from collections.abc import Iterator

import pytest

from newsletter.net.dns_answers import DnsAnswer, DnsStatus, MailExchange, is_null_mx
from newsletter.net.resolver import Resolver
from tests.dns_server import GARBAGE, SERVFAIL, SILENCE, TRUNCATED, DnsServer, dns_server, txt

LONG = "".join(chr(ord("a") + n % 26) for n in range(1_600))
ZONE = {
    ("paper.example", "TXT"): [txt("v=spf1 -all"), txt("another")],
    ("paper.example", "MX"): ["20 Second.Paper.example.", "10 mail.paper.example."],
    ("mail.paper.example", "A"): ["192.0.2.1", "192.0.2.2"],
    ("mail.paper.example", "AAAA"): ["2001:db8::1"],
    ("second.paper.example", "A"): ["192.0.2.9"],
    ("null.example", "MX"): ["0 ."],
    ("long.example", "TXT"): [txt(LONG)],
    ("cut.example", "TXT"): [txt(LONG)],
    ("bytes.example", "TXT"): [r'"v=spf1 \255 \195\169"'],
    ("alias.example", "CNAME"): ["long.example."],
    ("astray.example", "CNAME"): ["nowhere.example."],
    ("*.wild.example", "TXT"): [txt("anything")],
    ("1.2.0.192.in-addr.arpa", "PTR"): ["Mail.paper.example."],
    (
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "PTR",
    ): ["mail.paper.example."],
}
FAULTS = {
    "broken.example": SERVFAIL,
    "silent.example": SILENCE,
    "garbage.example": GARBAGE,
    "cut.example": TRUNCATED,
}


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    with dns_server(ZONE, FAULTS) as running:
        yield running


@pytest.fixture
def resolver(server: DnsServer) -> Resolver:
    return Resolver(["127.0.0.1"], server.port, timeout=0.5)


def test_every_txt_record_is_given_with_its_strings_joined(resolver: Resolver) -> None:
    several = resolver.txt("paper.example")
    assert (several.status, set(several.values)) == (
        DnsStatus.FOUND,
        {"v=spf1 -all", "another"},
    )
    assert resolver.txt("long.example").values == (LONG,)


def test_a_truncated_answer_comes_again_by_tcp(server: DnsServer, resolver: Resolver) -> None:
    assert resolver.txt("cut.example").values == (LONG,)
    assert server.asked["cut.example", "TXT", "udp"] == 1
    assert server.asked["cut.example", "TXT", "tcp"] == 1


def test_octets_that_are_no_text_are_replaced(resolver: Resolver) -> None:
    assert resolver.txt("bytes.example").values == ("v=spf1 \N{REPLACEMENT CHARACTER} é",)


def test_mail_servers_come_in_order_of_preference(resolver: Resolver) -> None:
    assert resolver.mx("paper.example").values == (
        MailExchange(10, "mail.paper.example"),
        MailExchange(20, "second.paper.example"),
    )


def test_a_null_mx_is_known(resolver: Resolver) -> None:
    assert is_null_mx(resolver.mx("null.example"))
    assert not is_null_mx(resolver.mx("paper.example"))
    assert not is_null_mx(resolver.mx("nothing.example"))


def test_addresses_are_of_both_families(resolver: Resolver) -> None:
    both = resolver.addresses("mail.paper.example")
    assert (both.status, set(both.values)) == (
        DnsStatus.FOUND,
        {"192.0.2.1", "192.0.2.2", "2001:db8::1"},
    )
    assert resolver.addresses("second.paper.example").values == ("192.0.2.9",)


def test_an_address_is_asked_for_its_name(resolver: Resolver) -> None:
    assert resolver.ptr("192.0.2.1").values == ("mail.paper.example",)
    assert resolver.ptr("2001:db8::1").values == ("mail.paper.example",)
    assert resolver.ptr("192.0.2.77").status is DnsStatus.NO_NAME
    assert resolver.ptr("no address").status is DnsStatus.NO_NAME


def test_a_missing_name_is_not_missing_data(resolver: Resolver) -> None:
    assert resolver.txt("nothing.example") == DnsAnswer(DnsStatus.NO_NAME)
    assert resolver.addresses("nothing.example").status is DnsStatus.NO_NAME
    assert resolver.txt("mail.paper.example") == DnsAnswer(DnsStatus.NO_DATA)
    assert resolver.addresses("paper.example").status is DnsStatus.NO_DATA
    # Nothing is asked of these: no name may look so.
    for name in ("", ".", "two..dots", "x" * 64 + ".example", f"{'long.' * 60}example"):
        assert resolver.txt(name).status is DnsStatus.NO_NAME


def test_an_alias_is_followed(resolver: Resolver) -> None:
    assert resolver.txt("alias.example").values == (LONG,)
    assert resolver.txt("astray.example").status is DnsStatus.NO_NAME


def test_a_wildcard_answers_for_any_name(resolver: Resolver) -> None:
    assert resolver.txt("any.wild.example").values == ("anything",)
    assert resolver.txt("s1._domainkey.wild.example").values == ("anything",)


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "cut.example"])
def test_no_answer_is_a_silence_with_a_cause(
    server: DnsServer, resolver: Resolver, name: str
) -> None:
    answer = resolver.txt(name)
    assert (answer.status, answer.values) == (DnsStatus.SILENT, ())
    assert answer.why != ""
    assert server.asked[name, "TXT", "udp"] >= 1


def test_a_lost_packet_is_sent_again(server: DnsServer) -> None:
    server.faults["lost.example"] = SILENCE
    assert Resolver(["127.0.0.1"], server.port, timeout=0.5).txt("lost.example").silent
    assert server.asked["lost.example", "TXT", "udp"] > 1


def test_addresses_are_silent_only_where_nothing_was_found(
    server: DnsServer, resolver: Resolver
) -> None:
    assert resolver.addresses("silent.example").silent


def test_nobody_at_the_port_is_a_silence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = Resolver(["127.0.0.1"], port, timeout=0.3).txt("paper.example")
    assert answer.status is DnsStatus.SILENT
