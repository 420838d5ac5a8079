"""DNS asked and judged: before a send, and by `newsletter check`."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from newsletter.checks.dmarc import check_dmarc, dmarc_names
from newsletter.checks.dns import (
    PublishedKey,
    check_existence,
    check_keys,
    check_mail_domain,
    check_relay_names,
    tell_unsigned,
)
from newsletter.checks.model import Finding, Level
from newsletter.checks.spf import check_spf, spf_targets
from newsletter.delivery.addresses import wire_address
from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.model import Relay
from newsletter.net.dns_answers import DnsAnswer, DnsStatus, MailExchange
from newsletter.net.resolver import Resolver
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.workflows.installation import Installation
from newsletter.workflows.set_up import is_private_address

T = TypeVar("T")

# A silent DNS takes its whole time for each question: they wait together.
_AT_ONCE = 16
# Names that nobody can register (RFC 2606, RFC 6761).
_RESERVED = frozenset({"example", "invalid", "localhost", "test"})
# A receiver stops at ten lookups (RFC 7208 section 4.6.4); twice that is enough to see why.
_MOST_SPF_NAMES = 20
_MOST_HOSTS = 5


@dataclass(frozen=True)
class DnsCheck:
    """One thing looked at: ``fine`` is what to say of it where there is no finding."""

    what: str
    findings: tuple[Finding, ...]
    fine: str


@dataclass(frozen=True)
class SenderDomains:
    """What a newsletter's mail is from, as far as DNS knows it; in A-labels and lower case."""

    from_domain: str
    return_path_domain: str
    keys: tuple[PublishedKey, ...] = ()


def published_keys(signer: Signer | None, from_address: str) -> tuple[PublishedKey, ...]:
    """The keys that DNS has to show before mail from ``from_address`` is signed with them."""
    return tuple(signer.published_keys(domain_of(from_address))) if signer else ()


def check_sending_dns(
    resolver: Resolver, keys: Sequence[PublishedKey], domains: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What speaks against a send, where DNS answers: keys that it does not show, domains that
    do not exist.

    Goes to the network, for a few seconds at most: never inside a transaction.
    """
    if not keys and not domains:
        return ()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dns") as pool:
        txt, mx = _Questions(pool, resolver.txt), _Questions(pool, resolver.mx)
        txt.put(key.name for key in keys)
        mx.put(domains)
        exchanges = mx.answers()
        existence = (check_existence(domain, exchanges[domain], local=False) for domain in domains)
        return (*check_keys(keys, txt.answers()), *(one for each in existence for one in each))


def check_sender(
    installation: Installation, settings: Settings, newsletter: Newsletter
) -> tuple[Finding, ...]:
    """`check_sending_dns` for a newsletter; its domains where a relay is elsewhere only.

    Mail that stays on this machine or network goes anyhow.
    """
    (sender,) = sender_domains(settings, installation.signer, newsletter)
    away = any(not is_private_address(relay.host) for relay in installation.relays)
    domains = list(dict.fromkeys((sender.from_domain, sender.return_path_domain))) if away else []
    return check_sending_dns(installation.resolver, sender.keys, domains)


def check_sender_dns(
    installation: Installation, settings: Settings, newsletter: Newsletter
) -> tuple[Finding, ...]:
    """All that DNS says against one newsletter's mail, as `newsletter check` tells it."""
    senders = sender_domains(settings, installation.signer, newsletter)
    found = check_dns(installation.resolver, senders, installation.relays)
    return tuple(finding for one in found for finding in one.findings)


def sender_domains(
    settings: Settings, signer: Signer | None, only: Newsletter | None = None
) -> tuple[SenderDomains, ...]:
    """The domains that the newsletters send from, each pair once; or that ``only`` one.

    AddressError where one can't be a domain, ConfigError where a key is gone.
    """
    found = {}
    for newsletter in settings.newsletter if only is None else (only,):
        sender = newsletter.sender.address
        path = settings.bounces.return_path or sender
        domains = (domain_of(sender), domain_of(path))
        found[domains] = SenderDomains(*domains, published_keys(signer, sender))
    return tuple(found.values())


def domain_of(address: str) -> str:
    """The domain of an address as DNS has it."""
    domain = address.rpartition("@")[2]
    return wire_address(f"postmaster@{domain}").rpartition("@")[2].lower()


def check_dns(
    resolver: Resolver, senders: Sequence[SenderDomains], relays: Sequence[Relay]
) -> tuple[DnsCheck, ...]:
    """SPF, DKIM, DMARC and MX of the senders, and the names of relays that are not here.

    Where nothing at all answered, that is the one thing it tells of.
    """
    hosts = [relay.host for relay in relays if not is_private_address(relay.host)]
    answers = _ask(resolver, senders, hosts)
    texts = list(answers.txt.values())
    if texts and all(answer.silent for answer in texts):
        silence = f"DNS does not answer ({texts[0].why}): SPF, DKIM, DMARC and MX are not known."
        return (DnsCheck("dns", (Finding(Level.INFO, "dns", silence, "Try again.", "dns"),), ""),)
    local = bool(relays) and not hosts
    if local and _is_to_try_out(answers, senders):
        return (_tell_to_try_out(senders),)
    return (*_judge_senders(answers, senders, hosts, local=local), *_judge_relays(answers, hosts))


class _Questions(Generic[T]):
    """Questions of one kind, asked at the same time and each once."""

    def __init__(self, pool: ThreadPoolExecutor, ask: Callable[[str], DnsAnswer[T]]) -> None:
        self._pool = pool
        self._ask = ask
        self._asked: dict[str, Future[DnsAnswer[T]]] = {}

    def put(self, names: Iterable[str]) -> None:
        """Ask for those not yet asked for."""
        for name in names:
            if name not in self._asked:
                self._asked[name] = self._pool.submit(self._ask, name)

    def answers(self) -> dict[str, DnsAnswer[T]]:
        """All answers so far; waits for those that are under way."""
        return {name: future.result() for name, future in self._asked.items()}


@dataclass(frozen=True)
class _Answers:
    txt: dict[str, DnsAnswer[str]]
    mx: dict[str, DnsAnswer[MailExchange]]
    addresses: dict[str, DnsAnswer[str]]
    names: dict[str, DnsAnswer[str]]


def _is_to_try_out(answers: _Answers, senders: Sequence[SenderDomains]) -> bool:
    """Whether all senders are names that nobody can have, and that DNS does not know."""
    domains = {one for each in senders for one in (each.from_domain, each.return_path_domain)}
    return bool(domains) and all(
        domain.rpartition(".")[2] in _RESERVED and answers.mx[domain].status is DnsStatus.NO_NAME
        for domain in domains
    )


def _tell_to_try_out(senders: Sequence[SenderDomains]) -> DnsCheck:
    names = ", ".join(sorted({each.from_domain for each in senders}))
    told = Finding(
        Level.INFO,
        "dns",
        f"{names} stands in no DNS: such names are there to try things out (RFC 2606), and all "
        "mail stays on this machine or network.",
        "Send from a domain of your own before you mail readers.",
        names,
    )
    return DnsCheck("dns", (told,), "")


def _ask(
    resolver: Resolver, senders: Sequence[SenderDomains], relay_hosts: Sequence[str]
) -> _Answers:
    paths = [sender.return_path_domain for sender in senders]
    domains = [*paths, *(sender.from_domain for sender in senders)]
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="dns") as pool:
        txt = _Questions(pool, resolver.txt)
        mx = _Questions(pool, resolver.mx)
        addresses = _Questions(pool, resolver.addresses)
        names = _Questions(pool, resolver.ptr)
        txt.put(paths)
        txt.put(name for domain in domains for name in dmarc_names(domain))
        txt.put(key.name for sender in senders for key in sender.keys)
        mx.put(domains)
        addresses.put(host for host in relay_hosts if not _is_numeric(host))
        _follow_spf(txt, paths)
        found = addresses.answers()
        names.put(number for host in relay_hosts for number in _addresses_of(host, found).values)
        exchanges = mx.answers()
        addresses.put(host for path in paths for host in _mail_hosts(path, exchanges[path]))
        addresses.put(
            name for answer in names.answers().values() for name in answer.values[:_MOST_HOSTS]
        )
        return _Answers(txt.answers(), mx.answers(), addresses.answers(), names.answers())


