"""`newsletter issue edit`: an editor's acts on an issue, and the versions that they make."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from newsletter.cli.issue_answers import issue_document
from newsletter.cli.issue_words import read_block
from newsletter.cli.opening import open_from_file
from newsletter.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    NewsletterOption,
    NowOption,
    SlotOption,
)
from newsletter.cli.output import print_json, print_rows, say
from newsletter.errors import UsageError
from newsletter.issues.acts import (
    Act,
    CropItem,
    DropSection,
    EditItem,
    EditLine,
    HoldItem,
    LeadItem,
    Line,
    MoveItem,
    PinItem,
    RemoveItem,
    RestoreSection,
    RetitleSection,
    SetBlock,
)
from newsletter.issues.correct import find_item
from newsletter.issues.model import Issue, ItemField
from newsletter.workflows.candidates import MOST_FOUND, Order, find_candidates
from newsletter.workflows.edit_issue import (
    Edited,
    edit_issue,
    redo_edit,
    restore_version,
    undo_edit,
)
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_up import find_issue
from newsletter.workflows.place_story import add_story, swap_story
from newsletter.workflows.refresh_issue import refresh_issue

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Change what an issue says before it goes out. A STORY is named by its place, as "
    "`newsletter issue show` prints it (latest/2), or by its id. Any change of an approved issue "
    "makes it a draft again.",
)

StoryArgument = Annotated[str, typer.Argument(metavar="STORY")]
NewStoryArgument = Annotated[
    str, typer.Argument(metavar="ID|URL", help="a story that is stored, by its id or address")
]
SectionArgument = Annotated[str, typer.Argument(metavar="SECTION", help="its slug")]
TextArgument = Annotated[str | None, typer.Argument(metavar="TEXT")]
ResetOption = Annotated[bool, typer.Option("--reset", help="as it was made, or as the site has it")]
ActorOption = Annotated[
    str, typer.Option("--as", metavar="NAME", help="who does it, for the history and undo")
]
VersionOption = Annotated[
    int | None,
    typer.Option(
        "--version",
        metavar="N",
        help="the version that was looked at: what others saved since is kept; else the newest",
    ),
]
ACTOR = "command line"


def _act(name: str, summary: str, story_act: Callable[[str], Act]) -> None:
    """A command for an act on one story that needs nothing else."""

    @app.command(name, help=summary)
    def act(
        story: StoryArgument,
        config: ConfigOption = DEFAULT_CONFIG,
        newsletter: NewsletterOption = None,
        slot: SlotOption = None,
        json: JsonOption = False,
        now: NowOption = None,
        actor: ActorOption = ACTOR,
        version: VersionOption = None,
    ) -> None:
        with open_from_file(config, now=now) as installation:
            issue = _find(installation, newsletter, slot, version)
            wanted = story_act(_story(issue, story))
            _answer(_edit(installation, issue, wanted, actor, version), json=json)


_act("pin", "Pin a story where it stands: no fresh ranking moves it.", PinItem)
_act("unpin", "Let a pinned story go.", lambda story: PinItem(story, pinned=False))
_act("lead", "Let a story lead the issue.", LeadItem)
_act("remove", "Take a story out; it stays on offer.", RemoveItem)
_act("hold-over", "Take a story out and hold it for the next issue.", HoldItem)


@app.command("move")
def move(
    story: StoryArgument,
    to: Annotated[
        str,
        typer.Argument(metavar="TO", help="up, down, a place such as 3 or latest/3, or a section"),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: VersionOption = None,
) -> None:
    """Move a story, which pins it there: a place down, to a place, to another section."""
    with open_from_file(config, now=now) as installation:
        issue = _find(installation, newsletter, slot, version)
        wanted = read_move(_story(issue, story), to)
        _answer(_edit(installation, issue, wanted, actor, version), json=json)


def read_move(story: str, to: str) -> MoveItem:
    """The move that ``to`` names: "up", "down", "3", "latest/3", "latest"."""
    if to in ("up", "down"):
        return MoveItem(story, by=-1 if to == "up" else 1)
    section, slash, place = to.rpartition("/")
    if not slash and not to.isdecimal():
        return MoveItem(story, section=to)
    if not place.isdecimal() or len(place) > 3:
        raise UsageError(f'"{to}" is no place; write up, down, 3, latest/3 or latest', subject=to)
    return MoveItem(story, section=section, position=int(place))


@app.command("add")
def add(
    story: NewStoryArgument,
    to: Annotated[
        str, typer.Argument(metavar="TO", help="a section, or a place in it such as latest/3")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: VersionOption = None,
) -> None:
    """Add a story; `newsletter issue edit search` finds one."""
    place = read_move(story, to)
    with open_from_file(config, now=now) as installation:
        issue = _find(installation, newsletter, slot, version)
        section = place.section or to
        _answer(
            add_story(
                installation, issue, story, section, place.position, actor=actor, version=version
            ),
            json=json,
        )


@app.command("swap")
def swap(
    story: StoryArgument,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID|URL]", help="what takes its place; else the section's first runner-up"
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: VersionOption = None,
) -> None:
    """Give a story's place to a runner-up, or to any other story."""
    with open_from_file(config, now=now) as installation:
        issue = _find(installation, newsletter, slot, version)
        found = _story(issue, story)
        _answer(
            swap_story(installation, issue, found, other, actor=actor, version=version), json=json
        )


