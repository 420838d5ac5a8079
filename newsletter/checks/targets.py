"""Whether the addresses that a mail links to are alive: which to ask, and what the answers mean."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from newsletter.checks.model import Finding, Level, in_order, stop, warn
from newsletter.checks.places import Places, list_some, name_item
from newsletter.issues.model import Issue
from newsletter.rendering.addresses import find_addresses
from newsletter.rendering.fill import disarm_marks
from newsletter.rendering.model import ReaderSlot, RenderedIssue

# An issue of 28 stories has a few dozen; a page a second is asked of one host.
MOST_LINKS = 60

_ADDRESS = re.compile(r"https?://\S+")
# So many pages that are all gone tell of trouble at the site.
_TOO_MANY = 3
_MEND_DEAD = (
    "Correct the address or take the story out; where it is there for you, see [checks] "
    "link_seconds."
)


class LinkState(StrEnum):
    """What asking for an address came to."""

    ALIVE = "alive"
    GONE = "gone"  # 404, 410
    NO_HOST = "no_host"  # DNS has no such name
    CLOSED = "closed"  # the host keeps programs out, or asks us to wait
    DOUBTFUL = "doubtful"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class LinkAnswer:
    """``why`` is a sentence of what was answered, empty where it is ALIVE."""

    state: LinkState
    why: str = ""


@dataclass(frozen=True)
class MailLink:
    """An address that a mail leads to in the end, and the item it belongs to, if it is a story's.

    ``address`` is without the tag of our mails: the site's counter takes no look of ours
    for a reader's.
    """

    address: str
    item: str


def find_links(issue: Issue, rendered: RenderedIssue, own_root: str) -> tuple[MailLink, ...]:
    """The web addresses that a mail leads to, the stories' first, each once.

    Pages of ours, below ``own_root``, are left out, and with them the links by which
    they are passed on: what they show is there when the issue is sent.
    """
    places = Places(disarm_marks(issue), rendered)
    tree = LexborHTMLParser(rendered.html)
    hrefs = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    links: dict[str, MailLink] = {}
    for href in (*hrefs, *find_addresses(rendered.text, hrefs)):
        address = places.target(href)
        if not _ADDRESS.match(address) or any(slot in address for slot in ReaderSlot):
            continue
        if own_root and _is_of_ours(address, own_root.rstrip("/")):
            continue
        address = address.partition("#")[0]
        links.setdefault(address, MailLink(address, places.name(href)))
    return tuple(sorted(links.values(), key=lambda link: not link.item))


def _is_of_ours(address: str, root: str) -> bool:
    """A page below ``root``, or one elsewhere by which that is passed on."""
    if f"{address.rstrip('/')}/".startswith(f"{root}/"):
        return True
    query = address.partition("?")[2]
    return quote(root, safe="") in query or root in query


def check_targets(
    links: Sequence[MailLink], answers: Mapping[str, LinkAnswer]
) -> tuple[Finding, ...]:
    """What the answers say against the links; one that has none was not asked."""
    by_state: dict[LinkState, list[MailLink]] = defaultdict(list)
    for link in links:
        by_state[answers.get(link.address, _NOT_ASKED).state].append(link)
    unnamed = by_state[LinkState.NO_HOST]
    heard = any(by_state[state] for state in _HEARD)
    return in_order(
        _tell_gone(links, by_state[LinkState.GONE]),
        _tell_unnamed(unnamed) if heard else _tell_cut_off(unnamed),
        _tell_doubtful(by_state[LinkState.DOUBTFUL], answers),
        _tell_closed(by_state[LinkState.CLOSED], answers),
        _tell_not_asked(by_state[LinkState.NOT_ASKED], answers),
    )


def find_dead_stories(issues: Iterable[Issue], findings: Iterable[Finding]) -> frozenset[str]:
    """The stories whose own pages are dead by these findings, by public id.

    ``issues`` are the issue's variants: each calls its stories by their places in it.
    """
    dead = {finding.item for finding in findings if finding.key == "dead_link"}
    return frozenset(
        item.story_id
        for issue in issues
        for section in disarm_marks(issue).sections
        for item in section.items
        if name_item(section, item) in dead
    )


_NOT_ASKED = LinkAnswer(LinkState.NOT_ASKED)
# What only a host that is there can answer.
_HEARD = (LinkState.ALIVE, LinkState.GONE, LinkState.CLOSED)


def _tell_gone(links: Iterable[MailLink], gone: Sequence[MailLink]) -> Iterator[Finding]:
    asked: dict[str, int] = defaultdict(int)
    for link in links:
        asked[_host(link)] += 1
    by_host = _by_host(gone)
    for host, each in by_host.items():
        if len(each) >= _TOO_MANY and len(each) == asked[host]:
            yield warn(
                "doubtful_link",
                f"{host} has none of {len(each)} pages that the mail links to, which tells of "
                "trouble there, or that it answers programs so.",
                "Open some of them yourself.",
                each[0].item or host,
            )
            continue
        for link in each:
            named = f"{link.item} leads to" if link.item else "The mail links to"
            yield stop(
                "dead_link",
                f"{named} {link.address}, which is gone.",
                _MEND_DEAD,
                link.item or link.address,
            )


def _tell_unnamed(unnamed: Sequence[MailLink]) -> Iterator[Finding]:
    for host, each in _by_host(unnamed).items():
        yield stop(
            "dead_link",
            f"DNS knows no host {host}, to which {list_some(_names(each))} leads.",
            _MEND_DEAD,
            each[0].item or each[0].address,
        )


def _tell_cut_off(unnamed: Sequence[MailLink]) -> Iterator[Finding]:
    """Where DNS knows no host at all, it is rather that this machine is cut off."""
    hosts = sorted(_by_host(unnamed))
    if hosts:
        yield warn(
            "doubtful_link",
            f"DNS knows none of the hosts that the mail links to ({list_some(hosts)}), which tells "
            "of a machine that is cut off.",
            "Open some of the links yourself, and look at this machine's DNS.",
            hosts[0],
        )


def _tell_doubtful(
    doubtful: Sequence[MailLink], answers: Mapping[str, LinkAnswer]
) -> Iterator[Finding]:
    for host, each in _by_host(doubtful).items():
        why = answers[each[0].address].why
        many = f" So it is with {len(each)} addresses at {host}." if len(each) > 1 else ""
        yield warn(
            "doubtful_link",
            f"Where {_names(each)[0]} leads is not sure to be alive: {why}.{many}",
            "Open it yourself; correct it if it fails for you too.",
            each[0].item or each[0].address,
        )


def _tell_closed(
    closed: Sequence[MailLink], answers: Mapping[str, LinkAnswer]
) -> Iterator[Finding]:
    for host, each in _by_host(closed).items():
        yield Finding(
            Level.INFO,
            "links_not_asked",
            f"{len(each)} addresses at {host} are not known to be alive: "
            f"{answers[each[0].address].why}.",
            "Open them yourself.",
            host,
        )


def _tell_not_asked(
    left: Sequence[MailLink], answers: Mapping[str, LinkAnswer]
) -> Iterator[Finding]:
    if left:
        why = answers.get(left[0].address, _NOT_ASKED).why or "there was no time left"
        yield Finding(
            Level.INFO,
            "links_not_asked",
            f"{len(left)} addresses were not asked whether they are alive: {why}.",
            "Check it again in some minutes.",
            left[0].item or left[0].address,
        )


def _by_host(links: Iterable[MailLink]) -> dict[str, list[MailLink]]:
    found: dict[str, list[MailLink]] = defaultdict(list)
    for link in links:
        found[_host(link)].append(link)
    return found


def _names(links: Iterable[MailLink]) -> list[str]:
    return [link.item or link.address for link in links]


def _host(link: MailLink) -> str:
    try:
        return urlsplit(link.address).hostname or ""
    except ValueError:  # brackets that hold no address
        return link.address
