"""The links of issues that readers have: where they lead, who corrected them, what is clicked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.feedback.model import Addressee, ClickSum, ReaderClicks
from newsletter.issues.model import (
    CorrectionKind,
    CorrectionNote,
    FoundLink,
    LinkPlace,
    StoryLink,
)
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.statements import chunks, insert_into, insert_or_leave, issue_key


@dataclass(frozen=True)
class LinkClicks:
    """A link and the clicks on it by local day; ``readers`` are those known to have clicked."""

    link: StoryLink
    by_day: Mapping[date, ClickSum]
    readers: int

    @property
    def clicks(self) -> int:
        return sum(day.clicks for day in self.by_day.values())

    @property
    def machine_clicks(self) -> int:
        return sum(day.machine_clicks for day in self.by_day.values())


class LinkRepository:
    """Links by public id, of issues by public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def keep(self, issue_id: str, links: Iterable[StoryLink]) -> None:
        """Keep where an issue's links lead; those that are there already stay as they are."""
        key = issue_key(self._connection, issue_id)
        rows = [
            {
                "public_id": link.public_id,
                "issue_id": key,
                "section": link.section,
                "position": link.position,
                "story": link.story_id,
                "place": link.place.value,
                "url": link.url,
            }
            for link in links
        ]
        insert_or_leave(self._connection, t.link, rows)

    def of_issue(self, issue_id: str) -> tuple[StoryLink, ...]:
        """The links in an issue's mails, as they lead now; none where they are not ours."""
        rows = self._connection.execute(
            sa.select(t.link)
            .join_from(t.link, t.issue)
            .where(t.issue.c.public_id == issue_id)
            .order_by(t.link.c.id)
        )
        return tuple(
            StoryLink(
                row.public_id,
                row.section,
                row.position,
                row.story,
                LinkPlace(row.place),
                row.url,
                row.withdrawn_at,
            )
            for row in rows
        )

    def find(self, public_id: str) -> FoundLink | None:
        """Where a link leads."""
        row = self._connection.execute(
            sa.select(
                t.link.c.public_id,
                t.newsletter.c.slug,
                t.issue.c.slot,
                t.link.c.url,
                t.link.c.withdrawn_at,
            )
            .join_from(t.link, t.issue)
            .join(t.newsletter)
            .where(t.link.c.public_id == public_id)
        ).one_or_none()
        return FoundLink(*row[:4], withdrawn=row.withdrawn_at is not None) if row else None

    def correct(self, issue_id: str, correction: CorrectionNote, actor: str) -> None:
        """Change where a story's links of an issue lead, or take them back; logged."""
        key = issue_key(self._connection, issue_id)
        withdrawn = correction.kind is CorrectionKind.WITHDRAWN
        mine = (t.link.c.issue_id == key, t.link.c.story == correction.story_id)
        before = self._connection.scalars(sa.select(t.link.c.url).where(*mine).distinct()).all()
        values = (
            {"withdrawn_at": correction.at}
            if withdrawn
            else {"withdrawn_at": None, "url": correction.url}
        )
        self._connection.execute(sa.update(t.link).where(*mine).values(**values))
        self.note(issue_id, correction)
        detail = {"story": correction.story_id, "from": sorted(before), "to": correction.url}
        act = "links withdrawn" if withdrawn else "links changed"
        self._changes.record(correction.at, actor, "issue", issue_id, act, detail)

    def note(self, issue_id: str, correction: CorrectionNote) -> None:
        """Keep for the archive that something of an issue was corrected."""
        key = issue_key(self._connection, issue_id)
        self._connection.execute(
            sa.insert(t.link_correction).values(
                issue_id=key,
                at=correction.at,
                kind=correction.kind.value,
                story=correction.story_id,
                headline=correction.headline,
                url=correction.url,
                told=correction.told,
            )
        )
        # Its page in the archive is another one now.
        self._connection.execute(
            sa.update(t.issue).where(t.issue.c.id == key).values(changed_at=correction.at)
        )

    def corrections(self, issue_id: str) -> list[CorrectionNote]:
        """What was corrected in an issue after it had gone out, the oldest first."""
        rows = self._connection.execute(
            sa.select(t.link_correction)
            .join_from(t.link_correction, t.issue)
            .where(t.issue.c.public_id == issue_id)
            .order_by(t.link_correction.c.id)
        )
        return [
            CorrectionNote(
                row.at, CorrectionKind(row.kind), row.story, row.headline, row.url, row.told
            )
            for row in rows
        ]

    def stories(self, public_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """The issue and the story of each link that there is, by its id."""
        return {
            row.link: (row.issue, row.story)
            for chunk in chunks(sorted(set(public_ids)))
            for row in self._connection.execute(
                sa.select(
                    t.link.c.public_id.label("link"),
                    t.issue.c.public_id.label("issue"),
                    t.link.c.story,
                )
                .join_from(t.link, t.issue)
                .where(t.link.c.public_id.in_(chunk))
            )
        }

    def addressees(self, mails: Collection[tuple[str, str]]) -> dict[tuple[str, str], Addressee]:
        """The mails of these mailings and recipients (public ids) that went to subscribers."""
        mailings = {mailing for mailing, _ in mails}
        return {
            (row.mailing, row.recipient): Addressee(row.issue, row.handed_over_at)
            for chunk in chunks(sorted({recipient for _, recipient in mails}))
            for row in self._connection.execute(
                sa.select(
                    t.mailing.c.public_id.label("mailing"),
                    t.delivery.c.recipient,
                    t.issue.c.public_id.label("issue"),
                    t.delivery.c.handed_over_at,
                )
                .join_from(t.mailing, t.delivery, t.delivery.c.mailing_id == t.mailing.c.id)
                .join(t.issue, t.issue.c.id == t.mailing.c.issue_id)
                .where(
                    t.mailing.c.public_id.in_(sorted(mailings)),
                    t.delivery.c.recipient.in_(chunk),
                    t.delivery.c.subscriber_id.is_not(None),
                )
            )
        }

    def add_clicks(self, days: Mapping[tuple[str, date], ClickSum]) -> None:
        """Add to the clicks of links by day; of links that there are no more nothing is kept."""
        keys = self._keys({link for link, _ in days})
        # In one order, so that two processes never wait for each other.
        rows = [
            {
                "link_id": keys[link],
                "day": day,
                "clicks": found.clicks,
                "machine_clicks": found.machine_clicks,
            }
            for (link, day), found in sorted(days.items(), key=lambda item: item[0])
            if link in keys
        ]
        if not rows:
            return
        statement = insert_into(self._connection, t.click_day)
        names = ("clicks", "machine_clicks")
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["link_id", "day"],
                set_={name: t.click_day.c[name] + statement.excluded[name] for name in names},
            ),
            rows,
        )

    def add_reader_clicks(self, found: Sequence[ReaderClicks]) -> None:
        """Add to the clicks of readers; whoever was forgotten meanwhile leaves nothing."""
        keys = self._keys({one.link for one in found})
        recipients = sorted({one.recipient for one in found})
        readers = {
            row.public_id: row.id
            for chunk in chunks(recipients)
            for row in self._connection.execute(
                sa.select(t.subscriber.c.public_id, t.subscriber.c.id)
                .where(t.subscriber.c.public_id.in_(chunk))
                .order_by(t.subscriber.c.id)
                .with_for_update(read=True, key_share=True)
            )
        }
        rows = [
            {
                "subscriber_id": readers[one.recipient],
                "link_id": keys[one.link],
                "clicks": one.clicks,
                "machine_clicks": one.machine_clicks,
                "first_at": one.first_at,
                "last_at": one.last_at,
            }
            for one in sorted(found, key=lambda one: (one.recipient, one.link))
            if one.recipient in readers and one.link in keys
        ]
        if not rows:
            return
        table = t.reader_click
        statement = insert_into(self._connection, table)
        new = statement.excluded
        earlier = sa.case((new.first_at < table.c.first_at, new.first_at), else_=table.c.first_at)
        later = sa.case((new.last_at > table.c.last_at, new.last_at), else_=table.c.last_at)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["subscriber_id", "link_id"],
                set_={
                    "clicks": table.c.clicks + new.clicks,
                    "machine_clicks": table.c.machine_clicks + new.machine_clicks,
                    "first_at": earlier,
                    "last_at": later,
                },
            ),
            rows,
        )

    def count_clicks(self, issue_id: str) -> int:
        """How often an issue's links were followed in all, by people as far as one can tell."""
        found = self._connection.scalar(
            sa.select(sa.func.sum(t.click_day.c.clicks))
            .join_from(t.click_day, t.link)
            .join(t.issue, t.issue.c.id == t.link.c.issue_id)
            .where(t.issue.c.public_id == issue_id)
        )
        return int(found or 0)

    def clicks(self, issue_id: str) -> list[LinkClicks]:
        """An issue's links in the order in which they were kept, with the clicks on each."""
        mine = sa.select(t.issue.c.id).where(t.issue.c.public_id == issue_id).scalar_subquery()
        by_link: dict[str, dict[date, ClickSum]] = {}
        for row in self._connection.execute(
            sa.select(t.link.c.public_id, t.click_day)
            .join_from(t.click_day, t.link)
            .where(t.link.c.issue_id == mine)
            .order_by(t.click_day.c.day)
        ):
            by_link.setdefault(row.public_id, {})[row.day] = ClickSum(
                row.clicks, row.machine_clicks
            )
        readers = {
            row.public_id: row.readers
            for row in self._connection.execute(
                sa.select(t.link.c.public_id, sa.func.count().label("readers"))
                .join_from(t.reader_click, t.link)
                .where(t.link.c.issue_id == mine, t.reader_click.c.clicks > 0)
                .group_by(t.link.c.public_id)
            )
        }
        return [
            LinkClicks(link, by_link.get(link.public_id, {}), readers.get(link.public_id, 0))
            for link in self.of_issue(issue_id)
        ]

    def story_clicks(self, first_day: date, last_day: date) -> dict[tuple[str, date], int]:
        """People's clicks on each story's links of all issues, by public id and local day."""
        rows = self._connection.execute(
            sa.select(t.link.c.story, t.click_day.c.day, sa.func.sum(t.click_day.c.clicks))
            .join_from(t.click_day, t.link)
            .where(t.click_day.c.day.between(first_day, last_day), t.click_day.c.clicks > 0)
            .group_by(t.link.c.story, t.click_day.c.day)
        )
        return {(story, day): int(clicks) for story, day, clicks in rows}

    def clicks_of(self, subscriber_id: str) -> list[ReaderClicks]:
        """All that is kept of one reader's clicks."""
        rows = self._connection.execute(
            sa.select(t.link.c.public_id.label("link"), t.reader_click)
            .join_from(t.reader_click, t.link)
            .join(t.subscriber)
            .where(t.subscriber.c.public_id == subscriber_id)
            .order_by(t.reader_click.c.link_id)
        )
        return [
            ReaderClicks(
                subscriber_id,
                row.link,
                row.clicks,
                row.machine_clicks,
                row.first_at,
                row.last_at,
            )
            for row in rows
        ]

    def _keys(self, public_ids: Collection[str]) -> dict[str, int]:
        return {
            row.public_id: row.id
            for chunk in chunks(sorted(public_ids))
            for row in self._connection.execute(
                sa.select(t.link.c.public_id, t.link.c.id).where(t.link.c.public_id.in_(chunk))
            )
        }


def delete_links(connection: Connection, issue: int) -> None:
    """Delete the links of an issue row that reached nobody, with all that hangs on them."""
    links = sa.select(t.link.c.id).where(t.link.c.issue_id == issue)
    for table in (t.click_day, t.reader_click):
        connection.execute(sa.delete(table).where(table.c.link_id.in_(links)))
    for table in (t.link, t.link_correction):
        connection.execute(sa.delete(table).where(table.c.issue_id == issue))
