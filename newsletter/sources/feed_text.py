"""A feed's bytes as text that is safe to parse: decoded, without a DTD, whole entries only."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.errors import ParseError
from newsletter.sources.charset import decode_text

MAX_ENTRIES = 500
# feedparser takes about 0.1 ms for each tag, whatever its depth; 500 entries of
# ordinary feeds hold some 15 000, with contents in XHTML some 60 000.
MAX_TAGS = 100_000

_ROOT = re.compile(r"<((?:[\w.-]+:)?(?:rss|feed|rdf))(?=[\s>/])", re.IGNORECASE)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:[\w.-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
# Characters that XML 1.0 forbids; text editors' leftovers such as \x0b are common.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# An ampersand, and the entity's name if it begins one.
_AMPERSAND = re.compile(r"&(?:(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,30});)?")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))


@dataclass(frozen=True)
class FeedText:
    """Text beginning at the root element. ``problem`` says what was cut off, or is empty.

    ``whole`` is False where the document ends in the middle.
    """

    text: str
    whole: bool = True
    problem: str = ""


def prepare_feed(body: bytes, url: str, content_type: str = "") -> FeedText:
    """Decode a feed and check what it is; ParseError if it is none."""
    text = _FORBIDDEN.sub("", decode_text(body, content_type)).strip()
    if not text:
        raise ParseError(f"{url} is empty; check that it is the feed's address", subject=url)
    text = "".join(
        part if is_cdata else _AMPERSAND.sub(_mend_ampersand, part)
        for part, is_cdata in _split_cdata(_from_root(text, url))
    )
    prepared = _whole_entries(text, url)
    tags = sum(part.count("<") for part, is_cdata in _split_cdata(prepared.text) if not is_cdata)
    if tags > MAX_TAGS:
        raise ParseError(
            f"{url} holds more than {MAX_TAGS} elements, which is no ordinary feed; check that it "
            "is the right address",
            subject=url,
        )
    return prepared


def looks_like_feed(body: bytes, content_type: str = "") -> bool:
    """Whether a body begins as RSS, Atom or RDF does."""
    head = decode_text(body[:8192], content_type)
    root = _ROOT.search(head)
    if root is None:
        return False
    page = _HTML.search(head)
    return page is None or root.start() < page.start()


def _split_cdata(text: str) -> Iterator[tuple[str, bool]]:
    """The text in parts, and whether each is a CDATA section (an unclosed one goes to the end)."""
    at = 0
    while (start := text.find("<![CDATA[", at)) >= 0:
        end = text.find("]]>", start)
        end = len(text) if end < 0 else end + len("]]>")
        yield text[at:start], False
        yield text[start:end], True
        at = end
    yield text[at:], False


def _mend_ampersand(match: re.Match[str]) -> str:
    """XML knows five named entities and breaks at any other, and at an ampersand by itself."""
    name = match[1] or ""
    if name in _XML_ENTITIES or name.startswith("#"):
        return match[0]
    text = html.unescape(match[0]) if name else match[0]
    return f"&amp;{match[0][1:]}" if text == match[0] else html.escape(text, quote=False)


def _from_root(text: str, url: str) -> str:
    """The text from its root element on; what stands before it is looked at and dropped."""
    root = _ROOT.search(text)
    page = _HTML.search(text)
    if page is not None and (root is None or page.start() < root.start()):
        raise ParseError(
            f"{url} is a web page and not a feed; give the feed's own address, often the site's "
            "with /feed/ behind it",
            subject=url,
        )
    if root is None:
        kind = "JSON" if text[0] in "{[" else "something else"
        raise ParseError(
            f"{url} is {kind} and not a feed; RSS, Atom and JSON Feed can be read", subject=url
        )
    prolog = _COMMENT.sub("", text[: root.start()]).upper()
    if "<!ENTITY" in prolog or ("<!DOCTYPE" in prolog and "[" in prolog):
        raise ParseError(
            f"{url} declares entities of its own, which is refused for safety; have the feed "
            "written without a document type",
            subject=url,
        )
    return text[root.start() :]


def _whole_entries(text: str, url: str) -> FeedText:
    root = text[1 : _after_name(text)]
    ends = [match.end() for match in _ENTRY_END.finditer(text)]
    close = re.compile(rf"</{re.escape(root)}\s*>", re.IGNORECASE)
    last = ends[-1] if ends else 0
    closing = close.search(text, last)
    if closing is None and not re.fullmatch(r"<[^<>]*/>", text):
        if not ends:
            raise ParseError(
                f"{url} breaks off before its first entry; it will be tried again", subject=url
            )
        kept = ends[:MAX_ENTRIES]
        problem = f"{url} breaks off in the middle; its first {len(kept)} entries were kept"
        return FeedText(_closed(text[: kept[-1]], root), False, problem)
    if closing is not None:
        text = text[: closing.end()]
    if len(ends) > MAX_ENTRIES:
        problem = f"{url} holds {len(ends)} entries; the first {MAX_ENTRIES} were kept"
        return FeedText(text[: ends[MAX_ENTRIES - 1]] + text[last:], True, problem)
    return FeedText(text)


def _closed(text: str, root: str) -> str:
    channel = root.lower() == "rss" and "<channel" in text[:10_000]
    return f"{text}</channel></{root}>" if channel else f"{text}</{root}>"


def _after_name(text: str) -> int:
    match = _ROOT.match(text)
    return match.end() if match else 1
