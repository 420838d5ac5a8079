"""The addresses of ours by which a mail's readers reach its stories."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape

from newsletter.issues.links import story_links
from newsletter.issues.model import Issue, Item, LinkPlace, Section, StoryLink
from newsletter.publication.model import Clicks
from newsletter.rendering.model import ReaderSlot, RenderedIssue

# What a reader's own part is parted from the id by.
_READER_PART = f"/{ReaderSlot.CLICK}"


@dataclass(frozen=True)
class LinkBook:
    """Where each place of an issue is linked to; an empty one leaves the stories' addresses."""

    root: str = ""
    links: tuple[StoryLink, ...] = ()
    addresses: Mapping[tuple[str, str, LinkPlace], str] = field(default_factory=dict)

    @classmethod
    def of(cls, issue: Issue, base_url: str, clicks: Clicks) -> "LinkBook":
        """The book of an issue whose items have the addresses that links shall lead to."""
        if clicks == "off":
            return cls()
        root = f"{base_url.rstrip('/')}/l/"
        ending = _READER_PART if clicks == "count" else ""
        links = story_links(issue)
        addresses = {
            (link.section, link.story_id, link.place): f"{root}{link.public_id}{ending}"
            for link in links
        }
        return cls(root, links, addresses)

    def address(self, section: Section, item: Item, place: LinkPlace) -> str:
        """What that place of an item links to."""
        return self.addresses.get((section.slug, item.story_id, place), item.url)

    def printed(self, *parts: str) -> tuple[StoryLink, ...]:
        """Those of the links that stand in one of ``parts``; a template need not print all."""
        if not self.links:
            return ()
        found = {name for part in parts for name in _pattern(self.root).findall(part)}
        return tuple(link for link in self.links if link.public_id in found)


def without_click_slots(text: str) -> str:
    """HTML or text in which no link of ours has a reader's part: the address is the same for all.

    For what everybody may see. The link works without that part.
    """
    return text.replace(_READER_PART, "")


def lead_straight(rendered: RenderedIssue) -> RenderedIssue:
    """The same issue with links to the stories' own addresses.

    For previews: ours are known, and counted, from when the issue is sent.
    """
    urls = {link.public_id: link.url for link in rendered.links}
    if not urls:
        return rendered
    root = rendered.link_root
    return replace(
        rendered,
        html=_replaced(rendered.html, root, lambda name: escape(urls.get(name, ""))),
        text=_replaced(rendered.text, root, lambda name: urls.get(name, "")),
        links=(),
    )


def target_of(href: str, rendered: RenderedIssue) -> str:
    """Where a link of the mail leads in the end: its target if it is ours, else itself."""
    if not rendered.links or not href.startswith(rendered.link_root):
        return href
    urls = {link.public_id: link.url for link in rendered.links}
    return urls.get(without_click_slots(href).removeprefix(rendered.link_root), href)


def _replaced(text: str, root: str, target: Callable[[str], str]) -> str:
    pattern = re.compile(f"{_pattern(root).pattern}(?:{re.escape(_READER_PART)})?")
    return pattern.sub(lambda match: target(match[1]) or match[0], text)


def _pattern(root: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(root)}([a-z2-7]{{12}})")
