"""`newsletter inbox take`: a mail that a mail server hands us."""

import os
import sys
from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json, say
from newsletter.errors import NewsletterError
from newsletter.workflows.inbox import take_mail

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Take mail that comes in: readers who leave by it, and reports of mail servers.",
)
# More than any server passes on; the rest of a message is read and let go.
_MOST_BYTES = 1024 * 1024


@app.callback()
def _inbox() -> None:
    """Take mail that comes in: readers who leave by it, and reports of mail servers."""


@app.command("take")
def take(
    recipient: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RECIPIENT]...", help="whom the envelope names, if known"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Read one message on standard input: unsubscribe the reader whose signed token stands in
    its address, or note what a mail server reports (RFC 3464) of the message whose return path
    it was sent to. For a pipe of the mail server. Exit status 0 also for a message that leads
    nowhere, and 75 where the server should try again, so that nothing is ever answered."""
    message = sys.stdin.buffer.read(_MOST_BYTES)
    while sys.stdin.buffer.read(_MOST_BYTES):
        pass
    try:
        with open_from_file(config, adopts=False) as installation:
            taken = take_mail(
                installation.database,
                installation.keyring,
                message,
                recipient or (),
                now=installation.clock.now(),
            )
    except NewsletterError as error:
        say(f"newsletter: {error}")
        # Any other status would make the mail server answer that it failed.
        raise typer.Exit(os.EX_TEMPFAIL) from error
    if json:
        print_json({"taken": taken})
    else:
        say("taken" if taken else "leads nowhere")
