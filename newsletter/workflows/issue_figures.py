"""What became of an issue's readers, in figures: counted at once for a few, else kept.

To count a million rows takes seconds. What was counted last is kept with when it was, so
that a page has it at once, also after the service was started again.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from newsletter.delivery.model import DeliveryState, LedgerCounts
from newsletter.issues.model import Issue
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import DeliveryGroup, DomainCounts, TroubledDomain
from newsletter.storage.goodbyes import AFTER, IssueGoodbyes
from newsletter.storage.issue_lines import OVER, IssueLine
from newsletter.storage.transaction import Transaction
from newsletter.workflows.report import IssueReport

# So many rows are counted while a page waits, several times over (80 ms).
COUNTED_AT_ONCE = 20_000
# How long a count of an issue that is on its way will do.
FRESH = timedelta(seconds=15)
# Over how long the pace is taken, once sending goes on for that long; and at least.
PACE = timedelta(seconds=60)
_LEAST_PACE = timedelta(seconds=5)
# So many domains are named.
_DOMAINS = 50
_TROUBLED = 12
_GOODBYES = 6
# How long those of an issue that is over will do while readers may still say goodbye.
_GOODBYES_FRESH = timedelta(hours=1)
_OPEN = frozenset(
    {
        DeliveryState.QUEUED,
        DeliveryState.CLAIMED,
        DeliveryState.HANDED_OVER,
        DeliveryState.DEFERRED,
    }
)


@dataclass(frozen=True)
class IssueFigures:
    """An issue's readers as they stood ``at``.

    ``groups`` hold every reader once, and so do ``domains`` with the rest. ``lately`` were
    answered for in the ``pace_seconds`` before. ``changed_at`` is the issue's, which tells whether
    figures of one that is over still stand. ``goodbyes`` are those after this issue and after
    some before it, the newest first.
    """

    at: datetime
    changed_at: datetime
    groups: tuple[DeliveryGroup, ...]
    domains: tuple[DomainCounts, ...]
    troubled: tuple[TroubledDomain, ...]
    lately: int
    goodbyes: tuple[IssueGoodbyes, ...] = ()
    pace_seconds: float = PACE.total_seconds()

    @property
    def per_second(self) -> float:
        """The pace of the last minute, or of the time since sending began or went on."""
        return self.lately / self.pace_seconds

    @property
    def waiting(self) -> Mapping[int, int]:
        """How many readers of each wave still have a way to go."""
        found: Counter[int] = Counter()
        for group in self.groups:
            if group.state in _OPEN:
                found[group.wave] += group.readers
        return found

    def report(self, issue: Issue, waves: dict[int, str]) -> IssueReport:
        """These figures in the ways in which a report adds them up."""
        return IssueReport(issue, self.groups, self.domains, waves)


def read_issue_figures(database: Database, line: IssueLine, now: datetime) -> IssueFigures | None:
    """The figures of now where the issue went to few, else those kept; None where none are."""
    with database.read() as tx:
        if line.readers <= COUNTED_AT_ONCE:
            return _count(tx, line, now)
        kept = tx.figures.kept(_name(line))
    return _from_document(kept[1], kept[0]) if kept else None


def are_old(figures: IssueFigures | None, line: IssueLine, now: datetime) -> bool:
    """Whether they have to be counted anew."""
    if figures is None:
        return True
    if now - figures.at <= FRESH:
        return False
    if line.state not in OVER or figures.changed_at != line.changed_at:
        return True
    ends = line.send_at + AFTER
    return figures.at < ends and now - figures.at > _GOODBYES_FRESH


def count_issue_figures(database: Database, line: IssueLine, now: datetime) -> None:
    """Count, however long it takes, and keep what came out."""
    with database.read() as tx:
        found = _count(tx, line, now)
    with database.write() as tx:
        tx.figures.keep(_name(line), _document(found), now)


def _count(tx: Transaction, line: IssueLine, now: datetime) -> IssueFigures:
    key = line.public_id
    settled, first = 0, None
    if line.state not in OVER:
        settled, first = tx.mailings.settled_since(key, now - PACE)
    # It was changed last as it began to be sent, or went on.
    began = max(first, line.changed_at) if first is not None else now
    return IssueFigures(
        now,
        line.changed_at,
        tuple(tx.mailings.groups(key)),
        tuple(tx.mailings.domains(key, _DOMAINS)),
        tuple(tx.mailings.troubled(key, _TROUBLED)),
        settled,
        tuple(tx.goodbyes.after(line.newsletter, line.send_at, _GOODBYES)),
        min(max(now - began, _LEAST_PACE), PACE).total_seconds(),
    )


def _name(line: IssueLine) -> str:
    return f"issue:{line.public_id}"


def _document(figures: IssueFigures) -> dict[str, Any]:
    return {
        "changed_at": figures.changed_at.isoformat(),
        "groups": [{**asdict(group), "state": group.state.value} for group in figures.groups],
        "domains": [[one.domain, asdict(one.counts)] for one in figures.domains],
        "troubled": [[one.domain, one.refused, one.deferred] for one in figures.troubled],
        "lately": figures.lately,
        "pace_seconds": figures.pace_seconds,
        "goodbyes": [asdict(one) for one in figures.goodbyes],
    }


def _from_document(document: dict[str, Any], at: datetime) -> IssueFigures:
    return IssueFigures(
        at,
        datetime.fromisoformat(document["changed_at"]),
        tuple(
            DeliveryGroup(**{**group, "state": DeliveryState(group["state"])})
            for group in document["groups"]
        ),
        tuple(
            DomainCounts(domain, LedgerCounts(**counts)) for domain, counts in document["domains"]
        ),
        tuple(TroubledDomain(*one) for one in document["troubled"]),
        document["lately"],
        tuple(IssueGoodbyes(**one) for one in document["goodbyes"]),
        # Kept by a version that noted none: it took the minute.
        document.get("pace_seconds", PACE.total_seconds()),
    )
