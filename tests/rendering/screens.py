"""A mail on a screen: width, scheme, with and without pictures. No network."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, Route

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A mail has no <main>: Gmail strips it.
ALLOWED = {"landmark-one-main", "region"}


def _serve_picture(route: Route) -> None:
    size = parse_qs(urlsplit(route.request.url).query).get("size")
    if not size:
        route.abort()
        return
    width, height = map(int, size[0].split("x"))
    picture = io.BytesIO()
    Image.new("RGB", (width, height), "#7a6a52").save(picture, "PNG")
    route.fulfill(body=picture.getvalue(), content_type="image/png")


@contextmanager
def shown(
    browser: Browser, html: str, width: int, scheme: str = "light", *, pictures: bool = False
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US"
    )
    try:
        page = context.new_page()
        page.route("**/*", _serve_picture if pictures else lambda route: route.abort())
        page.set_content(html)
        yield page
    finally:
        context.close()


def without_styles(html: str) -> str:
    return re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)


def to_hex(colour: str) -> str:
    red, green, blue = re.findall(r"\d+", colour)[:3]
    return f"#{int(red):02x}{int(green):02x}{int(blue):02x}"
