"""SPF (RFC 7208): who may send for the domain that bounces go to."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.checks.dns import TxtAnswers, answer_of, tell_silence
from newsletter.checks.model import Finding, Level
from newsletter.net.dns_answers import DnsStatus

MAX_LOOKUPS = 10  # RFC 7208 section 4.6.4
_ASKING = frozenset(("include", "a", "mx", "ptr", "exists", "redirect"))

_TERM = re.compile(r"(?P<sign>[+?~-]?)(?P<name>[A-Za-z][A-Za-z0-9._-]*)(?P<rest>.*)", re.DOTALL)
# Section 7.1; what ends in a macro is not looked into.
_MACRO = r"%(?:%|_|-|\{[slodiphcrtvSLODIPHCRTV]\d*[rR]?[-.+,/_=]*\})"
_LABEL = r"(?![0-9]+\.?$)[A-Za-z0-9-]{1,63}"
_DOMAIN = re.compile(rf"(?:[!-$&-~]|{_MACRO})*(?:\.{_LABEL}\.?|{_MACRO})")
_VALUE = re.compile(rf"(?:[!-$&-~]|{_MACRO})*")
_LENGTHS = re.compile(r"(?:/(?P<four>0|[1-9]\d?))?(?://(?P<six>0|[1-9]\d{0,2}))?")


@dataclass(frozen=True)
class SpfTerm:
    """``sign`` is "" for a modifier; ``value`` what follows the ":" or "=", in lower case."""

    name: str
    value: str = ""
    sign: str = "+"


@dataclass(frozen=True)
class SpfRecord:
    """A record's terms, and those that no receiver can read."""

    terms: tuple[SpfTerm, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The domains whose records are read as well: includes, and a redirect that counts."""
        named = [term for term in self._asked() if term.name in ("include", "redirect")]
        return tuple(term.value.rstrip(".") for term in named if "%" not in term.value)

    @property
    def lookups(self) -> int:
        """The terms that make a receiver ask DNS."""
        return sum(term.name in _ASKING for term in self._asked())

    @property
    def default(self) -> str:
        """The sign of "all", or "" where there is none."""
        return next((term.sign for term in self.terms if term.name == "all"), "")

    def _asked(self) -> Iterator[SpfTerm]:
        # Section 6.1: with an "all" the redirect is ignored.
        return (term for term in self.terms if not (term.name == "redirect" and self.default))


def parse_spf(text: str) -> SpfRecord | None:
    """The record in a TXT; None where it is none of SPF (section 4.5)."""
    version, _, rest = text.partition(" ")
    if version.lower() != "v=spf1":
        return None
    terms: list[SpfTerm] = []
    unreadable: list[str] = []
    for word in rest.split(" "):
        term = _parse_term(word) if word else None
        if term is not None:
            terms.append(term)
        elif word:
            unreadable.append(word)
    for name in ("redirect", "exp"):  # section 6: each at most once
        unreadable += [name for term in terms if term.name == name][1:]
    return SpfRecord(tuple(terms), tuple(unreadable))


def spf_targets(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The domains to ask next, to know what the SPF records among ``texts`` mean."""
    records = [record for text in texts if (record := parse_spf(text)) is not None]
    return tuple(dict.fromkeys(target for record in records for target in record.targets))


def check_spf(domain: str, answers: TxtAnswers, *, sender: str) -> tuple[Finding, ...]:
    """What is wrong with SPF of a return path's domain.

    ``sender`` is the mechanism that names where mail leaves from, for the record
    to publish; "" where that is not known.
    """
    answer = answer_of(answers, domain)
    if answer.silent:
        return (tell_silence("SPF", domain, answer),)
    records = _records(answer.values)
    if len(records) != 1:
        if not records:
            return (
                _warn(
                    f"{domain} has no SPF record.", f"Publish there {_record_for(sender)}.", domain
                ),
            )
        return (
            _warn(
                f"{domain} has {len(records)} SPF records, and receivers then read none.",
                "Join them into one.",
                domain,
            ),
        )
    walk = _Walk(answers)
    walk.visit(domain, ())
    return (*walk.findings(domain), *_check_default(domain, records[0]))


def _record_for(sender: str) -> str:
    if not sender:
        return '"v=spf1 ip4:ADDRESS ~all" as a TXT record, with the address that mail leaves from'
    return (
        f'the TXT record "v=spf1 {sender} ~all", or one with the include that your relay\'s '
        "operator names"
    )


def _records(texts: tuple[str, ...]) -> list[SpfRecord]:
    return [record for text in texts if (record := parse_spf(text)) is not None]


def _check_default(domain: str, record: SpfRecord) -> Iterator[Finding]:
    if record.default == "+":
        yield _warn(
            f'The SPF record of {domain} ends in "+all" and lets everyone send.',
            'End it in "~all".',
            domain,
        )
    senders = [term for term in record.terms if term.sign and term.name != "all"]
    if record.default == "-" and not senders:
        yield _warn(
            f'The SPF record of {domain} lets nobody send ("v=spf1 -all").',
            "Name the relay in it.",
            domain,
        )


class _Walk:
    """Follows includes as a receiver would."""

    def __init__(self, answers: TxtAnswers) -> None:
        self._answers = answers
        self._lookups = 0
        self._faults: list[str] = []
        self._unknown: list[Finding] = []

    def visit(self, domain: str, above: tuple[str, ...]) -> None:
        """Count the lookups of ``domain``'s record, and note what a receiver would stop at."""
        if self._lookups > MAX_LOOKUPS:
            return
        answer = answer_of(self._answers, domain)
        if answer.silent:
            self._unknown.append(tell_silence("SPF", domain, answer))
            return
        records = _records(answer.values)
        if len(records) != 1:
            found = "no SPF record" if not records else f"{len(records)} SPF records"
            gone = " (the name does not exist)" if answer.status is DnsStatus.NO_NAME else ""
            self._faults.append(f"it names {domain}, which has {found}{gone}")
            return
        record = records[0]
        if record.unreadable:
            self._faults.append(f'"{record.unreadable[0][:80]}" in {domain} is no term of SPF')
        self._lookups += record.lookups
        for target in record.targets:
            if target in (*above, domain):
                self._faults.append(f"{target} leads back to itself")
            else:
                self.visit(target, (*above, domain))

    def findings(self, domain: str) -> Iterator[Finding]:
        """What the walk found; only the first fault is told, a receiver sees no further."""
        if self._faults:
            yield _warn(
                f"Receivers can't use the SPF record of {domain}: {self._faults[0]}.",
                "Mend it or take it out.",
                domain,
            )
        elif self._lookups > MAX_LOOKUPS:
            yield _warn(
                f"The SPF record of {domain} needs more than {MAX_LOOKUPS} DNS lookups, and "
                "receivers then read none of it.",
                "Take out includes that are not needed.",
                domain,
            )
        else:
            yield from self._unknown[:1]


def _parse_term(word: str) -> SpfTerm | None:
    found = _TERM.fullmatch(word)
    if found is None:
        return None
    sign, name, rest = found["sign"], found["name"].lower(), found["rest"]
    if rest.startswith("="):
        if sign or not _VALUE.fullmatch(rest, 1):
            return None
        if name in ("redirect", "exp") and not _DOMAIN.fullmatch(rest, 1):
            return None
        return SpfTerm(name, rest[1:].lower(), "")
    term = SpfTerm(name, rest.removeprefix(":").lower(), sign or "+")
    return term if _is_mechanism(name, rest) else None


def _is_mechanism(name: str, rest: str) -> bool:
    if name == "all":
        return not rest
    if name in ("include", "exists"):
        return rest.startswith(":") and _DOMAIN.fullmatch(rest, 1) is not None
    if name in ("ip4", "ip6"):
        return rest.startswith(":") and _is_network(rest[1:], int(name[-1]))
    if name not in ("a", "mx", "ptr"):
        return False
    slash = rest.find("/")
    host, lengths = (rest, "") if slash < 0 else (rest[:slash], rest[slash:])
    if host and not (host.startswith(":") and _DOMAIN.fullmatch(host, 1)):
        return False
    return _are_lengths(lengths) if name != "ptr" else not lengths


def _are_lengths(text: str) -> bool:
    found = _LENGTHS.fullmatch(text)
    return found is not None and int(found["four"] or 0) <= 32 and int(found["six"] or 0) <= 128


def _is_network(text: str, version: int) -> bool:
    address, slash, length = text.partition("/")
    if slash and not (length.isascii() and length.isdigit()):
        return False
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.version == version and "%" not in address


def _warn(sentence: str, mend: str, item: str) -> Finding:
    return Finding(Level.WARN, "spf", sentence, mend, item)
