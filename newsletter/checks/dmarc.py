"""DMARC (RFC 9989): what receivers do with mail that says it is from us."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.checks.dns import TxtAnswers, answer_of, tell_silence
from newsletter.checks.model import Finding, Level
from newsletter.checks.tags import parse_lenient_tags

_VERSION = re.compile(r"[ \t]*v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")  # case counts in the version only
_POLICIES = ("none", "quarantine", "reject")
_DROPPED = ("pct", "rf", "ri")
_MOST_LABELS = 8  # section 4.10: longer names are cut to seven labels after the first question


@dataclass(frozen=True)
class DmarcRecord:
    """What a record says; ``policy`` as it stands there, "" where it is missing."""

    policy: str = ""
    strict_spf: bool = False
    strict_dkim: bool = False
    public_suffix: str = "u"
    dropped: tuple[str, ...] = ()


def parse_dmarc(text: str) -> DmarcRecord | None:
    """The record in a TXT; None where it is none. Unknown tags and faulty ones are passed over."""
    if not _VERSION.match(text):
        return None
    tags = {name.lower(): value for name, value in parse_lenient_tags(text).items()}
    return DmarcRecord(
        policy=tags.get("p", "").lower(),
        strict_spf=tags.get("aspf", "").lower() == "s",
        strict_dkim=tags.get("adkim", "").lower() == "s",
        public_suffix=tags.get("psd", "u").lower(),
        dropped=tuple(name for name in _DROPPED if name in tags),
    )


def walk_names(domain: str) -> tuple[str, ...]:
    """The domains of the tree walk from ``domain``, eight at most (section 4.10)."""
    labels = domain.split(".")
    start = len(labels) - 7 if len(labels) > _MOST_LABELS else 1
    return (domain, *(".".join(labels[at:]) for at in range(start, len(labels))))


def dmarc_names(domain: str) -> tuple[str, ...]:
    """The names whose TXT records `check_dmarc` wants to see for ``domain``."""
    return tuple(f"_dmarc.{name}" for name in walk_names(domain))


def find_organisation(domain: str, answers: TxtAnswers) -> str:
    """The organisational domain of ``domain`` (section 4.10.2)."""
    found = [
        (name, record)
        for name in walk_names(domain)
        if (record := _record_at(name, answers)) is not None
    ]
    for name, record in found:
        if record.public_suffix == "n":
            return name
        if record.public_suffix == "y":
            below = name.count(".") + 2
            return name if name == domain else ".".join(domain.split(".")[-below:])
    return found[-1][0] if found else domain


def check_dmarc(
    from_domain: str, return_path_domain: str, key_domains: Sequence[str], answers: TxtAnswers
) -> tuple[Finding, ...]:
    """What is wrong with DMARC for a From domain, and with what is to align with it.

    ``key_domains`` are those that our signatures name (d=).
    """
    own = answer_of(answers, f"_dmarc.{from_domain}")
    if own.silent:
        return (tell_silence("DMARC", f"_dmarc.{from_domain}", own),)
    records = [text for text in own.values if parse_dmarc(text)]
    if len(records) > 1:
        return (
            _warn(
                f"_dmarc.{from_domain} has {len(records)} DMARC records, and receivers then read "
                "none.",
                "Leave one.",
                from_domain,
            ),
        )
    at = from_domain if records else _policy_domain(from_domain, answers)
    record = _record_at(at, answers)
    if record is None:
        silent = [name for name in dmarc_names(from_domain) if answer_of(answers, name).silent]
        if silent:
            return (tell_silence("DMARC", silent[0], answer_of(answers, silent[0])),)
        return (
            _warn(
                f"{from_domain} has no DMARC record, which Gmail, Yahoo and Outlook ask of bulk "
                "mail.",
                f'Publish at _dmarc.{from_domain} the TXT record "v=DMARC1; p=none; '
                f'rua=mailto:postmaster@{from_domain}".',
                from_domain,
            ),
        )
    return (
        *_check_record(at, record),
        *_check_alignment(from_domain, return_path_domain, key_domains, record, answers),
    )


def _policy_domain(domain: str, answers: TxtAnswers) -> str:
    """Where a domain without a record of its own gets one from (section 4.10.1)."""
    organisation = find_organisation(domain, answers)
    if _record_at(organisation, answers) is not None:
        return organisation
    return organisation.partition(".")[2]  # the public suffix that pointed to it


def _record_at(name: str, answers: TxtAnswers) -> DmarcRecord | None:
    texts = answer_of(answers, f"_dmarc.{name}").values
    records = [record for text in texts if (record := parse_dmarc(text)) is not None]
    return records[0] if len(records) == 1 else None


def _check_record(at: str, record: DmarcRecord) -> Iterator[Finding]:
    if not record.policy:
        yield _warn(
            f"The DMARC record at _dmarc.{at} has no policy, which older receivers ask for.",
            'Add "p=none" behind "v=DMARC1;".',
            at,
        )
    elif record.policy not in _POLICIES:
        yield _warn(
            f'The DMARC record at _dmarc.{at} says "p={record.policy[:40]}", which no receiver '
            "knows.",
            'Write "p=none", "p=quarantine" or "p=reject".',
            at,
        )
    if record.dropped:
        tags = ", ".join(record.dropped)
        yield Finding(
            Level.INFO,
            "dmarc",
            f"The DMARC record at _dmarc.{at} sets {tags}, which is no longer read (RFC 9989).",
            "It may go.",
            at,
        )


def _check_alignment(
    from_domain: str,
    return_path_domain: str,
    key_domains: Sequence[str],
    record: DmarcRecord,
    answers: TxtAnswers,
) -> Iterator[Finding]:
    by_key = any(
        _aligned(from_domain, domain, answers, strict=record.strict_dkim) for domain in key_domains
    )
    by_path = _aligned(from_domain, return_path_domain, answers, strict=record.strict_spf)
    if not by_key and not by_path:
        yield _warn(
            f"Neither SPF of {return_path_domain} nor a signature of ours counts for DMARC of "
            f"{from_domain}.",
            f"Set [bounces] return_path to an address of {from_domain}, or sign for it.",
            from_domain,
        )
    elif key_domains and not by_key:
        yield _warn(
            f"Our signatures of {key_domains[0]} do not count for DMARC of {from_domain}.",
            f"Sign for {from_domain} itself.",
            from_domain,
        )
    elif not by_path:
        yield Finding(
            Level.INFO,
            "dmarc",
            f"SPF of {return_path_domain} does not count for DMARC of {from_domain}, so all hangs "
            "on DKIM.",
            "A return_path of the From domain would carry it too.",
            from_domain,
        )


def _aligned(from_domain: str, domain: str, answers: TxtAnswers, *, strict: bool) -> bool:
    """Section 4.4; where DNS is silent on the way, nothing speaks against it."""
    if strict or from_domain == domain:
        return from_domain == domain
    asked = (*dmarc_names(from_domain), *dmarc_names(domain))
    if any(answer_of(answers, name).silent for name in asked):
        return True
    return find_organisation(from_domain, answers) == find_organisation(domain, answers)


def _warn(sentence: str, mend: str, item: str) -> Finding:
    return Finding(Level.WARN, "dmarc", sentence, mend, item)
