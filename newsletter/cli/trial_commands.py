"""`newsletter issue test`: an issue as a test, to look at in real mail programs."""

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
from newsletter.cli.output import print_json
from newsletter.cli.signals import stop_on_signals
from newsletter.delivery.model import DeliveryState
from newsletter.errors import Conflict
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_up import find_issue
from newsletter.workflows.send_test import fates_of_test, is_over, send_test, tell_fate

ToOption = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="ADDRESS", help="who gets it; may come again"),
]
SavedOption = Annotated[
    bool, typer.Option("--saved/--no-saved", help="also the newsletter's test_addresses")
]
LanguageOption = Annotated[
    str | None, typer.Option("--language", metavar="LANGUAGE", help="in that of its languages")
]
ACTOR = "command line"


def mail_test(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    to: ToOption = None,
    saved: SavedOption = True,
    language: LanguageOption = None,
) -> None:
    """Mail the issue as it is now to a few, marked [Test]; no report and no figure knows of it.

    Exit status 1 if a server refused it.
    """
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        sent = send_test(installation, issue, to or (), actor=ACTOR, saved=saved, language=language)
        _deliver(installation, sent.mailing_id)
        fates = fates_of_test(installation, sent.mailing_id)
    if json:
        print_json({"slot": issue.slot, "subject": sent.subject, "results": fates})
    else:
        for fate in fates:
            print(tell_fate(fate))
    refused = [fate for fate in fates if fate.state is DeliveryState.REFUSED]
    raise typer.Exit(1 if refused else 0)


def _deliver(installation: Installation, mailing_id: str) -> None:
    """Send what is due until the test is through, unless another process is the sender."""
    try:
        with open_ledger(installation) as ledger, stop_on_signals() as stop:
            deliver(
                installation,
                ledger,
                should_stop=lambda: (
                    stop.is_set() or is_over(fates_of_test(installation, mailing_id))
                ),
            )
    except Conflict:
        return
