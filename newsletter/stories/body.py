"""The text of a story: its opening and pictures, without what a theme put between them."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from newsletter.stories.pictures import BodyPicture, picture_url, read_picture
from newsletter.stories.promos import LONGEST_PROMO, is_junk_element, is_promo_text
from newsletter.stories.syndication import TextLink, is_origin_note
from newsletter.stories.text import clean_line, parse_html

# A byline and an excerpt come from the first few paragraphs.
OPENING = 8
# A note on where the story was first published stands among the last ones, or first.
_CLOSING = 4

_JUNK_TAGS = (
    "script style iframe form aside nav svg math button input select textarea template object embed"
    " video audio canvas map"
)
_JUNK = frozenset(_JUNK_TAGS.split())
_FIGURE_CLASSES = frozenset(
    ("wp-caption", "tr-caption-container", "media-caption", "captioned-image-container")
)
_STRESS = frozenset(("strong", "b", "em", "i"))
_PICTURES = frozenset(("img", "amp-img"))
_OF_NOTE = _JUNK | _STRESS | _PICTURES | {"figure", "noscript"}
_NAMING = frozenset(("class", "id", "role", "rel", "style", "hidden", "aria-hidden"))

# Where paragraphs and lines end is written into the text by marks that no text
# holds, before parsing: reading it all back in one call is several times quicker
# than walking the tree.
_EDGE, _BREAK, _HEADING = "\ue000", "\ue001", "\ue002"
_BLOCK = re.compile(
    r"<(?=/?(?:address|article|blockquote|center|d[dlt]|details|div|fieldset|fig(?:ure|caption)"
    r"|footer|h[1-6r]|header|li|main|[ou]l|p|pre|section|summary|table|t[dhr])\b)",
    re.IGNORECASE,
)
_HEADING_START = re.compile(r"<(?=[hH][1-6])")
_LINE_BREAK = re.compile(r"<(?=[bB][rR]\b)")
# Two breaks in a row are how older editors part paragraphs.
_TWO_BREAKS = re.compile(f"{_BREAK}\\s*{_BREAK}")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph as its lines, parted where the text breaks a line."""

    lines: tuple[str, ...]
    is_heading: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.lines)


@dataclass(frozen=True)
class Body:
    """What a story's HTML holds, as plain text.

    ``opening`` are the first `OPENING` paragraphs, ``words`` counts them all,
    ``ending`` is the last stretch of text. ``stressed`` is what is first set in
    bold or italics: a byline often is. ``pictures`` are in the text's order.
    ``origin_notes`` are paragraphs that may tell where the story was published
    first, with the ``links`` of the whole text where there is such a note.
    """

    opening: tuple[Paragraph, ...] = ()
    pictures: tuple[BodyPicture, ...] = ()
    words: int = 0
    stressed: str = ""
    ending: str = ""
    origin_notes: tuple[str, ...] = ()
    links: tuple[TextLink, ...] = ()


def read_body(html: str, base: str) -> Body:
    """The text and pictures of ``html``; addresses are resolved against ``base``.

    Left out are scripts, forms, frames, asides, hidden parts, share rows,
    sign-up prompts and links to other stories. Captions belong to their
    pictures. A picture that waits for a script to be shown is found as well.
    """
    root = parse_html(_mark_edges(html)).body
    if root is None:
        return Body()
    noted = [node for node in root.traverse() if _is_of_note(node)]
    junk = {node.mem_id: node for node in noted if _is_junk(node)}
    noscripts = {node.mem_id: node for node in noted if node.tag == "noscript"}
    leaving = junk | noscripts
    figures = {
        node.mem_id: node for node in noted if _is_figure(node) and not _is_within(node, leaving)
    }
    found = _read_pictures(noted, junk, figures, base)
    apart = leaving | figures
    bold = (n for n in noted if n.tag in _STRESS and not _is_within(n, apart))
    stressed = next(map(_line_of, bold), "")
    _remove(leaving)
    pictures = _with_captions(found)
    _remove(figures)
    text = root.text()
    words = _without_marks(text).split()
    notes = _find_origin_notes(text)
    return Body(
        _read_opening(text),
        pictures,
        len(words),
        stressed,
        " ".join(words[-8:]),
        notes,
        _read_links(root, base) if notes else (),
    )


