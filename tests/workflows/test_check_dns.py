"""DNS asked of a real server and judged: before a send, and for `newsletter check`."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from newsletter.checks.dns import PublishedKey
from newsletter.delivery.model import Relay
from newsletter.net.resolver import Resolver
from newsletter.publication.model import Settings
from newsletter.workflows.check import (
    DnsCheck,
    SenderDomains,
    check_dns,
    check_sending_dns,
    domain_of,
    sender_domains,
)
from tests.dns_server import SERVFAIL, SILENCE, DnsServer, Zone, dns_server, txt

KEY = PublishedKey("s1", "paper.example", base64.b64encode(bytes(294)).decode())
NEXT = PublishedKey("s2", "paper.example", base64.b64encode(bytes(32)).decode(), "ed25519")
SENDER = SenderDomains("paper.example", "bounces.paper.example", (KEY,))
RELAY = Relay("main", "smtp.paper.example", 587)
GOOD: dict[tuple[str, str], list[str]] = {
    ("paper.example", "MX"): ["10 mail.paper.example."],
    ("bounces.paper.example", "MX"): ["10 mail.paper.example."],
    ("bounces.paper.example", "TXT"): [txt("v=spf1 include:_spf.relay.example ~all")],
    ("_spf.relay.example", "TXT"): [txt("v=spf1 include:_more.relay.example -all")],
    ("_more.relay.example", "TXT"): [txt("v=spf1 ip4:192.0.2.0/24 -all")],
    ("mail.paper.example", "A"): ["192.0.2.1"],
    (KEY.name, "TXT"): [txt(KEY.record)],
    ("_dmarc.paper.example", "TXT"): [txt("v=DMARC1; p=none")],
    ("smtp.paper.example", "A"): ["192.0.2.2"],
    ("2.2.0.192.in-addr.arpa", "PTR"): ["out.paper.example."],
    ("out.paper.example", "A"): ["192.0.2.2"],
}


@contextmanager
def asked_of(
    zone: Zone, faults: dict[str, str] | None = None
) -> Iterator[tuple[DnsServer, Resolver]]:
    with dns_server(zone, faults) as server:
        yield server, Resolver(["127.0.0.1"], server.port, timeout=0.5)


def told(checks: tuple[DnsCheck, ...]) -> dict[str, list[str]]:
    return {
        check.what: [str(finding.level) for finding in check.findings] or ["ok"] for check in checks
    }


def test_what_is_published_as_it_should_be_passes() -> None:
    with asked_of(GOOD) as (server, resolver):
        checks = check_dns(resolver, [SENDER], [RELAY])
    assert told(checks) == {
        "mx bounces.paper.example": ["ok"],
        "spf bounces.paper.example": ["ok"],
        "domain paper.example": ["ok"],
        "dkim s1._domainkey.paper.example": ["ok"],
        "dmarc paper.example": ["ok"],
        "ptr smtp.paper.example": ["ok"],
    }
    # The includes were followed, and nothing was asked twice.
    assert server.asked["_more.relay.example", "TXT", "udp"] == 1
    assert set(server.asked.values()) == {1}


def test_each_missing_record_is_told_by_itself() -> None:
    missing = {
        "mx bounces.paper.example": ("mail.paper.example", "A"),
        "spf bounces.paper.example": ("_more.relay.example", "TXT"),
        "dkim s1._domainkey.paper.example": (KEY.name, "TXT"),
        "dmarc paper.example": ("_dmarc.paper.example", "TXT"),
        "ptr smtp.paper.example": ("out.paper.example", "A"),
    }
    for what, record in missing.items():
        zone = {name: records for name, records in GOOD.items() if name != record}
        with asked_of(zone) as (_, resolver):
            checks = check_dns(resolver, [SENDER], [RELAY])
        wrong = [check.what for check in checks if check.findings]
        assert wrong == [what], record


def test_nothing_published_at_all_stops_what_leaves_the_house() -> None:
    with asked_of({}) as (_, resolver):
        assert told(check_dns(resolver, [SENDER], [RELAY])) == {
            "mx bounces.paper.example": ["stop"],
            "spf bounces.paper.example": ["warn"],
            "domain paper.example": ["stop"],
            "dkim s1._domainkey.paper.example": ["stop"],
            "dmarc paper.example": ["warn"],
            "ptr smtp.paper.example": ["info"],
        }
        here = Relay("here", "127.0.0.1", 25, tls="none")
        unsigned = SenderDomains("paper.am", "paper.am")
        assert told(check_dns(resolver, [unsigned], [here])) == {
            "mx paper.am": ["warn"],
            "spf paper.am": ["warn"],
            "dkim paper.am": ["warn"],
            "dmarc paper.am": ["warn"],
        }
        # A name for trying things out is in no DNS, as the demo's.
        (tried,) = check_dns(resolver, [SenderDomains("paper.example", "paper.example")], [here])
        (finding,) = tried.findings
        assert finding.level == "info"
        assert "there to try things out" in finding.sentence


def test_a_dns_that_never_answers_is_told_once_and_stops_nothing() -> None:
    names = ["paper.example", "bounces.paper.example", KEY.name, "smtp.paper.example"]
    names += ["_dmarc.paper.example", "_dmarc.bounces.paper.example", "_dmarc.example"]
    with asked_of(GOOD, dict.fromkeys(names, SILENCE)) as (server, resolver):
        checks = check_dns(resolver, [SENDER], [RELAY])
        assert {name for name, _, _ in server.asked} == set(names)
    assert told(checks) == {"dns": ["info"]}


def test_one_silent_name_leaves_the_others_known() -> None:
    with asked_of(GOOD, {KEY.name: SERVFAIL}) as (_, resolver):
        seen = told(check_dns(resolver, [SENDER], []))
    assert seen.pop("dkim s1._domainkey.paper.example") == ["info"]
    assert set(map(tuple, seen.values())) == {("ok",)}


def test_a_web_of_includes_is_not_followed_for_ever() -> None:
    zone = dict(GOOD)
    for n in range(60):
        zone[(f"s{n}.it", "TXT")] = [txt(f"v=spf1 include:s{n + 1}.it include:s{n + 31}.it -all")]
    zone["bounces.paper.example", "TXT"] = [txt("v=spf1 include:s0.it ~all")]
    with asked_of(zone) as (server, resolver):
        seen = told(check_dns(resolver, [SENDER], []))
    assert seen["spf bounces.paper.example"] == ["warn"]
    assert sum(name.endswith(".it") for name, _, _ in server.asked) <= 40


def test_a_send_is_refused_for_a_key_that_dns_does_not_show() -> None:
    with asked_of(GOOD) as (server, resolver):
        assert check_sending_dns(resolver, [KEY]) == ()
        (finding,) = check_sending_dns(resolver, [KEY, NEXT])
        assert (finding.level, finding.key) == ("stop", "dkim")
        assert NEXT.name in finding.sentence
        assert check_sending_dns(resolver, []) == ()
        server.faults = {KEY.name: SILENCE, NEXT.name: SERVFAIL}
        silent = check_sending_dns(resolver, [KEY, NEXT])
        assert [one.level for one in silent] == ["info", "info"]


SETTINGS = Settings.model_validate(
    {
        "publication": {"name": "The Araks Courier", "url": "https://paper.example"},
        "newsletter": [
            {
                "slug": slug,
                "name": slug,
                "from": {"name": "The Araks Courier", "address": address},
                "section": [{"slug": "latest", "kind": "latest", "title": "Latest"}],
            }
            for slug, address in (
                ("weekly", "weekly@Paper.example"),
                ("daily", "daily@paper.example"),
                ("books", "books@bücher.example"),
            )
        ],
    }
)


def test_each_pair_of_domains_is_looked_at_once() -> None:
    assert sender_domains(SETTINGS, None) == (
        SenderDomains("paper.example", "paper.example"),
        SenderDomains("xn--bcher-kva.example", "xn--bcher-kva.example"),
    )


@pytest.mark.parametrize(
    ("address", "domain"),
    [("lilit@Paper.Example", "paper.example"), ("a@bücher.example", "xn--bcher-kva.example")],
)
def test_domains_are_asked_for_as_dns_has_them(address: str, domain: str) -> None:
    assert domain_of(address) == domain
