"""A reader signs up on a page of the paper, in a real browser, by each of the three snippets.

The page lies at another origin, with a strict policy of its own. The confirmation comes
over SMTP, and its address's domain is asked of a DNS server.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.sign_up_snippets import sign_up_snippets
from tests.acceptance.command_line import write_config
from tests.browser import open_browser
from tests.dns_server import dns_server
from tests.marking import first_soon
from tests.web.serving import serve
from tests.web.test_web_in_browser import SCREENS, judge
from tests.web_pages import Site as PaperSite
from tests.web_pages import site

__all__ = ["site"]

# Nothing inline, and nothing but what the snippet's way needs.
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'none'; script-src {root}; "
    "connect-src {root}; form-action {root}; frame-src {root}; "
    "require-trusted-types-for 'script'; base-uri 'none'"
)
_ZONE = {
    ("reader.example", "MX"): ["10 mx.reader.example."],
    ("silent.example", "TXT"): ['"no mail here"'],
    ("null.example", "MX"): ["0 ."],
}
WAYS = ("element", "form", "frame")
NARROW = "narrow and dark"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@dataclass
class House:
    """A served installation, the paper's pages that hold its forms, and its outbox."""

    installation: Installation
    root: str
    paper: PaperSite
    outbox: Path

    def page(self, way: str, lang: str = "en") -> str:
        return self.paper.url(f"/{lang}/{way}")

    def confirmation(self, address: str) -> str:
        """The address of the button in the mail that came for a reader."""
        with open_ledger(self.installation) as ledger:
            deliver(self.installation, ledger)
        mails = [
            message_from_bytes(path.read_bytes(), policy=policy.default)
            for path in sorted(self.outbox.glob("*.eml"))
        ]
        (mail,) = [mail for mail in mails if mail["To"] == address]
        text = mail.get_body(("plain",))
        assert text is not None
        found = re.search(r"https?://\S+/confirm/\S+", text.get_content())
        assert found is not None
        return self.root + urlsplit(found[0]).path

    def state(self, address: str) -> str:
        with self.installation.database.read() as tx:
            reader = tx.subscribers.find(address)
            found = reader and tx.subscribers.subscription(reader.public_id, "weekly")
        return str(found.state) if found else "unknown"


@pytest.fixture
def house(tmp_path: Path, site: PaperSite) -> Iterator[House]:
    outbox = tmp_path / "outbox"
    with MailCatcher(outbox) as catcher, dns_server(_ZONE) as dns:
        path = write_config(tmp_path, feed=site.url("/feed/"), port=catcher.port)
        text = path.read_text(encoding="utf-8")
        text += f'[dns]\nnameservers = ["127.0.0.1"]\nport = {dns.port}\n'
        text += f'[sign_up]\nsites = ["{site.url("")}"]\n'
        path.write_text(text, encoding="utf-8")
        with open_installation(load_config(path, {}), SystemClock()) as installation:
            context = WebContext.of(installation)
            with serve(create_app(replace(context, base_url="http://127.0.0.1", desk=""))) as root:
                _publish(site, installation, root)
                yield House(installation, root, site, outbox)


def _publish(site: PaperSite, installation: Installation, root: str) -> None:
    """Pages of the paper that hold the snippets, in two languages."""
    settings = installation.settings()
    headers = {"Content_Security_Policy": _POLICY.format(root=root)}
    for snippet in sign_up_snippets(root, settings, settings.newsletter):
        if snippet.placement == "article":
            for lang in ("en", "hy"):
                # The policy lets no style stand at an element.
                html = snippet.html.replace(' style="border: 0"', "")
                page = (
                    f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
                    '<meta name="viewport" content="width=device-width">'
                    f"<title>Bread</title><main><h1>Bread</h1><p>Text.</p>{html}</main>"
                )
                site.page(
                    f"/{lang}/{snippet.way}", page.encode(), Content_Type="text/html", **headers
                )


@contextmanager
def opened(browser: Browser, screen: str) -> Iterator[Page]:
    width, height, scheme = SCREENS[screen]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with closing(context):
        yield page
        assert context.cookies() == []
    assert [text for text in complaints if "Security Policy" in text] == []


def fill_in(page: Page | FrameLocator, address: str) -> None:
    """As somebody does who sees nothing: by the names of things, and by the keyboard."""
    field = page.get_by_label(re.compile("inbox|փոստարկղում|e-mail address|հասցեն"))
    field.fill(address)
    field.press("Enter")


