"""`newsletter issue rehearse`: what a send will be like, before anything is sent."""

from contextlib import ExitStack
from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    NewsletterOption,
    NowOption,
    SlotOption,
)
from newsletter.cli.output import progress_bar
from newsletter.cli.rehearsal_answers import print_rehearsal, write_rehearsal
from newsletter.cli.signals import stop_on_signals
from newsletter.workflows.look_up import find_issue
from newsletter.workflows.rehearse import audience_size, rehearse_issue
from newsletter.workflows.relay_doors import ask_nobody, ask_relay

LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="only a sample of so many readers")
]
AskOption = Annotated[
    bool,
    typer.Option(
        "--ask/--no-ask",
        help="ask the relays what they offer, the hosts of links whether these are alive, and "
        "SpamAssassin; sends nothing",
    ),
]


def rehearse(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    limit: LimitOption = None,
    ask: AskOption = True,
) -> None:
    """Write an issue to all its readers as a send would, and hand it to nobody.

    Says how long the send will take, how large the messages are, and who can't be mailed.
    Exit status 1 if somebody can't, or if something would stop the issue.
    """
    with open_from_file(config, now=now, adopts=False) as installation, ExitStack() as stack:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        audience = audience_size(installation, issue)
        with (
            stop_on_signals() as stop,
            progress_bar("rehearsing", min(limit or audience, audience)) as advance,
        ):
            rehearsal = stack.enter_context(
                rehearse_issue(
                    installation,
                    issue,
                    limit=limit,
                    ask=ask_relay if ask else ask_nobody,
                    outside=ask,
                    should_stop=stop.is_set,
                    on_progress=advance,
                )
            )
        if json:
            write_rehearsal(rehearsal)
        else:
            print_rehearsal(rehearsal)
        raise typer.Exit(1 if rehearsal.falls_short else 0)
