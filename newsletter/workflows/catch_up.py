"""After a pause: the best of what a reader missed, one mail for all who missed the same.

When a pause ends it is noted what its reader missed (`pauses`). The next tick makes an issue of
each range of missed issues that somebody waits for, and sends it to these; who
comes to wait for it later gets the same mailing.
"""

from datetime import datetime

from newsletter.errors import Conflict, NotFound
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import REOPENED
from newsletter.issues.variants import match_variants
from newsletter.log import get_logger
from newsletter.publication.editions import catch_up_of
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot
from newsletter.workflows.clone_guard import assert_may_send
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.installation import Installation
from newsletter.workflows.segments import audience_segment

log = get_logger(__name__)

ACTOR = "catch-up"
_UNDER_WAY = frozenset({IssueState.SENDING}) | REOPENED
_CALLED_OFF = frozenset({IssueState.RECALLED, IssueState.CANCELLED})


def waiting_for(installation: Installation, newsletter: Newsletter) -> list[str]:
    """The slots of the newsletter's catch-ups that somebody waits for."""
    with installation.database.read() as tx:
        return [slot for slug, slot in tx.catch_ups.waiting() if slug == newsletter.slug]


def make_catch_up(
    installation: Installation, settings: Settings, newsletter: Newsletter, slot: str
) -> None:
    """Bring a catch-up on its way to those who wait for it, as far as it may go now."""
    edition = catch_up_of(newsletter, settings.publication, slot)
    now = installation.clock.now()
    segment = audience_segment(edition, settings, now)
    with installation.database.read() as tx:
        issue = tx.issues.get(newsletter.slug, slot)
        readers = tx.subscribers.audience_size(newsletter.slug, segment)
    called_off = issue is not None and issue.state in _CALLED_OFF
    if not readers or called_off or not newsletter.catch_up.missed:
        # They left meanwhile, or it is not to be.
        _let_go(installation, newsletter, slot)
    elif issue is None:
        _draft(installation, settings, newsletter, edition, slot, now)
    elif issue.state in _UNDER_WAY:
        add_readers(installation, settings, edition, issue)


def add_readers(
    installation: Installation, settings: Settings, edition: Newsletter, issue: Issue
) -> int:
    """Queue a catch-up that went out for those who wait for it now, as it is; how many."""
    assert_may_send(installation)
    now = installation.clock.now()
    segment = audience_segment(edition, settings, now)
    with installation.database.write() as tx:
        tx.catch_ups.close(issue.newsletter, issue.slot)
        current = tx.issues.by_id(issue.public_id)
        if current is None or current.state not in _UNDER_WAY:
            return 0  # the next tick sees what is now
        mailings = tx.mailings.of_issue(issue.public_id)
        newest = {m.public_id: m.variant for m in mailings if m.revision == mailings[-1].revision}
        choices = tx.audience.choices(issue.newsletter, segment=segment)
        variants = match_variants(issue, newest, choices)
        canonical = next(iter(newest))
        queued = tx.mailings.enqueue_audience(
            canonical, issue.newsletter, now, (), variants, segment
        )
        if queued and current.state in REOPENED:
            tx.issues.move(
                issue.public_id, REOPENED, IssueState.SENDING, ACTOR, now, reason="catch-up"
            )
        tx.catch_ups.settle(issue.newsletter, issue.slot)
    log.info("catch_up_widened", newsletter=issue.newsletter, issue=issue.slot, readers=queued)
    return queued


def _draft(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    edition: Newsletter,
    slot: str,
    now: datetime,
) -> None:
    today = now.astimezone(newsletter.zone_in(settings.publication)).date()
    try:
        draft_issue(installation, edition, Slot(slot, today, now, now), actor=ACTOR)
    except Conflict:
        log.info("slot_drafted_elsewhere", newsletter=newsletter.slug, issue=slot)
    except NotFound as error:
        # None of its stories is there any more: nothing can be caught up.
        log.warning("nothing_to_catch_up", newsletter=newsletter.slug, issue=slot, error=str(error))
        _let_go(installation, newsletter, slot)


def _let_go(installation: Installation, newsletter: Newsletter, slot: str) -> None:
    with installation.database.write() as tx:
        readers = tx.catch_ups.settle(newsletter.slug, slot)
    log.info("catch_up_dropped", newsletter=newsletter.slug, issue=slot, readers=readers)