@pytest.mark.parametrize(
    "screen",
    first_soon([NARROW, *(one for one in SCREENS if one != NARROW)]),
)
@pytest.mark.parametrize("way", WAYS)
def test_a_reader_signs_up_on_a_page_of_the_paper(
    browser: Browser, house: House, way: str, screen: str
) -> None:
    address = "lilit@reader.example"
    with opened(browser, screen) as page:
        page.goto(house.page(way))
        here = page.frame_locator("iframe") if way == "frame" else page
        if way == "element":
            page.locator("newsletter-signup form").wait_for()
        judge(page)
        fill_in(here, address)
        if way == "form":
            page.get_by_text("press the button once more").wait_for()
            judge(page)
            page.wait_for_timeout(1100)  # our own form is not sent within a second
            page.get_by_role("button", name="Sign up").click()
        elif way == "frame":
            _press_again_if_too_quick(here)
        here.get_by_text("Now check your inbox").wait_for()
        judge(page)
        if way == "element":
            assert "inbox" in page.evaluate(
                "document.activeElement.shadowRoot.activeElement.textContent"
            )
        link = house.confirmation(address)
        assert house.state(address) == "pending"
        page.goto(link)
        judge(page)
        assert house.state(address) == "pending"
        page.click("button.main")
        page.get_by_role("heading", name="Welcome").wait_for()
        judge(page)
    assert house.state(address) == "active"
    with house.installation.database.read() as tx:
        reader = tx.subscribers.find(address)
        assert reader is not None
        (subscription,) = tx.subscribers.subscriptions(reader.public_id)
        lanes = tx.sign_ups.alarm()
    consent = subscription.consent
    ways = {"element": "embed", "form": "form", "frame": "frame"}
    assert (consent.how, consent.placement) == (ways[way], "article")
    assert consent.page.startswith(house.paper.url(""))
    assert consent.network
    assert not lanes.since


def _press_again_if_too_quick(frame: FrameLocator) -> None:
    frame.get_by_text(re.compile("once more|check your inbox")).first.wait_for()
    again = frame.get_by_text("once more")
    if again.count():
        again.page.wait_for_timeout(1100)
        frame.get_by_role("button", name="Sign up").click()


@pytest.mark.parametrize("way", first_soon(["element", "form"]))
def test_a_slip_and_a_domain_without_mail_are_told_at_the_field(
    browser: Browser, house: House, way: str
) -> None:
    with opened(browser, "narrow and dark") as page:
        page.goto(house.page(way) if way == "element" else f"{house.root}/subscribe/weekly")
        field = page.get_by_role("textbox")
        told = page.locator("#problem")
        for address, sentence in (
            ("lilit@null.example", "No mail reaches null.example"),
            ("lilit@silent.example", "No mail reaches silent.example"),
            ("lilit@nowhere.example", "No mail reaches nowhere.example"),
            ("lilit@gmial.com", "Did you mean lilit@gmail.com?"),
        ):
            page.wait_for_timeout(0 if way == "element" else 1100)
            field.fill(address)
            field.press("Enter")
            told.get_by_text(sentence).wait_for()
            assert field.get_attribute("aria-invalid") == "true"
            assert "problem" in (field.get_attribute("aria-describedby") or "")
            judge(page)
        page.wait_for_timeout(0 if way == "element" else 1100)
        page.get_by_role("button", name="Use lilit@gmail.com").press("Enter")
        # DNS is silent about others than the readers: that is no reason to refuse.
        page.get_by_text(re.compile("check your inbox|No mail reaches gmail.com")).wait_for()


def test_the_element_speaks_the_pages_language(browser: Browser, house: House) -> None:
    with opened(browser, "narrow and dark") as page:
        page.goto(house.page("element", "hy"))
        page.get_by_role("button", name="Բաժանորդագրվել").wait_for()
        judge(page)
        fill_in(page, "ani@reader.example")
        page.get_by_text("Այժմ ստուգեք ձեր փոստարկղը").wait_for()
    assert house.state("ani@reader.example") == "pending"


@pytest.mark.parametrize("lang", ["en", "hy"])
def test_the_framed_form_is_sound_in_every_language(
    browser: Browser, house: House, lang: str
) -> None:
    with opened(browser, NARROW) as page:
        page.goto(f"{house.root}/subscribe/weekly/frame?placement=article&lang={lang}")
        assert page.locator("html").get_attribute("lang") == lang
        judge(page)
        page.wait_for_timeout(1100)  # our own form is not sent within a second
        fill_in(page, "lilit@gmial.com")
        page.locator("[aria-invalid]").wait_for()
        judge(page)


def test_another_site_can_not_frame_the_form(browser: Browser, house: House) -> None:
    context = browser.new_context()
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    # The same pages at another name are another site.
    with closing(context), page.expect_console_message():
        page.goto(house.page("frame").replace("127.0.0.1", "localhost"))
    assert "frame-ancestors" in told[0]
