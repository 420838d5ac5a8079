"""What a run did so far, and when its failures are no longer chance."""

import threading
from collections import Counter
from datetime import datetime, timedelta

from newsletter.delivery.model import Delivery, DeliverySummary, Outcome, OutcomeKind
from newsletter.delivery.replies import defer_or_expire

# A row that goes back more often than this may be what breaks the conversation.
_REQUEUES_OF_A_ROW = 2
# So many refusals that blame us, in a row, are not about the readers.
_SENDER_FAULTS_IN_A_ROW = 5


class Tally:
    """Counts of one run, shared by its connections. Thread-safe."""

    def __init__(self, give_up_after: timedelta) -> None:
        self._give_up_after = give_up_after
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._requeues: Counter[int] = Counter()
        self._faults = 0

    def summary(self) -> DeliverySummary:
        with self._lock:
            return DeliverySummary(**self._counts)

    def count_skipped(self) -> None:
        with self._lock:
            self._counts["skipped"] += 1

    def count(self, outcome: Outcome) -> None:
        with self._lock:
            self._counts[outcome.kind.value] += 1

    def weigh(self, delivery: Delivery, outcome: Outcome, now: datetime) -> tuple[Outcome, bool]:
        """The outcome in the light of the run, and whether the relay must be left.

        A row that keeps going back is deferred, so that one message which breaks
        every conversation does not hold up the others. While the relay has taken
        nothing in this run, a refusal that blames us is not final: readers must
        not lose an issue by a slip in the relay's settings.
        """
        with self._lock:
            if outcome.kind is OutcomeKind.REQUEUED:
                if outcome.sender_fault:
                    return outcome, True
                self._requeues[delivery.id] += 1
                if self._requeues[delivery.id] > _REQUEUES_OF_A_ROW:
                    return self._defer(delivery, outcome, now), False
                return outcome, False
            if not (outcome.kind is OutcomeKind.REFUSED and outcome.sender_fault):
                self._faults = 0
                return outcome, False
            self._faults += 1
            if self._faults >= _SENDER_FAULTS_IN_A_ROW:
                return Outcome(OutcomeKind.REQUEUED, outcome.reason, outcome.reply, True), True
            if not self._counts["accepted"]:
                return self._defer(delivery, outcome, now), False
            return outcome, False

    def _defer(self, delivery: Delivery, outcome: Outcome, now: datetime) -> Outcome:
        return defer_or_expire(
            outcome.reply,
            outcome.reason,
            delivery.attempts,
            delivery.first_tried_at,
            now,
            self._give_up_after,
        )
