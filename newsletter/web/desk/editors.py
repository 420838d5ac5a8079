"""Who may sit at the desk: let somebody in, give a role, sign out, remove. For admins."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.errors import AddressError, Conflict, UsageError
from newsletter.publication.editors import ROLE_NAMES, Editor, Role
from newsletter.web.desk.places import tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.editors import add_editor, change_role, remove_editor
from newsletter.workflows.sign_in import invite_editor, sign_out_everywhere

SAID: Mapping[str, str] = {
    "added": gettext_noop("Let in. A first link is on its way by mail."),
    "added-unmailed": gettext_noop(
        "Let in. No mail could be sent: “newsletter editors login-link” prints a link."
    ),
    "role": gettext_noop("The role is changed. It counts at once."),
    "removed": gettext_noop("Removed, and signed out everywhere."),
    "out": gettext_noop("Signed out everywhere."),
}


@dataclass(frozen=True)
class Seat:
    """An editor in the list; ``seen`` is empty for who is signed in nowhere."""

    editor: Editor
    role: str
    since: str
    seen: str
    me: bool


@dataclass(frozen=True)
class Problem:
    """What was wrong with the form; ``field`` is where."""

    field: str
    sentence: str


def show_editors(visit: Visit, problem: Problem | None = None) -> Response:
    """The list, and the form that lets somebody in."""
    with visit.context.database.read() as tx:
        editors, seen = tx.editors.all(), tx.editors.last_seen()
    words = visit.words
    roles = [(role.value, words.gettext(ROLE_NAMES[role])) for role in Role]
    names = dict(roles)
    return visit.page(
        "editors",
        said=SAID,
        status=400 if problem else 200,
        seats=[
            Seat(
                editor,
                names[editor.role.value],
                tell_moment(visit, editor.added_at),
                tell_moment(visit, seen[editor.public_id]) if editor.public_id in seen else "",
                editor.public_id == visit.actor,
            )
            for editor in editors
        ],
        roles=roles,
        problem=problem,
        typed={name: visit.field(name) for name in ("address", "name", "role", "tongue")},
    )


def show_editors_page(visit: Visit) -> Response:
    """The same, as it is first shown."""
    return show_editors(visit)


def take_editor(visit: Visit) -> Response:
    """Let a person in, and mail them a first link."""
    context, words = visit.context, visit.words
    now = context.clock.now()
    try:
        editor = add_editor(
            context.database,
            address=visit.field("address"),
            name=visit.field("name"),
            role=_role(visit),
            language=visit.field("tongue") or None,
            actor=visit.actor,
            now=now,
        )
    except AddressError:
        sentence = words.gettext("That is no e-mail address.")
        return show_editors(visit, Problem("address", sentence))
    except Conflict:
        sentence = words.gettext("Somebody of that address is an editor already.")
        return show_editors(visit, Problem("address", sentence))
    except UsageError as error:
        if error.subject != "name":
            raise
        sentence = words.gettext("The name is too long, or holds what no name has.")
        return show_editors(visit, Problem("name", sentence))
    mailed = invite_editor(
        context.database,
        context.letters(visit.settings),
        context.desk_url,
        editor,
        inviter=visit.editor.called,
        now=now,
    )
    return visit.go("/editors", done="added" if mailed else "added-unmailed")


def take_role(visit: Visit) -> Response:
    """Let an editor do more or less."""
    change_role(
        visit.context.database,
        visit.param("editor"),
        _role(visit),
        actor=visit.actor,
        now=visit.context.clock.now(),
    )
    return visit.go("/editors", done="role")


def take_removal(visit: Visit) -> Response:
    """Take an editor off."""
    remove_editor(
        visit.context.database,
        visit.param("editor"),
        actor=visit.actor,
        now=visit.context.clock.now(),
    )
    return visit.go("/editors", done="removed")


def take_editor_sign_out(visit: Visit) -> Response:
    """Sign an editor out of every browser."""
    sign_out_everywhere(
        visit.context.database,
        visit.param("editor"),
        actor=visit.actor,
        now=visit.context.clock.now(),
    )
    return visit.go("/editors", done="out")


def _role(visit: Visit) -> Role:
    written = visit.field("role")
    if written not in frozenset(Role):
        raise UsageError(f'there is no role "{written[:60]}"', subject="role")
    return Role(written)
