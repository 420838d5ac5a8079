"""What is due now: the decision that every tick of the scheduler takes.

The clock's word and the unique (newsletter, slot) row decide; the tick itself
carries no state, so it may come twice, late, or from several processes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.errors import Conflict, InvalidTransition, NewsletterError
from newsletter.issues.model import Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.model import Newsletter, Settings
from newsletter.publication.slots import Slot, latest_slot, upcoming_slot
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, queue_notice
from newsletter.workflows.publish import hold_issue, start_sending
from newsletter.workflows.reads import sync_reads

log = get_logger(__name__)

ACTOR = "scheduler"
_FRESH = timedelta(minutes=10)


class Act(StrEnum):
    """What a slot asks for."""

    NOTHING = "nothing"
    DRAFT = "draft"
    SEND = "send"
    HOLD = "hold"


@dataclass(frozen=True)
class Decision:
    """What to do about a slot; ``reason`` is a sentence where it is HOLD."""

    act: Act
    reason: str = ""


def decide(newsletter: Newsletter, slot: Slot, issue: Issue | None, now: datetime) -> Decision:
    """What the slot asks for at ``now``.

    An issue approved after its lateness had run out was approved knowingly:
    it goes out.
    """
    deadline = slot.send_at + newsletter.lateness
    if issue is None:
        return Decision(Act.DRAFT if now >= slot.draft_at else Act.NOTHING)
    if issue.state not in (IssueState.DRAFT, IssueState.APPROVED) or now < slot.send_at:
        return Decision(Act.NOTHING)
    approved_in_time = issue.approved_at is None or issue.approved_at <= deadline
    if now > deadline and approved_in_time:
        missed = "not approved" if issue.state is IssueState.DRAFT else "not sent"
        return Decision(
            Act.HOLD,
            f"it was {missed} within {newsletter.max_lateness} after its time, "
            f"{slot.send_at:%Y-%m-%d %H:%M} UTC.",
        )
    return Decision(Act.SEND if issue.state is IssueState.APPROVED else Act.NOTHING)


def tick(installation: Installation) -> None:
    """Do what is due for every newsletter; one that fails never stops another."""
    settings = installation.settings()
    for newsletter in settings.newsletter:
        for slot in _slots_to_look_at(installation, settings, newsletter):
            try:
                _act_on(installation, settings, newsletter, slot)
            except InvalidTransition as error:
                # Another process or an editor was quicker; the next tick sees what is now.
                log.info("slot_moved", newsletter=newsletter.slug, issue=slot.key, by=str(error))
            except NewsletterError as error:
                _tell(installation, settings, newsletter, slot, error)


def refresh(installation: Installation) -> None:
    """Poll the sources and the counters."""
    fetch_stories(installation)
    sync_reads(installation)


def _refresh_if_stale(installation: Installation) -> None:
    """Poll before drafting, unless just done: a draft that fails is tried every tick."""
    since = installation.clock.now() - _FRESH
    with installation.database.read() as tx:
        states = [*tx.sources.states().values(), *tx.reads.states().values()]
    polled = [(state.last_success_at, state.last_error_at) for state in states]
    if not polled or any(all(at is None or at < since for at in pair) for pair in polled):
        refresh(installation)


def _slots_to_look_at(
    installation: Installation, settings: Settings, newsletter: Newsletter
) -> tuple[Slot, ...]:
    now = installation.clock.now()
    zone = newsletter.zone_in(settings.publication)
    latest, upcoming = (
        latest_slot(newsletter, zone, now),
        upcoming_slot(newsletter, zone, now),
    )
    with installation.database.read() as tx:
        since = tx.settings.newsletter_since(newsletter.slug)
        has_latest = tx.issues.get(newsletter.slug, latest.key) is not None
    # A slot of before the newsletter was set up is nobody's missed issue.
    return (latest, upcoming) if has_latest or latest.send_at > since else (upcoming,)


def _act_on(
    installation: Installation, settings: Settings, newsletter: Newsletter, slot: Slot
) -> None:
    with installation.database.read() as tx:
        issue = tx.issues.get(newsletter.slug, slot.key)
    decision = decide(newsletter, slot, issue, installation.clock.now())
    if decision.act is Act.DRAFT:
        _refresh_if_stale(installation)
        try:
            issue = draft_issue(installation, newsletter, slot, actor=ACTOR).issue
        except Conflict:
            log.info("slot_drafted_elsewhere", newsletter=newsletter.slug, issue=slot.key)
            return
        decision = decide(newsletter, slot, issue, installation.clock.now())
    if issue is None:
        return
    if decision.act is Act.HOLD:
        with installation.database.write() as tx:
            hold_issue(tx, installation, settings, issue, decision.reason)
    elif decision.act is Act.SEND:
        start_sending(installation, issue, actor=ACTOR)


def _tell(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    slot: Slot,
    error: NewsletterError,
) -> None:
    log.error("slot_failed", newsletter=newsletter.slug, issue=slot.key, error=str(error))
    notice = Notice(
        key=f"failed:{newsletter.slug}:{slot.key}",
        subject=f"{newsletter.name}, {slot.key}: needs a hand",
        sentences=(str(error), "It is tried again every half minute until it works."),
    )
    with installation.database.write() as tx:
        queue_notice(tx, installation, settings, newsletter, notice)
