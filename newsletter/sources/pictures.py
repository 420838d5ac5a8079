"""Which of the pictures a source names stands for the story."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.sources.model import SourcePicture
from newsletter.sources.text import caption_text, collapse_space, web_address

# Shown 600 px wide on screens of double density.
WANTED_WIDTH = 1200

_IMAGE_PATH = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
# Faces of writers, smilies, counters and buttons: never the story's picture.
_ORNAMENT = re.compile(
    r"gravatar\.com/|/s\.w\.org/images/core/emoji|/smilies/|feedburner\.com/~|"
    r"pixel\.wp\.com|/plugins/|doubleclick\.net|feeds\.wordpress\.com",
    re.IGNORECASE,
)
_SMALLEST = 100  # pixels; what is declared smaller is a button or a counter


@dataclass(frozen=True)
class Candidate:
    """A picture that an entry names. ``rank``: 0 content, 1 enclosure, 2 thumbnail."""

    url: str
    rank: int
    media_type: str = ""
    width: int | None = None
    height: int | None = None
    caption: str = ""
    credit: str = ""


def choose_picture(candidates: Iterable[Candidate], base: str) -> SourcePicture | None:
    """The widest picture of the best kind, or None."""
    usable = [
        (candidate, url)
        for candidate in candidates
        if (url := web_address(base, candidate.url)) and _may_be_picture(candidate, url)
    ]
    if not usable:
        return None
    best, url = min(usable, key=lambda pair: (pair[0].rank, -(pair[0].width or 0)))
    return SourcePicture(
        url=url,
        width=best.width,
        height=best.height,
        caption=caption_text(best.caption),
        credit=caption_text(best.credit),
    )


def _may_be_picture(candidate: Candidate, url: str) -> bool:
    if _ORNAMENT.search(url) or _is_small(candidate.width, candidate.height):
        return False
    if candidate.media_type:
        kind = candidate.media_type.lower()
        return kind == "image" or (kind.startswith("image/") and "svg" not in kind)
    return candidate.rank == 2 or bool(_IMAGE_PATH.search(urlsplit(url).path))


def _is_small(width: int | None, height: int | None) -> bool:
    return min(width or _SMALLEST, height or _SMALLEST) < _SMALLEST


def find_picture(markup: str, base: str) -> SourcePicture | None:
    """The first real picture in a story's HTML, with its alt text and caption, or None."""
    if "<img" not in markup.lower():
        return None
    for image in LexborHTMLParser(markup).css("img"):
        attributes = {name: value or "" for name, value in image.attributes.items()}
        width, height = pixels(attributes.get("width")), pixels(attributes.get("height"))
        address, told_width = _best_address(attributes)
        url = web_address(base, address)
        if url is None or _ORNAMENT.search(url) or _is_small(width, height):
            continue
        if urlsplit(url).path.lower().endswith(".svg"):
            continue
        if told_width is not None and told_width != width:
            # The attributes speak of the size shown, srcset of the file we take.
            height = round(told_width * height / width) if width and height else None
            width = told_width
        alt = collapse_space(attributes.get("alt", ""))
        return SourcePicture(url, width, height, alt=alt, caption=_caption_of(image))
    return None


def _best_address(attributes: dict[str, str]) -> tuple[str, int | None]:
    """The address of the fittest file, and its width where srcset tells it.

    Lazy loading keeps a placeholder in ``src`` and the picture in ``data-*``.
    """
    for name in ("data-srcset", "data-lazy-srcset", "srcset"):
        found = _fittest(_read_srcset(attributes.get(name, "")))
        if found:
            return found
    for name in ("data-src", "data-lazy-src", "data-original", "src"):
        address = attributes.get(name, "").strip()
        if address and not address.startswith("data:"):
            return address, None
    return "", None


def _read_srcset(text: str) -> list[tuple[str, int]]:
    sizes = []
    # A comma ends a candidate only before white space: addresses may hold commas.
    for candidate in re.split(r",\s+", text.strip()):
        address, _, descriptor = candidate.strip().rpartition(" ")
        width = pixels(descriptor.rstrip(",").removesuffix("w"))
        if address and width and not address.startswith("data:"):
            sizes.append((address.strip(), width))
    return sizes


def _fittest(sizes: list[tuple[str, int]]) -> tuple[str, int] | None:
    """The smallest that is wide enough, else the widest."""
    enough = [size for size in sizes if size[1] >= WANTED_WIDTH]
    if enough:
        return min(enough, key=lambda size: size[1])
    return max(sizes, key=lambda size: size[1], default=None)


def _caption_of(image: LexborNode) -> str:
    """The figcaption, or WordPress's older caption paragraph, around an image."""
    parent = image.parent
    for _ in range(4):
        if parent is None or parent.tag in ("body", "html"):
            return ""
        caption = parent.css_first("figcaption, .wp-caption-text")
        if caption is not None:
            return collapse_space(caption.text())
        if parent.tag == "figure":
            return ""
        parent = parent.parent
    return ""


def pixels(value: object) -> int | None:
    """A positive count of pixels from what a source wrote, or None."""
    text = str(value).strip().removesuffix("px") if value is not None else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        return None
    return int(text) or None
