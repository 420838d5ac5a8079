"""Stories that mean harm, at the desk: in a real browser nothing of them acts, asks or escapes.

They come by the doors that stories have; what editors write means harm as well. The draft is
worked at as the browser keeps it, by the pages' policy, which must have nothing to stop. Then
every page is opened without any policy, which would hide what stands there and should not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.editors import Role
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.web.mail_copy import View
from newsletter.workflows.editors import add_editor
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.sign_in import make_link
from tests.acceptance.hostile_corpus import PAYLOADS
from tests.acceptance.hostile_doors import DOORS, words
from tests.acceptance.moving_clock import MovingClock
from tests.acceptance.test_hostile_stories import (
    ADDRESSES_IN_PAGE,
    CONFIG,
    NOW,
    PARTS,
    READER,
    SOURCE,
    TOUCH_ALL,
    Call,
    is_fine,
    numbers_of,
)
from tests.browser import open_browser
from tests.cli.conftest import call
from tests.web.serving import serve
from tests.web_pages import site

__all__ = ["call", "site"]

# What editors write themselves.
WRITTEN = "<img src=x onerror=hurt()><script>hurt()</script>'\"><svg onload=hurt()>{{ hurt() }}"
PREPARE = """
window.hurt = () => { window.hurtDone = true; try { window.top.hurtDone = true } catch {} };
window.blocked = [];
addEventListener("securitypolicyviolation", event =>
  blocked.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@dataclass
class Desk:
    """A tab at the desk that tells of everything that is done in it."""

    root: str
    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a page, touch all that is in it, and see that nothing acts."""
        answer = self.page.goto(self.root + path)
        assert answer is not None
        assert answer.status == 200, path
        self.look()

    def look(self) -> None:
        """Nothing ran, nobody was asked, and every address of the page is a fine one."""
        page = self.page
        page.evaluate(TOUCH_ALL)
        assert page.evaluate("window.hurtDone") is None, page.url
        assert self.said == [], page.url
        for address in page.evaluate(ADDRESSES_IN_PAGE):
            assert is_fine(address), (page.url, address)
        # The frame's mail shows the site's own pictures; the desk's pages ask nobody.
        assert [each for each in self.asked if each[0] != "image"] == [], page.url

    def blocked(self) -> list[str]:
        """What the page's own policy had to stop."""
        found = self.page.evaluate("window.blocked")
        assert isinstance(found, list)
        return found


@contextmanager
def at_desk(
    browser: Browser, installation: Installation, root: str, *, policy: bool
) -> Iterator[Desk]:
    """An admin's tab, with the pages' own policies or without any."""
    context = browser.new_context(bypass_csp=not policy)
    context.add_init_script(PREPARE)
    desk = Desk(root, context.new_page())
    _watch(context, desk)
    database, now = installation.database, installation.clock.now()
    editor = add_editor(
        database,
        address=f"{policy}@paper.example".lower(),
        name=WRITTEN[:100],
        role=Role.ADMIN,
        actor="test",
        now=now,
    )
    link = make_link(database, installation.desk_url, editor, now=now)
    desk.page.goto(link.replace(installation.base_url, root))
    desk.page.click("button.main")
    yield desk
    context.close()


def _watch(context: BrowserContext, desk: Desk) -> None:
    def answer(route: Route) -> None:
        if route.request.url.startswith(desk.root):
            route.continue_()
            return
        desk.asked.append((route.request.resource_type, route.request.url))
        route.abort()

    def dismiss(dialog: Dialog) -> None:
        desk.said.append(dialog.message)
        dialog.dismiss()

    context.route("**/*", answer)
    desk.page.on("dialog", dismiss)


def drafted_part(door: str) -> str:
    """The newsletter whose issue stays a draft, another behind each door."""
    return f"part{list(DOORS).index(door) % PARTS}"


def fill_house(door: str, site: Any, folder: Path, call: Call) -> None:
    """The whole corpus through one door: one part is a draft, the others were sent."""

    def must(*arguments: str) -> None:
        answer = call(folder, *arguments)
        assert answer.status == 0, answer.err + answer.out

    kind, open_door = DOORS[door]
    with MailCatcher(folder / "mail") as catcher:
        config = CONFIG.format(port=catcher.port)
        for part in range(PARTS):
            address = open_door(site, f"/part{part}", numbers_of(part, list(DOORS).index(door)))
            config += SOURCE.format(slug=f"part{part}", kind=kind, url=address)
        (folder / "config.toml").write_text(config, encoding="utf-8")
        (folder / "readers.csv").write_text(f"email\n{READER}\n", encoding="utf-8")
        # Of a sitemap's pages a poll reads a few.
        for _ in range(2):
            must("stories", "fetch", "--now", NOW)
        for part in range(PARTS):
            one = ("--newsletter", f"part{part}")
            must("subscribers", "import", "readers.csv", "--consent", "on paper", *one)
            must("issue", "draft", "--no-fetch", "--now", NOW, *one)
            if f"part{part}" != drafted_part(door):
                must("issue", "approve", "--now", NOW, *one)
                must("issue", "send", "--now", NOW, *one)


@pytest.mark.long
@pytest.mark.parametrize("door", DOORS)
def test_nothing_acts_at_the_desk(
    door: str, site: Any, tmp_path: Path, call: Call, browser: Browser
) -> None:
    fill_house(door, site, tmp_path, call)
    config = load_config(tmp_path / "config.toml", {})
    with (
        open_installation(config, MovingClock(datetime.fromisoformat(NOW))) as installation,
        serve(create_app(WebContext.of(installation))) as root,
    ):
        with installation.database.read() as tx:
            issues = tx.issues.recent(None, PARTS)
        (draft,) = [issue for issue in issues if issue.newsletter == drafted_part(door)]
        assert sum(len(issue.items) for issue in issues) == len(PAYLOADS)
        with at_desk(browser, installation, root, policy=True) as desk:
            work_at(desk, draft)
            sent = next(issue for issue in issues if issue.state is IssueState.SENT)
            for path in ("/desk/", "/desk/history", f"/desk/issues/{sent.public_id}/report"):
                desk.open(path)
                assert desk.blocked() == []
        with at_desk(browser, installation, root, policy=False) as desk:
            look_around(desk, draft, issues)


def work_at(desk: Desk, draft: Issue) -> None:
    """Edit the draft as editors do, by what the page's own script does, and write harm."""
    path = f"/desk/issues/{draft.public_id}"
    desk.open(path)
    assert desk.blocked() == []
    last = draft.items[-1]
    story = f"#story-{last.story_id}"
    desk.page.click(f"{story} button[value^=up]")
    desk.page.locator(f"{story}[data-position='{last.position - 1}']").wait_for()
    desk.look()
    desk.page.fill("#note", WRITTEN)
    desk.page.fill("#subject", WRITTEN)
    desk.page.click("button[value=lines]")
    desk.page.locator("#told p").first.wait_for()
    desk.look()
    desk.open(f"{path}/stories/{last.story_id}")
    desk.page.fill("#headline", WRITTEN)
    desk.page.fill("#excerpt", WRITTEN)
    desk.page.click("button[value=story]")
    desk.page.locator(story).wait_for()
    desk.look()
    assert desk.blocked() == []


def look_around(desk: Desk, draft: Issue, issues: list[Issue]) -> None:
    """Every page that shows a story, or what was written of one."""
    path = f"/desk/issues/{draft.public_id}"
    desk.open(path)
    body = " ".join(desk.page.locator("body").inner_text().split())
    # They are all there, as words.
    assert body.count("hurt()") >= len(draft.items)
    for item in draft.items:
        desk.open(f"{path}/stories/{item.story_id}")
    for number in range(0, len(PAYLOADS), 8):
        for searched in (PAYLOADS[number][:300], words(number)):
            desk.open(f"{path}/stories?words={quote(searched, errors='replace')}")
    desk.open(f"{path}/stories?section=latest&order=most_read")
    for view in View:
        desk.open(f"{path}?view={view}")
        desk.open(f"{path}/mail?view={view}")
    for page in ("/versions", "/checks", "/review", "/tests", "/rehearsal"):
        desk.open(f"{path}{page}")
    for issue in issues:
        if issue.state is IssueState.SENT:
            for page in ("", "/report", "/correct", "/versions", "/review"):
                desk.open(f"/desk/issues/{issue.public_id}{page}")
    for page in ("/", "/issues", "/history", "/editors", "/me", "/settings", "/settings/sources"):
        desk.open(f"/desk{page}")


def test_the_tab_tells_of_what_acts(browser: Browser) -> None:
    context = browser.new_context()
    context.add_init_script(PREPARE)
    desk = Desk("http://desk.example", context.new_page())
    pages = {
        "/ran": "<script>hurt()</script>",
        "/said": "<script>alert(1)</script>",
        "/asked": "<link rel=stylesheet href=http://evil.example/a.css>",
        "/leads": "<a href=javascript:hurt()>x</a>",
        "/kept": "<p onclick=hurt()>x</p><script>hurt()</script>",
    }
    _watch(context, desk)

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        policy = {"Content-Security-Policy": "default-src 'none'"} if path == "/kept" else {}
        route.fulfill(body=pages[path], content_type="text/html", headers=policy)

    context.route(f"{desk.root}/*", answer)
    for path in ("/ran", "/said", "/asked", "/leads"):
        with pytest.raises(AssertionError):
            desk.open(path)
        desk.said.clear()
        desk.asked.clear()
    desk.open("/kept")
    stopped = {each.split()[0] for each in desk.blocked()}
    assert stopped == {"script-src-elem", "script-src-attr"}
    context.close()
