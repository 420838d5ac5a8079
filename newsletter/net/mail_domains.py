"""Whether a domain takes mail at all, as DNS says, without letting anybody wait for long."""

import threading

from cachetools import TTLCache

from newsletter.net.dns_answers import is_null_mx
from newsletter.net.resolver import Resolver

# A question; three are asked at most, and one who typed an address waits for them.
WAIT_SECONDS = 0.6
_KEPT_SECONDS = 3600.0
_SIZE = 20_000
# More lookups at a time would take the threads that answer everybody else.
_AT_ONCE = 8


class MailDomains:
    """Asks ``resolver``, which is to give up early. Thread-safe."""

    def __init__(self, resolver: Resolver, *, at_once: int = _AT_ONCE) -> None:
        self._resolver = resolver
        self._room = threading.Semaphore(at_once)
        self._known: TTLCache[str, bool] = TTLCache(_SIZE, _KEPT_SECONDS)
        self._lock = threading.Lock()

    def refuses_mail(self, domain: str) -> bool:
        """Whether DNS says that no mail can reach a domain (A-labels).

        It has neither mail servers nor an address (RFC 5321 section 5.1), or says
        that it takes none (RFC 7505). False as well where DNS does not answer in
        time, or is asked too much at the moment.
        """
        with self._lock:
            known = self._known.get(domain)
        if known is not None:
            return known
        if not self._room.acquire(blocking=False):
            return False
        try:
            refuses = self._ask(domain)
        finally:
            self._room.release()
        if refuses is not None:
            with self._lock:
                self._known[domain] = refuses
        return bool(refuses)

    def _ask(self, domain: str) -> bool | None:
        """None where DNS is silent."""
        servers = self._resolver.mx(domain)
        if servers.silent:
            return None
        if servers.values:
            return is_null_mx(servers)
        addresses = self._resolver.addresses(domain)
        return None if addresses.silent else not addresses.values
