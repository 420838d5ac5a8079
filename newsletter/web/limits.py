"""How often one network may post."""

import threading
from collections import OrderedDict, deque
from collections.abc import Collection

from starlette.requests import Request

from newsletter.net.networks import network_of

# An office, a school or a mobile provider shares an address.
POSTS_A_MINUTE = 20
_WINDOW_SECONDS = 60.0
_MAX_NETWORKS = 10_000


class PostLimit:
    """Counts posts a network within the last minute, in this process's memory.

    Holds at most 10,000 networks; the one not heard of for longest goes first.
    """

    def __init__(self, posts: int = POSTS_A_MINUTE) -> None:
        self._posts = posts
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allow(self, network: str, at: float) -> bool:
        """Whether ``network`` may post at ``at`` (monotonic seconds); counts it if so."""
        with self._lock:
            times = self._seen.setdefault(network, deque())
            self._seen.move_to_end(network)
            while times and times[0] <= at - _WINDOW_SECONDS:
                times.popleft()
            if len(times) >= self._posts:
                return False
            times.append(at)
            if len(self._seen) > _MAX_NETWORKS:
                self._seen.popitem(last=False)
            return True


def client_network(request: Request, trusted_proxies: Collection[str]) -> str:
    """The /24 or /64 that a request comes from."""
    return network_of(client_address(request, trusted_proxies))


def client_address(request: Request, trusted_proxies: Collection[str]) -> str:
    """The address that a request comes from.

    X-Forwarded-For is read from its end, and only as far as trusted proxies
    wrote it: everything before that is the visitor's own invention.
    """
    address = request.client.host if request.client else ""
    hops = [
        hop.strip()
        for line in request.headers.getlist("x-forwarded-for")
        for hop in line.split(",")
    ]
    while address in trusted_proxies and hops:
        address = hops.pop()
    return address
