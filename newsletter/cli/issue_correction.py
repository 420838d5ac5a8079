"""The options of `newsletter issue correct`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from newsletter.errors import UsageError
from newsletter.issues.correct import Correction

HeadlineOption = Annotated[
    list[str] | None,
    typer.Option("--headline", metavar="STORY=TEXT", help="a story's headline; may come again"),
]
SummaryOption = Annotated[
    list[str] | None,
    typer.Option("--summary", metavar="STORY=TEXT", help="a story's summary; may come again"),
]
LinkOption = Annotated[
    list[str] | None,
    typer.Option("--link", metavar="STORY=URL", help="a story's address; may come again"),
]
RemoveOption = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="STORY", help="take a story out; may come again"),
]
SubjectOption = Annotated[str | None, typer.Option(metavar="TEXT", help="the subject")]
PreheaderOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="what inboxes show after the subject")
]
NoteOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help='the note above the stories; "" takes it out')
]


def read_correction(
    *,
    subject: str | None,
    preheader: str | None,
    note: str | None,
    headline: Sequence[str] | None,
    summary: Sequence[str] | None,
    link: Sequence[str] | None,
    remove: Sequence[str] | None,
) -> Correction:
    """The correction that these options ask for; UsageError where they ask for none."""
    asked = (subject, preheader, note, headline, summary, link, remove)
    if all(option is None or option == [] for option in asked):
        raise UsageError(
            "say what to correct, such as --subject TEXT or --headline latest/1=TEXT; "
            "`newsletter issue show` names the stories"
        )
    return Correction(
        subject=subject,
        preheader=preheader,
        note=note,
        headlines=_by_story("--headline", headline or ()),
        summaries=_by_story("--summary", summary or ()),
        links=_by_story("--link", link or ()),
        removed=tuple(remove or ()),
    )


def _by_story(option: str, texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        story, equals, said = text.partition("=")
        if not (story and equals):
            raise UsageError(
                f'{option}: "{text}" names no story; write it as latest/1=TEXT', subject=option
            )
        found[story] = said
    return found
