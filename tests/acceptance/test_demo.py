"""`newsletter demo`: the whole job on any day of the year, and what it leaves running."""

import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.command_line import newsletter
from tests.acceptance.served_demo import Served, request, serve_demo
from tests.browser import open_browser


def received(outbox: Path) -> list[EmailMessage]:
    return [
        message_from_bytes(path.read_bytes(), policy=mail_policy)  # type: ignore[misc]
        for path in outbox.glob("*.eml")
    ]


@pytest.mark.parametrize(
    "now",
    [
        "2026-08-05T15:00:00Z",
        pytest.param("2026-12-31T23:30:00Z", marks=pytest.mark.long),
        pytest.param("2027-01-02T07:59:30Z", marks=pytest.mark.long),
        pytest.param("2027-03-14T09:59:00Z", marks=pytest.mark.long),
        pytest.param("2026-11-01T08:30:00Z", marks=pytest.mark.long),
        pytest.param("2028-02-29T12:00:00Z", marks=pytest.mark.long),
    ],
)
def test_demo_sends_a_full_issue_to_everyone(tmp_path: Path, now: str) -> None:
    answer = newsletter(
        tmp_path, "demo", "--no-serve", "--json", "--dir", "new", "--now", now, "--port", "0"
    )
    assert answer.status == 0, answer.err
    told = answer.json
    assert re.fullmatch(r"\d{4}-W\d{2}", told["slot"])
    assert told["stories"] >= 60
    sections = Counter(item["section"] for item in told["items"])
    assert sections["most-read"] == 5
    assert sections["latest"] >= 8
    assert all(item["headline"] and item["reasons"] for item in told["items"])
    assert (told["accepted"], told["refused"], told["uncertain"]) == (told["subscribers"], 0, 0)
    assert 10_000 < told["html_bytes"] < 90_000
    assert told["text_bytes"] > 1_000

    messages = received(Path(told["outbox"]))
    assert len(messages) == len({message["To"] for message in messages}) == 200
    assert len({message["Message-ID"] for message in messages}) == 200
    tokens = set()
    # Every part that an issue can have; its editors' words are of stories that it holds.
    headlines = " ".join(item["headline"] for item in told["items"])
    for story in ("Samovar", "Carpet", "կինոթատրոն", "Goalkeeper", "Statue"):
        assert story in headlines, now
    for message in messages:
        html = message.get_body(("html",)).get_content()
        for part in ("A week of things", "Sirvart Kalfayan", "whose boy are you?", "mailto:"):
            assert part in html
        link = message["List-Unsubscribe"].strip("<>")
        assert link in html
        assert told["items"][0]["headline"] in message.get_body(("plain",)).get_content()
        tokens.add(link)
    assert len(tokens) == 200


def test_demo_leaves_another_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("keep", encoding="utf-8")
    answer = newsletter(tmp_path, "demo", "--no-serve", "--dir", "letters")
    assert answer.status == 2
    assert "letters" in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert (tmp_path / "letters" / "mine.txt").read_text(encoding="utf-8") == "keep"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve_demo(tmp_path) as demo:
        yield demo


def test_served_demo_shows_issue_outbox_and_sign_up(served: Served) -> None:
    assert set(served.links) == {"the issue", "the desk", "the outbox", "sign up", "the paper"}
    for url in served.links.values():
        assert request(url)[0] == 200
    assert "reader" in request(served.links["the outbox"])[1].lower()


@pytest.mark.long
def test_a_reader_signs_up_on_the_demo_papers_own_page(served: Served) -> None:
    with open_browser() as browser:
        page = browser.new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.goto(served.links["the paper"])
        page.get_by_label("in your inbox").fill("lilit@reader.example")
        page.keyboard.press("Enter")
        page.get_by_text("Now check your inbox").wait_for()
    assert told == []


def open_draft(page: Page, served: Served) -> None:
    """Come in by the link that was printed, and open what waits."""
    page.goto(served.links["the desk"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Waits for you").wait_for()
    page.get_by_role("link", name="Look at the issue").click()


def wait_for_mail(page: Page, served: Served, words: str, count: int, seconds: int) -> None:
    """Look into the outbox until so many messages of those words are in it."""
    address = f"{served.links['the outbox']}?q={quote(words)}"
    for _ in range(seconds):
        page.goto(address)
        if page.locator("a.row").count() == count:
            return
        page.wait_for_timeout(1_000)
    raise AssertionError(f"{page.locator('a.row').count()} of {count} came: {words}")


@pytest.mark.long
def test_one_press_opens_the_desk_of_the_demo(served: Served) -> None:
    with open_browser() as browser:
        page = browser.new_page()
        open_draft(page, served)
        assert page.locator(".story").count() >= 12
        page.get_by_role("button", name="Send me a test").click()
        expect(page.locator("#sent-tests")).to_contain_text("editor@araks.example")
        wait_for_mail(page, served, "[Test]", 1, 30)
        # The scheduler works too: it mails the draft to who may approve it.
        wait_for_mail(page, served, "editor@araks.example", 2, 30)
        page.goto(f"{served.root}/desk/")
        page.get_by_role("heading", name="The last issue").wait_for()
        assert page.locator(".figures dd").first.inner_text() == "5"
        page.get_by_role("button", name="Sign out").click()
        # Who is out comes in again by a mail, as in earnest.
        page.get_by_label("Your e-mail address").fill("editor@araks.example")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Look into your mail").wait_for()


@pytest.mark.long
def test_what_is_let_go_at_the_demos_desk_arrives(served: Served) -> None:
    with open_browser() as browser:
        page = browser.new_page()
        page.set_default_timeout(60_000)
        open_draft(page, served)
        page.get_by_label("Subject").fill("Said at the desk")
        page.get_by_role("link", name="Review and approve").click()
        page.get_by_role("button", name="Approve").click()
        page.locator("#now summary").click()
        page.locator("#count").fill("5")
        page.keyboard.press("Enter")
        page.locator("[data-left]").wait_for()
        wait_for_mail(page, served, "Said at the desk", 5, 300)
