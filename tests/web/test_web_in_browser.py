"""The pages as a person meets them: in a real browser, light and dark, wide and narrow."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route

from newsletter.issues.model import IssueState
from newsletter.rendering.fill import strip_personal
from newsletter.web.app import create_app
from tests.browser import open_browser
from tests.marking import first_soon
from tests.rendering.sample_issue import sample_issue
from tests.web.serving import serve
from tests.web.site import Site, make_blank, open_site
from tests.web.test_web_issues import preview_path, put_issue, rendered_html

LILIT = "lilit@reader.example"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "iframes": False,  # the mail in the preview has tests of its own
}
# Only the broken rules are brought over: the whole report takes longer than the check.
BROKEN_RULES = """options => axe.run(options).then(report => report.violations.map(
    rule => `${rule.id}: ${rule.help} (${rule.nodes.map(node => node.html).join(", ")})`))"""
# How each element of the mail's sheet is drawn, and how large it is.
STYLES_OF_THE_MAIL = """() => [...document.querySelectorAll(".sheet, .sheet *")].map(element => {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    return [element.tagName, box.width, box.height, style.font, style.color, style.margin,
        style.padding, style.border, style.backgroundColor, style.textDecoration].join("; ");
})"""
AXE = Axe().axe_script
SCREENS = {"wide and light": (1280, 900, "light"), "narrow and dark": (360, 740, "dark")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A site with something of everything, and where it is served."""
    folder = tmp_path_factory.mktemp("site")
    with open_site(folder, make_blank(folder / "blank.sqlite")) as site:
        put_issue(site, sample_issue(slot="2025-W33", public_id="draft33"))
        for week in (34, 35, 36):
            sent = sample_issue(
                state=IssueState.SENT,
                slot=f"2025-W{week}",
                public_id=f"sent{week}",
                send_at=datetime(2025, 8, week - 20, 14, tzinfo=UTC),
            )
            put_issue(site, sent, html=rendered_html(site, sent))
        with serve(create_app(replace(site.context, base_url="http://127.0.0.1"))) as root:
            yield site, root


