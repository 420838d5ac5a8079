"""The links by which an issue's readers reach its stories through us.

A link's address is ``base_url/l/ID``, the same in every reader's mail. Where it
leads is looked up, so that it can be corrected after the mail has gone out.
"""

from newsletter.issues.model import Issue, LinkPlace, StoryLink
from newsletter.stories.canonical import web_address
from newsletter.tokens import derived_link_id


def story_links(issue: Issue) -> tuple[StoryLink, ...]:
    """A link for every item and place; none where the item's address is not of the web.

    The same issue always has the same ids: its mail is the same, byte for byte,
    whenever it is rendered.
    """
    links = {
        link_id: StoryLink(link_id, section.slug, item.position, item.story_id, place, url)
        for section in issue.sections
        for item in section.items
        if (url := web_address(item.url))
        for place in LinkPlace
        for link_id in [derived_link_id(issue.public_id, section.slug, item.story_id, place)]
    }
    return tuple(links.values())
