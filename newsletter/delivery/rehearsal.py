"""Rehearsing a send: the engine's ledger and relay played in memory.

Both keep only what is under way, and counts; so a rehearsal takes as much
memory for a million readers as for a thousand.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from newsletter.delivery.brake import is_hard
from newsletter.delivery.model import (
    Delivery,
    DeliveryState,
    Mailing,
    Outcome,
    OutcomeKind,
    Permit,
    Relay,
    RelayState,
    Settlement,
    Slowdown,
)
from newsletter.delivery.ports import Ledger
from newsletter.delivery.responder import OFFERS, Answers, InProcessLink, accept
from newsletter.delivery.states import move_delivery
from newsletter.errors import NotFound

_STATES: Mapping[OutcomeKind, DeliveryState] = {
    OutcomeKind.ACCEPTED: DeliveryState.ACCEPTED,
    OutcomeKind.DEFERRED: DeliveryState.DEFERRED,
    OutcomeKind.REFUSED: DeliveryState.REFUSED,
    OutcomeKind.UNCERTAIN: DeliveryState.UNCERTAIN,
    OutcomeKind.REQUEUED: DeliveryState.QUEUED,
}
# RFC 6531 section 4.2: the sender can't use addresses that are not ASCII.
_NEEDS_UTF8 = "5.6.7"


@dataclass(frozen=True)
class Unmailable:
    """A reader who would not get the message, and why: one of our words, and a sentence."""

    recipient_id: str
    address: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class SizeSpread:
    """Sizes of messages in octets as they go over the wire, without the final dot."""

    smallest: int
    median: int
    p95: int
    largest: int

    @classmethod
    def of(cls, counts: Mapping[int, int]) -> "SizeSpread | None":
        """The spread of sizes that came up so often each; None where none did.

        Ranks are the nearest ones: 95 % of all are at most ``p95``.
        """
        whole = sum(counts.values())
        if not whole:
            return None
        sizes = sorted(counts)
        return cls(sizes[0], _at_rank(counts, sizes, 0.5), _at_rank(counts, sizes, 0.95), sizes[-1])


class RehearsalLedger(Ledger):
    """Plays the ledger for an issue's mailings and one worker; nothing is written anywhere.

    ``readers`` are its rows, taken as the worker asks for them, each with an id
    of its own. Whoever does not get the message is told to ``on_unmailable``;
    ``early_hard`` counts of the first ``early`` those refused as the brake has it.
    Nobody waits in a rehearsal: who would be tried again later counts as not
    served, and limits that only cost time are none.
    """

    def __init__(
        self,
        mailings: Sequence[Mailing],
        readers: Iterator[Delivery],
        on_unmailable: Callable[[Unmailable], None] = lambda _: None,
        *,
        early: int = 0,
    ) -> None:
        self._mailings = {mailing.public_id: mailing for mailing in mailings}
        self._readers = readers
        self._on_unmailable = on_unmailable
        self._again: deque[Delivery] = deque()
        self._under_way: dict[int, tuple[Delivery, DeliveryState]] = {}
        self._early = early
        self._early_rows: set[int] = set()
        self.taken = 0
        self.accepted = 0
        self.early_hard = 0
        self.reasons: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """Readers that were taken and of whom nothing is decided."""
        return len(self._under_way) + len(self._again)

    def enroll(self, name: str, now: datetime, lasting: timedelta) -> int:  # noqa: ARG002
        return 1

    def renew(self, worker: int, now: datetime, lasting: timedelta) -> bool:  # noqa: ARG002
        return True

    def release(self, worker: int) -> int:  # noqa: ARG002
        claimed = [
            delivery
            for delivery, state in self._under_way.values()
            if state is DeliveryState.CLAIMED
        ]
        for delivery in claimed:
            self._put_back(delivery)
        return len(claimed)

    def retire(self, worker: int) -> int:
        return self.release(worker)

    def claim_system(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:  # noqa: ARG002
        return ()

    def claim_issues(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:  # noqa: ARG002
        claimed = [self._again.popleft() for _ in range(min(limit, len(self._again)))]
        fresh = list(islice(self._readers, limit - len(claimed)))
        self._early_rows.update(row.id for row in fresh[: max(0, self._early - self.taken)])
        self.taken += len(fresh)
        claimed += fresh
        for delivery in claimed:
            self._under_way[delivery.id] = (delivery, DeliveryState.CLAIMED)
        return claimed

    def mailing(self, public_id: str) -> Mailing:
        if public_id not in self._mailings:
            raise NotFound("there is no such mailing in this rehearsal", subject=public_id)
        return self._mailings[public_id]

    def commit(
        self,
        worker: int,  # noqa: ARG002
        settled: Sequence[Settlement],
        handing_over: Sequence[int],
        now: datetime,  # noqa: ARG002
    ) -> Collection[int]:
        """As the port says; InvalidTransition for an outcome that its row can't have."""
        for one in settled:
            self._settle(one)
        for row in handing_over:
            delivery, state = self._under_way[row]
            self._under_way[row] = (delivery, move_delivery(state, DeliveryState.HANDED_OVER))
        return handing_over

    def put_back(self, worker: int, rows: Sequence[int], now: datetime) -> None:  # noqa: ARG002
        for row in rows:
            self._put_back(self._under_way[row][0])

    def put_off(self, worker: int, dues: Mapping[int, datetime]) -> None:  # noqa: ARG002
        for row in dues:
            self._put_back(self._under_way[row][0])

    def give_up(
        self,
        queued_before: datetime,  # noqa: ARG002
        relay: str,  # noqa: ARG002
        words: str,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> Sequence[int]:
        return ()

    def hold_mailing(self, mailing_id: str, until: datetime, because: str) -> None:  # noqa: ARG002
        return None

    def forget_holds(self) -> None:
        return None

    def called_off(self, mailings: Collection[str]) -> Collection[str]:  # noqa: ARG002
        return ()

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:  # noqa: ARG002
        return 0, 0

    def has_dead_workers(self, now: datetime) -> bool:  # noqa: ARG002
        return False

    def next_due(self, now: datetime) -> datetime | None:
        return now if self._again else None

    def share(
        self,
        worker: int,  # noqa: ARG002
        relay: Relay,
        in_use: int,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Permit:
        return Permit(relay.connections, kept=int(relay.connections > 1))

    def grant(self, relay: Relay, wanted: int, now: datetime) -> int:  # noqa: ARG002
        return wanted

    def give_back(self, relay: Relay, unused: int, now: datetime) -> None:
        """Nothing was counted."""

    def slowdowns(self, since: datetime) -> Sequence[Slowdown]:  # noqa: ARG002
        return ()

    def slow_down(self, slowdown: Slowdown) -> None:
        """Nobody shares its destinations."""

    def destination_takes(self, group: str) -> None:
        """As above."""

    def relay_states(self) -> Mapping[str, RelayState]:
        return {}

    def set_relay_state(self, relay: str, state: RelayState, now: datetime) -> None:
        """Of no use to anybody: the next rehearsal begins anew."""

    def _settle(self, one: Settlement) -> None:
        delivery, state = self._under_way[one.delivery_id]
        kind = one.outcome.kind
        move_delivery(state, _STATES[kind])
        if kind is OutcomeKind.REQUEUED:
            self._put_back(delivery)
            return
        del self._under_way[one.delivery_id]
        if kind is OutcomeKind.ACCEPTED:
            self.accepted += 1
            return
        self.early_hard += is_hard(one.outcome) and one.delivery_id in self._early_rows
        reason = one.outcome.reason or kind.value
        self.reasons[reason] += 1
        self._on_unmailable(
            Unmailable(delivery.recipient_id, delivery.address, reason, _why(one.outcome))
        )

    def _put_back(self, delivery: Delivery) -> None:
        del self._under_way[delivery.id]
        self._again.append(delivery)


class CountingRelay:
    """Stands in for relays: answers as ``answers`` does, and counts what it took.

    ``offers`` are the SMTP extensions of each relay by slug; one that is not
    named offers all that the engine can make use of. Written to by one thread.
    """

    def __init__(
        self, offers: Mapping[str, Mapping[str, str]] | None = None, answers: Answers = accept
    ) -> None:
        self._offers = offers or {}
        self._answers = answers
        self.sizes: Counter[int] = Counter()
        # Messages for addresses that need SMTPUTF8.
        self.utf8 = 0

    def connect(self, relay: Relay) -> InProcessLink:
        """A connection to it, in the place of `smtp.open_connection`."""
        link = InProcessLink(self._answer)
        offers = self._offers.get(relay.slug, OFFERS)
        # Every message is to be tried: what it takes at most is compared with them afterwards.
        link.offers = {name: "" if name == "size" else value for name, value in offers.items()}
        return link

    @staticmethod
    def without_limits(relay: Relay) -> Relay:
        """The relay as it is rehearsed with: what limits its pace is left out."""
        return replace(relay, rate=0.0, daily_cap=0, warm_up=())

    def _answer(self, command: str, argument: bytes) -> bytes | None:
        reply = self._answers(command, argument)
        if command == "MAIL":
            self.utf8 += argument.endswith(b" SMTPUTF8") or b" SMTPUTF8 " in argument
        elif command == "DOT" and argument and reply is not None and reply.startswith(b"2"):
            # Without a message it ends one that no recipient was left for (RFC 2920 section 3.1).
            self.sizes[len(argument)] += 1
        return reply


def _why(outcome: Outcome) -> str:
    if outcome.reply.enhanced == _NEEDS_UTF8 and not outcome.reply.code:
        return (
            "the address has letters beyond ASCII before its @, and the relay does not take such "
            "(SMTPUTF8)"
        )
    reply = outcome.reply
    code = str(reply.code or "")
    said = " ".join(filter(None, (code, reply.enhanced if code else "", reply.text)))
    return f"{outcome.kind.value}: {said}" if code else said or outcome.kind.value


def _at_rank(counts: Mapping[int, int], sizes: Sequence[int], share: float) -> int:
    rank = math.ceil(share * sum(counts.values()))
    seen = 0
    for size in sizes:
        seen += counts[size]
        if seen >= rank:
            return size
    return sizes[-1]
