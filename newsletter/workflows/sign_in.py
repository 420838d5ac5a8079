"""Coming in to the desk: a link by mail, a session, and the way out.

Of links and sessions only a digest is stored. A link works once, at the press of a
button: a scanner that opens it first spends nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import AddressError
from newsletter.log import get_logger, mask_address
from newsletter.publication.editors import (
    LINK_LASTS,
    LONGEST_SESSION,
    MOST_LINKS_AN_HOUR,
    SHOWN_LINK_LASTS,
    Editor,
    Session,
)
from newsletter.rendering.editor_mail import render_invitation, render_sign_in
from newsletter.rendering.model import RenderedMail
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.tokens import new_public_id, new_secret, secret_digest
from newsletter.workflows.installation import Installation
from newsletter.workflows.letters import Letters
from newsletter.workflows.system_mail import system_mailing

log = get_logger(__name__)

# How exactly it is known when a session was last used: each note is a write.
_SEEN_EVERY = timedelta(minutes=10)
_MOST_AGENT = 200
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class SignedIn:
    """A session that has just begun. ``secret`` is for the cookie, ``page`` where they go."""

    secret: str
    session: Session
    page: str


def sign_in_address(desk_url: str, secret: str) -> str:
    """Where a link leads."""
    return f"{desk_url}/sign-in/{secret}"


def make_link(database: Database, desk_url: str, editor: Editor, *, now: datetime) -> str:
    """A link for an editor, to be shown to whoever runs the service: their word is enough."""
    secret = new_secret()
    with database.write() as tx:
        tx.editors.make_link(
            editor.public_id, secret_digest(secret), now, now + SHOWN_LINK_LASTS, asked=False
        )
    return sign_in_address(desk_url, secret)


def ask_for_link(
    database: Database, letters: Letters, desk_url: str, written: str, page: str, *, now: datetime
) -> None:
    """Mail a link to the editor of an address; ``page`` is where they were going.

    Nothing tells from outside whether there is one: no error, no other answer.
    """
    editor = _editor_written(database, written)
    settings = letters.settings
    if editor is None or not settings.newsletter:
        log.info("sign_in_asked", mailed=False)
        return
    secret = new_secret()
    ends = now + LINK_LASTS
    mail = render_sign_in(
        settings.publication,
        editor,
        address=sign_in_address(desk_url, secret),
        minutes=LINK_LASTS // timedelta(minutes=1),
        templates=letters.templates,
    )
    with database.write() as tx:
        tx.editors.lock()
        mailed = tx.editors.links_asked(editor.public_id, now - _HOUR) < MOST_LINKS_AN_HOUR
        if mailed:
            tx.editors.make_link(
                editor.public_id, secret_digest(secret), now, ends, asked=True, page=page
            )
            _queue(tx, letters, mail, editor, now)
    log.info("sign_in_asked", address=mask_address(editor.address), mailed=mailed)


def invite_editor(
    database: Database,
    letters: Letters,
    desk_url: str,
    editor: Editor,
    *,
    inviter: str,
    now: datetime,
) -> bool:
    """Mail a first link to who was let in; False where there is no newsletter to mail for."""
    if not letters.settings.newsletter:
        return False
    secret = new_secret()
    mail = render_invitation(
        letters.settings.publication,
        editor,
        inviter=inviter,
        address=sign_in_address(desk_url, secret),
        hours=SHOWN_LINK_LASTS // _HOUR,
        desk_url=desk_url,
        templates=letters.templates,
    )
    with database.write() as tx:
        tx.editors.make_link(
            editor.public_id, secret_digest(secret), now, now + SHOWN_LINK_LASTS, asked=False
        )
        _queue(tx, letters, mail, editor, now)
    return True


def read_link(database: Database, secret: str, *, now: datetime) -> Editor | None:
    """Whom a link would sign in: nobody once it is used or has expired."""
    with database.read() as tx:
        return tx.editors.link_owner(secret_digest(secret), now)


def take_link(
    database: Database, secret: str, *, agent: str = "", old: str = "", now: datetime
) -> SignedIn | None:
    """Press the link's button: a fresh session, and the browser's ``old`` one ends.

    None where the link was used, has expired or never was.
    """
    session_secret = new_secret()
    with database.write() as tx:
        found = tx.editors.use_link(secret_digest(secret), now)
        if found is None:
            return None
        editor, page = found
        if old:
            tx.editors.end_session(secret_digest(old))
        session = Session(
            new_public_id(), editor, now, now, now + LONGEST_SESSION, agent[:_MOST_AGENT]
        )
        tx.editors.begin_session(session, secret_digest(session_secret))
        tx.changes.record(now, editor.public_id, "editor", editor.public_id, "signed in")
    log.info("signed_in", editor=editor.public_id)
    return SignedIn(session_secret, session, page)


def find_session(database: Database, secret: str, *, now: datetime) -> Session | None:
    """The session of a cookie, where it still stands; that it was used is noted now and then."""
    digest = secret_digest(secret)
    with database.read() as tx:
        session = tx.editors.session(digest)
    if session is None or session.is_over(now):
        return None
    if now - session.seen_at >= _SEEN_EVERY:
        with database.write() as tx:
            tx.editors.note_seen(digest, now)
    return session


def sign_out(database: Database, secret: str) -> None:
    """End the session of a cookie."""
    with database.write() as tx:
        tx.editors.end_session(secret_digest(secret))


def sign_out_everywhere(
    database: Database, editor_id: str, *, actor: str, now: datetime, only: str | None = None
) -> int:
    """End all sessions of an editor, or ``only`` one of them (public id); how many ended."""
    with database.write() as tx:
        ended = tx.editors.end_sessions(editor_id, only=only)
        if ended:
            tx.changes.record(now, actor, "editor", editor_id, "signed out", {"sessions": ended})
    return ended


def tidy_sessions(installation: Installation) -> None:
    """Drop sessions and links whose time is over."""
    with installation.database.write() as tx:
        dropped = tx.editors.tidy(installation.clock.now())
    if dropped:
        log.debug("sessions_dropped", rows=dropped)


def _queue(
    tx: Transaction, letters: Letters, mail: RenderedMail, editor: Editor, now: datetime
) -> None:
    sender = letters.settings.newsletter[0]
    mailing = system_mailing(
        letters.keyring,
        letters.settings,
        sender,
        mail,
        public_id=new_public_id(),
        base_url=letters.base_url,
        now=now,
        dkim_selectors=letters.dkim_selectors,
    )
    tx.mailings.create(mailing, key=f"letter:{mailing.public_id}", newsletter=sender.slug)
    tx.mailings.enqueue(mailing.public_id, editor.public_id, editor.address, now)


def _editor_written(database: Database, written: str) -> Editor | None:
    try:
        address = normalise_address(written)
    except AddressError:
        return None
    with database.read() as tx:
        return tx.editors.find(address)
