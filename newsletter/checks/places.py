"""Which story stands where: the names by which findings call their items."""

import re
from collections.abc import Iterable

from selectolax.lexbor import LexborNode

from newsletter.issues.correct import place_of
from newsletter.issues.model import Issue, Item, Section
from newsletter.rendering.links import target_of
from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.stories.canonical import web_address

_MARKS = re.compile("|".join(ReaderSlot))
_TAG = re.compile(r"[?&]utm_source=[^&#]*&utm_medium=email&utm_campaign=[^&#]*")
_SHOWN = 3


class Places:
    """The items of a rendered issue by the addresses that stand in it."""

    def __init__(self, issue: Issue, rendered: RenderedIssue) -> None:
        self._rendered = rendered
        self._names: dict[str, str] = {}
        for section in issue.sections:
            for item in section.items:
                for address in (item.url, web_address(item.url)):
                    self._names.setdefault(address, name_item(section, item))

    def target(self, href: str) -> str:
        """Where an address of the mail leads in the end, without the tag of our mails."""
        return _TAG.sub("", target_of(href, self._rendered))

    def name(self, href: str) -> str:
        """The item whose address that is; "" where it is none's."""
        return self._names.get(self.target(href), "")

    def name_around(self, node: LexborNode) -> str:
        """The item whose link a node stands in."""
        above: LexborNode | None = node
        while above is not None:
            if above.tag == "a":
                return self.name(above.attributes.get("href") or "")
            above = above.parent
        return ""


def name_item(section: Section, item: Item) -> str:
    """A story's place and headline: ``latest/3 “First Lorries Cross”``."""
    return f"{place_of(section, item)} “{shown(item.headline)}”"


def shown(words: str) -> str:
    """Words of an issue as a finding may say them: without marks, and not endless."""
    words = " ".join(_MARKS.sub("…", words).split())
    return words if len(words) <= 120 else f"{words[:119]}…"


def list_some(words: Iterable[str]) -> str:
    """At most three of them, in their order and without marks, and how many more there are."""
    every = list(dict.fromkeys(shown(word) for word in words))
    rest = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def first(words: Iterable[str]) -> str:
    """The first that is not empty."""
    return next(filter(None, words), "")
