"""Links in mails that were really sent: followed, counted, corrected and taken back."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.issues.model import IssueState
from newsletter.publication.campaign import carries_tag
from newsletter.rendering.corrections import tell_corrections
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from tests.acceptance.moving_clock import MovingClock
from tests.cli.conftest import Call
from tests.contracts.nouns import NOW
from tests.sources.test_access_log import FIREFOX
from tests.workflows.under_way import READERS, issue_under_way, prepare_issue

LATER = "2025-08-09T10:00:00+00:00"
TAG = "utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W32"


def send(folder: Path, clicks: str) -> Path:
    """An issue of four stories sent to six readers; their mails lie in ``outbox``."""
    tables = f'[tracking]\nclicks = "{clicks}"'
    prepare_issue(folder, tables)
    with (
        MailCatcher(folder / "outbox") as catcher,
        issue_under_way(folder, folder, port=catcher.port, tables=tables) as under_way,
    ):
        with open_ledger(under_way.installation) as ledger:
            deliver(under_way.installation, ledger)
        assert under_way.issue.state is IssueState.SENT
    return folder


Sent = Callable[[str], Path]


@pytest.fixture(scope="module")
def send_once(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """What was sent with ``clicks`` of that kind: to look at, not to change."""
    return cache(lambda clicks: send(tmp_path_factory.mktemp(clicks), clicks))


@pytest.fixture
def sent(request: pytest.FixtureRequest, send_once: Sent, tmp_path: Path) -> Path:
    """A copy of what was sent; the marks below say with which clicks."""
    shutil.copytree(send_once(getattr(request, "param", "anonymous")), tmp_path, dirs_exist_ok=True)
    return tmp_path


counted_by_reader = pytest.mark.parametrize("sent", ["count"], indirect=True)
led_straight = pytest.mark.parametrize("sent", ["off"], indirect=True)


@dataclass
class Mail:
    """A mail as its reader has it: links of stories by headline, of the HTML and of the text."""

    reader: str
    headlines: dict[str, str]
    pictures: list[str]
    text: dict[str, str]

    @property
    def links(self) -> list[str]:
        return [*self.headlines.values(), *self.pictures, *self.text.values()]


def mails(folder: Path) -> list[Mail]:
    return [open_mail(path) for path in sorted((folder / "outbox").glob("*.eml"))]


def open_mail(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    tree = LexborHTMLParser(html.get_content())
    plain = text.get_content().replace("\r\n", "\n")
    return Mail(
        message["To"].addresses[0].addr_spec,
        {node.text().strip(): node.attributes["href"] or "" for node in tree.css("h2 a, h3 a")},
        [node.attributes["href"] or "" for node in tree.css("a:has(img.photo)")],
        dict(re.findall(r"^(?:\d\. )?(Headline \d)\n(?:.*\n)*?(http\S+)$", plain, re.MULTILINE)),
    )


@dataclass
class Browser:
    """A reader's browser at the pages of the installation."""

    installation: Installation
    client: TestClient
    clock: MovingClock

    def open(self, link: str, method: str = "GET") -> tuple[int, str]:
        """The status, and where it leads."""
        base = self.installation.base_url
        assert link.startswith(f"{base}/")
        answer = self.client.request(
            method, link.removeprefix(base), headers={"User-Agent": FIREFOX}
        )
        return answer.status_code, answer.headers.get("location", "")


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """An hour after the mails arrived; what was clicked is written when it ends."""
    clock = MovingClock(NOW + timedelta(hours=1))
    with open_installation(load_config(folder / "config.toml", {}), clock) as installation:
        app = create_app(WebContext.of(installation))
        with TestClient(app, base_url=installation.base_url, follow_redirects=False) as client:
            yield Browser(installation, client, clock)


