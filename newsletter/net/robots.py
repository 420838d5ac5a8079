"""What a site lets robots read: its robots.txt (RFC 9309), asked once in a round of polls."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import protego

from newsletter.errors import FetchError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import StatusError

# RFC 9309, section 2.5: at least 500 kibibytes have to be read.
MAX_ROBOTS_BYTES = 500 * 1024
# Our product token, by which a site's owner may name us.
ROBOT = "newsletter"


@dataclass(frozen=True)
class RobotRules:
    """The rules of one site. ``reason`` says why nothing may be read, or is empty."""

    rules: protego.Protego
    reason: str = ""

    def allows(self, url: str) -> bool:
        """Whether we may read this page."""
        return not self.reason and bool(self.rules.can_fetch(url, ROBOT))

    @property
    def pause(self) -> float:
        """Seconds to leave between two requests (Crawl-delay); 0 where none is asked for."""
        return float(self.rules.crawl_delay(ROBOT) or 0)

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps it names, as written."""
        return tuple(self.rules.sitemaps)


class Robots:
    """The rules of every site asked about, kept as long as this is."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._known: dict[str, RobotRules] = {}

    def rules_for(self, url: str, *, allow_private: bool) -> RobotRules:
        """The rules of the site that ``url`` belongs to; its pace is kept from now on."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        if site not in self._known:
            self._known[site] = self._ask(f"{site}/robots.txt", allow_private)
            if self._known[site].pause:
                self._fetcher.slow_down(site, self._known[site].pause)
        return self._known[site]

    def _ask(self, url: str, allow_private: bool) -> RobotRules:
        try:
            response = self._fetcher.get(
                url,
                max_bytes=MAX_ROBOTS_BYTES,
                accept="text/plain, */*;q=0.1",
                allow_private=allow_private,
            )
        except StatusError as error:
            # RFC 9309, sections 2.3.1.3 and 2.3.1.4: no such file allows all, trouble nothing.
            if 400 <= error.status < 500 and error.status != 429:
                return parse_robots(b"")
            return RobotRules(parse_robots(b"").rules, str(error))
        except FetchError as error:
            return RobotRules(parse_robots(b"").rules, str(error))
        return parse_robots(response.body)


def parse_robots(body: bytes) -> RobotRules:
    """The rules that a robots.txt holds; any text is one."""
    return RobotRules(protego.Protego.parse(body.decode("utf-8-sig", "replace")))
