"""`newsletter issue schedule` and `skip`: when an issue goes out, and which slot has none."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from newsletter.cli.edit_commands import ActorOption
from newsletter.cli.issue_answers import print_state
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
from newsletter.errors import UsageError
from newsletter.publication.slots import coming_slots
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.look_over import look_over
from newsletter.workflows.look_up import find_issue
from newsletter.workflows.schedule_issue import (
    reschedule_issue,
    send_soon,
    skip_slot,
    take_back,
    take_in_slot,
)
from newsletter.workflows.soon import TAKE_BACK

ACTOR = "command line"
_COMING = 8


def schedule(
    at: Annotated[
        str | None,
        typer.Argument(
            metavar="[ISO-8601]",
            help="the new time, such as 2025-08-08T07:00; without an offset it is the newsletter's",
        ),
    ] = None,
    soon: Annotated[
        bool, typer.Option("--soon", help="in a minute, in which --take-back stops it")
    ] = False,
    readers: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="with --soon: only if it goes to so many"),
    ] = None,
    undo: Annotated[bool, typer.Option("--take-back", help="stop what --soon began")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
) -> None:
    """Let an issue go out at another time, or in a minute, or take that back.

    Approval stays. `newsletter run` sends it when it is time.
    """
    if [at is not None, soon, undo].count(True) != 1:
        raise UsageError("say one of a time, --soon and --take-back")
    if readers is not None and not soon:
        raise UsageError("--readers belongs to --soon", subject="--readers")
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        issue = find_issue(installation, settings, newsletter, slot)
        zone = only_newsletter(settings, issue.newsletter).zone_in(settings.publication)
        if at is not None:
            moved = reschedule_issue(installation, issue, read_moment(at, zone), actor=actor)
        elif soon:
            look_over(installation, issue, ask=True)
            moved = send_soon(installation, issue, actor=actor, typed=readers)
        else:
            moved = take_back(installation, issue, actor=actor)
    when = f"{moved.send_at.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"
    stop = f"; for {TAKE_BACK.seconds} seconds --take-back stops it" if soon else ""
    print_state(moved, json=json, sentence=f"is planned for {when}{stop}")


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """The instant that ``text`` names, in ``zone`` where it tells no offset; UsageError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f'"{text}" is no time; write it as 2025-08-08T07:00', subject=text
        ) from error
    if not 1970 < moment.year < 9000:
        raise UsageError(f'the year of "{text}" is out of reach', subject=text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def skip(
    key: Annotated[
        str | None,
        typer.Argument(metavar="[SLOT]", help="such as 2025-W32; without it they are told"),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="skip it no more")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
) -> None:
    """Skip a slot that is to come, such as a holiday's week, or show the next eight."""
    if key is None and undo:
        raise UsageError("name the slot that is skipped no more")
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        chosen = only_newsletter(settings, newsletter)
        if key is not None:
            do = take_in_slot if undo else skip_slot
            do(installation, chosen.slug, key, actor=actor)
        zone = chosen.zone_in(settings.publication)
        coming = coming_slots(chosen, zone, installation.clock.now(), _COMING)
        with installation.database.read() as tx:
            skipped = tx.skipped_slots.of(chosen.slug)
    if json:
        slots = [
            {"slot": one.key, "send_at": one.send_at, "skipped": one.key in skipped}
            for one in coming
        ]
        print_json({"newsletter": chosen.slug, "slots": slots})
        return
    for one in coming:
        note = "  skipped" if one.key in skipped else ""
        print(f"{one.key}  {one.send_at.astimezone(zone):%a %Y-%m-%d %H:%M}{note}")
