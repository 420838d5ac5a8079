"""The mails that a reader gets right after confirming: the welcome, and the latest issue."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from newsletter.delivery.model import Mailing
from newsletter.issues.model import IssueState, Variant
from newsletter.publication.cadence import Cadence
from newsletter.publication.editions import edition_for
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import next_slot
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.system_mail import render_welcome
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscriber, Subscription
from newsletter.tokens import Purpose, derived_public_id
from newsletter.workflows.letters import Letters, queue_letter
from newsletter.workflows.segments import audience_segment


def render_letter(
    tx: Transaction,
    letters: Letters,
    newsletter: Newsletter,
    subscription: Subscription,
    also: Sequence[Newsletter],
    now: datetime,
) -> RenderedMail:
    """The welcome mail. Reads only: it is made before the confirmation is written."""
    publication = letters.settings.publication
    reader = subscription.subscriber
    edition = edition_for(newsletter, subscription.cadence, publication)
    latest = bool(tx.archive.places(newsletter.slug, limit=1))
    theirs = bool(tx.archive.places(newsletter.slug, limit=1, edition=edition.edition))
    newsletter_id = tx.settings.newsletter_id(newsletter.slug)
    sign = letters.keyring.sign
    return render_welcome(
        publication,
        newsletter,
        also=[other.name for other in also],
        next_issue=next_slot(
            edition,
            newsletter.zone_in(publication),
            now,
            tx.skipped_slots.of(newsletter.slug),
        ).date,
        latest=latest,
        follows=theirs and _wants_latest(tx, letters, edition, reader, now),
        preferences_token=sign(Purpose.PREFERENCES, reader.public_id),
        unsubscribe_token=sign(Purpose.UNSUBSCRIBE, reader.public_id, newsletter_id),
        base_url=letters.base_url,
        templates=letters.templates,
        language=reader.language,
    )


def welcome_reader(
    tx: Transaction,
    letters: Letters,
    newsletter: Newsletter,
    reader: Subscriber,
    mail: RenderedMail,
    now: datetime,
) -> None:
    """Queue the welcome mail, and the latest issue where the newsletter wants that."""
    queue_letter(tx, letters, newsletter, mail, reader, reader.address, now)
    subscription = tx.subscribers.subscription(reader.public_id, newsletter.slug)
    cadence = subscription.cadence if subscription else Cadence.EACH
    edition = edition_for(newsletter, cadence, letters.settings.publication)
    if _wants_latest(tx, letters, edition, reader, now):
        _send_latest_issue(tx, letters, edition, reader, now)


def _wants_latest(
    tx: Transaction, letters: Letters, newsletter: Newsletter, reader: Subscriber, now: datetime
) -> bool:
    """Whether the newsletter welcomes with an issue, and its issues are for this reader."""
    segment = audience_segment(newsletter, letters.settings, now)
    return newsletter.welcome_issue and (
        segment is None or tx.segments.has(segment, reader.public_id, newsletter.slug)
    )


def _send_latest_issue(
    tx: Transaction, letters: Letters, newsletter: Newsletter, reader: Subscriber, now: datetime
) -> None:
    """The issue that other readers have; nothing where this one has it, or it was called off."""
    subscription = tx.subscribers.subscription(reader.public_id, newsletter.slug)
    places = tx.archive.places(newsletter.slug, limit=1, edition=newsletter.edition)
    issue = tx.issues.by_id(places[0].public_id) if places else None
    if issue is None or tx.mailings.went_to(issue.public_id, reader.public_id):
        return
    departments = subscription.departments if subscription else ()
    mailing = _pick_mailing(tx.mailings.of_issue(issue.public_id), reader.language, departments)
    if issue.state is IssueState.SENDING:
        # Still on its way to the others: this reader is one more of them.
        tx.mailings.enqueue(
            mailing.public_id, reader.public_id, reader.address, now, subscriber_id=reader.public_id
        )
    elif issue.state is IssueState.SENT:
        # A mailing a day, so that its date is not that of a week ago. Its rows are
        # none of the issue's, whose audience stays what it was.
        key = f"welcome:{mailing.public_id}:{now:%Y-%m-%d}"
        again = replace(mailing, public_id=derived_public_id(key), created_at=now)
        tx.mailings.create(again, key=key, newsletter=newsletter.slug)
        tx.mailings.enqueue(
            *(again.public_id, reader.public_id, reader.address, now),
            subscriber_id=reader.public_id,
            address_hash=letters.keyring.hash_address(reader.address),
        )


def _pick_mailing(
    mailings: Sequence[Mailing], language: str | None, departments: tuple[str, ...]
) -> Mailing:
    """The newest revision's variant that is the reader's, else the full one, else the first."""
    newest = [mailing for mailing in mailings if mailing.revision == mailings[-1].revision]
    spoken = language or newest[0].language
    for wanted in (Variant(spoken, departments), Variant(spoken)):
        for mailing in newest:
            if mailing.variant.key == wanted.key:
                return mailing
    return newest[0]
