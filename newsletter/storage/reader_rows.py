"""What was mailed to one reader lately, and what they clicked."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState, Mailing
from newsletter.storage import tables as t
from newsletter.storage.documents import mailing_from_document


@dataclass(frozen=True)
class SentMail:
    """A delivery as a person reads it. ``newsletter`` and ``issue`` (its slot) are empty of
    system mail; ``reply`` is the relay's answer, addresses masked."""

    kind: str
    subject: str
    newsletter: str
    issue: str
    state: str
    reason: str
    reply: str
    at: datetime


@dataclass(frozen=True)
class ClickedLink:
    """A link that a reader clicked, so often; ``at`` is the last time."""

    url: str
    newsletter: str
    issue: str
    clicks: int
    at: datetime


@dataclass(frozen=True)
class IssueMail:
    """A reader's row of an issue: where it stands since ``at``, and the mail that it names."""

    state: DeliveryState
    at: datetime
    mailing: Mailing


class ReaderRows:
    """Rows of one reader, by public id; both by an index that begins with the reader."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def deliveries(self, public_id: str, most: int) -> list[SentMail]:
        """The latest mails, the newest first."""
        row = t.delivery.c
        found = self._connection.execute(
            sa.select(
                t.mailing.c.kind,
                t.mailing.c.content["subject"].as_string().label("subject"),
                sa.func.coalesce(t.newsletter.c.slug, "").label("newsletter"),
                sa.func.coalesce(t.issue.c.slot, "").label("issue"),
                row.state,
                row.reason,
                row.reply_text,
                row.changed_at,
            )
            .join_from(t.delivery, t.mailing, t.mailing.c.id == row.mailing_id)
            .join(t.issue, t.issue.c.id == row.issue_id, isouter=True)
            .join(t.newsletter, t.newsletter.c.id == t.mailing.c.newsletter_id, isouter=True)
            .where(row.subscriber_id == _key(public_id))
            .order_by(row.id.desc())
            .limit(most)
        )
        return [SentMail(*one) for one in found]

    def of_issue(self, public_id: str, issue_id: str) -> IssueMail | None:
        """The reader's row of an issue; None where it was not queued for them, or is folded."""
        row = t.delivery.c
        found = self._connection.execute(
            sa.select(row.state, row.changed_at, t.mailing.c.content)
            .join_from(t.delivery, t.mailing, t.mailing.c.id == row.mailing_id)
            .join(t.issue, t.issue.c.id == row.issue_id)
            .where(row.subscriber_id == _key(public_id), t.issue.c.public_id == issue_id)
        ).first()
        if found is None:
            return None
        return IssueMail(DeliveryState(found[0]), found[1], mailing_from_document(found[2]))

    def clicks(self, public_id: str, most: int) -> list[ClickedLink]:
        """The links clicked last; what only programs clicked is left out."""
        click = t.reader_click.c
        found = self._connection.execute(
            sa.select(
                t.link.c.url, t.newsletter.c.slug, t.issue.c.slot, click.clicks, click.last_at
            )
            .join_from(t.reader_click, t.link)
            .join(t.issue)
            .join(t.newsletter, t.newsletter.c.id == t.issue.c.newsletter_id)
            .where(click.subscriber_id == _key(public_id), click.clicks > 0)
            .order_by(click.last_at.desc())
            .limit(most)
        )
        return [ClickedLink(*one) for one in found]


def _key(public_id: str) -> sa.ScalarSelect[int]:
    return (
        sa.select(t.subscriber.c.id).where(t.subscriber.c.public_id == public_id).scalar_subquery()
    )
