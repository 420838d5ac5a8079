"""`newsletter editors`: who may sit at the desk, as what, and their first link."""

from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json, print_rows, say
from newsletter.publication.editors import SHOWN_LINK_LASTS, Editor, Role
from newsletter.workflows.editors import add_editor, change_role, editor_at, remove_editor
from newsletter.workflows.installation import Installation
from newsletter.workflows.sign_in import make_link

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Say who may sit at the desk, and as what."
)
ACTOR = "command line"

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="their e-mail address")]


@app.command("add")
def add(
    address: AddressArgument,
    name: Annotated[str, typer.Option(metavar="NAME", help="how they are called")] = "",
    role: Annotated[
        Role | None,
        typer.Option(help="what they may do; the first of all is an admin, others are an editor"),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="the desk's language for them, such as hy"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let a person in, and print the link by which they sign in for the first time."""
    with open_from_file(config, adopts=False) as installation:
        editor = add_editor(
            installation.database,
            address=address,
            name=name,
            role=role,
            language=language,
            actor=ACTOR,
            now=installation.clock.now(),
        )
        _print_link(installation, editor, json=json)


@app.command("list")
def list_editors(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Say who may sit at the desk, and as what."""
    with open_from_file(config, adopts=False) as installation, installation.database.read() as tx:
        editors = tx.editors.all()
    if json:
        print_json([_document(editor) for editor in editors])
    elif editors:
        rows = [(one.role, one.address, one.name, one.added_at.date()) for one in editors]
        print_rows(rows, ("role", "address", "name", "since"))
    else:
        say("nobody sits at the desk yet: `newsletter editors add ADDRESS` lets a person in")


@app.command("role")
def role(
    address: AddressArgument,
    role: Annotated[Role, typer.Argument(help="what they may do from now on")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let an editor do more or less than before."""
    with open_from_file(config, adopts=False) as installation:
        editor = change_role(
            installation.database,
            editor_at(installation.database, address).public_id,
            role,
            actor=ACTOR,
            now=installation.clock.now(),
        )
    if json:
        print_json(_document(editor))
    else:
        print(f"{editor.address}: {editor.role}")


@app.command("remove")
def remove(
    address: AddressArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Take a person off; they are signed out at once."""
    with open_from_file(config, adopts=False) as installation:
        editor = remove_editor(
            installation.database,
            editor_at(installation.database, address).public_id,
            actor=ACTOR,
            now=installation.clock.now(),
        )
    if json:
        print_json({**_document(editor), "removed": True})
    else:
        print(f"{editor.address}: removed, and signed out everywhere")


@app.command("login-link")
def login_link(
    address: AddressArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Print a link by which an editor signs in, where the mail with one does not come."""
    with open_from_file(config, adopts=False) as installation:
        editor = editor_at(installation.database, address)
        _print_link(installation, editor, json=json)


def _print_link(installation: Installation, editor: Editor, *, json: bool) -> None:
    now = installation.clock.now()
    link = make_link(installation.database, installation.desk_url, editor, now=now)
    if json:
        print_json({**_document(editor), "link": link, "link_until": now + SHOWN_LINK_LASTS})
        return
    hours = SHOWN_LINK_LASTS.total_seconds() / 3600
    say(f"{editor.address} is {editor.role}; the link works once, within {hours:.0f} hours:")
    print(link)


def _document(editor: Editor) -> dict[str, object]:
    return {
        "id": editor.public_id,
        "address": editor.address,
        "name": editor.name,
        "role": editor.role,
        "language": editor.language,
        "added_at": editor.added_at,
    }
