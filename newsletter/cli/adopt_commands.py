"""`newsletter adopt`: a person's word on which installation is the true one."""

from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json
from newsletter.storage.identity import WaitingMail
from newsletter.workflows.clone_guard import Adoption, look_at_adoption
from newsletter.workflows.clone_guard import adopt as adopt_installation

ACTOR = "command line"


def adopt(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    true_one: Annotated[
        bool, typer.Option("--this-is-the-true-one", help="release what is held: let it send")
    ] = False,
) -> None:
    """Say why sending is held and what waits; or release it. Exit status 1 while it is held."""
    with open_from_file(config, adopts=False) as installation:
        look = look_at_adoption(installation)
        if true_one and look.reason:
            look = adopt_installation(installation, actor=ACTOR)
    is_held = bool(look.reason) and not true_one
    if json:
        print_json({"held": is_held, "reason": look.reason, "waiting": look.waiting})
    else:
        _tell(look, is_held=is_held)
    raise typer.Exit(1 if is_held else 0)


def _tell(look: Adoption, *, is_held: bool) -> None:
    if not look.reason:
        print("nothing holds the sending")
    elif is_held:
        print(f"sending is held: {look.reason}")
    else:
        print(f"released; it was held because {look.reason}")
    goes = "would go out" if is_held else "goes out"
    for mail in look.waiting:
        print(f"{goes} once a worker runs: {_describe(mail)}")
    if is_held:
        print(
            "if no other installation sends from this database or a copy of it, and what waits "
            "may go: newsletter adopt --this-is-the-true-one"
        )


def _describe(mail: WaitingMail) -> str:
    messages = "1 message" if mail.rows == 1 else f"{mail.rows:,} messages"
    if not mail.slot:
        return f"{messages} of system mail"
    return f"{messages} of issue {mail.slot} of {mail.newsletter}"
