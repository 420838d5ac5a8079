"""Stories that come into an issue by an editor's hand: added, or in the place of another."""

from dataclasses import replace

from newsletter.errors import EditRefused, NotFound
from newsletter.issues.acts import AddItem, SwapItem
from newsletter.issues.model import Issue, Item
from newsletter.issues.places import find_place, find_section
from newsletter.workflows.candidates import make_item, ran_as_news
from newsletter.workflows.edit_issue import Edited, edit_issue
from newsletter.workflows.installation import Installation, only_newsletter


def add_story(
    installation: Installation,
    issue: Issue,
    name: str,
    section: str,
    position: int | None = None,
    *,
    actor: str,
    version: int | None = None,
) -> Edited:
    """Add the stored story of that id or address; what was mailed lately is told.

    NotFound, EditRefused and EditClash as `make_item` and `edit_issue` say.
    """
    item, notices = make_item(installation, issue, name)
    _refuse_old_news(installation, issue, item, section)
    act = AddItem(item, section, position)
    edited = edit_issue(installation, issue.public_id, act, actor=actor, version=version)
    return replace(edited, notices=(*notices, *edited.notices))


def swap_story(
    installation: Installation,
    issue: Issue,
    story: str,
    name: str | None = None,
    *,
    actor: str,
    version: int | None = None,
) -> Edited:
    """Give a story's place to the one named, else to its section's first runner-up."""
    found = find_place(issue, story)
    if found is None:
        raise NotFound(f'issue {issue.slot} has no story "{story}"', subject=story)
    section = found[0]
    if name is None:
        if not section.runners_up:
            raise EditRefused(
                f"“{section.title}” has no runner-up; name the story that takes the place",
                subject=section.slug,
            )
        name = section.runners_up[0].story_id
    item, notices = make_item(installation, issue, name)
    _refuse_old_news(installation, issue, item, section.slug)
    act = SwapItem(story, item)
    edited = edit_issue(installation, issue.public_id, act, actor=actor, version=version)
    return replace(edited, notices=(*notices, *edited.notices))


def _refuse_old_news(installation: Installation, issue: Issue, item: Item, slug: str) -> None:
    """What went out among the latest is none of them any more: a check would stop the issue."""
    shown = find_section(issue, slug)
    newsletter = only_newsletter(installation.settings(), issue.newsletter)
    kinds = {plan.slug: plan.kind for plan in newsletter.sections}
    if (shown.kind if shown else kinds.get(slug)) != "latest":
        return
    if ran := ran_as_news(installation, issue, item.story_id):
        raise EditRefused(
            f"“{item.headline}” went out among the latest of {ran} and is no news any more; "
            "choose another section",
            subject=item.story_id,
        )
