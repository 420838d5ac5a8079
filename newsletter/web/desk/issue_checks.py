"""What may be said against an issue, each line with the way to what it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.responses import Response

from newsletter.checks.model import Finding, Level, stops
from newsletter.checks.wire import STOP_ENCODED_SIZE
from newsletter.issues.correct import place_of
from newsletter.issues.model import Issue
from newsletter.rendering.fill import UNRESOLVED
from newsletter.web.desk.background import Background
from newsletter.web.desk.places import asked_issue
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.look_over import LookedOver, look_over, read_looked_over

MARKS: Mapping[Level, tuple[str, str]] = {
    Level.STOP: ("×", gettext_noop("Must be mended")),
    Level.WARN: ("!", gettext_noop("To look at")),
    Level.INFO: ("·", gettext_noop("To know")),
}
# Where on the issue's page a finding without a story is mended, by the part that it names,
# else by its key.
_PLACES = {
    "subject": "#subject",
    "preheader": "#preheader",
    "note": "#note",
    "block": "#block-text",
    "twice": "#note",
}
# Mended by stories that come or go.
_OF_STORIES = frozenset({"stories", "lead", "size"})
_STORY = re.compile(r"([a-z0-9-]+/[0-9]+)\b")
# Of these the words or the picture of a story are mended, on their own page.
_OF_WORDS = frozenset({"alt", "pictures", "headings", "language"})


@dataclass(frozen=True)
class ShownFinding:
    """A finding; ``place`` is where it is mended, below the issue's address, if anywhere."""

    level: str
    mark: str
    name: str
    told: str
    place: str


def show_checks(background: Background) -> DeskHandler:
    """All that can be told without asking anybody: links and DNS are asked before it goes out."""

    def handle(visit: Visit) -> Response:
        with visit.context.database.read() as tx:
            issue = asked_issue(visit, tx)
        address = f"{visit.root}/issues/{issue.public_id}"
        return visit.page(
            "issue_checks",
            issue=issue,
            address=address,
            again=f"{address}/checks",
            limit=STOP_ENCODED_SIZE // 1024,
            **shown_checks(visit, issue, looked_over(visit, background, issue, ask=False)),
        )

    return handle


def looked_over(
    visit: Visit, background: Background, issue: Issue, *, ask: bool
) -> LookedOver | None:
    """What was found of the issue lately; None where it is looked over behind the page.

    ``?after=`` in the address names the moment of a look that is not the one wanted.
    """
    looked = read_looked_over(visit.installation, issue, ask=ask)
    if looked is not None and looked.at.isoformat() != visit.query("after"):
        return looked
    background.begin(
        f"checks {issue.public_id} {issue.version} {ask}",
        partial(look_over, visit.installation, issue, ask=ask),
    )
    return None


def shown_checks(visit: Visit, issue: Issue, looked: LookedOver | None) -> dict[str, Any]:
    """What was found as pages print it; nothing where that is not known yet."""
    findings = looked.checked.findings if looked else ()
    return {
        "looked": looked is not None,
        "findings": [shown_finding(visit, issue, finding) for finding in findings],
        "stops": len(stops(findings)),
        "warnings": sum(finding.level is Level.WARN for finding in findings),
        "kb": looked.checked.encoded_octets // 1024 if looked else 0,
    }


def shown_finding(visit: Visit, issue: Issue, finding: Finding) -> ShownFinding:
    """A finding as pages print it."""
    mark, name = MARKS[finding.level]
    return ShownFinding(
        finding.level.value, mark, visit.words.gettext(name), finding.told, _place(issue, finding)
    )


def _place(issue: Issue, finding: Finding) -> str:
    places = {
        place_of(section, item): item.story_id
        for section in issue.sections
        for item in section.items
    }
    for match in _STORY.finditer(f"{finding.item} {finding.sentence}"):
        if story := places.get(match[1]):
            return f"/stories/{story}" if finding.key in _OF_WORDS else f"#story-{story}"
    if finding.key in _OF_STORIES and issue.sections:
        return f"#section-{issue.sections[0].slug}"
    if place := _PLACES.get(finding.item.lower()) or _PLACES.get(finding.key):
        return place
    return _place_left_unfilled(issue) if finding.key == "marks" else ""


def _place_left_unfilled(issue: Issue) -> str:
    """The first field of the issue in which there is one: the mail as a whole was looked at."""
    block = issue.block
    fields = {
        "#subject": issue.subject,
        "#preheader": issue.preheader,
        "#note": issue.note,
        "#block-text": f"{block.text} {block.source}" if block else "",
        **{f"#text-{section.slug}": section.title for section in issue.sections},
    }
    return next((place for place, text in fields.items() if UNRESOLVED.search(text)), "")
