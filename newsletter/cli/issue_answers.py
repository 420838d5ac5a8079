"""How `newsletter issue` shows an issue: to people, and to machines."""

from typing import Any

from newsletter.cli.output import print_json
from newsletter.issues.correct import place_of
from newsletter.issues.items import site_words
from newsletter.issues.model import Issue


def print_state(issue: Issue, *, json: bool, sentence: str = "") -> None:
    """Where the issue is on its way; for machines the whole issue."""
    if json:
        print_json(issue_document(issue))
    else:
        print(f"issue {issue.slot} is {issue.state}{'; it ' + sentence if sentence else ''}")


def issue_document(issue: Issue) -> dict[str, Any]:
    """An issue for machines: items in one list, each with its section."""
    pinned = {pin.story_id for pin in issue.pins}
    return {
        "newsletter": issue.newsletter,
        "slot": issue.slot,
        "edition": issue.edition,
        "state": issue.state,
        "version": issue.version,
        "send_at": issue.send_at,
        "title": issue.title,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "note": issue.note,
        "block": issue.block,
        "held_because": issue.held_because,
        "first_approved_by": issue.first_approved_by,
        "approved_by": issue.approved_by,
        "items": [
            {
                "section": section.slug,
                "position": item.position,
                "story": item.story_id,
                "headline": item.headline,
                "url": item.url,
                "byline": item.byline,
                "department": item.department,
                "excerpt": item.excerpt,
                "picture": item.picture.url if item.picture else None,
                "credit": item.picture.credit if item.picture else "",
                "published_at": item.published_at,
                "reads": item.reads,
                "score": item.score,
                "reasons": item.reasons,
                "syndicated_from": item.syndicated_from,
                "still_read": item.still_read,
                "leads": item.story_id == issue.lead,
                "pinned": item.story_id in pinned,
                "changed": item.changed,
                "site": site_words(item) if item.changed else None,
            }
            for section in issue.sections
            for item in section.items
        ],
        "passed_over": [
            {
                "section": section.slug,
                "story": runner.story_id,
                "headline": runner.headline,
                "reads": runner.reads,
                "score": runner.score,
                "reason": runner.reason,
            }
            for section in issue.sections
            for runner in section.runners_up
        ],
        "relaxed": [
            {"section": section.slug, "limit": limit}
            for section in issue.sections
            for limit in section.relaxed
        ],
        "dropped": [one.section.slug for one in issue.dropped],
        "excluded": issue.excluded,
        "held_over": issue.held_over,
        "checks": issue.checks,
    }


def print_checks(issue: Issue) -> None:
    """What the fresh checks of an issue's stories found."""
    for check in issue.checks:
        found = (*check.changes, *check.notes)
        summary = "" if found else ": all as they were"
        print(f"stories looked up {check.at:%Y-%m-%d %H:%M} UTC{summary}")
        for sentence in found:
            print(f"  {sentence}")


def print_issue(issue: Issue) -> None:
    """An issue's stories, why each was chosen, and what was passed over."""
    print(f"{issue.newsletter} {issue.slot}: {issue.state}")
    print(f"subject: {issue.subject}")
    if issue.held_because:
        print(f"held: {issue.held_because}")
    print_checks(issue)
    for section in issue.sections:
        print(f"\n{section.title} ({section.window})")
        for item in section.items:
            print(f"{item.position:>3}. {item.headline} [{place_of(section, item)}]")
            print(f"     {' '.join(item.reasons)}")
        for runner in section.runners_up:
            print(f"   - {runner.headline}: {runner.reason}")
        for limit in section.relaxed:
            print(f"   * {limit}")
