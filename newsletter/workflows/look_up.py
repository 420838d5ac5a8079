"""Finding the issue, or the story, that a person means."""

from newsletter.errors import NotFound
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot, named_slot, next_slot
from newsletter.stories.canonical import canonical_url
from newsletter.stories.model import Story
from newsletter.workflows.installation import Installation, only_newsletter

_UNDER_WAY = frozenset(IssueState) - {
    IssueState.SENT,
    IssueState.CANCELLED,
    IssueState.RECALLED,
}


def find_issue(
    installation: Installation, settings: Settings, newsletter_slug: str | None, slot: str | None
) -> Issue:
    """The issue of that slot; without one, the one under way, or else the last one sent."""
    newsletter = only_newsletter(settings, newsletter_slug)
    with installation.database.read() as tx:
        if slot is not None:
            issue = tx.issues.get(newsletter.slug, slot)
            if issue is None:
                raise NotFound(
                    f"{newsletter.slug} has no issue {slot}; `newsletter issue list` shows which "
                    "there are",
                    subject=slot,
                )
            return issue
        recent = tx.issues.recent(newsletter.slug, 20)
    under_way = [issue for issue in recent if issue.state in _UNDER_WAY]
    if len(under_way) > 1:
        names = ", ".join(issue.slot for issue in under_way)
        raise NotFound(f"several issues are under way, name one by --slot: {names}", subject="slot")
    if not recent:
        raise NotFound(
            f"{newsletter.slug} has no issue yet; `newsletter issue draft` makes one",
            subject=newsletter.slug,
        )
    return (under_way or recent)[0]


def find_slot(
    installation: Installation, settings: Settings, newsletter: Newsletter, key: str | None
) -> Slot:
    """The slot of that key, or the one whose send comes next and is not skipped."""
    zone = newsletter.zone_in(settings.publication)
    if key is not None:
        return named_slot(newsletter, zone, key)
    with installation.database.read() as tx:
        skipped = tx.skipped_slots.of(newsletter.slug)
    return next_slot(newsletter, zone, installation.clock.now(), skipped)


def find_story(installation: Installation, name: str) -> Story:
    """The story of that public id, or at that address; NotFound where there is none."""
    with installation.database.read() as tx:
        found = tx.stories.by_ids([name]) or tx.stories.at_url(canonical_url(name))
    if not found:
        raise NotFound(
            f'there is no story "{name}"; name one by its id or its whole address, as '
            "`newsletter stories list --json` tells them",
            subject=name,
        )
    return found[0]
