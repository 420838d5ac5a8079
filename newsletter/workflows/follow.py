"""A click on a link of a mail: where it leads, and the counting behind it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from newsletter.clock import Clock
from newsletter.errors import NewsletterError, NotFound, StorageError, TokenError
from newsletter.feedback.clicks import (
    is_machine,
    judge_readers_clicks,
    sum_by_day,
    sum_by_reader,
)
from newsletter.feedback.model import Click
from newsletter.issues.model import FoundLink
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.storage.database import Database
from newsletter.tokens import Keyring, Purpose

log = get_logger(__name__)

# A process that is killed loses what it has counted since it last wrote.
WRITE_SECONDS = 2.0
# Some 200 bytes each. More come together only while the database takes nothing.
MAX_WAITING = 50_000
# How long a correction may take to be seen by a process that has looked the link up.
REMEMBERED_SECONDS = 5.0
_MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class Visit:
    """A request of a link as it came in: ``headers`` are by lower-case name.

    ``token`` is the reader's part of the link, empty where it has none.
    """

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    token: str = ""


class ClickCounter:
    """Keeps clicks until they are written together, every two seconds. For any number of threads.

    Counting never fails and never waits for the database: what it does not take
    is tried again, and told of in the log where it is given up.
    """

    def __init__(
        self,
        database: Database,
        load_settings: Callable[[], Settings],
        *,
        write_seconds: float = WRITE_SECONDS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._database = database
        self._load_settings = load_settings
        self._write_seconds = write_seconds
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: list[Click] = []
        self._lost = 0
        self._timer: threading.Timer | None = None

    def count(self, click: Click) -> None:
        """Count a click a little later."""
        with self._lock:
            if len(self._waiting) >= self._max_waiting:
                self._lost += 1
                return
            self._waiting.append(click)
            self._set_timer()

    def write(self) -> bool:
        """Write what waits; False where the database did not take it, and it waits on."""
        with self._writing:
            with self._lock:
                batch, self._waiting = self._waiting, []
                lost, self._lost = self._lost, 0
            if lost:
                log.error("clicks_lost", clicks=lost)
            try:
                if batch:
                    self._write(batch)
            except NewsletterError as error:
                log.warning("clicks_wait", clicks=len(batch), error=str(error))
                with self._lock:
                    self._waiting = batch + self._waiting
                    self._set_timer()
                return False
        return True

    def close(self) -> None:
        """Write for the last time."""
        if not self.write():
            with self._lock:
                log.error("clicks_lost", clicks=len(self._waiting))
                self._waiting = []
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._write_seconds, self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        with self._lock:
            self._timer = None
        self.write()

    def _write(self, batch: list[Click]) -> None:
        settings = self._load_settings()
        mode = settings.tracking.clicks
        if mode == "off":
            return  # it was switched off since the mail went out
        readers = [click for click in batch if click.recipient] if mode == "count" else []
        with self._database.read() as tx:
            addressees = tx.links.addressees({(c.mailing, c.recipient) for c in readers})
            stories = tx.links.stories({click.link for click in readers})
        judged = judge_readers_clicks(readers, addressees, stories)
        # A scanner's clicks are apart in the counts of nobody in particular too.
        known = {(click.link, click.recipient, click.at) for click in judged}
        others = [c for c in batch if (c.link, c.recipient, c.at) not in known]
        with self._database.write() as tx:
            tx.links.add_clicks(sum_by_day([*judged, *others], settings.publication.zone))
            tx.links.add_reader_clicks(sum_by_reader(judged))


class LinkFollower:
    """Finds where links lead and counts who follows them. For any number of threads.

    What was looked up is remembered for five seconds; and for longer while the
    database can't be asked, so that readers arrive all the same.
    """

    def __init__(
        self, database: Database, keyring: Keyring, clock: Clock, counter: ClickCounter
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._counter = counter
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, tuple[FoundLink, float]] = OrderedDict()

    def follow(self, link_id: str, visit: Visit) -> FoundLink:
        """The link of that id, the visit counted unless it was withdrawn; NotFound.

        A reader's part that is not ours makes no difference to where the link
        leads: the visit counts as nobody's.
        """
        found = self._find(link_id)
        if not found.withdrawn:
            self._counter.count(self._click(found, visit))
        return found

    def _click(self, link: FoundLink, visit: Visit) -> Click:
        agent = visit.headers.get("user-agent", "")
        by_machine = is_machine(visit.method, agent, visit.headers)
        mailing = recipient = ""
        with suppress(TokenError, ValueError):
            mailing, recipient = self._keyring.verify(Purpose.CLICK, visit.token, short=True)
        return Click(link.public_id, self._clock.now(), by_machine, mailing, recipient)

    def _find(self, link_id: str) -> FoundLink:
        now = self._clock.monotonic()
        with self._lock:
            known, until = self._remembered.get(link_id, (None, 0.0))
        if known is not None and now < until:
            return known
        try:
            with self._database.read() as tx:
                found = tx.links.find(link_id)
        except StorageError as error:
            if known is None:
                raise
            log.warning("link_not_looked_up", link=link_id, error=str(error))
            return known
        with self._lock:
            if found is None:
                self._remembered.pop(link_id, None)
                raise NotFound("there is no such link", subject=link_id)
            self._remembered[link_id] = (found, now + REMEMBERED_SECONDS)
            self._remembered.move_to_end(link_id)
            if len(self._remembered) > _MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return found
