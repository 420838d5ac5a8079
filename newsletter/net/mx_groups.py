"""Which recipient domains share a mail host, so that limits meet the host and not its names."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from newsletter.clock import Clock
from newsletter.log import get_logger
from newsletter.net.dns_answers import DnsAnswer, MailExchange, is_null_mx
from newsletter.net.resolver import Resolver

log = get_logger(__name__)

_SIZE = 50_000
_WAITING = 1_000
_KEPT_SECONDS = 3600.0
_RETRY_SECONDS = 60.0

# Second-level labels under which countries register names: mx.post.co.uk is
# post.co.uk's. A wrong guess only makes a group larger or smaller.
_REGISTRIES = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gub", "ne", "net", "nom", "or", "org")
)
# One operator's hosts under two names.
_SAME = {"googlemail.com": "google.com", "mx.microsoft": "outlook.com"}


@dataclass
class _Known:
    group: str
    until: float
    used: bool = False


class MxGroups:
    """Destination groups by mail host, learnt in the background. Thread-safe.

    `group_of` never waits: an unknown domain is a group of its own until DNS
    has answered, and stays one where it does not. Close it at the end.
    """

    def __init__(
        self,
        resolver: Resolver,
        clock: Clock,
        *,
        size: int = _SIZE,
        kept_seconds: float = _KEPT_SECONDS,
        retry_seconds: float = _RETRY_SECONDS,
    ) -> None:
        self._resolver = resolver
        self._clock = clock
        self._size = size
        self._kept_seconds = kept_seconds
        self._retry_seconds = retry_seconds
        # Changed under the lock, read without it: the loop asks for every message.
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._waiting: dict[str, None] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def group_of(self, domain: str) -> str:
        """The group of a recipient's domain (A-labels): the name of its mail host's owner.

        The name may change between two calls, once DNS has answered: who counts
        what is under way keeps the group it counted by.
        """
        known = self._known.get(domain)
        if known is None or known.until <= self._clock.monotonic():
            known = self._want(domain)
        if known is None:
            return domain.lower()
        known.used = True
        return known.group

    def close(self) -> None:
        """Look up no more; what is known stays."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _want(self, domain: str) -> _Known | None:
        """What is known by now; it waits in line to be looked up."""
        with self._changed:
            room = len(self._waiting) < _WAITING
            if room and not self._closed and domain not in self._waiting:
                self._waiting[domain] = None
                self._changed.notify()
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._learn, name="mx-groups", daemon=True
                    )
                    self._thread.start()
            return self._known.get(domain)

    def _learn(self) -> None:
        while (domain := self._next()) is not None:
            answer = self._resolver.mx(domain)
            now = self._clock.monotonic()
            if not answer.silent:
                self._keep(domain, _Known(name_group(domain, answer), now + self._kept_seconds))
                continue
            log.debug("mx_unknown", domain=domain, why=answer.why)
            before = self._known.get(domain)
            group = before.group if before else domain.lower()
            self._keep(domain, _Known(group, now + self._retry_seconds))

    def _next(self) -> str | None:
        """The domain that has waited longest; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            return None if self._closed else next(iter(self._waiting))

    def _keep(self, domain: str, known: _Known) -> None:
        """Write down, and forget what was not asked for since it last stood at the front."""
        with self._changed:
            self._waiting.pop(domain, None)
            self._known[domain] = known
            while len(self._known) > self._size:
                oldest, entry = self._known.popitem(last=False)
                if entry.used:
                    entry.used = False
                    self._known[oldest] = entry


def name_group(domain: str, answer: DnsAnswer[MailExchange]) -> str:
    """The owner of a domain's best mail host; the domain itself where there is none to name."""
    if not answer.values or is_null_mx(answer):
        return domain.lower()
    owner = _owner(answer.values[0].host)
    return _SAME.get(owner, owner) or domain.lower()


def _owner(host: str) -> str:
    """The registered name above a host: two labels, three where countries register below one."""
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return ""
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRIES
    return ".".join(labels[-3 if deep else -2 :])
