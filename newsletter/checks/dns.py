"""What DNS must show before mail goes out: findings from its answers, without asking it.

SPF and DMARC have files of their own. Where DNS did not answer, a finding says
so and asks for nothing: silence is no proof that a record is missing.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from newsletter.checks.model import Finding, Level
from newsletter.checks.tags import parse_tags
from newsletter.net.dns_answers import DnsAnswer, DnsStatus, MailExchange, is_null_mx

# TXT records by the name they were asked for, in lower case.
TxtAnswers = Mapping[str, DnsAnswer[str]]
AddressAnswers = Mapping[str, DnsAnswer[str]]

_NOT_ASKED: DnsAnswer[Any] = DnsAnswer(DnsStatus.SILENT, why="it was not asked")
# SubjectPublicKeyInfo of an RSA-2048 key: what stands before the RSAPublicKey itself.
_RSA_2048_HEADER = bytes.fromhex("30820122300d06092a864886f70d01010105000382010f00")


@dataclass(frozen=True)
class PublishedKey:
    """A DKIM key as DNS has to show it (RFC 6376 section 3.6.1, RFC 8463).

    ``public_key`` is base64: for rsa a DER SubjectPublicKeyInfo, for ed25519
    the 32 octets. ``signing`` is False for one kept ready for a rotation.
    """

    selector: str
    domain: str
    public_key: str
    algorithm: Literal["rsa", "ed25519"] = "rsa"
    signing: bool = True

    @property
    def name(self) -> str:
        """Where its TXT record stands."""
        return f"{self.selector}._domainkey.{self.domain}".lower()

    @property
    def record(self) -> str:
        """The text of its TXT record."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public_key}"


@dataclass(frozen=True)
class KeyRecord:
    """A DKIM key as published; ``key`` is None where p= is no base64, b"" where it is revoked."""

    key: bytes | None
    algorithm: str = "rsa"
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    testing: bool = False


def parse_key_record(text: str) -> KeyRecord | None:
    """The DKIM key in a TXT; None where it is none (RFC 6376 section 3.6.1)."""
    tags = parse_tags(text)
    if tags is None or "p" not in tags:
        return None
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        return None
    return KeyRecord(
        key=_decode("".join(tags["p"].split())),
        algorithm=tags.get("k", "rsa").lower(),
        hashes=_list(tags.get("h", "")),
        services=_list(tags.get("s", "")),
        testing="y" in _list(tags.get("t", "")),
    )


def answer_of(answers: Mapping[str, DnsAnswer[str]], name: str) -> DnsAnswer[str]:
    """The answer for ``name``; a silence where it was not asked."""
    return answers.get(name.lower(), _NOT_ASKED)


def tell_silence(what: str, name: str, answer: DnsAnswer[Any]) -> Finding:
    """That ``what`` could not be looked at, since DNS does not answer for ``name``."""
    return Finding(
        Level.INFO,
        "dns",
        f"DNS does not answer for {name} ({answer.why}): {what} is not known.",
        "Try again.",
        name,
    )


def check_keys(keys: Sequence[PublishedKey], answers: TxtAnswers) -> tuple[Finding, ...]:
    """What is wrong with the published keys: one we sign with stops, one kept ready warns."""
    return tuple(finding for key in keys for finding in _check_key(key, answers))


def tell_unsigned(domain: str) -> Finding:
    """That mail from ``domain`` leaves us without a signature."""
    return Finding(
        Level.WARN,
        "dkim",
        f"Mail from {domain} is not signed here, and Gmail, Yahoo and Outlook ask it of bulk mail.",
        "Make a key with `newsletter dkim keygen`, unless your relay signs.",
        domain,
    )


def _check_key(key: PublishedKey, answers: TxtAnswers) -> Iterator[Finding]:
    answer = answer_of(answers, key.name)
    if answer.silent:
        yield tell_silence("DKIM", key.name, answer)
        return
    records = [record for text in answer.values if (record := parse_key_record(text))]
    faults = [_fault(key, record) for record in records]
    if "" not in faults:
        fault = faults[0] if faults else _absence(answer)
        yield _key_finding(key, fault)
        return
    ours = records[faults.index("")]
    if len(answer.values) > 1:
        yield Finding(
            Level.WARN,
            "dkim",
            f"{key.name} has {len(answer.values)} TXT records, and a receiver may read any of "
            "them.",
            "Leave the one of our key.",
            key.name,
        )
    if ours.testing:
        yield Finding(
            Level.WARN,
            "dkim",
            f'The key at {key.name} says "t=y", so receivers may take our mail as unsigned.',
            "Take it out when you are done testing.",
            key.name,
        )


def _absence(answer: DnsAnswer[str]) -> str:
    return "has TXT records, but no DKIM key" if answer.values else "shows no DKIM key"