def report(call: Call, folder: Path) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """Clicks, those of machines, and readers, by place in the issue, story and place in the mail;
    without those of which there are none."""
    answer = call(folder, "issue", "report", "--slot", "2025-W32", "--json")
    assert answer.status == 0, answer.err
    return {
        (f"{row['section']}/{row['position']}", row["headline"], row["place"]): (
            row["clicks"],
            row["machine_clicks"],
            row["readers"],
        )
        for row in answer.json["clicks"]
        if row["clicks"] or row["machine_clicks"]
    }


def test_all_readers_have_the_same_short_links(sent: Path) -> None:
    first, *others = mails(sent)
    assert len(others) == READERS - 1
    assert len(first.headlines) == len(first.text) == 4
    assert len(first.pictures) == 2
    for link in first.links:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/l/[a-z2-7]{12}", link)
    assert len(set(first.links)) == len(first.links)
    assert all(mail.links == first.links for mail in others)


def test_a_link_leads_to_its_story_and_is_counted_where_it_stands(call: Call, sent: Path) -> None:
    mail = mails(sent)[0]
    with browsing(sent) as browser:
        for headline, link in (*mail.headlines.items(), *mail.text.items()):
            status, target = browser.open(link)
            assert (status, target) == (302, f"https://paper.example/{headline[-1]}?{TAG}")
            assert carries_tag(target, "newsletter")
        browser.open(mail.headlines["Headline 1"])
        browser.open(mail.pictures[0])
        browser.open(mail.pictures[0], "HEAD")
    found = report(call, sent)
    assert found.pop(("most-read/1", "Headline 1", "headline")) == (2, 0, 0)
    assert found.pop(("latest/1", "Headline 3", "picture")) == (1, 1, 0)
    assert len(found) == 7
    assert set(found.values()) == {(1, 0, 0)}
    table = call(sent, "issue", "report", "--slot", "2025-W32").out
    assert re.search(r"most-read/1\s+Headline 1\s+2\s+1\s+3\s+0", table)


@counted_by_reader
def test_each_reader_has_links_of_their_own_that_lead_to_the_same(call: Call, sent: Path) -> None:
    found = {mail.reader: mail for mail in mails(sent)}
    own = Counter(link for mail in found.values() for link in mail.links)
    assert set(own.values()) == {1}
    anna, bob = found["reader000@reader.example"], found["reader001@reader.example"]
    with browsing(sent) as browser:
        for mail in (anna, bob):
            browser.clock.set(browser.clock.now() + timedelta(minutes=1))
            assert browser.open(mail.headlines["Headline 4"])[1].endswith(TAG)
        browser.open(anna.text["Headline 4"])
    assert report(call, sent) == {
        ("latest/2", "Headline 4", "headline"): (2, 0, 2),
        ("latest/2", "Headline 4", "text"): (1, 0, 1),
    }
    assert call(sent, "subscribers", "forget", anna.reader).status == 0
    assert report(call, sent) == {
        ("latest/2", "Headline 4", "headline"): (2, 0, 1),
        ("latest/2", "Headline 4", "text"): (1, 0, 0),
    }


@counted_by_reader
def test_a_scanner_that_opens_the_whole_mail_is_told_apart(call: Call, sent: Path) -> None:
    mail = mails(sent)[0]
    with browsing(sent) as browser:
        for link in mail.links:
            assert browser.open(link)[0] == 302
    assert {(clicks, readers) for clicks, _, readers in report(call, sent).values()} == {(0, 0)}


@counted_by_reader
def test_the_archive_has_the_links_without_a_reader(sent: Path) -> None:
    with browsing(sent) as browser:
        page = browser.client.get("/archive/weekly/2025-W32").text
        links = re.findall(r'href="(http://127[^"]+/l/[^"]+)"', page)
        assert {browser.open(link)[0] for link in links} == {302}
    assert len(links) == 6
    assert all(re.search(r"/l/[a-z2-7]{12}$", link) for link in links)