def _follow_spf(txt: _Questions[str], paths: Sequence[str]) -> None:
    """Ask for what the records include, and for what those include."""
    seen = set(paths)
    last = list(seen)
    while last and len(seen) < len(paths) + _MOST_SPF_NAMES:
        answers = txt.answers()
        targets = {target for name in last for target in spf_targets(answers[name].values)}
        last = sorted(targets - seen)[:_MOST_SPF_NAMES]
        seen.update(last)
        txt.put(last)


def _judge_senders(
    answers: _Answers, senders: Sequence[SenderDomains], relay_hosts: Sequence[str], *, local: bool
) -> Iterator[DnsCheck]:
    mechanism = " ".join(
        f"ip{ipaddress.ip_address(host).version}:{host}" if _is_numeric(host) else f"a:{host}"
        for host in relay_hosts
    )
    for path in dict.fromkeys(sender.return_path_domain for sender in senders):
        yield DnsCheck(
            f"mx {path}",
            check_mail_domain(path, answers.mx[path], answers.addresses, local=local),
            "bounces can come back",
        )
        yield DnsCheck(
            f"spf {path}",
            check_spf(path, answers.txt, sender=mechanism),
            "one record, which receivers can read",
        )
    for sender in senders:
        domain = sender.from_domain
        if domain != sender.return_path_domain:
            yield DnsCheck(
                f"domain {domain}",
                check_existence(domain, answers.mx[domain], local=local),
                "exists",
            )
        for key in sender.keys:
            yield DnsCheck(f"dkim {key.name}", check_keys([key], answers.txt), "shows our key")
        if not any(key.signing for key in sender.keys):
            yield DnsCheck(f"dkim {domain}", (tell_unsigned(domain),), "")
        yield DnsCheck(
            f"dmarc {domain}",
            check_dmarc(
                domain,
                sender.return_path_domain,
                [key.domain for key in sender.keys if key.signing],
                answers.txt,
            ),
            "a policy is published, and our mail can pass it",
        )


def _judge_relays(answers: _Answers, relay_hosts: Sequence[str]) -> Iterator[DnsCheck]:
    for host in dict.fromkeys(relay_hosts):
        addresses = _addresses_of(host, answers.addresses)
        yield DnsCheck(
            f"ptr {host}",
            check_relay_names(host, addresses, answers.names, answers.addresses),
            "its addresses have names that lead back to them",
        )


def _mail_hosts(domain: str, answer: DnsAnswer[MailExchange]) -> list[str]:
    if answer.silent:
        return []
    return [mx.host for mx in answer.values[:_MOST_HOSTS] if mx.host] or [domain]


def _addresses_of(host: str, answers: dict[str, DnsAnswer[str]]) -> DnsAnswer[str]:
    return DnsAnswer(DnsStatus.FOUND, (host,)) if _is_numeric(host) else answers[host]


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
