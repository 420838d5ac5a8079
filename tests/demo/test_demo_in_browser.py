"""The demo's pages in a real browser: readable, whole on a phone, without a complaint."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.routing import Mount

from newsletter.demo.outbox import create_outbox
from newsletter.demo.paper import Paper
from newsletter.demo.server import serve_in_thread
from newsletter.demo.site import create_site
from newsletter.rendering.environment import Templates
from tests.browser import open_browser
from tests.demo.test_demo_outbox import put_mail
from tests.marking import first_soon

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "iframes": False,  # the mail's own page is judged with the mail
}
SCREENS = (
    (1280, "light", ("/", "/stories/letter-ninety-one-years/", "/outbox/", "/outbox/000001.eml")),
    (
        360,
        "dark",
        (
            "/stories/gyumri-kino/",
            "/department/recipes/",
            "/outbox/",
            "/outbox/000001.eml?part=text",
        ),
    ),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("demo")
    for number in range(3):
        put_mail(folder / "box", number)
    site = create_site(
        Paper.at(datetime(2025, 8, 5, 19, tzinfo=UTC)),
        pictures=folder / "pictures",
        sign_up_url="http://127.0.0.1:9/subscribe/weekly",
    )
    outbox = create_outbox(folder / "box", Templates())
    with serve_in_thread(Starlette(routes=[Mount("/outbox", outbox), Mount("/", site)])) as server:
        yield server.url


@pytest.mark.parametrize(("width", "scheme", "paths"), first_soon(SCREENS))
def test_pages_are_sound(
    browser: Browser, root: str, width: int, scheme: str, paths: tuple[str, ...]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    # The newsletters' own host, which the sign-up element comes from, is not up here.
    page.route("http://127.0.0.1:9/**", lambda route: route.fulfill(content_type="text/javascript"))
    for path in paths:
        page.goto(root + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = Axe().run(page, options=RULES).response["violations"]
        assert {v["id"]: v["nodes"][0]["html"] for v in found} == {}, path
    context.close()
    assert complaints == []
