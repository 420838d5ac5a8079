"""To whom an issue would go, counted: at once on a short list, else kept with when it was.

To count a million readers takes seconds, and no page is to wait for that.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from newsletter.delivery.model import PlannedWave
from newsletter.delivery.waves import first_start, plan_waves
from newsletter.issues.model import Choice, Issue, IssueState
from newsletter.issues.variants import plan_variants
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.reader_figures import SHORT_LIST
from newsletter.workflows.segments import audience_segment
from newsletter.workflows.soon import time_before

# A count of before is shown for so long, and believed where somebody types it.
KEPT_FOR = timedelta(minutes=30)
# On a long list some come and go all the time: as many do no harm.
_COME_AND_GO = 0.01


@dataclass(frozen=True)
class AudienceOutlook:
    """The readers of an issue as they were ``at``: by variant and by zone, most first.

    A zone is empty for readers of whom none is known: they count as at home. ``log`` is
    the last line of the change log that they are counted by.
    """

    at: datetime
    readers: int
    variants: tuple[tuple[str, int], ...]
    zones: tuple[tuple[str, int], ...]
    log: int


def read_outlook(installation: Installation, issue: Issue) -> AudienceOutlook | None:
    """The readers of now where the lists are short, else those kept; None where none are."""
    with installation.database.read() as tx:
        if is_short(tx):
            return _count(tx, installation, issue)
        kept = tx.figures.kept(_name(issue.public_id))
    return _from_document(kept[1], kept[0]) if kept else None


def count_outlook(installation: Installation, issue: Issue) -> AudienceOutlook:
    """Count, however long it takes, and keep what came out."""
    with installation.database.read() as tx:
        found = _count(tx, installation, issue)
    with installation.database.write() as tx:
        tx.figures.keep(_name(issue.public_id), _document(found), found.at)
    return found


def is_short(tx: Transaction) -> bool:
    """Whether all readers there are can be counted while a page waits."""
    return tx.figures.lists_fit(SHORT_LIST, _ANY)


def known_readers(installation: Installation, issue: Issue) -> int | None:
    """How many readers the issue would go to, as far as that can be said at once; else None."""
    outlook = read_outlook(installation, issue)
    if outlook is None or is_outdated(installation, outlook):
        return None
    return outlook.readers


def is_outdated(installation: Installation, outlook: AudienceOutlook) -> bool:
    """Whether it was counted long ago, or more than 1 % may have come or gone since."""
    if installation.clock.now() - outlook.at > KEPT_FOR:
        return True
    with installation.database.read() as tx:
        return tx.changes.moves_readers(outlook.log, round(outlook.readers * _COME_AND_GO))


def planned_waves(
    settings: Settings, issue: Issue, outlook: AudienceOutlook, now: datetime
) -> tuple[PlannedWave, ...]:
    """The waves in which the issue would go out to these readers."""
    newsletter = newsletter_of(settings, issue)
    home = newsletter.zone_in(settings.publication)
    zones = [name or None for name, _ in outlook.zones] if newsletter.waves.local_time else []
    begins = max(first_start(newsletter.waves, issue.send_at, home, zones), now)
    return plan_waves(newsletter.waves, issue.send_at, home, zones, begins)


def foreseen_begin(installation: Installation, settings: Settings, issue: Issue) -> datetime:
    """When the sending of a draft or approved issue begins, by the readers as last counted.

    That is its own time, or before it for readers in the east. A draft that was made or
    changed after their time waits for its own, and so does an issue that is sent now.
    """
    newsletter = newsletter_of(settings, issue)
    if not newsletter.waves.local_time:
        return issue.send_at
    outlook = read_outlook(installation, issue)
    if outlook is None:
        return issue.send_at
    home = newsletter.zone_in(settings.publication)
    zones = [name or None for name, _ in outlook.zones]
    begins = first_start(newsletter.waves, issue.send_at, home, zones)
    with installation.database.read() as tx:
        if issue.state is IssueState.DRAFT:
            waits = tx.issue_lines.by_ids([issue.public_id])[issue.public_id].changed_at > begins
        else:
            waits = time_before(tx, issue) is not None
    return issue.send_at if waits else begins


# No change of a list is looked at, only the lists themselves.
_ANY = 2**62


def _count(tx: Transaction, installation: Installation, issue: Issue) -> AudienceOutlook:
    now = installation.clock.now()
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    segment = audience_segment(newsletter, settings, now)
    log = tx.changes.last_number()
    zones = tx.waves.zone_counts(newsletter.slug, segment)
    choices = tx.audience.choices(newsletter.slug, segment=segment)
    return AudienceOutlook(
        now,
        sum(zones.values()),
        _variants(settings, newsletter, issue, choices),
        tuple((name or "", count) for name, count in zones.items()),
        log,
    )


def _variants(
    settings: Settings, newsletter: Newsletter, issue: Issue, choices: dict[Choice, int]
) -> tuple[tuple[str, int], ...]:
    plan = plan_variants(issue, newsletter, settings.publication, choices)
    readers: Counter[str] = Counter({served.variant.name: 0 for served in plan})
    for served in plan:
        readers[served.variant.name] += sum(choices[choice] for choice in served.choices)
    return tuple(readers.most_common())


def _name(issue_id: str) -> str:
    return f"audience:{issue_id}"


def _document(outlook: AudienceOutlook) -> dict[str, Any]:
    return {
        "readers": outlook.readers,
        "variants": list(outlook.variants),
        "zones": list(outlook.zones),
        "log": outlook.log,
    }


def _from_document(document: dict[str, Any], at: datetime) -> AudienceOutlook:
    return AudienceOutlook(
        at,
        document["readers"],
        tuple((name, count) for name, count in document["variants"]),
        tuple((name, count) for name, count in document["zones"]),
        # Kept by a version that noted none: of before everything.
        document.get("log", 0),
    )
