"""A reader who stays, changes, moves and goes, in a real browser without any script of ours."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from newsletter.workflows.change_address import TAKE_BACK_WITHIN
from tests.browser import open_browser
from tests.marking import first_soon
from tests.web.serving import serve
from tests.web.site import SETTINGS, Site, make_blank, open_site
from tests.web.test_web_in_browser import SCREENS, judge
from tests.web.test_web_preferences import DEPARTMENTS

SETTINGS_IN_TWO = Settings.model_validate(
    SETTINGS.model_dump(mode="json", by_alias=True)
    | {
        "newsletter": [
            one | extra
            for one, extra in zip(
                SETTINGS.model_dump(mode="json", by_alias=True)["newsletter"],
                ({"departments": DEPARTMENTS, "languages": ["en", "hy"]}, {}),
                strict=True,
            )
        ]
    }
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    blank = make_blank(tmp_path / "blank.sqlite", SETTINGS_IN_TWO)
    with (
        open_site(tmp_path, blank, settings=SETTINGS_IN_TWO) as site,
        serve(create_app(replace(site.context, base_url="http://127.0.0.1"))) as root,
    ):
        yield site, root


@pytest.fixture(params=first_soon(SCREENS))
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height, scheme = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", first_soon(["hy", "en"]))
def test_a_reader_changes_all_there_is_and_goes(
    shop: tuple[Site, str], page: Page, language: str
) -> None:
    site, root = shop
    lilit = site.put("lilit@reader.example", name="Lilit")
    site.put("lilit@reader.example", newsletter="kitchen")
    page.goto(f"{root}{site.preferences_path(lilit)}?lang={language}")
    judge(page)

    page.check("input[value='Arts']")
    page.check("#pause-kitchen")
    page.fill("#pause-until", "2025-09-01")
    page.fill("#name", "Lilit Ter-Petrosyan")
    page.select_option("#language", language)
    page.click("button.main")
    status = page.get_by_role("status")
    expect(status).to_be_visible()
    judge(page)
    assert site.state("lilit@reader.example", "kitchen") == "paused"
    expect(page.locator("input[value='Arts']")).to_be_checked()
    assert "Petrosyan" not in page.content()

    page.fill("#name", "\u202e" + "x")
    page.click("button.main")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#name")).to_have_attribute("aria-invalid", "true")
    judge(page)

    page.fill("#address", "lilit@other.example")
    page.locator("form[action*='/address'] button").click()
    expect(status).to_be_visible()
    judge(page)
    (mail,) = [mail for _, mail in site.outgoing()]
    page.goto(root + path_in_local(mail.text, "address"))
    judge(page)
    page.click("button.main")
    judge(page)
    assert site.state("lilit@other.example") == "active"
    assert page.reload() is not None
    judge(page)

    page.goto(root + site.preferences_path(lilit))
    page.locator("form[action*='/data'] button").click()
    # Not as long as the old mailbox may take the change back.
    expect(page.get_by_role("alert")).to_be_visible()
    judge(page)
    ((told, letter),) = site.outgoing()
    assert told.address == "lilit@reader.example"
    page.goto(root + path_in_local(letter.text, "take-back"))
    judge(page)
    site.clock.instant += TAKE_BACK_WITHIN
    page.goto(root + site.preferences_path(lilit))
    page.locator("form[action*='/data'] button").click()
    expect(page.get_by_role("status")).to_be_visible()
    judge(page)
    letters = {delivery.address: mail for delivery, mail in site.outgoing()}
    assert set(letters) == {"lilit@other.example"}
    page.goto(root + path_in_local(letters["lilit@other.example"].text, "data"))
    judge(page)
    with page.expect_download() as downloading:
        page.click("button.main")
    document = json.loads(downloading.value.path().read_text("utf-8"))
    assert document["subscriber"]["name"] == "Lilit Ter-Petrosyan"

    page.goto(root + site.unsubscribe_path(lilit))
    judge(page)
    page.click("button.main")
    judge(page)
    page.check("#reason-too_much")
    page.locator("form", has=page.locator("#reason-other")).locator("button").click()
    expect(page.get_by_role("status")).to_be_visible()
    judge(page)

    page.goto(root + path_in_local(letters["lilit@other.example"].text, "data"))
    page.click("button[value=forget]")
    judge(page)
    assert site.state("lilit@other.example") == "unknown"


def path_in_local(text: str, what: str) -> str:
    """The path of the one link of that kind in a mail of a site that is served here."""
    (link,) = {word for word in text.split() if f"/{what}/" in word}
    return link.removeprefix("http://127.0.0.1")
