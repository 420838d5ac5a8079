"""What is due now: the decision that every tick of the scheduler takes.

The clock's word and the unique (newsletter, slot) row decide; the tick itself
carries no state, so it may come twice, late, or from several processes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.clock import Clock
from newsletter.errors import Conflict, InvalidTransition, IssueHeld, NewsletterError, SendingHeld
from newsletter.issues.model import Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.cadence import CADENCE_OF, Edition
from newsletter.publication.editions import editions_of, in_edition
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot, latest_slot, upcoming_slot
from newsletter.rendering.system_mail import Quote
from newsletter.sources.model import SourceState
from newsletter.storage.database import Database
from newsletter.words import words_of
from newsletter.workflows.catch_up import make_catch_up, waiting_for
from newsletter.workflows.draft import AUTO_ACTOR, draft_issue
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, queue_notice
from newsletter.workflows.preferences import end_pauses
from newsletter.workflows.publish import hold_issue, start_sending
from newsletter.workflows.reads import sync_reads
from newsletter.workflows.unattended import attend_draft
from newsletter.workflows.waves import sending_begins

log = get_logger(__name__)

ACTOR = "scheduler"
_OPEN = (IssueState.DRAFT, IssueState.APPROVED)
_FRESH = timedelta(minutes=10)


class Act(StrEnum):
    """What an issue asks for."""

    NOTHING = "nothing"
    SEND = "send"
    HOLD = "hold"


@dataclass(frozen=True)
class Decision:
    """What to do about an issue; ``reason`` is a sentence where it is HOLD."""

    act: Act
    reason: str = ""


def decide(
    newsletter: Newsletter, issue: Issue, now: datetime, begins: datetime | None = None
) -> Decision:
    """What the issue asks for at ``now``, by its own time.

    ``begins`` is when its sending begins where that is before its own time. An
    issue that a person approved after its lateness had run out was approved
    knowingly: it goes out.
    """
    deadline = issue.send_at + newsletter.lateness
    if issue.state not in _OPEN or now < (begins or issue.send_at):
        return Decision(Act.NOTHING)
    knowingly = (
        issue.approved_at is not None
        and issue.approved_at > deadline
        and issue.approved_by != AUTO_ACTOR
    )
    if now > deadline and not knowingly:
        missed = "not approved" if issue.state is IssueState.DRAFT else "not sent"
        return Decision(
            Act.HOLD,
            f"it was {missed} within {newsletter.max_lateness} after its time, "
            f"{issue.send_at:%Y-%m-%d %H:%M} UTC.",
        )
    return Decision(Act.SEND if issue.state is IssueState.APPROVED else Act.NOTHING)


def tick(installation: Installation) -> None:
    """Do what is due for every newsletter; one that fails never stops another.

    Pauses end first: who is back by an issue's time gets it.
    """
    settings = installation.settings()
    end_pauses(installation.database, settings, installation.clock.now())
    for newsletter in settings.newsletter:
        for edition in editions_of(newsletter, settings.publication):
            for slot in _slots_to_look_at(installation, settings, edition):
                with _told(installation, settings, newsletter, slot.key):
                    _draft_if_due(installation, edition, slot)
        for missed in waiting_for(installation, newsletter):
            with _told(installation, settings, newsletter, missed):
                make_catch_up(installation, settings, newsletter, missed)
        for issue in _open_issues(installation, newsletter):
            with _told(installation, settings, newsletter, issue.slot):
                _act_on(installation, settings, newsletter, issue)


def refresh(installation: Installation) -> None:
    """Poll the sources that are due, and the counters."""
    fetch_stories(installation, due_only=True)
    sync_reads(installation, due_only=True)


def ask_now(database: Database, role: str, slug: str, clock: Clock) -> None:
    """Ask for a source (role "source") or counter ("reads") to be looked at; NotFound."""
    with database.write() as tx:
        polled = tx.sources if role == "source" else tx.reads
        polled.ask_now(slug, clock.now())


def look_at_asked(installation: Installation) -> None:
    """Look at the sources and counters that somebody at the desk asked for."""
    with installation.database.read() as tx:
        sources, counters = tx.sources.asked(), tx.reads.asked()
    if sources:
        fetch_stories(installation, only=sources)
    if counters:
        sync_reads(installation, only=counters)
    if sources or counters:
        with installation.database.write() as tx:
            # One that asked us to wait was left alone, and its row as it was.
            for slug in sources:
                tx.sources.answered(slug)
            for slug in counters:
                tx.reads.answered(slug)


def _refresh_if_stale(installation: Installation) -> None:
    """Poll before drafting, unless just done: a draft that fails is tried every tick."""
    now = installation.clock.now()
    settings = installation.settings()
    with installation.database.read() as tx:
        sources, counters = tx.sources.states(), tx.reads.states()
    for source in settings.source:
        if source.paused:
            sources.pop(source.slug, None)
    for reads in settings.reads:
        if reads.paused:
            counters.pop(reads.slug, None)
    states = [*sources.values(), *counters.values()]
    if not states or any(_is_stale(state, now) for state in states):
        fetch_stories(installation)
        sync_reads(installation)


def _is_stale(state: SourceState, now: datetime) -> bool:
    """Whether it was not asked lately; one that asked us to wait can't be fresher."""
    if state.held_until is not None and state.held_until > now:
        return False
    return all(
        at is None or at < now - _FRESH for at in (state.last_success_at, state.last_error_at)
    )


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
    slots = (latest, upcoming) if has_latest or latest.send_at > since else (upcoming,)
    return tuple(slot for slot in slots if _is_wanted(installation, newsletter, slot))


