"""The end of a pause: mail comes again, and what was missed is noted for a catch-up."""

from collections.abc import Callable
from datetime import datetime, timedelta

from newsletter.issues.missed import missed_range
from newsletter.issues.model import SentIssue
from newsletter.publication.cadence import Edition
from newsletter.publication.editions import edition_for
from newsletter.publication.model import Settings
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscription, SubscriptionState
from newsletter.subscribers.states import MOVES, SubscriptionAct

# Only a pause without an end is longer: who was away for years is new here.
LONGEST_PAUSE = timedelta(days=366)

SentIssues = Callable[[str, Edition, datetime], list[SentIssue]]


def resume_subscription(
    tx: Transaction,
    settings: Settings,
    before: Subscription,
    now: datetime,
    actor: str,
    reason: str,
    *,
    sent: SentIssues | None = None,
) -> bool:
    """End a pause, and note what its reader missed; False where it is over already.

    ``sent`` tells which issues there were, where many pauses end at once.
    """
    move = MOVES[SubscriptionAct.RESUME]
    reader, slug = before.subscriber.public_id, before.newsletter
    if not tx.subscribers.move(reader, slug, move.allowed, move.to, now, actor, reason):
        return False
    note_missed(tx, settings, before, now, actor, sent=sent)
    return True


def note_missed(
    tx: Transaction,
    settings: Settings,
    before: Subscription,
    now: datetime,
    actor: str,
    *,
    sent: SentIssues | None = None,
) -> None:
    """Note what a reader missed whose subscription was paused until now."""
    newsletter = settings.newsletter_called(before.newsletter)
    if (
        before.state is not SubscriptionState.PAUSED
        or newsletter is None
        or not newsletter.catch_up.missed
        or not newsletter.serves(before.cadence)
    ):
        return
    edition = edition_for(newsletter, before.cadence, settings.publication).edition
    since = max(before.changed_at, now - LONGEST_PAUSE)
    reader = before.subscriber.public_id
    # Missed as well is what was on its way to them as the pause began.
    since = tx.catch_ups.first_skipped(reader, newsletter.slug, edition, since) or since
    issues = (sent or tx.catch_ups.sent_issues)(newsletter.slug, edition, since)
    key = missed_range(issues, since, now, newsletter.catch_up.missed)
    if key is not None:
        tx.catch_ups.owe(reader, newsletter.slug, key, now, actor)


def remember_sent(tx: Transaction, since: datetime) -> SentIssues:
    """`sent_issues` from ``since`` on, each asked once."""
    known: dict[tuple[str, Edition], list[SentIssue]] = {}

    def sent(newsletter: str, edition: Edition, _: datetime) -> list[SentIssue]:
        if (newsletter, edition) not in known:
            known[newsletter, edition] = tx.catch_ups.sent_issues(newsletter, edition, since)
        return known[newsletter, edition]

    return sent
