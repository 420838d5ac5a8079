"""DKIM keys, mail domains and relays, as DNS shows them."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.dns import (
    KeyRecord,
    PublishedKey,
    check_existence,
    check_keys,
    check_mail_domain,
    check_relay_names,
    parse_key_record,
)
from newsletter.checks.model import Finding, Level
from newsletter.net.dns_answers import DnsAnswer, DnsStatus, MailExchange

# The frame of a DER SubjectPublicKeyInfo of RSA-2048 around what may be any key.
HEADER = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f00")
BARE = random.Random(1).randbytes(270)
RSA = PublishedKey("s1", "paper.example", base64.b64encode(HEADER + BARE).decode())
ED = PublishedKey("e1", "paper.example", base64.b64encode(bytes(range(32))).decode(), "ed25519")
OTHER = base64.b64encode(HEADER + BARE[::-1]).decode()

NO_NAME: DnsAnswer[str] = DnsAnswer(DnsStatus.NO_NAME)
NO_DATA: DnsAnswer[str] = DnsAnswer(DnsStatus.NO_DATA)
SILENT: DnsAnswer[str] = DnsAnswer(DnsStatus.SILENT, why="no name server answered in time")


def found(*values: str) -> DnsAnswer[str]:
    return DnsAnswer(DnsStatus.FOUND, values)


def levels(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.level, finding.key) for finding in findings]


@pytest.mark.parametrize(
    ("key", "record"),
    [
        (RSA, RSA.record),
        (RSA, f"p={RSA.public_key}"),
        (RSA, f"v=DKIM1; t=s; h=sha1:sha256; s=email; p={RSA.public_key};"),
        (RSA, f"v=DKIM1; k=rsa; p={RSA.public_key[:90]} {RSA.public_key[90:]}"),
        # Without the frame, as the standard's text has it.
        (RSA, f"v=DKIM1; k=rsa; p={base64.b64encode(BARE).decode()}"),
        (ED, ED.record),
    ],
)
def test_our_key_in_dns_is_fine(key: PublishedKey, record: str) -> None:
    assert check_keys([key], {key.name: found(record)}) == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (NO_NAME, "shows no DKIM key"),
        (NO_DATA, "shows no DKIM key"),
        (found("v=spf1 -all"), "has TXT records, but no DKIM key"),
        (found("v=DKIM2; p=abcd"), "has TXT records, but no DKIM key"),
        (found("k=rsa; v=DKIM1; p=abcd"), "has TXT records, but no DKIM key"),
        (found("v=DKIM1; k=rsa"), "has TXT records, but no DKIM key"),
        (found("v=DKIM1; k=rsa; p="), "revoked"),
        (found("v=DKIM1; k=rsa; p=abc"), "not whole"),
        (found(f"v=DKIM1; k=rsa; p={OTHER}"), "another DKIM key"),
        (found(f"v=DKIM1; k=ed25519; p={RSA.public_key}"), "for ed25519 and ours is for rsa"),
        (found(f"v=DKIM1; h=sha1; p={RSA.public_key}"), "does not allow sha256"),
        (found(f"v=DKIM1; s=tlsrpt; p={RSA.public_key}"), "does not allow e-mail"),
    ],
)
def test_a_key_that_dns_does_not_show_stops(answer: DnsAnswer[str], said: str) -> None:
    (finding,) = check_keys([RSA], {RSA.name: answer})
    assert (finding.level, finding.key) == (Level.STOP, "dkim")
    assert said in finding.told
    # The mend: where to publish what.
    assert "s1._domainkey.paper.example" in finding.told
    assert f'"v=DKIM1; k=rsa; p={RSA.public_key}"' in finding.told


@pytest.mark.parametrize("answers", [{RSA.name: SILENT}, {}])
def test_silence_never_stops(answers: dict[str, DnsAnswer[str]]) -> None:
    assert levels(check_keys([RSA], answers)) == [("info", "dns")]


def test_in_a_rotation_only_the_missing_selector_is_told() -> None:
    old = PublishedKey("s0", "paper.example", OTHER, signing=False)
    both = {RSA.name: found(RSA.record), old.name: found(old.record)}
    assert check_keys([RSA, old], both) == ()
    assert levels(check_keys([RSA, old], {**both, old.name: NO_NAME})) == [("warn", "dkim")]
    assert levels(check_keys([RSA, old], {**both, RSA.name: NO_NAME})) == [("stop", "dkim")]
    (finding,) = check_keys([RSA, ED], {RSA.name: found(RSA.record), ED.name: NO_NAME})
    assert finding.level is Level.STOP
    assert finding.told.startswith("e1._domainkey.paper.example")


def test_a_second_record_and_a_test_flag_are_warned_of() -> None:
    two = {RSA.name: found(f"v=DKIM1; k=rsa; p={OTHER}", RSA.record)}
    assert levels(check_keys([RSA], two)) == [("warn", "dkim")]
    testing = {RSA.name: found(f"v=DKIM1; t=y:s; p={RSA.public_key}")}
    assert levels(check_keys([RSA], testing)) == [("warn", "dkim")]


def test_names_are_looked_up_in_lower_case() -> None:
    key = PublishedKey("S1", "Paper.Example", RSA.public_key)
    assert check_keys([key], {"s1._domainkey.paper.example": found(key.record)}) == ()


@given(st.binary(min_size=1), st.sampled_from(["rsa", "ed25519"]), st.booleans())
def test_a_written_key_is_read_back(octets: bytes, algorithm: str, testing: bool) -> None:
    text = (
        f"v=DKIM1; k={algorithm}; {'t=y; ' if testing else ''}p={base64.b64encode(octets).decode()}"
    )
    assert parse_key_record(text) == KeyRecord(octets, algorithm, testing=testing)


@given(st.text())
def test_any_text_is_a_key_or_none(text: str) -> None:
    record = parse_key_record(text)
    assert record is None or "p" in text
    read = parse_key_record(f"v=DKIM1; p={text}")
    assert read is None or text.isascii()


MX = DnsAnswer(DnsStatus.FOUND, (MailExchange(5, "mx1.paper.example"), MailExchange(9, "mx2.it")))


@pytest.mark.parametrize(
    ("mx", "addresses", "expected"),
    [
        (MX, {"mx1.paper.example": found("192.0.2.1")}, []),
        (MX, {"mx1.paper.example": NO_NAME, "mx2.it": found("192.0.2.1")}, []),
        (MX, {"mx1.paper.example": SILENT, "mx2.it": NO_NAME}, []),
        (MX, {"mx1.paper.example": NO_NAME, "mx2.it": NO_DATA}, [("warn", "mx")]),
        (NO_DATA, {"paper.example": found("192.0.2.1")}, []),
        (NO_DATA, {"paper.example": NO_DATA}, [("warn", "mx")]),
        (DnsAnswer(DnsStatus.FOUND, (MailExchange(0, ""),)), {}, [("warn", "mx")]),
        (NO_NAME, {}, [("stop", "mx")]),
        (SILENT, {}, [("info", "dns")]),
    ],
)
def test_bounces_must_find_their_way_back(
    mx: DnsAnswer[MailExchange],
    addresses: dict[str, DnsAnswer[str]],
    expected: list[tuple[str, str]],
) -> None:
    findings = check_mail_domain("paper.example", mx, addresses, local=False)
    assert levels(findings) == expected
    assert all("paper.example" in finding.told for finding in findings)


def test_a_domain_that_does_not_exist_stops_only_what_leaves_the_house() -> None:
    missing: DnsAnswer[MailExchange] = DnsAnswer(DnsStatus.NO_NAME)
    assert levels(check_existence("paper.example", missing, local=False)) == [("stop", "mx")]
    assert levels(check_existence("paper.example", missing, local=True)) == [("warn", "mx")]
    assert check_existence("paper.example", MX, local=False) == ()


@pytest.mark.parametrize(
    ("addresses", "names", "forward", "expected"),
    [
        (found("192.0.2.1"), {"192.0.2.1": found("a.it")}, {"a.it": found("192.0.2.1")}, []),
        (
            found("192.0.2.1"),
            {"192.0.2.1": found("b.it", "a.it")},
            {"a.it": found("192.0.2.1"), "b.it": NO_NAME},
            [],
        ),
        (
            found("192.0.2.1"),
            {"192.0.2.1": found("a.it")},
            {"a.it": found("192.0.2.9")},
            [("info", "ptr")],
        ),
        (found("192.0.2.1"), {"192.0.2.1": NO_NAME}, {}, [("info", "ptr")]),
        (found("192.0.2.1"), {"192.0.2.1": SILENT}, {}, []),
        (NO_NAME, {}, {}, [("info", "ptr")]),
        (SILENT, {}, {}, [("info", "dns")]),
    ],
)
def test_a_relay_s_names_are_information_only(
    addresses: DnsAnswer[str],
    names: dict[str, DnsAnswer[str]],
    forward: dict[str, DnsAnswer[str]],
    expected: list[tuple[str, str]],
) -> None:
    assert levels(check_relay_names("smtp.it", addresses, names, forward)) == expected
