"""Our own counter: a line of script on the paper's pages tells us that one was opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

from newsletter.clock import Clock
from newsletter.publication.campaign import carries_tag
from newsletter.publication.model import Settings
from newsletter.publication.sources import Reads
from newsletter.sources.access_log import REPEAT_SECONDS, visit_key
from newsletter.sources.bots import is_bot
from newsletter.sources.model import ReadKind, StoryKey
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.stories.canonical import canonical_url
from newsletter.tokens import Keyring

_REPEAT = timedelta(seconds=REPEAT_SECONDS)

# Sent when the page is first seen: a page opened in the background or fetched
# ahead is no read. Programs that drive a browser say so.
_SNIPPET = """\
<script>(function(d,n){{
function tell(){{if(!n.webdriver&&n.sendBeacon)n.sendBeacon({url},location.href.split("#")[0])}}
function look(){{if(d.visibilityState=="visible"){{d.removeEventListener("visibilitychange",look);\
tell()}}}}
d.addEventListener("visibilitychange",look);look()
}})(document,navigator)</script>
"""


@dataclass(frozen=True)
class PageOpened:
    """What a browser told: the page, and by whom it was opened.

    ``client`` is the numeric address, kept in a keyed hash for half an hour.
    ``origin`` is the Origin header, empty where the browser sent none.
    """

    page: str
    client: str
    agent: str
    origin: str = ""


class BeaconAnswer(Enum):
    """What became of it; only FOREIGN is the sender's fault."""

    COUNTED = "counted"
    IGNORED = "ignored"
    FOREIGN = "foreign"


def beacon_snippet(base_url: str) -> str:
    """The script to be pasted into the paper's pages: less than 1 KB, no cookie, nothing stored."""
    return _SNIPPET.format(url=f'"{base_url}/b"')


def count_opening(
    database: Database, keyring: Keyring, clock: Clock, settings: Settings, opened: PageOpened
) -> BeaconAnswer:
    """Count an opened page as a visit to its story, once: by the beacon of the story's source.

    Where that has none, the first one that knows the address counts it. The page must be
    one of the paper's. Bots are ignored, and so is a page without a story, and a repeat of
    the same visitor within half an hour.
    """
    url = canonical_url(opened.page)
    if not _is_ours(url, settings) or (
        opened.origin not in ("", "null") and not _is_ours(opened.origin, settings)
    ):
        return BeaconAnswer.FOREIGN
    beacons = [reads for reads in settings.reads if reads.kind == "beacon"]
    if not beacons or is_bot(opened.agent):
        return BeaconAnswer.IGNORED
    now = clock.now()
    with database.read() as tx:
        counting = _counting(tx, beacons, url)
    counted = [
        _count(database, keyring, settings, reads, story, opened, now)
        for story, reads in counting.items()
    ]
    return BeaconAnswer.COUNTED if any(counted) else BeaconAnswer.IGNORED


def _counting(tx: Transaction, beacons: Sequence[Reads], url: str) -> dict[str, Reads]:
    """The beacon that counts each story at ``url``, by the story's public id."""
    knowing: dict[str, list[Reads]] = {}
    for reads in sorted(beacons, key=lambda reads: not reads.primary):
        for story in tx.stories.identify(reads.source, [StoryKey(url=url)]).values():
            knowing.setdefault(story, []).append(reads)
    sources = {story.public_id: story.source for story in tx.stories.by_ids(list(knowing))}
    return {
        story: next((reads for reads in known if reads.source == sources[story]), known[0])
        for story, known in knowing.items()
    }


def _count(
    database: Database,
    keyring: Keyring,
    settings: Settings,
    reads: Reads,
    story: str,
    opened: PageOpened,
    now: datetime,
) -> bool:
    day = now.astimezone(settings.publication.zone).date()
    visitor = (opened.client.encode(), opened.agent.encode())
    visit = visit_key(keyring.day_salt(day), *visitor, story).hex()
    own = carries_tag(opened.page, settings.tracking.utm_source)
    with database.write() as tx:
        if not tx.read_logs.begin_visit(reads.slug, visit, now, now - _REPEAT):
            return False
        row = [(story, day, ReadKind.VISITS, 1)]
        tx.reads.add_to_days(reads.slug, row)
        tx.reads.add_to_days(reads.slug, row if own else [], own=True)
        tx.reads.record_success(reads.slug, now)
    return True


def _is_ours(url: str, settings: Settings) -> bool:
    """Whether an address lies at the paper's own host, or at that of one of its sources."""
    sites = (settings.publication.url, *(source.url for source in settings.source))
    return _host(url) in {_host(site) for site in sites}


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
