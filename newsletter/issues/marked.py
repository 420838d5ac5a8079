"""The small Markdown of an editor's note: bold, italic, links, paragraphs; nothing else.

Pasted markup becomes the same marks where it says the same, and text where it does not.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from newsletter.stories.canonical import web_address

_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)")
_BOLD = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_ITALIC = re.compile(r"(?<![*\w])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![*\w])")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_PARAGRAPHS = frozenset(
    ("p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "tr")
)
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_UNSEEN = frozenset(("script", "style", "title", "template", "noscript", "svg", "iframe"))


@dataclass(frozen=True)
class Span:
    """A stretch of a paragraph. ``url`` is a web or mail address, else empty."""

    text: str
    bold: bool = False
    italic: bool = False
    url: str = ""


def read_marked(paragraph: str) -> tuple[Span, ...]:
    """A paragraph of a note in stretches; a mark that is never closed is text."""
    return tuple(_merged(_read_links(paragraph)))


def plain_of(paragraph: str) -> tuple[str, tuple[str, ...]]:
    """A paragraph without its marks, and the addresses that its links lead to."""
    spans = read_marked(paragraph)
    words = "".join(span.text for span in spans)
    urls = (span.url.removeprefix("mailto:") for span in spans if span.url)
    return words, tuple(dict.fromkeys(url for url in urls if url not in words))


def clean_marked(text: str) -> str:
    """A note as it is kept: pasted tags off, links to the web or a mailbox only, no controls."""
    if _TAG.search(text):
        reader = _TagReader()
        reader.feed(text)
        reader.close()
        text = "".join(reader.parts)
    text = "".join(map(_visible, text.replace("\r\n", "\n").replace("\r", "\n")))
    text = _LINK.sub(lambda found: found[0] if link_address(found[2]) else found[1], text)
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def link_address(url: str) -> str:
    """The address that a note may lead to: http, https or mailto; "" for any other."""
    if re.fullmatch(r"mailto:[^\s<>\"'@]+@[^\s<>\"'@]+", url, re.IGNORECASE):
        return url
    return web_address(url) if re.match(r"https?://", url, re.IGNORECASE) else ""


def _visible(letter: str) -> str:
    if letter == "\n":
        return letter
    if letter == "\t":
        return " "
    return "" if unicodedata.category(letter) in ("Cc", "Cs", "Cn") else letter


def _read_links(text: str) -> Iterator[Span]:
    place = 0
    for found in _LINK.finditer(text):
        address = link_address(found[2])
        if not address:
            continue
        yield from _read_marks(text[place : found.start()])
        for span in _read_marks(found[1]):
            yield Span(span.text, span.bold, span.italic, address)
        place = found.end()
    yield from _read_marks(text[place:])


def _read_marks(text: str) -> Iterator[Span]:
    place = 0
    for found in _BOLD.finditer(text):
        yield from _read_italics(text[place : found.start()], bold=False)
        yield from _read_italics(found[1], bold=True)
        place = found.end()
    yield from _read_italics(text[place:], bold=False)


def _read_italics(text: str, *, bold: bool) -> Iterator[Span]:
    place = 0
    for found in _ITALIC.finditer(text):
        yield Span(text[place : found.start()], bold)
        yield Span(found[1], bold, italic=True)
        place = found.end()
    yield Span(text[place:], bold)


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Without empty ones."""
    return (span for span in spans if span.text)


class _TagReader(HTMLParser):
    """Pasted markup as marks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _MARKS:
            self.parts.append(_MARKS[tag])
        elif tag == "a":
            address = link_address((dict(attrs).get("href") or "").strip())
            self._open.append(address)
            self.parts.append("[" if address else "")
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _PARAGRAPHS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _MARKS:
            self.parts.append(_MARKS[tag])
        elif tag == "a" and self._open:
            address = self._open.pop()
            self.parts.append(f"]({address})" if address else "")
        elif tag in _PARAGRAPHS and tag != "br":
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)
