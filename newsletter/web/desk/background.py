"""What is counted or looked over behind a page, one at a time for each thing."""

import threading
from collections.abc import Callable

from newsletter.errors import NewsletterError
from newsletter.log import get_logger

log = get_logger(__name__)


class Background:
    """Does work in threads; what is under way for a name is not begun a second time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[str] = set()

    def begin(self, name: str, work: Callable[[], object]) -> None:
        """Begin ``work`` unless work of that name is under way."""
        with self._lock:
            if name in self._under_way:
                return
            self._under_way.add(name)
        threading.Thread(target=self._do, args=(name, work), name=name, daemon=True).start()

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
                self._under_way.discard(name)
