"""Issues: one row a newsletter and slot, each move of it guarded and logged."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState
from newsletter.issues.model import Issue, IssueState, Save, SaveKind, Version
from newsletter.publication.cadence import Edition
from newsletter.ranking.model import PastUse
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog, change_detail
from newsletter.storage.documents import issue_document, issue_from_document
from newsletter.storage.links import delete_links
from newsletter.storage.statements import AnyRow, fence, insert_into, newsletter_key
from newsletter.storage.versions import VersionRepository

# Issues that readers have, in whole or in part.
STARTED = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.RECALLED)
_EDITABLE = (IssueState.DRAFT, IssueState.HELD)
_EDITED = Save(SaveKind.EDITED, "")
# In characters, of a text that the change log tells; versions have it whole.
_LONGEST_LOGGED = 500
_NO_FIRST = {"first_approved_by": "", "first_approved_at": None}
# What a reader may have received, or is just receiving.
_MAYBE_SENT = (DeliveryState.HANDED_OVER, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)

_SELECT = sa.select(
    t.issue.c.public_id,
    t.newsletter.c.slug.label("newsletter"),
    t.issue.c.slot,
    t.issue.c.state,
    t.issue.c.send_at,
    t.issue.c.content,
    t.issue.c.held_because,
    t.issue.c.approved_by,
    t.issue.c.approved_at,
    t.issue.c.version,
    t.issue.c.first_approved_by,
    t.issue.c.first_approved_at,
    t.issue.c.edition,
).join_from(t.issue, t.newsletter)


class IssueRepository:
    """Issues with their whole content."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)
        self._versions = VersionRepository(connection)

    def create(self, issue: Issue, at: datetime, actor: str) -> bool:
        """Add an issue; False where its newsletter has one of that slot.

        A cancelled issue of that slot which reached nobody gives way: its row,
        mailings and ledger rows become the new one's.
        """
        newsletter_id = newsletter_key(self._connection, issue.newsletter)
        values = self._values(issue, at) | {
            "public_id": issue.public_id,
            "newsletter_id": newsletter_id,
            "slot": issue.slot,
            "state": issue.state.value,
            "version": 1,
            "edition": issue.edition.value,
        }
        key = self._connection.scalar(
            insert_into(self._connection, t.issue)
            .values(values)
            .on_conflict_do_nothing(index_elements=["newsletter_id", "slot"])
            .returning(t.issue.c.id)
        )
        act = "drafted"
        if key is None:
            key = self._replace_cancelled(values)
            act = "drafted again"
        if key is None:
            return False
        self._put_items(key, issue)
        self._versions.add(key, 1, at, actor, Save(SaveKind.DRAFTED, act), issue_document(issue))
        detail = {"newsletter": issue.newsletter, "slot": issue.slot, "state": issue.state.value}
        self._changes.record(at, actor, "issue", issue.public_id, act, detail)
        return True

    def get(self, newsletter: str, slot: str) -> Issue | None:
        """The issue of that newsletter and slot."""
        return self._one(t.newsletter.c.slug == newsletter, t.issue.c.slot == slot)

    def by_id(self, public_id: str) -> Issue | None:
        """The issue of that public id."""
        return self._one(t.issue.c.public_id == public_id)

    def recent(self, newsletter: str | None, limit: int) -> list[Issue]:
        """The last ``limit`` issues of a newsletter, or of all, by time of sending."""
        mine = sa.true() if newsletter is None else t.newsletter.c.slug == newsletter
        return self._newest(mine, limit=limit)

    def in_states(self, states: Collection[IssueState]) -> list[Issue]:
        """All issues in one of ``states``, the first to be sent first."""
        wanted = t.issue.c.state.in_([state.value for state in states])
        return self._newest(wanted)[::-1]

    def move(
        self,
        public_id: str,
        allowed: Collection[IssueState],
        to: IssueState,
        actor: str,
        at: datetime,
        *,
        reason: str = "",
        keep_first: bool = False,
    ) -> bool:
        """Move an issue from one of ``allowed`` to ``to``; False where it is in none of them.

        Holding it keeps ``reason``, approving it keeps ``actor`` and ``at``;
        back in the draft both are gone, and so is the first of two approvals, unless
        the second is given in the same turn.
        """
        if to is not IssueState.SENDING:
            fence(self._connection)
        values: dict[str, Any] = {"state": to.value, "changed_at": at}
        if to is IssueState.HELD:
            values["held_because"] = reason
        if to in (IssueState.DRAFT, IssueState.APPROVED):
            values["held_because"] = ""
        if to is IssueState.APPROVED:
            values |= {"approved_by": actor, "approved_at": at}
        if to in _EDITABLE:
            values |= {"approved_by": "", "approved_at": None}
            values |= {} if keep_first else _NO_FIRST
        before = self._standing(public_id)
        moved = self._connection.execute(
            sa.update(t.issue)
            .where(
                t.issue.c.public_id == public_id,
                t.issue.c.state.in_([state.value for state in allowed]),
            )
            .values(values)
        ).rowcount
        if moved:
            detail = {
                **change_detail({"state": before.pop("state")}, {"state": to.value}),
                **before,
                **({"reason": reason} if reason else {}),
            }
            self._changes.record(at, actor, "issue", public_id, to.value, detail)
        return bool(moved)

    def _standing(self, public_id: str) -> dict[str, Any]:
        """The state, version and subject that an act on an issue finds, held until it is done."""
        row = self._connection.execute(
            sa.select(
                t.issue.c.state,
                t.issue.c.version,
                t.issue.c.content["subject"].as_string().label("subject"),
            )
            .where(t.issue.c.public_id == public_id)
            .with_for_update()
        ).one_or_none()
        return dict(row._mapping) if row else {"state": ""}

    def replace(
        self,
        issue: Issue,
        actor: str,
        at: datetime,
        save: Save = _EDITED,
        *,
        goes_on: bool = False,
    ) -> bool:
        """Put new content into a draft or held issue, as its next version.

        ``issue`` is what was made of the version that it names, which the next one takes
        the place of where it ``goes_on`` with its text. False where the issue is neither any
        more, or that version is not the newest.
        """
        put = self._put_content(issue, _EDITABLE, actor, at, save, also=_NO_FIRST, goes_on=goes_on)
        if put:
            self._changes.record(
                at, actor, "issue", issue.public_id, save.kind.value, _detail(issue, save)
            )
        return put

    def approve_first(self, public_id: str, actor: str, at: datetime) -> bool:
        """Keep the first of two approvals of a draft or held issue; False where it is neither,
        or has one."""
        standing = self._standing(public_id)
        kept = self._connection.execute(
            sa.update(t.issue)
            .where(
                t.issue.c.public_id == public_id,
                t.issue.c.state.in_([state.value for state in _EDITABLE]),
                t.issue.c.first_approved_by == "",
            )
            .values(first_approved_by=actor, first_approved_at=at, changed_at=at)
        ).rowcount
        if kept:
            self._changes.record(at, actor, "issue", public_id, "approved first", standing)
        return bool(kept)

    def reschedule(self, issue: Issue, actor: str, at: datetime, save: Save) -> bool:
        """Put an issue with another time in its place, as its next version; its approval stays.

        False where it is on its way, or that version is not the newest.
        """
        put = self._put_content(issue, (*_EDITABLE, IssueState.APPROVED), actor, at, save)
        if put:
            self._changes.record(
                at, actor, "issue", issue.public_id, save.kind.value, _detail(issue, save)
            )
        return put

    def freshen(self, issue: Issue, actor: str, at: datetime) -> bool:
        """Put what a fresh check made of an approved issue in its place, just before it is sent
        or held; False where it is approved no more."""
        changes = list(issue.checks[-1].changes) if issue.checks else []
        save = Save(SaveKind.FRESHENED, " ".join(changes))
        put = self._put_content(issue, (IssueState.APPROVED,), actor, at, save)
        if put and changes:
            detail = {"changes": changes}
            self._changes.record(at, actor, "issue", issue.public_id, "freshened", detail)
        return put

    def correct(self, issue: Issue, revision: int, actor: str, at: datetime, save: Save) -> bool:
        """Put corrected content into a paused issue; False where it is paused no more.

        Where its stories ran stays as it was: the readers who were served first
        have them.
        """
        corrected = self._put_content(
            issue, (IssueState.PAUSED,), actor, at, save, with_items=False
        )
        if corrected:
            detail = {"revision": revision, **_detail(issue, save)}
            self._changes.record(at, actor, "issue", issue.public_id, "corrected", detail)
        return corrected

    def _put_content(
        self,
        issue: Issue,
        allowed: Collection[IssueState],
        actor: str,
        at: datetime,
        save: Save,
        *,
        with_items: bool = True,
        also: Mapping[str, Any] = MappingProxyType({}),
        goes_on: bool = False,
    ) -> bool:
        """Put an issue's content and stories in the place of the version that it was made of;
        False where there is a newer one or its state is none of those ``allowed``."""
        row = self._connection.execute(
            sa.select(t.issue.c.id, t.issue.c.content, t.issue.c.changed_at)
            .where(
                t.issue.c.public_id == issue.public_id,
                t.issue.c.version == issue.version,
                t.issue.c.state.in_([state.value for state in allowed]),
            )
            .with_for_update()
        ).one_or_none()
        if row is None:
            return False
        if not self._versions.has(row.id, issue.version):
            # Saved before versions were kept.
            drafted = Save(SaveKind.DRAFTED, "")
            self._versions.add(row.id, issue.version, row.changed_at, "", drafted, row.content)
        number = issue.version + 1
        values = self._values(issue, at)
        self._connection.execute(
            sa.update(t.issue)
            .where(t.issue.c.id == row.id)
            .values({**values, **also, "version": number})
        )
        if goes_on:
            self._versions.absorb(row.id, issue.version)
        self._versions.add(row.id, number, at, actor, save, values["content"])
        if with_items:
            self._connection.execute(sa.delete(t.item).where(t.item.c.issue_id == row.id))
            self._put_items(row.id, issue)
        return True

    def versions(self, public_id: str) -> list[Version]:
        """What was saved of an issue, the oldest first."""
        return self._versions.of_issue(public_id)

    def at_version(self, public_id: str, number: int) -> Issue | None:
        """The issue as it was saved then, in the state that it has now; None where it is kept
        no more. It names its version: one before, where a text was gone on with since."""
        row = self._connection.execute(
            _SELECT.where(t.issue.c.public_id == public_id)
        ).one_or_none()
        content = self._versions.content(public_id, number)
        if row is None or content is None:
            return None
        return replace(_from_row(row, content[1]), version=content[0])

    def previous(
        self, newsletter: str, before: datetime, edition: Edition = Edition.REGULAR
    ) -> Issue | None:
        """The newsletter's latest issue of an edition planned for before ``before`` that was
        sent, at least to some. Extras don't count: they cover no period."""
        return next(
            iter(
                self._newest(
                    t.newsletter.c.slug == newsletter,
                    t.issue.c.send_at < before,
                    t.issue.c.edition == edition.value,
                    t.issue.c.state.in_([state.value for state in STARTED]),
                    t.issue.c.slot.not_like("%.x%"),
                    limit=1,
                )
            ),
            None,
        )

    def past_uses(
        self,
        newsletter: str,
        before: datetime,
        issues: int,
        edition: Edition = Edition.REGULAR,
    ) -> dict[str, tuple[PastUse, ...]]:
        """Where stories ran in the last ``issues`` issues sent of an edition, by public id.

        The newest use comes first. An extra counts as part of the
        issue before it.
        """
        slots = self._slots_ago(newsletter, before, issues, edition)
        rows = self._connection.execute(
            sa.select(t.item.c.issue_id, t.item.c.story, t.item.c.section, t.item.c.kind)
            .where(t.item.c.issue_id.in_(slots))
            .order_by(t.item.c.id)
        ).all()
        uses: dict[str, list[PastUse]] = {}
        order = {key: number for number, key in enumerate(slots)}
        for key, story_id, section, kind in sorted(rows, key=lambda row: order[row.issue_id]):
            slot, ago = slots[key]
            uses.setdefault(story_id, []).append(PastUse(section, kind, slot, ago))
        return {story_id: tuple(found) for story_id, found in uses.items()}

    def _slots_ago(
        self, newsletter: str, before: datetime, issues: int, edition: Edition
    ) -> dict[int, tuple[str, int]]:
        """By issue row, the newest first: slot, and how many issues ago."""
        rows = self._connection.execute(
            sa.select(t.issue.c.id, t.issue.c.slot)
            .join_from(t.issue, t.newsletter)
            .where(
                t.newsletter.c.slug == newsletter,
                t.issue.c.send_at < before,
                t.issue.c.edition == edition.value,
                t.issue.c.state.in_([state.value for state in STARTED]),
            )
            .order_by(t.issue.c.send_at.desc(), t.issue.c.id.desc())
        )
        found: dict[int, tuple[str, int]] = {}
        regular = 0
        for key, slot in rows:
            ago = regular + 1
            if ".x" not in slot:
                regular = ago
            if ago > issues:
                break
            found[key] = (slot, ago)
        return found

    def _replace_cancelled(self, values: dict[str, Any]) -> int | None:
        old = (
            sa.select(t.delivery.c.id)
            .join_from(t.delivery, t.mailing, t.mailing.c.id == t.delivery.c.mailing_id)
            .where(
                t.mailing.c.issue_id == t.issue.c.id,
                sa.or_(
                    t.delivery.c.state.in_([state.value for state in _MAYBE_SENT]),
                    t.delivery.c.doubts > 0,
                ),
            )
        )
        fresh = {"held_because": "", "approved_by": "", "approved_at": None, **_NO_FIRST}
        key: int | None = self._connection.scalar(
            sa.update(t.issue)
            .where(
                t.issue.c.newsletter_id == values["newsletter_id"],
                t.issue.c.slot == values["slot"],
                t.issue.c.state == IssueState.CANCELLED.value,
                ~sa.exists(old.correlate(t.issue)),
            )
            .values(fresh | values)
            .returning(t.issue.c.id)
        )
        if key is not None:
            mailings = sa.select(t.mailing.c.id).where(t.mailing.c.issue_id == key)
            self._connection.execute(
                sa.delete(t.delivery).where(t.delivery.c.mailing_id.in_(mailings))
            )
            delete_links(self._connection, key)
            for table in (t.mailing, t.item, t.wave, t.issue_version, t.issue_totals):
                self._connection.execute(sa.delete(table).where(table.c.issue_id == key))
        return key

    def _put_items(self, key: int, issue: Issue) -> None:
        rows = [
            {
                "issue_id": key,
                "section": section.slug,
                "kind": section.kind,
                "story": item.story_id,
                "position": item.position,
            }
            for section in issue.sections
            for item in section.items
        ]
        if rows:
            self._connection.execute(sa.insert(t.item), rows)

    def _values(self, issue: Issue, at: datetime) -> dict[str, Any]:
        return {
            "send_at": issue.send_at,
            "content": issue_document(issue),
            "changed_at": at,
        }

    def _one(self, *where: sa.ColumnElement[bool]) -> Issue | None:
        row = self._connection.execute(_SELECT.where(*where)).one_or_none()
        return _from_row(row) if row else None

    def _newest(self, *where: sa.ColumnElement[bool], limit: int | None = None) -> list[Issue]:
        rows = self._connection.execute(
            _SELECT.where(*where)
            .order_by(t.issue.c.send_at.desc(), t.issue.c.id.desc())
            .limit(limit)
        )
        return [_from_row(row) for row in rows]


def _detail(issue: Issue, save: Save) -> dict[str, Any]:
    changes = [
        {
            "part": one.part,
            "before": one.before[:_LONGEST_LOGGED],
            "after": one.after[:_LONGEST_LOGGED],
        }
        for one in save.changes
    ]
    return {"version": issue.version + 1, "told": save.told, "changes": changes}


def _from_row(row: AnyRow, content: Mapping[str, Any] | None = None) -> Issue:
    return issue_from_document(
        row.content if content is None else content,
        public_id=row.public_id,
        newsletter=row.newsletter,
        slot=row.slot,
        state=IssueState(row.state),
        send_at=row.send_at,
        edition=Edition(row.edition),
        held_because=row.held_because,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        version=row.version,
        first_approved_by=row.first_approved_by,
        first_approved_at=row.first_approved_at,
    )