def _is_wanted(installation: Installation, newsletter: Newsletter, slot: Slot) -> bool:
    """Whether the issue has readers: the best of a month only where somebody chose it by then."""
    if newsletter.edition is Edition.REGULAR:
        return True
    chosen = CADENCE_OF[newsletter.edition]
    with installation.database.read() as tx:
        return tx.subscribers.chose_by(newsletter.slug, chosen, slot.send_at)


def _open_issues(installation: Installation, newsletter: Newsletter) -> list[Issue]:
    """Drafts and approved issues: also extras, and those of an earlier rhythm."""
    with installation.database.read() as tx:
        return [i for i in tx.issues.in_states(_OPEN) if i.newsletter == newsletter.slug]


def _draft_if_due(installation: Installation, newsletter: Newsletter, slot: Slot) -> None:
    with installation.database.read() as tx:
        issue = tx.issues.get(newsletter.slug, slot.key)
        skipped = slot.key in tx.skipped_slots.of(newsletter.slug)
    if issue is not None or skipped or installation.clock.now() < slot.draft_at:
        return
    _refresh_if_stale(installation)
    try:
        draft_issue(installation, newsletter, slot, actor=ACTOR)
    except Conflict:
        log.info("slot_drafted_elsewhere", newsletter=newsletter.slug, issue=slot.key)


def _act_on(
    installation: Installation, settings: Settings, newsletter: Newsletter, issue: Issue
) -> None:
    newsletter = in_edition(newsletter, issue.edition, settings.publication, issue.slot)
    begins = None
    if issue.state is IssueState.DRAFT:
        issue = attend_draft(installation, settings, newsletter, issue)
    if issue.state is IssueState.APPROVED:
        begins = sending_begins(installation, settings, newsletter, issue)
    decision = decide(newsletter, issue, installation.clock.now(), begins)
    if decision.act is Act.HOLD:
        with installation.database.write() as tx:
            hold_issue(tx, installation, settings, issue, decision.reason)
    elif decision.act is Act.SEND:
        start_sending(installation, issue, actor=ACTOR)


@contextmanager
def _told(
    installation: Installation, settings: Settings, newsletter: Newsletter, slot: str
) -> Iterator[None]:
    """Let what fails be logged and told to the editors, and the rest go on."""
    try:
        yield
    except InvalidTransition as error:
        # Another process or an editor was quicker; the next tick sees what is now.
        log.info("issue_moved_elsewhere", newsletter=newsletter.slug, issue=slot, by=str(error))
    except IssueHeld:
        # `hold_issue` has logged it and told the editors.
        return
    except SendingHeld as error:
        # No mail to the editors: it would be held as well.
        log.error("issue_waits", newsletter=newsletter.slug, issue=slot, error=str(error))
    except NewsletterError as error:
        _tell(installation, settings, newsletter, slot, error)


def _tell(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    slot: str,
    error: NewsletterError,
) -> None:
    log.error("slot_failed", newsletter=newsletter.slug, issue=slot, error=str(error))
    words = words_of(settings.publication.language)
    notice = Notice(
        key=f"failed:{newsletter.slug}:{slot}",
        subject=words.gettext(
            "%(newsletter)s, %(slot)s: needs a hand", newsletter=newsletter.name, slot=slot
        ),
        sentences=(
            Quote(str(error)),
            words.gettext("It is tried again every half minute until it works."),
        ),
    )
    with installation.database.write() as tx:
        queue_notice(tx, installation, settings, newsletter, notice)