def _find_origin_notes(text: str) -> tuple[str, ...]:
    """Paragraphs at either end that say where the story was published first."""
    parts = [part for part in text.split(_EDGE) if not part.isspace() and part]
    ends = map(clean_line, map(_without_marks, (*parts[-_CLOSING:][::-1], *parts[:_CLOSING])))
    return tuple(dict.fromkeys(filter(is_origin_note, ends)))


def _read_links(root: LexborNode, base: str) -> tuple[TextLink, ...]:
    found = (
        (_line_of(node), picture_url(node.attributes.get("href") or "", base))
        for node in root.css("a[href]")
    )
    return tuple(TextLink(words, url) for words, url in found if url)


def _mark_edges(html: str) -> str:
    html = _BLOCK.sub(_EDGE + "<", html)
    html = _HEADING_START.sub(_HEADING + "<", html)
    return _LINE_BREAK.sub(_BREAK + "<", html)


def _read_opening(text: str) -> tuple[Paragraph, ...]:
    opening: list[Paragraph] = []
    for part in _TWO_BREAKS.sub(_EDGE, text).split(_EDGE):
        lines = tuple(filter(None, map(clean_line, part.split(_BREAK))))
        whole = " ".join(lines)
        if not lines or is_promo_text(whole) or is_origin_note(whole):
            continue
        opening.append(Paragraph(lines, part.startswith(_HEADING)))
        if len(opening) == OPENING:
            break
    return tuple(opening)


def _is_of_note(node: LexborNode) -> bool:
    return node.tag in _OF_NOTE or not _NAMING.isdisjoint(node.attributes)


def _is_junk(node: LexborNode) -> bool:
    if node.tag in _JUNK:
        return True
    return is_junk_element(node.attributes) and len(node.text()) <= LONGEST_PROMO


def _is_figure(node: LexborNode) -> bool:
    if node.tag == "figure":
        return True
    return not _FIGURE_CLASSES.isdisjoint((node.attributes.get("class") or "").split())


def _read_pictures(
    nodes: Iterable[LexborNode],
    junk: Collection[int],
    figures: dict[int, LexborNode],
    base: str,
) -> list[tuple[BodyPicture, LexborNode | None]]:
    """Each picture with the figure around it."""
    found: list[tuple[BodyPicture, LexborNode | None]] = []
    for node in nodes:
        if node.tag not in _PICTURES or _is_within(node, junk):
            continue
        picture = read_picture(node.attributes, base)
        if picture is not None:
            around = filter(None, map(figures.get, _ancestors(node)))
            found.append((picture, next(around, None)))
    return found


def _with_captions(
    found: Iterable[tuple[BodyPicture, LexborNode | None]],
) -> tuple[BodyPicture, ...]:
    # Each address once: a lazy picture stands in its noscript a second time.
    once: dict[str, BodyPicture] = {}
    for picture, figure in found:
        if picture.url not in once:
            caption = _line_of(figure) if figure is not None else ""
            once[picture.url] = BodyPicture(
                picture.url, picture.width, picture.height, picture.alt, caption
            )
    return tuple(once.values())


def _line_of(node: LexborNode) -> str:
    return clean_line(_without_marks(node.text()))


def _without_marks(text: str) -> str:
    return text.replace(_EDGE, " ").replace(_BREAK, " ").replace(_HEADING, " ")


def _remove(nodes: dict[int, LexborNode]) -> None:
    """Take nodes (by their identity) out of their tree, the outer ones only.

    The parser frees what it takes out: touching a node inside it afterwards
    would read freed memory.
    """
    for node in [node for node in nodes.values() if not _is_inside(node, nodes)]:
        node.decompose()


def _is_within(node: LexborNode, others: Collection[int]) -> bool:
    """Whether the node is one of ``others`` or inside one."""
    return bool(others) and (node.mem_id in others or _is_inside(node, others))


def _is_inside(node: LexborNode, others: Collection[int]) -> bool:
    return bool(others) and any(above in others for above in _ancestors(node))


def _ancestors(node: LexborNode) -> Iterable[int]:
    parent = node.parent
    while parent is not None:
        yield parent.mem_id
        parent = parent.parent
