"""Which address a picture really has: lazy loading, ``srcset``, placeholders."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from newsletter.stories.canonical import MAX_ADDRESS

# Shown 600 pixels wide on screens with two pixels to the point.
_WANTED_WIDTH = 1200
# A column's picture is wider; below this stand icons, avatars and counters.
_SMALLEST_SIDE = 120
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file", "data-lazy", "data-url")
_LAZY_SETS = ("data-srcset", "data-lazy-srcset", "srcset")
_PLACEHOLDER = re.compile(r"(^|/)(blank|spacer|placeholder|pixel|transparent|1x1)[^/]*$", re.I)
_NO_PHOTO = re.compile(
    r"gravatar\.com|/emoji/|/smilies/|feedburner|feedsportal|doubleclick|stats\.wordpress"
    r"|pixel\.wp\.com|/plugins/[^/]*shar|\.svg$",
    re.IGNORECASE,
)
_CANDIDATE = re.compile(r"\s*(\S*[^\s,])(?:\s+([\d.]+)([wx])[^,]*)?\s*(?:,|$)")
# WordPress writes the size into the file name: photo-1024x683.jpg.
_SIZE = re.compile(r"(?:-\d{2,5}x\d{2,5}|-scaled)?(\.\w{3,5})$")


@dataclass(frozen=True)
class BodyPicture:
    """A picture found in a story's text; ``width`` and ``height`` in pixels, where told."""

    url: str
    width: int | None = None
    height: int | None = None
    alt: str = ""
    caption: str = ""


def read_picture(attributes: Mapping[str, str | None], base: str) -> BodyPicture | None:
    """The picture that an ``img`` element shows once its page has run; None for ornaments."""
    width, height = _pixels(attributes.get("width")), _pixels(attributes.get("height"))
    if any(side is not None and side < _SMALLEST_SIDE for side in (width, height)):
        return None
    if re.search(r"wp-smiley|emoji|avatar", attributes.get("class") or ""):
        return None
    candidates = [attributes.get(name) for name in _LAZY]
    candidates += [best_of_srcset(attributes.get(name) or "") for name in _LAZY_SETS[:2]]
    candidates += [attributes.get("src"), best_of_srcset(attributes.get("srcset") or "")]
    for candidate in candidates:
        url = picture_url(candidate or "", base)
        if url and not _PLACEHOLDER.search(urlsplit(url).path) and not _NO_PHOTO.search(url):
            return BodyPicture(url, width, height, attributes.get("alt") or "")
    return None


def picture_url(address: str, base: str) -> str:
    """``address`` resolved against ``base``; "" where it is no web address, or endless."""
    text = "".join(address.split("\n")).strip()
    if not text or text.startswith("data:"):
        return ""
    try:
        url = urljoin(base, text)
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        return ""
    encoded = url.partition("#")[0].encode("utf-8", "ignore")
    quoted = quote(encoded, safe="/:?&=%+,;@!$'()*~[]-._")
    return quoted if len(quoted) <= MAX_ADDRESS else ""


def best_of_srcset(srcset: str) -> str:
    """The smallest candidate wide enough for the mail, else the widest; "" without any."""
    found: list[tuple[float, str]]
    found = [(_rank(size, unit), url) for url, size, unit in _CANDIDATE.findall(srcset) if url]
    if not found:
        return ""
    enough = [entry for entry in found if entry[0] >= _WANTED_WIDTH]
    return min(enough)[1] if enough else max(found)[1]


def same_picture(first: str, second: str) -> bool:
    """Whether two addresses show one picture in different sizes."""
    return _SIZE.sub(r"\1", first.partition("?")[0]) == _SIZE.sub(r"\1", second.partition("?")[0])


def _rank(size: str, unit: str) -> float:
    try:
        number = float(size or "1")
    except ValueError:
        return 0.0
    return number if unit == "w" else number * 600


def _pixels(value: str | None) -> int | None:
    text = (value or "").strip().removesuffix("px")
    # isdecimal, since isdigit takes superscripts that int refuses.
    return int(text) if text.isdecimal() and len(text) < 6 and int(text) else None