@app.command("text")
def text(
    story: StoryArgument,
    field: Annotated[ItemField, typer.Argument(metavar="FIELD", help=", ".join(ItemField))],
    said: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXT]",
            help='what the mail says; of picture "" leaves it out, of crop 0.5,0.2 is its middle '
            "as shares of width and height",
        ),
    ] = None,
    reset: ResetOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: VersionOption = None,
) -> None:
    """Say a story's headline, excerpt, alternative text or crop otherwise, for the mail only."""
    _one_of(said, reset=reset)
    with open_from_file(config, now=now) as installation:
        issue = _find(installation, newsletter, slot, version)
        found = _story(issue, story)
        wanted: Act = EditItem(found, field, said)
        if field is ItemField.CROP:
            wanted = CropItem(found, None if said is None else read_focus(said))
        _answer(_edit(installation, issue, wanted, actor, version), json=json)


def read_focus(said: str) -> tuple[float, float]:
    """The middle of a crop as "0.5,0.2"; UsageError."""
    try:
        across, down = (float(share) for share in said.split(","))
    except ValueError as error:
        raise UsageError(
            f'"{said}" is no middle of a crop; write two shares such as 0.5,0.2', subject="crop"
        ) from error
    return across, down


def _line(line: Line, summary: str) -> None:
    """A command that writes one line of the issue."""

    @app.command(line.value, help=summary)
    def write(
        said: TextArgument = None,
        reset: ResetOption = False,
        config: ConfigOption = DEFAULT_CONFIG,
        newsletter: NewsletterOption = None,
        slot: SlotOption = None,
        json: JsonOption = False,
        now: NowOption = None,
        actor: ActorOption = ACTOR,
        version: VersionOption = None,
    ) -> None:
        _one_of(said, reset=reset)
        with open_from_file(config, now=now) as installation:
            issue = _find(installation, newsletter, slot, version)
            _answer(_edit(installation, issue, EditLine(line, said), actor, version), json=json)


_line(Line.SUBJECT, "Write the subject; --reset has it made from the story that leads.")
_line(Line.PREHEADER, "Write what inboxes show after the subject.")
_line(Line.TITLE, "Write the title above the stories.")
_line(
    Line.NOTE,
    "Write the note above the stories: **bold**, *italic* and [links](https://…), an empty line "
    "between paragraphs; --reset takes it out.",
)


@app.command("block")
def block(
    said: Annotated[
        str | None,
        typer.Argument(metavar="[KIND=TEXT]", help="quote=TEXT, number=TEXT or question=TEXT"),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="who said so, or what the number counts")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="take it out")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: VersionOption = None,
) -> None:
    """Set the part that is no story."""
    _one_of(said, reset=reset)
    wanted = SetBlock(read_block(said, source))
    with open_from_file(config, now=now) as installation:
        issue = _find(installation, newsletter, slot, version)
        _answer(_edit(installation, issue, wanted, actor, version), json=json)


@app.command("section")
def section(
    section: SectionArgument,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="call it so in this issue")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="call it as it was made")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="take it out")] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="bring it in, also one that the draft left out")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
    version: VersionOption = None,
) -> None:
    """Call a section otherwise, take it out, or bring it in."""
    asked = [title is not None, reset, drop, restore]
    if sum(asked) != 1:
        raise UsageError("say one of --title TEXT, --reset, --drop and --restore")
    wanted: Act = RetitleSection(section, title)
    if drop:
        wanted = DropSection(section)
    elif restore:
        wanted = RestoreSection(section)
    with open_from_file(config, now=now) as installation:
        issue = _find(installation, newsletter, slot, version)
        _answer(_edit(installation, issue, wanted, actor, version), json=json)


def _whole(name: str, summary: str, do: Callable[[Installation, Issue, str], Edited]) -> None:
    """A command for an act on the whole issue."""

    @app.command(name, help=summary)
    def act(
        config: ConfigOption = DEFAULT_CONFIG,
        newsletter: NewsletterOption = None,
        slot: SlotOption = None,
        json: JsonOption = False,
        now: NowOption = None,
        actor: ActorOption = ACTOR,
    ) -> None:
        with open_from_file(config, now=now) as installation:
            issue = find_issue(installation, installation.settings(), newsletter, slot)
            _answer(do(installation, issue, actor), json=json)