def _fault(key: PublishedKey, record: KeyRecord) -> str:
    """Why a receiver can't verify our signatures by ``record``; "" if it can."""
    if record.key == b"":
        return "shows a revoked DKIM key (p= is empty)"
    if record.key is None:
        return "shows a DKIM key that is not whole (p= is no base64)"
    if record.algorithm != key.algorithm:
        return f"shows a DKIM key for {record.algorithm[:20]} and ours is for {key.algorithm}"
    if record.key not in _spellings(key):
        return "shows another DKIM key than ours"
    if record.hashes and "sha256" not in record.hashes:
        return "shows our DKIM key, but its h= does not allow sha256"
    if record.services and not {"*", "email"} & set(record.services):
        return "shows our DKIM key, but its s= does not allow e-mail"
    return ""


def _spellings(key: PublishedKey) -> tuple[bytes, ...]:
    """RFC 6376 section 3.6.1 asks for a bare RSAPublicKey, its examples show the other form."""
    ours = _decode(key.public_key) or b""
    return ours, ours.removeprefix(_RSA_2048_HEADER)


def _key_finding(key: PublishedKey, fault: str) -> Finding:
    sentence = f"{key.name} {fault}, so nothing signed with it can be verified."
    mend = f'Publish there this one TXT record, and wait until DNS shows it: "{key.record}"'
    if key.signing:
        return Finding(Level.STOP, "dkim", sentence, f"{mend}.", key.name)
    mend += "; or delete its file, if it is an old one (it signs nothing)."
    return Finding(Level.WARN, "dkim", sentence, mend, key.name)


def check_existence(
    domain: str, mx: DnsAnswer[MailExchange], *, local: bool
) -> tuple[Finding, ...]:
    """Whether a sender's domain exists at all: it stops, unless the mail stays here (``local``)."""
    if mx.status is not DnsStatus.NO_NAME:
        return ()
    return (
        Finding(
            Level.WARN if local else Level.STOP,
            "mx",
            f"The domain {domain} does not exist, and receivers refuse mail from it.",
            "Register it, or change the newsletter's from and [bounces] return_path.",
            domain,
        ),
    )


def check_mail_domain(
    domain: str, mx: DnsAnswer[MailExchange], addresses: AddressAnswers, *, local: bool
) -> tuple[Finding, ...]:
    """Whether bounces can come back to a return path's domain.

    ``addresses`` holds those of its mail hosts, and its own where it has none.
    """
    if mx.silent:
        return (tell_silence("where bounces go", domain, mx),)
    if mx.status is DnsStatus.NO_NAME:
        return check_existence(domain, mx, local=local)
    if is_null_mx(mx):
        return (
            _mx_warning(
                f"{domain} says that it takes no mail (null MX), so bounces are lost and some "
                "receivers refuse ours.",
                "Publish an MX, or set [bounces] return_path to a domain that has one.",
                domain,
            ),
        )
    hosts = [exchange.host for exchange in mx.values] or [domain]
    found = [answer_of(addresses, host) for host in hosts]
    if any(answer.values or answer.silent for answer in found):
        return ()
    if not mx.values:
        return (
            _mx_warning(
                f"{domain} has no MX record, so bounces are lost.",
                f'Publish one, such as "10 mail.{domain}", or set [bounces] return_path to a '
                "domain that has one.",
                domain,
            ),
        )
    return (
        _mx_warning(
            f"The mail host {hosts[0]} of {domain} has no address, so bounces are lost.",
            "Publish an A record for it, or correct the MX.",
            domain,
        ),
    )


def check_relay_names(
    host: str, addresses: DnsAnswer[str], names: AddressAnswers, forward: AddressAnswers
) -> tuple[Finding, ...]:
    """Whether a relay's addresses lead to a name that leads back. Information only.

    The relay may send from other addresses than those it takes mail at.
    ``names`` holds the names by address, ``forward`` the addresses of those.
    """
    if addresses.silent:
        return (tell_silence("its reverse name", host, addresses),)
    if not addresses.values:
        return (
            Finding(
                Level.INFO,
                "ptr",
                f"The relay {host} has no address in DNS.",
                "Publish one, or correct the relay's host.",
                host,
            ),
        )
    return tuple(
        Finding(
            Level.INFO,
            "ptr",
            f"The address {address} of {host} has no name that leads back to it.",
            "If mail leaves from it, ask its operator for a PTR record, for receivers refuse mail "
            "without.",
            host,
        )
        for address in addresses.values
        if not answer_of(names, address).silent
        and not any(
            _leads_back(name, address, forward) for name in answer_of(names, address).values
        )
    )


def _leads_back(name: str, address: str, forward: AddressAnswers) -> bool:
    answer = answer_of(forward, name)
    return answer.silent or address in answer.values


def _mx_warning(sentence: str, mend: str, item: str) -> Finding:
    return Finding(Level.WARN, "mx", sentence, mend, item)


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.split(":") if word.strip())
