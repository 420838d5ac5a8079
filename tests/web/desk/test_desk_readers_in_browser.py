"""The desk's pages about readers in a real browser, judged by axe on every kind of screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from newsletter.workflows.reader_uploads import work_uploads
from tests.marking import first_soon
from tests.web.desk.desk_in_browser import SCREENS, Shop, judge, open_page, open_shop
from tests.web.desk.reader_shop import LILIT, fill

# One screen each time, all of them in the long loops.
FIRST = next(iter(SCREENS))
EACH_SCREEN = first_soon(SCREENS)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("site")) as opened:
        fill(opened.site)
        yield opened


@pytest.mark.parametrize("screen", EACH_SCREEN)
def test_figures_and_forms(browser: Browser, shop: Shop, screen: str) -> None:
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}/desk/readers")
        judge(page)
        page.locator("summary").first.click()
        judge(page)
        page.goto(f"{shop.root}/desk/readers/sign-up")
        judge(page)
        element = page.frame_locator("iframe").nth(0)
        expect(element.locator("newsletter-signup input")).to_be_visible()
        expect(
            page.frame_locator("iframe").nth(1).locator("form input[type=email]")
        ).to_be_visible()
        expect(page.frame_locator("iframe").nth(2).locator("button.main")).to_be_visible()
        page.click("[data-copy=code-form]")
        expect(page.locator("[data-copy=code-form] + [role=status]")).not_to_be_empty()
        assert page.evaluate("getSelection().toString() || document.activeElement.value")


def test_a_snippet_is_copied_without_script(browser: Browser, shop: Shop) -> None:
    with open_page(browser, shop, FIRST, script=False) as page:
        page.goto(f"{shop.root}/desk/readers/sign-up")
        expect(page.locator("[data-copy]").first).to_be_hidden()
        assert "<newsletter-signup" in page.locator("#code-element").input_value()
        assert page.locator("#code-element").get_attribute("readonly") is not None


@pytest.mark.parametrize("screen", EACH_SCREEN)
def test_a_reader_is_found_and_handled(browser: Browser, shop: Shop, screen: str) -> None:
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}/desk/readers/find")
        judge(page)
        page.fill("#address", "nobody")
        page.keyboard.press("Enter")
        expect(page.locator("#problem")).to_be_visible()
        judge(page)
        page.fill("#address", LILIT)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(LILIT)
        assert "@" not in page.url
        judge(page)
        page.click("form[action$='/off'] button")
        expect(page.locator(".said")).not_to_be_empty()
        judge(page)
        page.click("form[action$='/back'] button")
        expect(page.locator("form[action$='/off']")).to_be_visible()
        page.fill("#typed", "somebody@else.example")
        page.click("form[action$='/forget'] button")
        expect(page.locator("#problem")).to_be_visible()
        judge(page)


@pytest.mark.parametrize("screen", EACH_SCREEN)
def test_a_filter_is_counted_while_it_is_typed(browser: Browser, shop: Shop, screen: str) -> None:
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}/desk/readers/segments")
        judge(page)
        page.locator("#filter").press_sequentially("state = active", delay=5)
        expect(page.locator("#count b").first).to_have_text("87")
        page.locator("#filter").press_sequentially(" and colour = red", delay=5)
        expect(page.locator("#count mark")).to_have_text("colour")
        expect(page.locator("#filter")).to_have_attribute("aria-invalid", "true")
        judge(page)
        page.fill("#filter", "state = active")
        page.click("button.main")
        expect(page.locator("table a").first).to_be_visible()
        judge(page)
        with page.expect_download() as download:
            page.click("form[action$='/export'] button")
        assert download.value.path().read_text(encoding="utf-8").count("\n") == 88


def test_a_filter_is_counted_without_script(browser: Browser, shop: Shop) -> None:
    with open_page(browser, shop, FIRST, script=False) as page:
        page.goto(f"{shop.root}/desk/readers/segments")
        page.fill("#filter", "language = hy")
        page.click("button.main")
        expect(page.locator("#count b").first).to_have_text("1")


@pytest.mark.parametrize("screen", EACH_SCREEN)
def test_the_list_of_who_is_never_mailed(browser: Browser, shop: Shop, screen: str) -> None:
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}/desk/readers/suppressed")
        judge(page)
        page.fill("#address", "*.spam.example")
        page.click("form[action$='/add'] button")
        expect(page.locator("#domains")).to_be_visible()
        page.locator("summary").first.click()
        judge(page)
        page.locator("input[name=why]").first.fill("It was a mistake.")
        page.locator("form[action$='/lift'] button").first.click()
        expect(page.locator("#domains")).to_be_hidden()


@pytest.mark.parametrize("screen", EACH_SCREEN)
def test_a_list_is_imported(browser: Browser, shop: Shop, screen: str) -> None:
    installation = shop.site.context.installation
    assert installation is not None
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}/desk/readers/imports")
        judge(page)
        page.fill("#consent", "Signed up on paper slips in 2019")
        content = f"email\n{''.join(c for c in screen if c.isalpha())}@new.example\nnothing\n"
        page.set_input_files(
            "#file", {"name": "slips.csv", "mimeType": "text/csv", "buffer": content.encode()}
        )
        page.click("button.main")
        expect(page.locator("[data-waits]")).to_be_visible()
        judge(page)
        work_uploads(installation, lambda: False)
        # The page notices by itself.
        expect(page.locator("button.main")).to_be_visible()
        judge(page)
        with page.expect_download() as download:
            page.click("a[download]")
        assert "nothing" in download.value.path().read_text(encoding="utf-8")
        page.click("button.main")
        expect(page.locator("[data-waits]")).to_be_visible()
        work_uploads(installation, lambda: False)
        expect(page.locator("[data-waits]")).to_have_count(0)
        judge(page)
        page.goto(f"{shop.root}/desk/readers/imports")
        page.locator("summary").first.click()
        judge(page)
        page.locator("form[action$='/undo'] button").first.click()
        work_uploads(installation, lambda: False)
        page.reload()
        judge(page)
