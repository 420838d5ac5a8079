"""Asking whether what a mail links to is alive: politely, in a bounded time, and not twice.

Answers are kept in a file of data_dir for some minutes, so that nobody is asked again
what `newsletter issue check` has just asked.
"""

import json
import os
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.checks.model import Finding
from newsletter.checks.targets import (
    MOST_LINKS,
    LinkAnswer,
    LinkState,
    MailLink,
    check_targets,
    find_links,
)
from newsletter.errors import FetchError
from newsletter.issues.model import Issue
from newsletter.log import get_logger
from newsletter.net.dns_answers import DnsStatus
from newsletter.net.response import HostHeld, HostUnnamed, StatusError
from newsletter.publication.model import Settings
from newsletter.rendering.model import RenderedIssue
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

ANSWERS_FILE = "link_answers.json"
# How long answers are kept for a check, which an editor may call again and again.
GOOD_FOR = timedelta(minutes=15)
# How long a send believes an answer, good or not: it may be put off and begin again.
JUST_NOW = timedelta(minutes=1)
SECONDS_A_LINK = 10.0

_HOSTS_AT_ONCE = 8
# A host that fails so often is left alone; what is left there counts as it does.
_FAILURES_A_HOST = 3
_GONE = frozenset((404, 410))
# What hosts say to programs that they keep out; 999 is LinkedIn's.
_CLOSED = frozenset((400, 401, 403, 405, 406, 429, 999))


def look_at_links(
    installation: Installation,
    settings: Settings,
    issue: Issue,
    variants: Iterable[tuple[Issue, RenderedIssue]],
    *,
    known: Collection[str] = (),
    good_for: timedelta = JUST_NOW,
    bad_for: timedelta = JUST_NOW,
) -> tuple[Finding, ...]:
    """What is wrong with the addresses that a mail links to; nothing where none is to be asked.

    ``variants`` are the issue as each prints it, and that rendered. ``known`` are
    stories, by public id, that were just seen where they come from: they are not asked
    again. Answers of before are believed for ``good_for`` or ``bad_for``. Goes to the
    network for ``[checks] link_seconds`` at most: never in a transaction.
    """
    if not settings.checks.link_seconds:
        return ()
    seen = {item.url.partition("#")[0] for item in issue.items if item.story_id in known}
    found: dict[str, MailLink] = {}
    for varied, rendered in variants:
        for link in find_links(varied, rendered, installation.base_url):
            found.setdefault(link.address, link)
    links = [link for link in found.values() if link.address not in seen]
    answers = _ask(installation, settings, links[:MOST_LINKS], good_for, bad_for)
    for link in links[MOST_LINKS:]:
        why = f"at most {MOST_LINKS} are asked"
        answers[link.address] = LinkAnswer(LinkState.NOT_ASKED, why)
    return check_targets(links, answers)


def _ask(
    installation: Installation,
    settings: Settings,
    links: Sequence[MailLink],
    good_for: timedelta,
    bad_for: timedelta,
) -> dict[str, LinkAnswer]:
    now = installation.clock.now()
    path = installation.data_dir / ANSWERS_FILE
    kept = _read(path)
    answers = {
        address: answer
        for address, (at, answer) in kept.items()
        if timedelta(0) <= now - at < (good_for if answer.state is LinkState.ALIVE else bad_for)
    }
    by_host: dict[str, list[str]] = defaultdict(list)
    for link in links:
        if link.address not in answers:
            by_host[_host(link.address)].append(link.address)
    if by_host:
        fresh = _ask_hosts(installation, settings, by_host)
        _write(path, {**kept, **{a: (now, answer) for a, answer in fresh.items()}}, now)
        answers |= fresh
    log.info("links_asked", asked=sum(map(len, by_host.values())), links=len(links))
    return answers


def _ask_hosts(
    installation: Installation, settings: Settings, by_host: Mapping[str, Sequence[str]]
) -> dict[str, LinkAnswer]:
    """Ask several hosts at the same time, each one address after the other."""
    own = {
        urlsplit(source.url).hostname or "" for source in settings.source if source.allow_private
    }
    started = installation.clock.monotonic()
    end = started + settings.checks.link_seconds
    answers: dict[str, LinkAnswer] = {}
    pool = ThreadPoolExecutor(_HOSTS_AT_ONCE, thread_name_prefix="links")
    try:
        futures = [
            pool.submit(_ask_host, installation, addresses, answers, end, private=host in own)
            for host, addresses in by_host.items()
        ]
        # A system's resolver may take longer than we have: it is not waited for.
        done, _ = wait(futures, timeout=settings.checks.link_seconds)
        for future in done:
            future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    log.info("links_answered", ms=round((installation.clock.monotonic() - started) * 1000))
    return dict(answers)


def _ask_host(
    installation: Installation,
    addresses: Iterable[str],
    answers: dict[str, LinkAnswer],
    end: float,
    *,
    private: bool,
) -> None:
    failures = 0
    last = LinkAnswer(LinkState.NOT_ASKED)
    for address in addresses:
        left = end - installation.clock.monotonic()
        if left <= 0:
            return
        if failures < _FAILURES_A_HOST:
            last = _probe(installation, address, min(left, SECONDS_A_LINK), private=private)
            failed = last.state in (LinkState.DOUBTFUL, LinkState.NO_HOST)
            failures = failures + 1 if failed else 0
            if last.state is LinkState.NO_HOST:
                failures = _FAILURES_A_HOST
        answers[address] = last


def _probe(
    installation: Installation, address: str, seconds: float, *, private: bool
) -> LinkAnswer:
    try:
        installation.fetcher.probe(address, seconds=seconds, allow_private=private)
    except StatusError as error:
        if error.status in _GONE:
            return LinkAnswer(LinkState.GONE, str(error))
        closed = error.status in _CLOSED
        return LinkAnswer(LinkState.CLOSED if closed else LinkState.DOUBTFUL, str(error))
    except HostHeld as error:
        return LinkAnswer(LinkState.CLOSED, str(error))
    except HostUnnamed as error:
        # The system says the same where it is cut off from DNS; a DNS that answers must say it.
        answer = installation.resolver.addresses(_host(address))
        missing = answer.status in (DnsStatus.NO_NAME, DnsStatus.NO_DATA)
        return LinkAnswer(LinkState.NO_HOST if missing else LinkState.DOUBTFUL, str(error))
    except FetchError as error:
        return LinkAnswer(LinkState.DOUBTFUL, str(error))
    return LinkAnswer(LinkState.ALIVE)


def _read(path: Path) -> dict[str, tuple[datetime, LinkAnswer]]:
    """What was answered before; nothing where the file is not there or not to be understood."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(address): (
                datetime.fromisoformat(at),
                LinkAnswer(LinkState(state), str(why)),
            )
            for address, (at, state, why) in document.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("link_answers_unreadable", file=str(path), error=str(error))
        return {}


def _write(path: Path, answers: Mapping[str, tuple[datetime, LinkAnswer]], now: datetime) -> None:
    """Keep what was just answered; without it the next check asks again, no more."""
    document = {
        address: (at.isoformat(), answer.state, answer.why)
        for address, (at, answer) in answers.items()
        if timedelta(0) <= now - at < GOOD_FOR
    }
    aside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        aside.write_text(json.dumps(document), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        log.warning("link_answers_not_kept", file=str(path), error=str(error))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets that hold no address; the fetcher says so
        return ""
