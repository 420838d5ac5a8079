"""Stories by the path that a web server's log writes down."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from newsletter.publication.campaign import carries_tag
from newsletter.stories.canonical import canonical_url

_NOWHERE = "http://localhost"


class StoryPaths:
    """The stories of one site, by path.

    ``stories`` are public ids and addresses as `canonical_url` gives them; of
    two with one path the first is meant. ``campaign`` is the utm_source of our
    mails' links.
    """

    def __init__(self, stories: Iterable[tuple[str, str]], campaign: str = "") -> None:
        self._campaign = campaign
        self._by_target: dict[str, str] = {}
        for public_id, url in stories:
            self._by_target.setdefault(_target(url), public_id)
        self._paths = {target.partition("?")[0] for target in self._by_target}

    def find(self, requested: str) -> tuple[str, bool] | None:
        """The story that a request is for, and whether our mail led there.

        ``requested`` is a path with its query. Tracking parameters are passed
        over, escapes compared as in `canonical_url`.
        """
        path, mark, _ = requested.partition("?")
        if path not in self._paths and ("%" not in path and path.isascii()):
            return None  # what most lines of a log are
        if not mark and (known := self._by_target.get(path)) is not None:
            return known, False
        known = self._by_target.get(_target(canonical_url(_NOWHERE + requested)))
        return (known, carries_tag(requested, self._campaign)) if known is not None else None


def _target(url: str) -> str:
    """Path and query of a canonical address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