@pytest.fixture(params=first_soon(reversed(SCREENS)))
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height, scheme = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    # The stories' pictures lie elsewhere: nothing is asked of the network.
    context.route(
        "https://paper.example/**",
        lambda route: route.fulfill(body="<svg/>", content_type="image/svg+xml"),
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    context.close()
    # Here the browser tells of whatever the pages' own policy blocked.
    assert [text for text in complaints if "Security Policy" in text] == []


def judge(page: Page) -> None:
    """No accessibility rule broken, nothing wider than the screen."""
    # A click is over when the next page begins, which may be before its style is there.
    page.wait_for_load_state()
    page.evaluate(AXE)
    assert page.evaluate(BROKEN_RULES, RULES) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def without_policy(route: Route) -> None:
    answer = route.fetch()
    headers = {n: v for n, v in answer.headers.items() if n != "content-security-policy"}
    route.fulfill(response=answer, headers=headers)


def test_a_reader_comes_looks_around_and_leaves(shop: tuple[Site, str], page: Page) -> None:
    site, root = shop
    address = f"r{page.viewport_size['width']}@reader.example" if page.viewport_size else LILIT
    page.goto(root)
    judge(page)
    page.click("text=The Courier Weekly >> nth=0")
    judge(page)

    page.fill("#address", "lilit@reader")
    site.clock.sleep(5)
    page.click("button.main")
    assert "is no e-mail address" in page.inner_text("#problem")
    assert page.evaluate("document.activeElement.id") == "address"
    judge(page)
    page.fill("#address", address)
    site.clock.sleep(5)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Now check your inbox").wait_for()
    judge(page)

    mailing = next(mailing for delivery, mailing in site.outgoing() if delivery.address == address)
    link = next(word for word in mailing.text.split() if "/confirm/" in word)
    page.goto(root + urlsplit(link).path)
    judge(page)
    page.click("button.main")
    assert page.inner_text("h1").startswith("Welcome")
    assert site.state(address) == "active"
    judge(page)

    page.click("text=Change what you get")
    judge(page)
    page.uncheck("#get-weekly")
    page.click("button.main")
    assert "Saved." in page.inner_text("[role=status]")
    assert site.state(address) == "unsubscribed"
    judge(page)


def test_a_reader_leaves_and_comes_back(shop: tuple[Site, str], page: Page) -> None:
    site, root = shop
    subscriber = site.put(LILIT)
    page.goto(root + site.unsubscribe_path(subscriber))
    judge(page)
    page.click("button.main")
    assert page.inner_text("h1") == "You are off the list"
    judge(page)
    page.click("text=Put me back")
    assert page.inner_text("h1") == "You are back on the list"
    assert site.state(LILIT) == "active"
    judge(page)


def test_the_archive_and_what_is_not_there(shop: tuple[Site, str], page: Page) -> None:
    _, root = shop
    page.goto(f"{root}/archive/weekly/")
    judge(page)
    page.click("main h3 a >> nth=1")
    assert page.url == f"{root}/archive/weekly/2025-W35"
    assert "most read stories of the month" in page.inner_text("main").lower()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    frame = page.locator(".archive-part").all()
    backgrounds = [part.evaluate("e => getComputedStyle(e).backgroundColor") for part in frame]
    assert backgrounds == ["rgba(0, 0, 0, 0)"] * 2
    page.click("footer nav a[rel=next]")
    assert page.url == f"{root}/archive/weekly/2025-W36"
    page.click("header a[rel=prev]")
    page.click("header >> text=past issues")
    assert page.url == f"{root}/archive/weekly/"
    page.goto(f"{root}/archive/weekly/2025-W34")
    page.click("text=Sign up")
    assert page.url == f"{root}/subscribe/weekly"
    page.goto(f"{root}/archive/kitchen/")
    judge(page)
    # An issue's page lets no script run, not even the judge's timers: without its policy.
    page.route("**/archive/weekly/2025*", without_policy)
    page.goto(f"{root}/archive/weekly/2025-W35")
    judge(page)
    answer = page.goto(f"{root}/unsubscribe/a.b.c")
    assert answer is not None
    assert answer.status == 404
    judge(page)


def test_the_frame_changes_nothing_in_the_mail(shop: tuple[Site, str], browser: Browser) -> None:
    site, root = shop
    with site.database.read() as tx:
        (mailing,) = tx.mailings.of_issue("sent35")
    context = browser.new_context(viewport={"width": 700, "height": 900}, java_script_enabled=True)
    opened = context.new_page()
    opened.route("https://**", lambda route: route.abort())
    opened.goto(f"{root}/archive/weekly/2025-W35")
    framed = opened.evaluate(STYLES_OF_THE_MAIL)
    opened.set_content(strip_personal(mailing.html))
    assert opened.evaluate(STYLES_OF_THE_MAIL) == framed
    assert len(framed) > 200
    context.close()


@pytest.mark.long
def test_the_preview_shows_the_mail_in_every_view(shop: tuple[Site, str], page: Page) -> None:
    site, root = shop
    page.goto(root + preview_path(site, sample_issue(public_id="draft33")))
    for view in ("Desktop", "Phone", "Dark", "Text"):
        page.click(f"nav >> text={view}")
        frame = page.frame_locator("iframe")
        assert frame.locator("body").inner_text().count("Chess at Midnight") == 1
        width = page.locator("iframe").bounding_box()
        assert width is not None
        assert width["width"] <= {"Desktop": 700, "Text": 700}.get(view, 377)
    judge(page)
    assert page.locator("iframe").get_attribute("sandbox") is not None


def test_no_script_runs_in_a_page_or_a_mail(shop: tuple[Site, str], browser: Browser) -> None:
    site, root = shop
    attack = "<script>document.title='broken'</script><img src=x onerror=document.title='broken'>"
    issue = sample_issue(
        slot="2025-W31",
        public_id="attack",
        state=IssueState.SENT,
        subject=attack,
        title=attack,
    )
    put_issue(site, issue, html=f"<!DOCTYPE html><title>A mail</title>{attack}")
    page = browser.new_page()
    page.goto(f"{root}/archive/weekly/2025-W31")
    assert page.title() == "A mail"
    page.goto(f"{root}/archive/weekly/")
    assert attack in page.inner_text("main")
    page.goto(root + preview_path(site, issue))
    assert attack in page.inner_text("h1")
    assert page.title() != "broken"
    page.close()
