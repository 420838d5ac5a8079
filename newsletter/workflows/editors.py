"""Who may sit at the desk: added, given a role, removed."""

from dataclasses import replace
from datetime import datetime

from newsletter.errors import Conflict, NotFound, UsageError
from newsletter.publication.editors import Editor, Role, Theme
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.names import clean_name
from newsletter.tokens import new_public_id
from newsletter.words import pick_language, shipped_languages


def add_editor(
    database: Database,
    *,
    address: str,
    name: str = "",
    role: Role | None = None,
    language: str | None = None,
    actor: str,
    now: datetime,
) -> Editor:
    """Let a person in. Without a role they edit; the first of all is an admin.

    AddressError for what is no address, UsageError for a name or language that can't
    be, Conflict for one who is in already.
    """
    address, name = normalise_address(address), clean_name(name)
    language = _shipped(language)
    with database.write() as tx:
        tx.editors.lock()
        usual = Role.EDITOR if _admins(tx) else Role.ADMIN
        editor = Editor(new_public_id(), address, name, role or usual, now, language)
        if not tx.editors.add(editor, actor):
            raise Conflict(f"{address} is an editor already", subject="address")
    return editor


def editor_at(database: Database, address: str) -> Editor:
    """The editor of an address as it was typed; NotFound where there is none."""
    with database.read() as tx:
        editor = tx.editors.find(normalise_address(address))
    if editor is None:
        raise NotFound(f"no editor has the address {address}", subject="address")
    return editor


def change_role(
    database: Database, editor_id: str, role: Role, *, actor: str, now: datetime
) -> Editor:
    """Let an editor do more or less; Conflict where nobody would be left to let others in."""
    with database.write() as tx:
        tx.editors.lock()
        editor = tx.editors.get(editor_id)
        if role is not editor.role:
            _keep_an_admin(tx, editor, role)
            tx.editors.change_role(editor_id, role, now, actor)
    return replace(editor, role=role)


def remove_editor(database: Database, editor_id: str, *, actor: str, now: datetime) -> Editor:
    """Take an editor off, and sign them out everywhere; Conflict for the last admin."""
    with database.write() as tx:
        tx.editors.lock()
        editor = tx.editors.get(editor_id)
        _keep_an_admin(tx, editor, None)
        tx.editors.remove(editor_id, now, actor)
    return editor


def describe_editor(
    database: Database,
    editor_id: str,
    *,
    name: str,
    language: str | None,
    theme: Theme,
    now: datetime,
) -> Editor:
    """Keep how an editor is called, reads and sees; UsageError for what can't be."""
    with database.write() as tx:
        before = tx.editors.get(editor_id)
        editor = replace(before, name=clean_name(name), language=_shipped(language), theme=theme)
        tx.editors.describe(editor, now, editor_id)
    return editor


def _keep_an_admin(tx: Transaction, editor: Editor, role: Role | None) -> None:
    if editor.role is Role.ADMIN and role is not Role.ADMIN and _admins(tx) == 1:
        raise Conflict(
            f"{editor.called} is the only admin: make somebody else one first",
            subject=editor.public_id,
        )


def _admins(tx: Transaction) -> int:
    return sum(editor.role is Role.ADMIN for editor in tx.editors.all())


def _shipped(language: str | None) -> str | None:
    if not language:
        return None
    found = pick_language([language], shipped_languages())
    if found is None:
        raise UsageError(
            f'the desk does not speak "{language}"; it speaks {", ".join(shipped_languages())}',
            subject="language",
        )
    return found
