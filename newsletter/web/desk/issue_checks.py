"""What may be said against an issue, each line with the way to what it is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.checks.model import Finding, Level, stops
from newsletter.checks.wire import WARN_SIZE
from newsletter.issues.correct import place_of
from newsletter.issues.model import Issue
from newsletter.rendering.fill import UNRESOLVED
from newsletter.web.desk.places import asked_issue
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.check_issue import check_whole_issue

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


def show_checks(visit: Visit) -> Response:
    """All that can be told without asking anybody: links and DNS are asked before it goes out."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    checked = check_whole_issue(visit.installation, visit.settings, issue, ask=False)
    return visit.page(
        "issue_checks",
        issue=issue,
        address=f"{visit.root}/issues/{issue.public_id}",
        checked=checked,
        findings=[shown_finding(visit, issue, finding) for finding in checked.findings],
        stops=len(stops(checked.findings)),
        warnings=sum(finding.level is Level.WARN for finding in checked.findings),
        kb=round(checked.encoded_octets / 1024),
        limit=WARN_SIZE // 1024,
    )


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
