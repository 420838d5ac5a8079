"""Accounting for every reader of an issue: the totals always add up."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from newsletter.delivery.model import BY_HAND, DeliveryState, LedgerCounts
from newsletter.issues.model import Issue, IssueState
from newsletter.storage.delivery_rows import DeliveryGroup, DeliveryRow, DomainCounts
from newsletter.storage.links import LinkClicks
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation

K = TypeVar("K")

# Domains counted by name, and doubts listed: a list of readers may have any number.
NAMED_DOMAINS = 50
LISTED_DOUBTS = 1_000
# Why a row was skipped whose issue was stopped: the issue's state. Others left before, or may
# not be mailed.
CALLED_OFF = frozenset({IssueState.RECALLED.value, IssueState.CANCELLED.value})


@dataclass(frozen=True)
class Reason:
    """The readers of one state for one reason; accepted ones need none."""

    state: DeliveryState
    reason: str
    readers: int


@dataclass(frozen=True)
class IssueReport:
    """An issue's deliveries, counted in one moment.

    ``groups`` and ``domains`` each hold every reader once. ``doubts`` are the
    first `LISTED_DOUBTS` readers whose message may have been taken without our
    knowing, also those of whom more is known by now. ``clicks`` are of each link
    that leads through us; they say how often it was followed, not by how many.
    """

    issue: Issue
    groups: tuple[DeliveryGroup, ...] = ()
    domains: tuple[DomainCounts, ...] = ()
    waves: dict[int, str] = field(default_factory=dict)
    doubts: tuple[DeliveryRow, ...] = ()
    clicks: tuple[LinkClicks, ...] = ()

    @property
    def counts(self) -> LedgerCounts:
        return _sum(self.groups)

    @property
    def doubtful(self) -> int:
        """How many readers were in doubt at least once."""
        return sum(group.doubtful for group in self.groups)

    @property
    def called_off(self) -> int:
        """How many of the skipped got nothing as the issue was recalled or cancelled."""
        skipped = (group for group in self.groups if group.state is DeliveryState.SKIPPED)
        return sum(group.readers for group in skipped if group.reason in CALLED_OFF)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The readers by state and reason, in the order of the states."""
        order = list(DeliveryState)
        found = _grouped(self.groups, lambda group: (order.index(group.state), group.reason))
        return tuple(
            Reason(order[at], reason, _sum(groups).total)
            for (at, reason), groups in sorted(found.items())
        )

    @property
    def relays(self) -> dict[str, LedgerCounts]:
        """The readers by the relay that answered last; "" for those that none answered yet."""
        return _summed(self.groups, lambda group: group.relay)

    @property
    def revisions(self) -> dict[int, LedgerCounts]:
        """The readers by the revision that they got, or would get."""
        return _summed(self.groups, lambda group: group.revision)

    @property
    def variants(self) -> dict[str, LedgerCounts]:
        """The readers by the name of the variant that they got, or would get."""
        return _summed(self.groups, lambda group: group.variant)

    @property
    def by_wave(self) -> dict[int, LedgerCounts]:
        """The readers by the number of their wave."""
        return _summed(self.groups, lambda group: group.wave)

    @property
    def other_domains(self) -> LedgerCounts:
        """The readers whose domain is none of ``domains``."""
        whole, named = asdict(self.counts), [asdict(domain.counts) for domain in self.domains]
        return LedgerCounts(
            **{state: n - sum(counts[state] for counts in named) for state, n in whole.items()}
        )

    def totals(self) -> dict[str, Any]:
        """The audience and its parts."""
        counts = self.counts
        return {
            "state": self.issue.state,
            "audience": counts.total,
            **asdict(counts),
            "open": counts.open,
            "in_doubt": self.doubtful,
            "called_off": self.called_off,
        }

    def sentence(self) -> str:
        """The totals in words."""
        counts = self.counts
        waiting = f", {counts.open:,} still to go" if counts.open else ""
        called_off = f" (called off: {self.called_off:,})" if self.called_off else ""
        return (
            f"issue {self.issue.slot} is {self.issue.state}: of {counts.total:,} readers "
            f"{counts.accepted:,} accepted, {counts.refused:,} refused, "
            f"{counts.uncertain:,} uncertain, {counts.skipped:,} skipped{called_off}{waiting}"
        )


class OpenReport:
    """A report and its readers one by one, all of the same moment."""

    def __init__(self, transaction: Transaction, report: IssueReport) -> None:
        self.report = report
        self._transaction = transaction

    def rows(self) -> Iterator[DeliveryRow]:
        """Each reader in the order in which they were queued; streamed."""
        return self._transaction.mailings.deliveries(self.report.issue.public_id)


@contextmanager
def open_report(installation: Installation, issue: Issue) -> Iterator[OpenReport]:
    """The report of an issue as it stands now, to be read while it is open."""
    with installation.database.read() as tx:
        mailings, key = tx.mailings, issue.public_id
        groups = tuple(mailings.groups(key))
        doubtful = any(group.doubtful for group in groups)
        report = IssueReport(
            issue=tx.issues.by_id(key) or issue,
            groups=groups,
            domains=tuple(mailings.domains(key, NAMED_DOMAINS)),
            waves=mailings.wave_names(key),
            doubts=tuple(mailings.doubtful(key, LISTED_DOUBTS)) if doubtful else (),
            clicks=tuple(tx.links.clicks(key)),
        )
        yield OpenReport(tx, report)


def report_issue(installation: Installation, issue: Issue) -> IssueReport:
    """The report of an issue as it stands now, without its readers."""
    with open_report(installation, issue) as opened:
        return opened.report


def describe_doubt(row: DeliveryRow) -> str:
    """What became of a message that may have been taken without our knowing."""
    told = f"; told later: {row.bounce.report.action}" if row.bounce else ""
    return _describe_state(row) + told


def _describe_state(row: DeliveryRow) -> str:
    times = "once" if row.doubts == 1 else f"{row.doubts} times"
    if row.state is DeliveryState.UNCERTAIN:
        return "not resent" if row.doubts == 1 else "resent once, in doubt again"
    if row.state is DeliveryState.QUEUED:
        return "waits to be resent"
    if row.state in (DeliveryState.CLAIMED, DeliveryState.HANDED_OVER):
        return "is being resent"
    if row.state is DeliveryState.DEFERRED:
        return "resent once, put off until later"
    if row.reason == BY_HAND:
        return f"in doubt {times}, settled by hand"
    if row.state is DeliveryState.SKIPPED:
        return f"in doubt {times}, then called off"
    # The first copy's answer may have come late, before the second copy went.
    return f"in doubt {times}, resent once or answered late"


def _grouped(
    groups: Iterable[DeliveryGroup], key: Callable[[DeliveryGroup], K]
) -> dict[K, list[DeliveryGroup]]:
    found: defaultdict[K, list[DeliveryGroup]] = defaultdict(list)
    for group in groups:
        found[key(group)].append(group)
    return found


def _summed(
    groups: Iterable[DeliveryGroup], key: Callable[[DeliveryGroup], Any]
) -> dict[Any, LedgerCounts]:
    return {value: _sum(found) for value, found in sorted(_grouped(groups, key).items())}


def _sum(groups: Sequence[DeliveryGroup]) -> LedgerCounts:
    by_state: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        by_state[group.state.value] += group.readers
    return LedgerCounts(**by_state)