_whole(
    "undo",
    "Take back one's own last act; what others did since stays.",
    lambda installation, issue, actor: undo_edit(installation, issue.public_id, actor=actor),
)
_whole(
    "redo",
    "Do again what was undone last.",
    lambda installation, issue, actor: redo_edit(installation, issue.public_id, actor=actor),
)
_whole(
    "refresh",
    "Choose the stories anew, by today's reads: pins, words and what was taken out stay.",
    lambda installation, issue, actor: refresh_issue(installation, issue, actor=actor),
)


@app.command("restore")
def restore(
    number: Annotated[int, typer.Argument(metavar="N", min=1, help="as `history` counts them")],
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    actor: ActorOption = ACTOR,
) -> None:
    """Bring back an earlier version, as a new one."""
    with open_from_file(config, now=now) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        _answer(restore_version(installation, issue.public_id, number, actor=actor), json=json)


@app.command("history")
def history(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Tell who saved what of an issue, the newest first, with before and after."""
    with open_from_file(config, now=now, adopts=False) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        with installation.database.read() as tx:
            versions = tx.issues.versions(issue.public_id)[::-1]
    if json:
        print_json(
            {
                "slot": issue.slot,
                "version": issue.version,
                "versions": [
                    {
                        "version": one.number,
                        "at": one.at,
                        "by": one.actor,
                        "kind": one.save.kind,
                        "told": one.save.told,
                        "of": one.save.of,
                        "changes": one.save.changes,
                    }
                    for one in versions
                ],
            }
        )
        return
    for one in versions:
        told = one.save.told or one.save.kind
        print(f"{one.number:>4}  {one.at:%Y-%m-%d %H:%M} UTC  {one.actor}: {told}")
        for change in one.save.changes:
            print(f"        {change.part}: “{change.before}” → “{change.after}”")


@app.command("search")
def search(
    words: Annotated[
        str, typer.Argument(metavar="[WORDS]", help="of its headline, or its whole address")
    ] = "",
    department: Annotated[str, typer.Option(metavar="NAME", help="as the paper writes it")] = "",
    since: Annotated[
        datetime | None, typer.Option(metavar="DATE", help="published on that day or later (UTC)")
    ] = None,
    order: Annotated[Order, typer.Option(help="newest, or most_read in the last 28 days")] = (
        "newest"
    ),
    limit: Annotated[int, typer.Option(min=1, max=MOST_FOUND, help="how many")] = 20,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    slot: SlotOption = None,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Find stories that may be added to an issue, with their reads and what speaks for them."""
    with open_from_file(config, now=now, adopts=False) as installation:
        issue = find_issue(installation, installation.settings(), newsletter, slot)
        found = find_candidates(
            installation,
            issue,
            words=words,
            department=department,
            since=since and since.replace(tzinfo=UTC),
            order=order,
            limit=limit,
        )
    if json:
        print_json({"slot": issue.slot, "stories": found})
        return
    print_rows(
        [
            (
                one.story_id,
                f"{one.published_at:%Y-%m-%d}",
                "-" if one.reads is None else f"{one.reads:,}",
                one.place or "-",
                one.headline,
            )
            for one in found
        ],
        ("story", "published", "reads", "place", "headline"),
    )


def _find(
    installation: Installation, newsletter: str | None, slot: str | None, version: int | None
) -> Issue:
    """The issue, as it was in that version where one is named."""
    issue = find_issue(installation, installation.settings(), newsletter, slot)
    if version is None or version == issue.version:
        return issue
    with installation.database.read() as tx:
        then = tx.issues.at_version(issue.public_id, version)
    return then or issue


def _story(issue: Issue, name: str) -> str:
    return find_item(issue, name)[1].story_id


def _edit(
    installation: Installation, issue: Issue, act: Act, actor: str, version: int | None
) -> Edited:
    return edit_issue(installation, issue.public_id, act, actor=actor, version=version)


def _one_of(said: str | None, *, reset: bool) -> None:
    if (said is None) != reset:
        raise UsageError("say either the TEXT or --reset")


def _answer(edited: Edited, *, json: bool) -> None:
    if json:
        print_json(_document(edited))
        return
    told = edited.told or "nothing changed"
    print(f"issue {edited.issue.slot}, version {edited.version}: {told}")
    for notice in edited.notices:
        say(notice)


def _document(edited: Edited) -> dict[str, Any]:
    return {
        **issue_document(edited.issue),
        "told": edited.told,
        "revoked": edited.revoked,
        "notices": edited.notices,
        "others": [
            {"version": one.number, "by": one.actor, "at": one.at, "told": one.save.told}
            for one in edited.others
        ],
    }
