"""What a run did so far, and what a reply means in the light of it."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from newsletter.delivery.model import Delivery, DeliverySummary, Outcome, OutcomeKind
from newsletter.delivery.replies import defer_or_expire

# A row that goes back more often than this may be what breaks the conversation.
_REQUEUES_OF_A_ROW = 2
# One that has been going back for so long waits, and that counts.
_REQUEUED_FOR = timedelta(minutes=5)
# So many readers in a row refused for what does not tell of them, at one destination, are not
# about the readers; nor are so many over destinations of which none has taken anything yet.
_FAULTS_OF_A_DESTINATION = 5
_FAULTS_OF_A_RELAY = 20
# Destinations remembered as taking our mail; one forgotten is only judged more gently.
_REMEMBERED = 2_000


class Blame(StrEnum):
    """Whom a reply calls in question, besides its reader."""

    NOBODY = "nobody"
    # The whole relay refuses us, whoever the reader is.
    RELAY = "relay"
    # One destination refuses us, and others behind the same relay do not.
    DESTINATION = "destination"


class Verdict(NamedTuple):
    """What to record, and whom it calls in question."""

    outcome: Outcome
    blame: Blame = Blame.NOBODY


class Tally:
    """Counts of one worker. For one thread."""

    def __init__(self, give_up_after: timedelta) -> None:
        self._give_up_after = give_up_after
        self._counts: Counter[str] = Counter()
        self._requeues: Counter[int] = Counter()
        # Rows refused so, by relay and destination: a row that is tried again counts once.
        self._faults: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self._accepted: defaultdict[str, set[str]] = defaultdict(set)

    def summary(self) -> DeliverySummary:
        return DeliverySummary(**self._counts)

    def start_run(self) -> None:
        """Begin to count anew; what is known of the relays stays."""
        self._counts.clear()
        self._requeues.clear()

    def count_skipped(self) -> None:
        self._counts["skipped"] += 1

    def count(self, outcome: Outcome) -> None:
        self._counts[outcome.kind.value] += 1

    def note_accepted(self, relay: str, group: str) -> None:
        """A message to the destination was taken: the refusals before it were no run of them."""
        known = self._accepted[relay]
        if group not in known:
            if len(known) >= _REMEMBERED:
                known.pop()
            known.add(group)
        if relay in self._faults:
            self._faults[relay].pop(group, None)

    def forget_faults(self, relay: str) -> None:
        """The relay was left: what comes after its pause is judged anew."""
        self._faults.pop(relay, None)
        self._accepted.pop(relay, None)

    def weigh(
        self,
        delivery: Delivery,
        relay: str,
        group: str,
        outcome: Outcome,
        now: datetime,
        *,
        in_trouble: bool = False,
    ) -> Verdict:
        """An outcome other than accepted in the light of what else the relay answered.

        A row that keeps going back is deferred, so that one message which breaks
        every conversation does not hold up the others, and no reader waits for ever
        for a server that answers 421 to each try. A refusal that blames us
        is not final until the destination is known to take our mail, nor where
        such refusals come in a row: readers must not lose an issue by a slip in
        DNS or in the relay's settings, or by an issue that is too big. Five readers
        in a row at one destination are its fault-finding, and wait until it is
        mended or their time is up; where nothing else got through the relay, it is
        the relay's, and so are twenty of whomever. Of a destination ``in_trouble`` it is
        known that it takes nothing, from before this run.
        """
        if outcome.kind is OutcomeKind.REQUEUED:
            if outcome.sender_fault:
                return Verdict(outcome, Blame.RELAY)
            self._requeues[delivery.id] += 1
            since = delivery.first_tried_at
            if self._requeues[delivery.id] > _REQUEUES_OF_A_ROW or (
                since is not None and now - since >= _REQUEUED_FOR
            ):
                return Verdict(self._defer(delivery, outcome, now))
            return Verdict(outcome)
        if not (outcome.kind is OutcomeKind.REFUSED and outcome.sender_fault):
            if relay in self._faults:
                self._faults[relay].pop(group, None)
            return Verdict(outcome)
        faults = self._faults[relay]
        faults[group].add(delivery.id)
        taken = self._accepted[relay]
        if len(faults[group]) >= _FAULTS_OF_A_DESTINATION or (
            not taken and sum(map(len, faults.values())) >= _FAULTS_OF_A_RELAY
        ):
            if in_trouble or taken - {group}:
                # What comes after its pause is judged anew.
                del faults[group]
                return Verdict(self._defer(delivery, outcome, now), Blame.DESTINATION)
            requeued = Outcome(OutcomeKind.REQUEUED, outcome.reason, outcome.reply, True)
            return Verdict(requeued, Blame.RELAY)
        if group not in taken or len(faults[group]) > 1:
            return Verdict(self._defer(delivery, outcome, now))
        return Verdict(outcome)

    def _defer(self, delivery: Delivery, outcome: Outcome, now: datetime) -> Outcome:
        deferred = defer_or_expire(
            outcome.reply,
            outcome.reason,
            delivery.attempts,
            delivery.first_tried_at,
            now,
            self._give_up_after,
        )
        return deferred._replace(sender_fault=outcome.sender_fault)