def test_sent_links_are_corrected_and_taken_back(call: Call, sent: Path) -> None:
    mail = mails(sent)[0]
    options = ("issue", "correct", "--slot", "2025-W32", "--now", LATER)
    answer = call(sent, *options, "--link", "latest/1=https://paper.example/new?a=b#c")
    assert answer.status == 0, answer.err
    assert "the links of “Headline 3” lead to https://paper.example/new?a=b&utm_" in answer.out
    told = ("--because", "The first version named a wrong town.")
    made = call(sent, *options, "--withdraw", "story1", *told, "--json").json
    assert [one["kind"] for one in made["corrections"]] == ["withdrawn"]
    with browsing(sent) as browser:
        expected = f"https://paper.example/new?a=b&{TAG}#c"
        for link in (mail.headlines["Headline 3"], mail.pictures[0], mail.text["Headline 3"]):
            assert browser.open(link) == (302, expected)
        assert browser.open(mail.headlines["Headline 1"]) == (410, "")
        assert browser.open(mail.headlines["Headline 2"])[0] == 302
        with browser.installation.database.read() as tx:
            issue = tx.issues.get("weekly", "2025-W32")
            assert issue is not None
            found = tx.links.corrections(issue.public_id)
            logged = [(c.actor, c.act) for c in tx.changes.of("issue", issue.public_id)][-2:]
    assert logged == [("command line", "links changed"), ("command line", "links withdrawn")]
    assert {f"{one.at:%Y-%m-%d %H:%M}" for one in found} == {"2025-08-09 10:00"}
    assert [sentence for _, sentence in tell_corrections(issue, found, "en")] == [
        "The link of “Headline 3” leads to another page now.",
        "The link of “Headline 1” was withdrawn. The first version named a wrong town.",
    ]
    # What was sent is as it was.
    assert [item.url for item in issue.items] == [f"https://paper.example/{n}" for n in range(1, 5)]
    shown = call(sent, "issue", "show", "--slot", "2025-W32")
    assert "since 2025-08-09 10:00 UTC the links of “Headline 1” are withdrawn" in shown.err
    assert "(withdrawn)" in call(sent, "issue", "report", "--slot", "2025-W32").out
    again = call(sent, *options, "--withdraw", "story1")
    assert again.status == 1
    assert "are so already" in again.err


@led_straight
def test_links_that_lead_straight_can_not_be_corrected(call: Call, sent: Path) -> None:
    mail = mails(sent)[0]
    assert mail.headlines["Headline 1"] == f"https://paper.example/1?{TAG}"
    assert mail.text["Headline 1"] == f"https://paper.example/1?{TAG}"
    for asked in (("--link", "latest/1=https://paper.example/new"), ("--withdraw", "latest/1")):
        answer = call(sent, "issue", "correct", "--slot", "2025-W32", *asked)
        assert answer.status == 1
        assert "can't be changed any more" in answer.err
        assert 'clicks = "off"' in answer.err
    assert report(call, sent) == {}
    assert "clicks" not in call(sent, "issue", "report", "--slot", "2025-W32").out


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        (("--link", "latest/1=javascript:alert(1)"), 2, "begins with https://"),
        (("--link", "latest/1=https://paper.example/\nX: y"), 2, "begins with https://"),
        (("--link", "latest/1=//evil.example"), 2, "begins with https://"),
        (("--link", "latest/7=https://paper.example/"), 1, "latest/2"),
        (("--headline", "latest/1=Better"), 1, "save for its links alone"),
    ],
)
def test_what_can_not_be_corrected_in_a_sent_issue_is_told(
    call: Call, send_once: Sent, asked: tuple[str, ...], status: int, words: str
) -> None:
    answer = call(send_once("anonymous"), "issue", "correct", "--slot", "2025-W32", *asked)
    assert answer.status == status, answer.err
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_a_preview_leads_straight_to_the_stories(call: Call, tmp_path: Path) -> None:
    prepare_issue(tmp_path)
    assert call(tmp_path, "issue", "preview", "--no-screenshots", "--slot", "2025-W32").status == 0
    for name in ("issue.html", "issue.txt"):
        written = (tmp_path / "preview" / name).read_text("utf-8")
        assert "/l/" not in written
        assert "https://paper.example/1?utm_source=newsletter" in written
