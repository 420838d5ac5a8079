"""What is counted or looked over behind a page, one at a time for each thing."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from newsletter.errors import NewsletterError
from newsletter.log import get_logger

log = get_logger(__name__)

Found = TypeVar("Found")

# So long a page waits for what may come at once, before it says that it is awaited, in seconds.
PATIENCE = 0.08
# So the names of the threads begin.
BEHIND = "behind: "


class Background:
    """Does work in threads; what is under way for a name is not begun a second time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Event] = {}

    def begin(self, name: str, work: Callable[[], object]) -> threading.Event:
        """Begin ``work`` unless work of that name is under way; what is set at its end."""
        with self._lock:
            if name in self._under_way:
                return self._under_way[name]
            over = self._under_way[name] = threading.Event()
        thread = f"{BEHIND}{name}"
        threading.Thread(target=self._do, args=(name, work), name=thread, daemon=True).start()
        return over

    def is_at(self, name: str) -> bool:
        """Whether work of that name is under way."""
        with self._lock:
            return name in self._under_way

    def _do(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except NewsletterError as error:
            # The next look at the page begins it anew.
            log.warning("background_failed", what=name, error=str(error))
        finally:
            with self._lock:
                self._under_way.pop(name).set()


class Remembered(Generic[Found]):
    """What is worked out behind pages, by name: it ``holds`` for a while, and is worked out anew.

    The ``most`` names that were worked out last are remembered, by this process alone.
    """

    def __init__(self, background: Background, holds: timedelta, most: int = 50) -> None:
        self._background = background
        self._holds = holds
        self._most = most
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, Found]] = {}

    def of(self, name: str, now: datetime, work: Callable[[], Found]) -> Found | None:
        """What is known, or comes in a moment; None where it is awaited."""
        known = self._holding(name, now)
        if known is None:
            self._begin(name, now, work).wait(PATIENCE)
            known = self._holding(name, now)
        return known[1] if known else None

    def newest(self, name: str, now: datetime, work: Callable[[], Found]) -> Found | None:
        """What was worked out last, however old; anew behind the page where it holds no more."""
        if self._holding(name, now) is None:
            self._begin(name, now, work)
        known = self._known.get(name)
        return known[1] if known else None

    def _begin(self, name: str, now: datetime, work: Callable[[], Found]) -> threading.Event:
        return self._background.begin(name, lambda: self._keep(name, now, work()))

    def _holding(self, name: str, now: datetime) -> tuple[datetime, Found] | None:
        known = self._known.get(name)
        return known if known and now - known[0] < self._holds else None

    def _keep(self, name: str, now: datetime, found: Found) -> None:
        with self._lock:
            # The newest stand last.
            self._known.pop(name, None)
            self._known[name] = now, found
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]
