"""The desk in a real browser: come in by the link, look at every page, change, and go."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from newsletter.web.app import create_app
from tests.marking import first_soon
from tests.web.desk.people import link_path, put_editor
from tests.web.serving import serve
from tests.web.site import NOW, Site, open_site
from tests.web.test_web_in_browser import SCREENS, judge
from tests.web.test_web_issues import issue_of, put_issue

ROOT = "http://127.0.0.1"


@pytest.fixture
def desk(tmp_path: Path, blank: Path) -> Iterator[tuple[Site, str]]:
    with open_site(tmp_path, blank) as site:
        site.context = replace(site.context, base_url=ROOT)
        with serve(create_app(site.context)) as root:
            yield site, root


@pytest.fixture(params=first_soon(SCREENS))
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height, scheme = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", first_soon(["hy", "en"]))
def test_an_admin_comes_in_looks_at_all_and_goes(
    desk: tuple[Site, str], page: Page, language: str
) -> None:
    site, root = desk
    lilit = put_editor(site, Role.ADMIN, "lilit@paper.example", name="Լիլիթ", language=language)
    put_issue(site, issue_of())
    held = put_issue(site, issue_of("2025-W31"))
    with site.database.write() as tx:
        tx.issues.move(
            held.public_id, {IssueState.DRAFT}, IssueState.HELD, "clock", NOW, reason="No mail."
        )
        tx.changes.record(
            *(NOW, lilit.public_id, "issue", held.public_id, "edited"),
            {"before": {"note": "Old"}, "after": {"note": "New " * 30}},
        )

    page.goto(f"{root}/desk/history")
    judge(page)
    page.fill("#address", "lilit@paper.example")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/sign-in/sent")
    judge(page)
    page.goto(f"{root}/desk/sign-in/unknown")
    judge(page)
    (mail,) = [mail for _, mail in site.outgoing()]
    (link,) = {word for word in mail.text.split() if "/desk/sign-in/" in word}
    page.goto(link.replace(ROOT, root))
    judge(page)
    page.click("button.main")
    page.wait_for_url("**/desk/history")
    judge(page)

    page.goto(f"{root}/desk/")
    judge(page)
    assert page.locator(".issue").count() == 2
    expect(page.locator("p.waits").first).to_be_visible()

    page.goto(f"{root}/desk/editors")
    judge(page)
    page.fill("#address", "lilit@paper.example")
    page.click("button.main")
    expect(page.locator("#address")).to_have_attribute("aria-invalid", "true")
    judge(page)
    page.fill("#address", "nare@paper.example")
    page.click("button.main")
    expect(page.get_by_role("status")).not_to_be_empty()
    page.locator("details summary").last.click()
    judge(page)

    page.goto(f"{root}/desk/me")
    judge(page)
    page.check("#theme-dark")
    page.click("button.main")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    judge(page)
    page.check("#theme-light")
    page.click("button.main")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    judge(page)

    page.locator(".self button").click()
    page.wait_for_url("**/desk/sign-in?done=out")
    judge(page)
    assert page.context.cookies() == []
    page.goto(f"{root}/desk/")
    page.wait_for_url("**/desk/sign-in")


def test_the_keyboard_alone_is_enough(desk: tuple[Site, str], browser: Browser) -> None:
    site, root = desk
    path = link_path(site, put_editor(site, Role.ADMIN, "lilit@paper.example"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{root}{path}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/#content")
    context.close()


def test_a_form_of_another_site_does_nothing(desk: tuple[Site, str], browser: Browser) -> None:
    site, root = desk
    editor = put_editor(site, Role.ADMIN, "lilit@paper.example")
    context = browser.new_context()
    page = context.new_page()
    page.goto(root + link_path(site, editor))
    page.click("button.main")
    page.wait_for_url("**/desk/")
    evil = context.new_page()
    # Another name of this machine is another site to a browser.
    evil.route(
        "http://evil.localhost/**",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{root}/desk/sign-out"><button>x</button></form>',
        ),
    )
    evil.goto("http://evil.localhost/")
    evil.click("button")
    evil.wait_for_url("**/desk/sign-out")
    page.reload()
    expect(page.locator(".self")).to_be_visible()
    context.close()
