"""Claimed rows, given to the couriers one at a time."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta

from newsletter.clock import Clock
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery
from newsletter.delivery.ports import Ledger
from newsletter.tokens import Keyring

LEASE = timedelta(seconds=30)
# Few enough that system mail, claimed first, never waits long behind an issue.
_BATCH = 50
# One issue and the system mail that comes between: each confirmation is a mailing.
_TEMPLATES_KEPT = 16


class ClaimFeed:
    """The rows one worker has claimed, shared by its connections. Thread-safe.

    Gives nothing more once ``should_stop`` says so or `stop` was called.
    """

    def __init__(
        self,
        ledger: Ledger,
        keyring: Keyring,
        clock: Clock,
        worker: str,
        should_stop: Callable[[], bool],
    ) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._clock = clock
        self._worker = worker
        self._should_stop = should_stop
        self._lock = threading.Lock()
        self._rows: deque[Delivery] = deque()
        self._templates: OrderedDict[str, MessageTemplate] = OrderedDict()
        self._stopped = False

    def fill(self) -> int:
        """Claim a batch if nothing is at hand; how many rows are."""
        with self._lock:
            if not self._rows and not self._is_over():
                now = self._clock.now()
                self._rows.extend(self._ledger.claim(self._worker, now, now + LEASE, _BATCH))
            return len(self._rows)

    def take(self) -> Delivery | None:
        """The next row, or None: nothing is due, or sending is to stop."""
        self.fill()
        with self._lock:
            return None if self._is_over() or not self._rows else self._rows.popleft()

    def give_back(self, delivery: Delivery) -> None:
        """Return a row that was taken and not touched."""
        with self._lock:
            self._rows.appendleft(delivery)

    def left(self) -> int:
        """Rows at hand that nobody took."""
        with self._lock:
            return len(self._rows)

    def stop(self) -> None:
        """Give out nothing more."""
        with self._lock:
            self._stopped = True

    def renew(self) -> None:
        """Keep the claimed rows ours for another lease."""
        self._ledger.renew(self._worker, self._clock.now() + LEASE)

    def template_of(self, mailing_id: str) -> MessageTemplate:
        """The mailing's template, encoded on first use; RenderError if it can't be."""
        with self._lock:
            template = self._templates.get(mailing_id)
            if template is None:
                mailing = self._ledger.mailing(mailing_id)
                template = MessageTemplate.of(mailing, self._keyring)
                self._templates[mailing_id] = template
                if len(self._templates) > _TEMPLATES_KEPT:
                    self._templates.popitem(last=False)
            self._templates.move_to_end(mailing_id)
            return template

    def _is_over(self) -> bool:
        self._stopped = self._stopped or self._should_stop()
        return self._stopped
