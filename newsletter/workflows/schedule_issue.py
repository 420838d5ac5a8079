"""When an issue goes out: at another time, in a minute, not this week, or after all."""

from datetime import datetime, timedelta
from typing import Protocol

from newsletter.clock import Clock
from newsletter.errors import Conflict, InvalidTransition, NotFound, UsageError, WrongCount
from newsletter.issues.model import Issue, IssueState, SaveKind
from newsletter.issues.states import EDITABLE
from newsletter.log import get_logger
from newsletter.publication.cadence import Edition
from newsletter.publication.editions import edition_with_slot
from newsletter.publication.model import Settings
from newsletter.publication.slots import Slot, named_slot, upcoming_slot
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.workflows.audience_outlook import known_readers
from newsletter.workflows.clone_guard import assert_may_send
from newsletter.workflows.installation import Installation, newsletter_of, only_newsletter
from newsletter.workflows.look_over import demand_looked_over
from newsletter.workflows.publish import refuse_stopped
from newsletter.workflows.soon import TAKE_BACK, give_back_time, put_time, time_before

log = get_logger(__name__)

_EXTRA_FOR = timedelta(days=365)


class Calendar(Protocol):
    """What skipping needs of an installation; the desk's pages have that as well."""

    @property
    def database(self) -> Database: ...

    @property
    def clock(self) -> Clock: ...

    def settings(self) -> Settings: ...


def reschedule_issue(
    installation: Installation, issue: Issue, send_at: datetime, *, actor: str
) -> Issue:
    """Let the issue go out at ``send_at``; what is printed of its date follows.

    Its approval stays: what was approved says the same. UsageError where that is past, or
    not before the newsletter's next regular issue; InvalidTransition where it is on its way.
    """
    settings = installation.settings()
    now = installation.clock.now()
    if send_at <= now:
        raise UsageError(
            f"{send_at:%Y-%m-%d %H:%M} UTC is past; to send it at once, send it now",
            subject=issue.slot,
        )
    last = _last_moment(settings, issue, now)
    if send_at >= last:
        raise UsageError(
            f"issue {issue.slot} has to go out before the next one, {last:%Y-%m-%d %H:%M} UTC; "
            "skip that one first, or cancel this one",
            subject=issue.slot,
        )
    told = f"moved the send to {send_at:%Y-%m-%d %H:%M} UTC"
    with installation.database.write() as tx:
        current = _waiting(tx, issue)
        if current.send_at == send_at:
            return current
        return put_time(tx, settings, current, send_at, SaveKind.RESCHEDULED, told, actor, now)


def send_soon(
    installation: Installation, issue: Issue, *, actor: str, typed: int | None = None
) -> Issue:
    """Let an approved issue go out in a minute, in which `take_back` stops it.

    ``typed`` is how many readers the editor wrote down: WrongCount where they are not as many.
    On a long list, where some come and go all the time, they are those that were counted
    lately, if few have come or gone since; else they have to be counted first. Conflict also
    where a check stops it, ChecksAwaited where it was not looked over lately.
    InvalidTransition where it is not approved.
    """
    assert_may_send(installation)
    settings = installation.settings()
    if typed is not None:
        _refuse_other_count(installation, issue, typed)
    with installation.database.read() as tx:
        looked_at = _approved(tx, issue)
    refuse_stopped(looked_at, demand_looked_over(installation, looked_at).findings)
    now = installation.clock.now()
    with installation.database.write() as tx:
        current = _approved(tx, issue)
        if current.version != looked_at.version:
            raise Conflict(
                f"issue {current.slot} was changed just now; look at it again",
                subject=current.slot,
            )
        told = "sends it in a minute"
        at = now + TAKE_BACK
        return put_time(tx, settings, current, at, SaveKind.SENT_SOON, told, actor, now)


def _approved(tx: Transaction, issue: Issue) -> Issue:
    current = _waiting(tx, issue)
    if current.state is not IssueState.APPROVED:
        raise InvalidTransition(
            f"issue {current.slot} is {current.state}; only an approved one can be sent",
            subject=current.slot,
        )
    return current


def _refuse_other_count(installation: Installation, issue: Issue, typed: int) -> None:
    readers = known_readers(installation, issue)
    if readers is None:
        raise Conflict(
            f"the readers of issue {issue.slot} have to be counted anew first: that is too long "
            "ago, or too many came or went since; look at how many they are, and write that number",
            subject=issue.slot,
        )
    if readers != typed:
        raise WrongCount(
            f"issue {issue.slot} has {readers:,} readers, and you wrote {typed:,}; nothing is sent",
            subject=issue.slot,
        )


def take_back(installation: Installation, issue: Issue, *, actor: str) -> Issue:
    """Stop what `send_soon` began: the issue is approved for the time that it had.

    Where that is past it is held. InvalidTransition where it went out already, Conflict
    where it was not sent that way.
    """
    settings = installation.settings()
    now = installation.clock.now()
    with installation.database.write() as tx:
        current = tx.issues.by_id(issue.public_id) or issue
        if current.state is not IssueState.APPROVED:
            raise InvalidTransition(
                f"issue {current.slot} is {current.state}; what is on its way is paused or "
                "recalled",
                subject=current.slot,
            )
        if time_before(tx, current) is None:
            raise Conflict(
                f"issue {current.slot} goes out at its own time, "
                f"{current.send_at:%Y-%m-%d %H:%M} UTC; hold it to stop it",
                subject=current.slot,
            )
        taken = give_back_time(tx, settings, current, actor, now)
        if taken.send_at > now:
            return taken
        held = {IssueState.APPROVED}
        tx.issues.move(
            current.public_id, held, IssueState.HELD, actor, now, reason="the send was taken back"
        )
        return tx.issues.by_id(current.public_id) or taken


