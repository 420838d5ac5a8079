"""The settings in a real browser: every kind of page, its failed state, and without script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.publication.editors import Role
from newsletter.web.app import create_app
from tests.marking import first_soon
from tests.web.desk.desk_in_browser import bring_in
from tests.web.desk.people import put_editor
from tests.web.desk.settings_shop import latest, open_settings_shop
from tests.web.serving import serve
from tests.web.site import Site
from tests.web.test_web_in_browser import judge

ROOT = "http://127.0.0.1"
SCREENS = {
    "phone, dark, Armenian": (360, 740, "dark", "hy"),
    "desktop, light": (1280, 900, "light", "en"),
    "phone, light": (360, 740, "light", "en"),
    "desktop, dark, Armenian": (1280, 900, "dark", "hy"),
}
WEEKLY = "/newsletters/weekly"
PAGES = (
    *("", "/publication", "/brand", "/delivery", "/newsletters", "/newsletters/_new", WEEKLY),
    *(f"{WEEKLY}/schedule", f"{WEEKLY}/parts/section", f"{WEEKLY}/parts/section/most-read"),
    *("/sources", "/sources/reads/log", "/relays", "/history"),
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    with (
        open_settings_shop(tmp_path, base_url=ROOT) as site,
        serve(create_app(site.context)) as root,
    ):
        yield site, f"{root}/desk/settings"


def come_in(browser: Browser, site: Site, settings: str, screen: str, *, script: bool) -> Page:
    """An admin's browser of that size, signed in."""
    width, height, scheme, language = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    page = context.new_page()
    admin = put_editor(site, Role.ADMIN, "anna@paper.example", name="Anna", language=language)
    bring_in(context, site, settings.removesuffix("/desk/settings"), admin)
    return page


@pytest.mark.parametrize("screen", first_soon(SCREENS))
def test_every_kind_of_page(browser: Browser, shop: tuple[Site, str], screen: str) -> None:
    site, settings = shop
    page = come_in(browser, site, settings, screen, script=True)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in PAGES:
        page.goto(f"{settings}{path}")
        judge(page)

    # What can't be is told at the field; what is saved can be taken back at once.
    page.goto(f"{settings}{WEEKLY}")
    page.fill("#f-max_variants", "900")
    page.fill("#f-consent", "Yes, please.")
    page.click("button.main")
    expect(page.locator("#f-max_variants")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-consent")).to_have_value("Yes, please.")
    judge(page)
    page.fill("#f-max_variants", "3")
    page.click("button.main")
    page.wait_for_url("**done=saved**")
    judge(page)
    assert site.settings.newsletter[0].max_variants == 3
    page.locator(".undo button").click()
    page.wait_for_url("**done=undone")
    assert site.settings.newsletter[0].max_variants == 12

    page.goto(f"{settings}{WEEKLY}/schedule")
    page.locator(".coming button").nth(1).click()
    page.wait_for_url("**done=skipped")
    judge(page)
    assert page.locator(".coming .skipped").count() == 1

    # Nobody's change is lost, and it is told whose came first.
    page.goto(f"{settings}/publication")
    page.fill("#f-publication-short_name", "the Mail")
    with site.database.write() as tx:
        version = latest(site)
        document = {**version.document}
        document["publication"] = {**document["publication"], "short_name": "the Envoy"}
        tx.settings.append(document, "command line", site.clock.now())
    page.click("button.main")
    expect(page.get_by_role("alert")).to_contain_text("the Envoy")
    judge(page)
    assert [text for text in complaints if "Security Policy" in text] == []
    page.context.close()


def test_the_brands_look_follows_what_is_typed(browser: Browser, shop: tuple[Site, str]) -> None:
    site, settings = shop
    page = come_in(browser, site, settings, "desktop, light", script=True)
    page.goto(f"{settings}/brand")
    accent = "#f-publication-colours-accent"
    with page.expect_response(lambda answer: "preview/dark" in answer.url):
        page.fill(accent, "#0b2545")
    kicker = page.frame_locator("#look-light").locator("a, td, p, span")
    expect(kicker.filter(has_text="Region").first).to_be_visible()
    assert page.locator(f"[data-for={accent[1:]}]").input_value() == "#0b2545"
    with page.expect_response(lambda answer: "%23224488" in answer.url):
        page.locator(f"[data-for={accent[1:]}]").fill("#224488")
    expect(page.locator(accent)).to_have_value("#224488")
    assert site.settings.publication.colours.accent == "#8c1d2f"
    page.context.close()


def test_all_of_it_works_without_script(browser: Browser, shop: tuple[Site, str]) -> None:
    site, settings = shop
    page = come_in(browser, site, settings, "phone, light", script=False)
    page.goto(f"{settings}/brand")
    page.fill("#f-publication-colours-accent", "#ffee55")
    page.locator("button[formaction$='/brand/try']").click()
    expect(page.locator(".mark").first).to_contain_text("#ffee55")
    page.click("button.main")
    page.wait_for_url("**done=saved**")
    assert site.settings.publication.colours.accent == "#ffee55"

    page.goto(f"{settings}{WEEKLY}/parts/section")
    page.locator("button[value=down]").first.click()
    page.wait_for_url("**done=moved**")
    assert [s.slug for s in site.settings.newsletter[0].sections] == ["latest", "most-read"]
    page.goto(f"{settings}/sources")
    page.locator("form[action$='/source/site/look'] button").click()
    page.wait_for_url("**done=asked")
    with site.database.read() as tx:
        assert tx.sources.asked() == ["site"]
    page.context.close()
