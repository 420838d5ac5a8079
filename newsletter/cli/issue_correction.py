"""The options of `newsletter issue correct`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from newsletter.errors import UsageError
from newsletter.issues.correct import Correction
from newsletter.issues.model import Block, CorrectionKind, CorrectionNote
from newsletter.workflows.correct_links import LinkRequest

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
    typer.Option(
        "--link",
        metavar="STORY=URL",
        help="a story's address, also in mails that were sent; may come again",
    ),
]
WithdrawOption = Annotated[
    list[str] | None,
    typer.Option(
        "--withdraw",
        metavar="STORY",
        help="its links in mails that were sent lead to a page that says so; may come again",
    ),
]
BecauseOption = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="what the archive says of it, behind what was corrected"),
]
RemoveOption = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="STORY", help="take a story out; may come again"),
]
SubjectOption = Annotated[str | None, typer.Option(metavar="TEXT", help="the subject")]
PreheaderOption = Annotated[
    str | None, typer.Option(metavar="TEXT", help="what inboxes show after the subject")
]


def read_correction(
    *,
    subject: str | None,
    preheader: str | None,
    note: str | None,
    block: Block | None,
    headline: Sequence[str] | None,
    summary: Sequence[str] | None,
    link: Sequence[str] | None,
    remove: Sequence[str] | None,
) -> Correction:
    """The correction that these options ask for; UsageError where they ask for none."""
    asked = (subject, preheader, note, block, headline, summary, link, remove)
    if all(option is None or option == [] for option in asked):
        raise UsageError(
            "say what to correct, such as --subject TEXT or --headline latest/1=TEXT; "
            "`newsletter issue show` names the stories"
        )
    return Correction(
        subject=subject,
        preheader=preheader,
        note=note,
        block=block,
        headlines=_by_story("--headline", headline or ()),
        summaries=_by_story("--summary", summary or ()),
        links=_by_story("--link", link or ()),
        removed=tuple(remove or ()),
    )


def read_link_request(
    *,
    link: Sequence[str] | None,
    withdraw: Sequence[str] | None,
    because: str | None,
    others: bool,
) -> LinkRequest | None:
    """What is asked of links alone, where nothing else is; UsageError where both are mixed.

    ``others`` says whether anything else of the issue is to be corrected.
    """
    if withdraw and others:
        raise UsageError(
            "--withdraw goes with --link alone; correct the rest in a call of its own",
            subject="--withdraw",
        )
    if others or not (link or withdraw):
        return None
    told = read_reason(because)
    return LinkRequest(_by_story("--link", link or ()), tuple(withdraw or ()), told)


def read_reason(because: str | None) -> str:
    """The editor's own words on a correction, in one line; "" for none."""
    return " ".join((because or "").split())


def describe_correction(correction: CorrectionNote) -> str:
    """What was corrected after the issue had gone out, for the editor."""
    if correction.kind is CorrectionKind.WITHDRAWN:
        return f"the links of “{correction.headline}” are withdrawn"
    if correction.kind is CorrectionKind.CHANGED:
        return f"the links of “{correction.headline}” lead to {correction.url}"
    if correction.kind is CorrectionKind.REMOVED:
        return f"“{correction.headline}” is out"
    of = f" of “{correction.headline}”" if correction.headline else ""
    return f"the {correction.kind.value}{of} is another"


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
