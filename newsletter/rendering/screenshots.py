"""How a mail looks: on a desktop and a phone, in the dark, without pictures, without styles."""

import html as markup
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.rendering.chromium import open_chromium

# The inliner quotes by either mark, and leaves no bare > in a value.
_SRC = re.compile(r"""(<img\b[^>]*?\ssrc=)("[^"]*"|'[^']*')""", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_STYLE_SHEET = re.compile(r"<style\b.*?</style>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[a-z][^>]*>", re.IGNORECASE)
_STYLE = re.compile(r"""\sstyle=("[^"]*"|'[^']*')""", re.IGNORECASE)


@dataclass(frozen=True)
class Look:
    """One way to look at a mail. ``width`` in CSS px, each of ``scale`` pixels a side."""

    name: str
    width: int = 700
    scale: int = 1
    phone: bool = False
    dark: bool = False
    pictures: bool = True
    styles: bool = True


LOOKS = (
    Look("desktop"),
    Look("phone", width=375, scale=2, phone=True),
    Look("dark", dark=True),
    Look("images-off", pictures=False),
    Look("no-styles", styles=False),
)


def picture_addresses(html: str) -> tuple[str, ...]:
    """The addresses of a mail's pictures, each once."""
    return tuple(dict.fromkeys(_address(match) for match in _SRC.finditer(html)))


def _address(src: re.Match[str]) -> str:
    return markup.unescape(src[2][1:-1])


def take_screenshots(
    html: str, pictures: Mapping[str, str], program: str
) -> Iterator[tuple[str, bytes]]:
    """The name and the PNG of each look, one after the other.

    ``pictures`` are data: addresses by the pictures' own; of one that is not
    there its words are shown. Nothing is fetched. RenderError where
    ``program``, a Chromium, does not do its part.
    """
    with open_chromium(program) as browser:
        for look in LOOKS:
            yield (
                look.name,
                browser.picture(
                    dress(html, look, pictures),
                    width=look.width,
                    scale=look.scale,
                    phone=look.phone,
                    dark=look.dark,
                ),
            )


def strip_styles(html: str) -> str:
    """The mail as programs show it that take no styles at all."""
    html = _STYLE_SHEET.sub("", html)
    return _TAG.sub(lambda tag: _STYLE.sub("", tag[0]), html)


def dress(html: str, look: Look, pictures: Mapping[str, str]) -> str:
    """The mail as a document that ``look`` can be taken of: it runs and fetches nothing."""
    allowed = "data:" if look.pictures else "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src {allowed}"
    if not look.styles:
        html = strip_styles(html)
    if look.pictures:

        def embed(src: re.Match[str]) -> str:
            data = pictures.get(_address(src))
            return f'{src[1]}"{data}"' if data else src[0]

        html = _SRC.sub(embed, html)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return _HEAD.sub(lambda match: match[0] + meta, html, count=1)
