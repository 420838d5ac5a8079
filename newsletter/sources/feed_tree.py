"""What feedparser does not tell of an entry, or can't bear: captions, language, endless names.

feedparser takes a picture's media:description for the entry's summary, and
drops the caption where there is a summary. So the Media RSS elements
(https://www.rssboard.org/media-rss) are read here and taken out of the tree
before feedparser sees it. And it looks for an address in each author's text with
a pattern whose time grows with the square of the length (70,000 letters: over a
minute), so that what is too long for a name is cut first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from newsletter.sources.pictures import Candidate, pixels

_MEDIA = ("{http://search.yahoo.com/mrss/}", "{http://search.yahoo.com/mrss}")
_DC_LANGUAGE = "{http://purl.org/dc/elements/1.1/}language"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
MAX_NAME = 300
# Whose texts feedparser searches, in whatever namespace and case.
_NAMES = frozenset(("author", "creator", "managingeditor", "webmaster", "publisher", "owner"))
_ENTRY_TAGS = frozenset(
    (
        "item",
        "entry",
        "{http://purl.org/rss/1.0/}item",
        "{http://my.netscape.com/rdf/simple/0.9/}item",
        "{http://www.w3.org/2005/Atom}entry",
        "{http://purl.org/atom/ns#}entry",
    )
)


@dataclass(frozen=True)
class EntryExtras:
    """Of one entry: the pictures named by Media RSS, and the language it or its feed tells."""

    pictures: tuple[Candidate, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class FeedTree:
    """The feed without its Media RSS elements, and the extras of its entries in order."""

    xml: bytes
    extras: tuple[EntryExtras, ...]


def read_tree(text: str) -> FeedTree | str:
    """The tree's reading, or why it is not well-formed XML ("line 12: mismatched tag")."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,  # keeps libxml2's limits on depth and on the length of one text
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    extras = [
        EntryExtras(tuple(_candidates(entry)), _language(entry))
        for entry in root.iter()
        if entry.tag in _ENTRY_TAGS
    ]
    for prefix in _MEDIA:
        etree.strip_elements(root, f"{prefix}*", with_tail=False)
    for element in list(root.iter()):
        if str(element.tag).rpartition("}")[2].lower() in _NAMES:
            _shorten_name(element)
    return FeedTree(etree.tostring(root, encoding="utf-8"), tuple(extras))


def _shorten_name(element: etree._Element) -> None:
    told = "".join(map(str, element.itertext()))
    if len(told) > MAX_NAME:
        for child in list(element):
            element.remove(child)
        element.text = told[:MAX_NAME]


def _candidates(entry: etree._Element) -> Iterator[Candidate]:
    for prefix in _MEDIA:
        for content in entry.iter(f"{prefix}content"):
            yield Candidate(
                url=content.get("url", ""),
                rank=0,
                media_type=content.get("medium") or content.get("type") or "",
                width=pixels(content.get("width")),
                height=pixels(content.get("height")),
                caption=_nearest(content, entry, f"{prefix}description"),
                credit=_nearest(content, entry, f"{prefix}credit"),
            )
        for thumbnail in entry.iter(f"{prefix}thumbnail"):
            yield Candidate(
                url=thumbnail.get("url", ""),
                rank=2,
                width=pixels(thumbnail.get("width")),
                height=pixels(thumbnail.get("height")),
                caption=_nearest(thumbnail, entry, f"{prefix}description"),
                credit=_nearest(thumbnail, entry, f"{prefix}credit"),
            )


def _nearest(element: etree._Element, entry: etree._Element, tag: str) -> str:
    """The text of ``tag`` in the element, else in its group, else in the entry."""
    current: etree._Element | None = element
    while current is not None:
        found = current.find(tag)
        if found is not None:
            return "".join(str(text) for text in found.itertext()).strip()
        if current is entry:
            return ""
        current = current.getparent()
    return ""


def _language(entry: etree._Element) -> str | None:
    told = entry.findtext(_DC_LANGUAGE)
    if told and told.strip():
        return told.strip()
    current: etree._Element | None = entry
    while current is not None:
        if lang := current.get(_XML_LANG):
            return lang.strip() or None
        current = current.getparent()
    return None