def undo_cancel(installation: Installation, issue: Issue, *, actor: str) -> Issue:
    """Make a cancelled issue a draft again; held where its time is past, and skipped no more.

    InvalidTransition where it is not cancelled, Conflict where its sending had begun, or its
    readers were let go: that one is drafted anew.
    """
    now = installation.clock.now()
    cancelled = {IssueState.CANCELLED}
    with installation.database.write() as tx:
        current = tx.issues.by_id(issue.public_id)
        if current is None or current.state is not IssueState.CANCELLED:
            raise InvalidTransition(
                f"issue {issue.slot} is not cancelled, or somebody was quicker; look at it again",
                subject=issue.slot,
            )
        if not may_undo_cancel(tx, current):
            raise Conflict(
                f"issue {current.slot} was on its way already, so it can't be a draft again; "
                "have it drafted anew",
                subject=current.slot,
            )
        tx.issues.move(current.public_id, cancelled, IssueState.DRAFT, actor, now)
        if current.send_at <= now:
            # A draft that is late could go out by itself.
            draft, late = {IssueState.DRAFT}, f"its time passed while it was {current.state}"
            tx.issues.move(current.public_id, draft, IssueState.HELD, actor, now, reason=late)
        tx.skipped_slots.take_in(current.newsletter, current.slot, actor, now)
        drafted = tx.issues.by_id(current.public_id) or current
    log.info("cancel_undone", newsletter=issue.newsletter, issue=issue.slot, actor=actor)
    return drafted


def may_undo_cancel(tx: Transaction, issue: Issue) -> bool:
    """Whether `undo_cancel` can make it a draft: nothing was frozen, and nobody waited for it."""
    return (
        issue.state is IssueState.CANCELLED
        and issue.edition is not Edition.CATCH_UP
        and not tx.mailings.newest_revision(issue.public_id)
    )


def may_take_back(tx: Transaction, issue: Issue, now: datetime) -> bool:
    """Whether `take_back` would still stop it."""
    if issue.state is not IssueState.APPROVED or issue.send_at <= now:
        return False
    return time_before(tx, issue) is not None


def skip_slot(installation: Calendar, newsletter_slug: str, key: str, *, actor: str) -> Slot:
    """Skip a slot of the newsletter: no issue is drafted for it.

    Conflict where there is one, or it is skipped; UsageError for what is no slot to come.
    """
    slot = _regular_slot(installation, newsletter_slug, key)
    now = installation.clock.now()
    if slot.send_at <= now:
        raise UsageError(f"{key} is past: {slot.send_at:%Y-%m-%d %H:%M} UTC", subject=key)
    with installation.database.write() as tx:
        issue = tx.issues.get(newsletter_slug, key)
        if issue is not None and issue.state is not IssueState.CANCELLED:
            raise Conflict(
                f"{newsletter_slug} has an issue {key} already; cancel it to skip it", subject=key
            )
        if not tx.skipped_slots.skip(newsletter_slug, key, actor, now):
            raise Conflict(f"{newsletter_slug} skips {key} already", subject=key)
    log.info("slot_skipped", newsletter=newsletter_slug, slot=key, actor=actor)
    return slot


def take_in_slot(installation: Calendar, newsletter_slug: str, key: str, *, actor: str) -> Slot:
    """Skip a slot no more; Conflict where it was not skipped."""
    slot = _regular_slot(installation, newsletter_slug, key)
    with installation.database.write() as tx:
        now = installation.clock.now()
        if not tx.skipped_slots.take_in(newsletter_slug, key, actor, now):
            raise Conflict(f"{newsletter_slug} does not skip {key}", subject=key)
    log.info("slot_taken_in", newsletter=newsletter_slug, slot=key, actor=actor)
    return slot


def _regular_slot(installation: Calendar, newsletter_slug: str, key: str) -> Slot:
    settings = installation.settings()
    newsletter = edition_with_slot(
        only_newsletter(settings, newsletter_slug), key, settings.publication
    )
    slot = named_slot(newsletter, newsletter.zone_in(settings.publication), key)
    if slot.is_extra:
        raise UsageError(f"{key} is an extra, which is made by hand", subject=key)
    return slot


def _waiting(tx: Transaction, issue: Issue) -> Issue:
    current = tx.issues.by_id(issue.public_id)
    if current is None:
        raise NotFound(f"there is no issue {issue.slot} any more", subject=issue.slot)
    if current.state not in EDITABLE:
        raise InvalidTransition(
            f"issue {current.slot} is {current.state}; its time is over", subject=current.slot
        )
    return current


def _last_moment(settings: Settings, issue: Issue, now: datetime) -> datetime:
    """Before when it has to go out: the send of the regular issue that follows it."""
    if ".x" in issue.slot:
        return now + _EXTRA_FOR
    newsletter = newsletter_of(settings, issue)
    zone = newsletter.zone_in(settings.publication)
    own = named_slot(newsletter, zone, issue.slot)
    return upcoming_slot(newsletter, zone, max(own.send_at, now)).send_at
