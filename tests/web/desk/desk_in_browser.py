"""The desk in a real browser: served at its true address, an editor signed in, pages judged."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.publication.editors import Editor, Role
from newsletter.web.app import create_app
from newsletter.web.desk.cookie import cookie_name
from newsletter.workflows.sign_in import make_link, take_link
from tests.browser import PATIENCE_MS
from tests.web.desk.people import put_editor
from tests.web.serving import serve
from tests.web.site import Site, make_blank, open_site

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "iframes": False,
}
_BROKEN_RULES = """options => axe.run(options).then(report => report.violations.map(
    rule => `${rule.id}: ${rule.help} (${rule.nodes.map(node => node.html).join(", ")})`))"""
_AXE = Axe().axe_script
# By name: width, height, colour scheme, the editor's language.
SCREENS = {
    "desktop, light": (1280, 900, "light", "en"),
    "phone, dark": (360, 740, "dark", "en"),
    "desktop, dark, Armenian": (1280, 900, "dark", "hy"),
    "phone, light, Armenian": (360, 740, "light", "hy"),
}


class _Late:
    """An app that is made once its own address is known."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@dataclass
class Shop:
    """A site that is served at ``root``, which its links lead to."""

    site: Site
    root: str
    late: _Late

    def serve_anew(self) -> None:
        """Serve the pages with the site's context as it is now."""
        self.late.app = create_app(self.site.context)


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """A site of its own on a port of the loopback."""
    late = _Late()
    with open_site(folder, make_blank(folder / "blank.sqlite")) as site:
        late.app = site.client.app
        with serve(late) as root:
            there = replace(site, context=replace(site.context, base_url=root))
            late.app = create_app(there.context)
            yield Shop(there, root, late)


def bring_in(context: BrowserContext, site: Site, root: str, editor: Editor) -> None:
    """Let that editor be signed in, without the pages that lead there."""
    database, now = site.database, site.clock.now()
    link = make_link(database, site.context.desk_url, editor, now=now)
    signed_in = take_link(database, link.rpartition("/")[2], now=now)
    assert signed_in is not None
    name = cookie_name(site.context)
    context.add_cookies([{"name": name, "value": signed_in.secret, "url": f"{root}/desk"}])


@contextmanager
def open_page(
    browser: Browser, shop: Shop, screen: str, *, script: bool = True, touch: bool = False
) -> Iterator[Page]:
    """A page of that screen in which an admin is signed in; its console must stay quiet."""
    width, height, scheme, language = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=script,
        has_touch=touch,
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    name = "".join(c for c in screen if c.isalpha())
    editor = put_editor(
        *(shop.site, Role.ADMIN, f"{name}{script}{id(page)}@paper.example"),
        name="Lilit Hakobyan",
        language=language,
    )
    bring_in(context, shop.site, shop.root, editor)
    yield page
    context.close()
    # A page that shows what is wrong in a form says so by its status too.
    assert [
        text
        for text in complaints
        if ("error" in text.lower() or "Policy" in text)
        and not any(f"status of {status}" in text for status in (409, 422))
    ] == []


def judge(page: Page) -> None:
    """No accessibility rule broken, nothing wider than the screen."""
    # A click is over when the next page begins, which may be before its style is there.
    page.wait_for_load_state()
    page.evaluate(_AXE)
    assert page.evaluate(_BROKEN_RULES, RULES) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
