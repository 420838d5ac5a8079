"""The whole week at the desk in a real browser, from the draft to the report, and what arrived."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.delivery.model import Relay
from newsletter.issues.model import IssueState, RunnerUp
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.tick import tick
from tests.browser import keep_screen
from tests.contracts.nouns import a_story
from tests.delivery.smtp_servers import Faults, smtp_server
from tests.marking import first_soon
from tests.web.desk.desk_in_browser import Shop, judge, open_page, open_shop
from tests.web.desk.hands import Hand, Keyboard, Mouse, Plain, Touch, wait_without_scripts
from tests.web.desk.send_shop import PATH, set_up, stored
from tests.web.desk.test_desk_issue import bare_issue
from tests.web.test_web_issues import put_issue

READERS = [f"reader{number}@mail.example" for number in range(6)]
FIRST_HALF = 3
MOVED, PINNED, GONE, REWORDED, CORRECTED = "read2", "read3", "late5", "late2", "late3"
CAME = "Headline 3"
NOTE = "By hand, this week."
SAID = "Said otherwise in the mail"
MENDED = "Put right on the way"
FEED = {"slug": "site", "kind": "feed", "url": "http://127.0.0.1:9/feed/", "allow_private": True}


@dataclass
class House:
    """A desk with an issue, six readers, and a relay that takes mail for so many at first."""

    shop: Shop
    faults: Faults
    room: list[int]

    @property
    def installation(self) -> Installation:
        found = self.shop.site.context.installation
        assert found is not None
        return found

    def deliver(self) -> None:
        """Send what is due, as a worker does."""
        with open_ledger(self.installation) as ledger:
            deliver(self.installation, ledger)

    def mails(self, *addresses: str) -> list[EmailMessage]:
        """What arrived for these, in their order; one each."""
        found = []
        for address in addresses:
            (content,) = [data for _, to, data in self.faults.messages if to == address]
            message = message_from_bytes(content, policy=mail_policy)  # type: ignore[arg-type]
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    # Beyond the room that there is, readers' servers ask to come again later.
    room = [10_000]

    def take(_: int) -> str | None:
        room[0] -= 1
        return None if room[0] >= 0 else "451 4.2.2 come again later"

    faults = Faults({"RCPT": take})
    with open_shop(tmp_path) as shop, smtp_server(faults) as port:
        site = shop.site
        set_up(site, {}, source=[FEED])
        assert site.context.installation is not None
        relays = (Relay("main", "127.0.0.1", port, tls="none", local_hostname="localhost"),)
        # Links in mails, and in pages, lead to where the test serves them.
        installation = replace(site.context.installation, relays=relays, base_url=shop.root)
        site.context = replace(site.context, installation=installation)
        issue = bare_issue()
        first, second = issue.sections
        runner = RunnerUp("story3", CAME, "https://paper.example/3", 9, "few")
        with site.database.write() as tx:
            tx.stories.save([a_story(3, picture=None)])
        put_issue(site, replace(issue, sections=(first, replace(second, runners_up=(runner,)))))
        for address in READERS:
            site.put(address)
        shop.serve_anew()
        yield House(shop, faults, room)


@pytest.mark.parametrize(
    "way",
    first_soon([Mouse, Plain, Keyboard, Touch]),
)
def test_the_whole_week(browser: Browser, house: House, way: Callable[[Page], Hand]) -> None:
    kind = way if isinstance(way, type) else Hand
    with open_page(browser, house.shop, kind.screen, script=kind.scripts, touch=kind.touch) as page:
        page.set_default_timeout(60_000)
        hand = way(page)
        page.goto(f"{house.shop.root}/desk/")
        look(hand, "home")
        hand.press(f'.issue a[href="{PATH}"]')
        edit(hand)
        try_it(hand, house)
        let_it_go(hand, house)
        correct_it(hand, house)
        page.wait_for_url(f"**{PATH}/report")
        expect(page.locator("#accounts .figures dd").first).to_have_text("6")
        look(hand, "report")
    assert_arrived(house)


def edit(hand: Hand) -> None:
    """Reorder, pin, swap, say otherwise, write the note; the checks look it over."""
    page = hand.page
    page.wait_for_url(f"**{PATH}")
    look(hand, "issue")
    hand.move_up(f"#story-{MOVED}")
    expect(page.locator(f"#story-{MOVED}")).to_have_attribute("data-position", "1")
    hand.press(f"#story-{PINNED} summary")
    hand.press(f"#story-{PINNED} button[value=pin]")
    expect(page.locator(f"#story-{PINNED} button[value=unpin]")).to_have_count(1)
    hand.press(f"#story-{GONE} summary")
    hand.choose(f"#for-{GONE}", "story3")
    look(hand, "swap")
    hand.press(f"#story-{GONE} button[value=swap]")
    expect(page.locator(f"#story-{GONE}")).to_have_count(0)
    hand.press(f"#story-{REWORDED} summary")
    hand.press(f"#story-{REWORDED} .more a")
    hand.write("#headline", SAID)
    look(hand, "words")
    hand.press("button[value=story]")
    expect(page.locator(f"#story-{REWORDED} h3")).to_have_text(SAID)
    hand.write("#note", NOTE)
    if hand.scripts:
        expect(page.locator("#told p")).to_contain_text("the note")
        expect(page.locator("#checks-panel .checks")).to_be_visible()
    else:
        hand.press("button[value=lines]")
    look(hand, "edited")


def try_it(hand: Hand, house: House) -> None:
    """Send a test to oneself, which arrives marked; rehearse the send."""
    page = hand.page
    hand.press(f'form[action="{PATH}/tests"] button')
    sent = page.locator("#sent-tests")
    expect(sent).to_be_visible()
    house.deliver()
    if not hand.scripts:
        page.reload()
    expect(sent.locator(".lines")).to_contain_text("@paper.example")
    (test,) = house.faults.messages
    assert b"\nSubject: [Test] " in test[2]
    look(hand, "tested")
    hand.press(f'a[href="{PATH}/rehearsal"]')
    hand.press("#rehearsal button.main")
    if not hand.scripts:
        # The rehearsal is made behind the page.
        for _ in range(60):
            if page.locator("#takes").count():
                break
            page.wait_for_timeout(1_000)
            page.reload()
    expect(page.locator("#takes")).to_be_visible()
    look(hand, "rehearsed")


def let_it_go(hand: Hand, house: House) -> None:
    """Review, approve, send now; a minute later it begins, and half of the readers have it."""
    page, site = hand.page, house.shop.site
    hand.press(f'a[href="{PATH}/review"]')
    if not hand.scripts:
        wait_without_scripts(page, "#checks-part a.button")
    expect(page.locator(f'form[action="{PATH}/approve"] button.main')).to_be_enabled()
    look(hand, "review")
    hand.press(f'form[action="{PATH}/approve"] button.main')
    if not hand.scripts:
        wait_without_scripts(page, "#checks-part a.button")
    hand.press("#now summary")
    hand.write("#count", str(len(READERS)))
    look(hand, "count")
    hand.press(f'form[action="{PATH}/now"] button')
    expect(page.locator("[data-left]")).to_be_visible()
    look(hand, "countdown")
    site.clock.sleep(61)
    house.room[0] = FIRST_HALF
    tick(house.installation)
    assert stored(site).state is IssueState.SENDING
    house.deliver()
    # The page of the countdown looks once it is over; who does not wait reloads it.
    page.reload()
    page.wait_for_url(f"**{PATH}/sending")
    expect(page.locator("#progress")).to_have_attribute("value", str(FIRST_HALF))
    look(hand, "sending")


def correct_it(hand: Hand, house: House) -> None:
    """Pause, put a headline right, and go on until everybody has it."""
    page = hand.page
    hand.press("#pause")
    expect(page.locator("#resume")).to_be_visible()
    look(hand, "paused")
    hand.press(f'a[href="{PATH}/correct"]')
    hand.press(f"#story-{CORRECTED} summary")
    hand.write(f"#headline-{CORRECTED}", MENDED)
    look(hand, "correction")
    hand.press("main button.main")
    expect(page.locator("#resume")).to_be_visible()
    look(hand, "corrected")
    hand.press("#resume")
    expect(page.locator("#pause")).to_be_visible()
    house.room[0] = 10_000
    house.shop.site.clock.sleep(3 * 3600)
    house.deliver()
    if not hand.scripts:
        page.reload()


def look(hand: Hand, state: str) -> None:
    """Judge the page as it is, and keep a picture of it."""
    if hand.scripts:
        judge(hand.page)
    keep_screen(hand.page, f"desk-week-{type(hand).__name__.lower()}-{state}")


def assert_arrived(house: House) -> None:
    """Everybody has it once: in the editor's order, and who came later with the words put right."""
    original = next(
        item.headline
        for section in bare_issue().sections
        for item in section.items
        if item.story_id == CORRECTED
    )
    mails = house.mails(*READERS)
    later = [MENDED in mail.get_body(("plain",)).get_content() for mail in mails]
    assert sum(later) == len(READERS) - FIRST_HALF
    for mail, mended in zip(mails, later, strict=True):
        for kind in ("html", "plain"):
            body = mail.get_body((kind,))
            assert body is not None
            words = " ".join(str(body.get_content()).split())
            assert NOTE in words
            assert SAID in words
            assert (MENDED in words, original in words) == (mended, not mended)
            assert "What a Timetable Can" not in words
            places = [
                words.index(headline)
                for headline in (
                    NOTE,
                    "A Village of Eleven",
                    "The Letter My",
                    "Dolma at",
                    SAID,
                    CAME,
                )
            ]
            assert places == sorted(places), kind
