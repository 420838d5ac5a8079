"""Editors, the browsers they are signed in with, and the links by which they sign in."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import NotFound
from newsletter.publication.editors import IDLE_TIME, Editor, Role, Session, Theme
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog, change_detail
from newsletter.storage.statements import AnyRow, insert_or_leave, lock_name

_EDITOR = (
    t.editor.c.public_id,
    t.editor.c.address,
    t.editor.c.name,
    t.editor.c.role,
    t.editor.c.added_at,
    t.editor.c.language,
    t.editor.c.theme,
    t.editor.c.removed_at,
)
_SESSION = (
    t.editor_session.c.public_id.label("session_id"),
    t.editor_session.c.begun_at,
    t.editor_session.c.seen_at,
    t.editor_session.c.ends_at,
    t.editor_session.c.agent,
)
_KIND = "editor"


class EditorRepository:
    """Editors by public id; sessions and links by the digest of their secret."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def all(self) -> list[Editor]:
        """Who may sit at the desk now, in the order they came."""
        rows = self._connection.execute(
            sa.select(*_EDITOR).where(t.editor.c.removed_at.is_(None)).order_by(t.editor.c.id)
        )
        return [_editor(row) for row in rows]

    def by_id(self, public_id: str) -> Editor | None:
        """The editor of that public id, if there is one; also one who was removed."""
        return self._one(t.editor.c.public_id == public_id)

    def get(self, public_id: str) -> Editor:
        """The same, where there has to be one who is still here; NotFound."""
        editor = self.by_id(public_id)
        if editor is None or editor.removed_at is not None:
            raise NotFound("there is no such editor any more", subject=public_id)
        return editor

    def find(self, address: str) -> Editor | None:
        """The editor of that (normalised) address."""
        return self._one(t.editor.c.address == address)

    def names(self) -> dict[str, str]:
        """What editors are called, by public id; also those who were removed."""
        rows = self._connection.execute(sa.select(*_EDITOR))
        return {editor.public_id: editor.called for editor in map(_editor, rows)}

    def lock(self) -> None:
        """Let nobody else change editors until the transaction ends."""
        lock_name(self._connection, _KIND)

    def add(self, editor: Editor, actor: str) -> bool:
        """Let a person in; False where one of that address is in already."""
        added = insert_or_leave(
            self._connection,
            t.editor,
            {
                "public_id": editor.public_id,
                "address": editor.address,
                "name": editor.name,
                "role": editor.role.value,
                "language": editor.language,
                "theme": editor.theme.value,
                "added_at": editor.added_at,
            },
        )
        if added:
            detail = {"after": {"role": editor.role.value}}
            self._changes.record(editor.added_at, actor, _KIND, editor.public_id, "added", detail)
        return bool(added)

    def change_role(self, public_id: str, role: Role, at: datetime, actor: str) -> None:
        """Let an editor do more or less than before; NotFound."""
        before = self.get(public_id).role
        self._set(public_id, role=role.value)
        detail = {"before": {"role": before.value}, "after": {"role": role.value}}
        self._changes.record(at, actor, _KIND, public_id, "role changed", detail)

    def describe(self, editor: Editor, at: datetime, actor: str) -> None:
        """Keep name, language and theme as an editor wants them; NotFound."""
        before = self.get(editor.public_id)
        self._set(
            editor.public_id,
            name=editor.name,
            language=editor.language,
            theme=editor.theme.value,
        )
        detail = change_detail(_described(before), _described(editor))
        if detail["after"]:
            self._changes.record(at, actor, _KIND, editor.public_id, "described", detail)

    def remove(self, public_id: str, at: datetime, actor: str) -> None:
        """Take an editor off: addresses, sessions and links go, the name stays; NotFound."""
        before = self.get(public_id)
        self._set(public_id, removed_at=at, address=None, name=before.called)
        self.end_sessions(public_id)
        self._connection.execute(
            sa.delete(t.sign_in_link).where(t.sign_in_link.c.editor_id == _key_of(public_id))
        )
        tests = t.editor_test_address
        self._connection.execute(sa.delete(tests).where(tests.c.editor_id == _key_of(public_id)))
        detail = {"before": {"role": before.role.value}}
        self._changes.record(at, actor, _KIND, public_id, "removed", detail)

    def begin_session(self, session: Session, digest: str) -> None:
        """Keep a browser signed in."""
        self._connection.execute(
            sa.insert(t.editor_session).values(
                public_id=session.public_id,
                digest=digest,
                editor_id=_key_of(session.editor.public_id),
                begun_at=session.begun_at,
                seen_at=session.seen_at,
                ends_at=session.ends_at,
                agent=session.agent,
            )
        )

    def session(self, digest: str) -> Session | None:
        """The session of a cookie, be it over or not."""
        row = self._connection.execute(
            sa.select(*_EDITOR, *_SESSION)
            .join_from(t.editor_session, t.editor)
            .where(t.editor_session.c.digest == digest)
        ).one_or_none()
        return _session(row) if row else None

    def sessions(self, public_id: str) -> list[Session]:
        """Where an editor is signed in, the last used first; also what is over."""
        rows = self._connection.execute(
            sa.select(*_EDITOR, *_SESSION)
            .join_from(t.editor_session, t.editor)
            .where(t.editor.c.public_id == public_id)
            .order_by(t.editor_session.c.seen_at.desc(), t.editor_session.c.id)
        )
        return [_session(row) for row in rows]

    def last_seen(self) -> dict[str, datetime]:
        """When those who are signed in somewhere last came, by public id."""
        rows = self._connection.execute(
            sa.select(t.editor.c.public_id, sa.func.max(t.editor_session.c.seen_at))
            .join_from(t.editor_session, t.editor)
            .group_by(t.editor.c.public_id)
        )
        return {row[0]: row[1] for row in rows}

    def note_seen(self, digest: str, at: datetime) -> None:
        """A session was used."""
        self._connection.execute(
            sa.update(t.editor_session)
            .where(t.editor_session.c.digest == digest)
            .values(seen_at=at)
        )

    def end_session(self, digest: str) -> bool:
        """Sign a browser out; False where it was out already."""
        gone = self._connection.execute(
            sa.delete(t.editor_session).where(t.editor_session.c.digest == digest)
        )
        return bool(gone.rowcount)

    def end_sessions(self, public_id: str, *, only: str | None = None) -> int:
        """Sign an editor out everywhere, or of ``only`` one session (public id); how many."""
        narrowed = () if only is None else (t.editor_session.c.public_id == only,)
        return self._connection.execute(
            sa.delete(t.editor_session).where(
                t.editor_session.c.editor_id == _key_of(public_id), *narrowed
            )
        ).rowcount

    def make_link(
        self,
        public_id: str,
        digest: str,
        made_at: datetime,
        ends_at: datetime,
        *,
        asked: bool,
        page: str = "",
    ) -> None:
        """Keep a sign-in link; ``asked`` for at the door, else made by who runs the service."""
        self._connection.execute(
            sa.insert(t.sign_in_link).values(
                digest=digest,
                editor_id=_key_of(public_id),
                made_at=made_at,
                ends_at=ends_at,
                asked=asked,
                page=page,
            )
        )

    def links_asked(self, public_id: str, since: datetime) -> int:
        """How many links were asked for in an editor's name from then on."""
        link = t.sign_in_link.c
        return int(
            self._connection.scalar(
                sa.select(sa.func.count()).where(
                    link.editor_id == _key_of(public_id), link.made_at >= since, link.asked
                )
            )
            or 0
        )

    def link_owner(self, digest: str, now: datetime) -> Editor | None:
        """Whom a link would sign in: nobody once it is used or has expired."""
        row = self._connection.execute(
            sa.select(*_EDITOR)
            .join_from(t.sign_in_link, t.editor)
            .where(t.sign_in_link.c.digest == digest, *_usable(now))
        ).one_or_none()
        return _editor(row) if row else None

    def use_link(self, digest: str, now: datetime) -> tuple[Editor, str] | None:
        """Spend a link: whom it signs in and the page they were going to; None a second time."""
        link = t.sign_in_link.c
        row = self._connection.execute(
            sa.update(t.sign_in_link)
            .where(link.digest == digest, *_usable(now))
            .values(used_at=now)
            .returning(link.editor_id, link.page)
        ).one_or_none()
        editor = self._one(t.editor.c.id == row.editor_id) if row else None
        return (editor, row.page) if row and editor and editor.removed_at is None else None

    def tidy(self, now: datetime) -> int:
        """Drop sessions and links whose time is over; how many."""
        session, link = t.editor_session.c, t.sign_in_link.c
        over = (
            sa.delete(t.editor_session).where(
                sa.or_(session.ends_at <= now, session.seen_at <= now - IDLE_TIME)
            ),
            # Longer than an hour, by which they are counted.
            sa.delete(t.sign_in_link).where(link.ends_at <= now - IDLE_TIME),
        )
        return sum(self._connection.execute(one).rowcount for one in over)

    def _one(self, condition: sa.ColumnElement[bool]) -> Editor | None:
        row = self._connection.execute(sa.select(*_EDITOR).where(condition)).one_or_none()
        return _editor(row) if row else None

    def _set(self, public_id: str, **values: Any) -> None:
        self._connection.execute(
            sa.update(t.editor).where(t.editor.c.public_id == public_id).values(**values)
        )


def _described(editor: Editor) -> dict[str, str | None]:
    return {"name": editor.name, "language": editor.language, "theme": editor.theme.value}


def _usable(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return t.sign_in_link.c.used_at.is_(None), t.sign_in_link.c.ends_at > now


def _key_of(public_id: str) -> sa.ScalarSelect[Any]:
    return sa.select(t.editor.c.id).where(t.editor.c.public_id == public_id).scalar_subquery()


def _editor(row: AnyRow) -> Editor:
    return Editor(
        public_id=row.public_id,
        address=row.address or "",
        name=row.name,
        role=Role(row.role),
        added_at=row.added_at,
        language=row.language,
        theme=Theme(row.theme),
        removed_at=row.removed_at,
    )


def _session(row: AnyRow) -> Session:
    return Session(
        public_id=row.session_id,
        editor=_editor(row),
        begun_at=row.begun_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        agent=row.agent,
    )
