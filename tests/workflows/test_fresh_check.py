"""The fresh check as the scheduler makes it: what is gone, not believed, or not asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.demo.outbox_store import list_messages
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.slots import named_slot
from newsletter.sources.model import GONE
from newsletter.workflows.approve import approve_issue
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.opening import open_installation
from newsletter.workflows.tick import tick
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.web_pages import site

__all__ = ["site"]

DRAFT_AT = datetime(2026, 8, 6, 16, tzinfo=UTC)
SEND_AT = datetime(2026, 8, 7, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Paper:
    """A paper whose feed holds what it is told, with a page for each story."""

    def __init__(self, site: Any, folder: Path, relay: int) -> None:
        self.site = site
        self.folder = folder
        self.clock = MovingClock(DRAFT_AT - timedelta(days=3))
        self.path = write_config(folder, feed=site.url("/feed"), port=relay)
        self.publish(*range(1, 15))
        for number in range(1, 15):
            site.page(f"/{number}", b"<title>A story</title>")

    def configure(self, old: str, new: str) -> None:
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def publish(self, *numbers: int) -> None:
        """Let the feed hold these stories; the lower the number the newer."""
        items = "".join(
            f"<item><title>Story number {n} of the paper</title><link>{self.site.url(f'/{n}')}"
            f"</link><guid>{n}</guid><description>What happened in story {n}.</description>"
            f"<pubDate>{format_datetime(DRAFT_AT - n * timedelta(hours=5))}</pubDate></item>"
            for n in numbers
        )
        feed = f"<rss version='2.0'><channel><title>P</title>{items}</channel></rss>"
        self.site.page("/feed", feed.encode())

    def tick(self, now: datetime) -> Issue:
        self.clock.set(now)
        with open_installation(load_config(self.path, {}), self.clock) as installation:
            tick(installation)
            with installation.database.read() as tx:
                (issue,) = tx.issues.recent("weekly", 5)
        return issue

    def approve(self, issue: Issue) -> None:
        with open_installation(load_config(self.path, {}), self.clock) as installation:
            approve_issue(installation, issue, actor="lilit")

    def approved(self) -> Issue:
        issue = self.tick(DRAFT_AT)
        self.approve(issue)
        return issue

    def alerts(self) -> list[str]:
        """Subjects of what the editors were told."""
        with (
            open_installation(load_config(self.path, {}), self.clock) as installation,
            open_ledger(installation) as ledger,
        ):
            deliver(installation, ledger)
        return [mail.subject for mail in list_messages(self.folder / "outbox")]

    def hidden(self) -> dict[str, str]:
        with (
            open_installation(load_config(self.path, {}), self.clock) as installation,
            installation.database.read() as tx,
        ):
            return {
                story.title: story.hidden for story in tx.stories.recent([], 50) if story.hidden
            }

    def asked(self) -> list[str]:
        seen = [path for path, _ in self.site.seen]
        self.site.seen.clear()
        return seen


@pytest.fixture
def paper(site: Any, tmp_path: Path) -> Iterator[Paper]:
    with MailCatcher(tmp_path / "outbox") as catcher:
        yield Paper(site, tmp_path, catcher.port)


def numbers(issue: Issue) -> list[int]:
    return [int(item.headline.split()[2]) for item in issue.items]


def test_the_newest_are_read_in_the_feed_and_others_at_their_pages(paper: Paper) -> None:
    paper.approved()
    paper.publish(*range(1, 10))
    paper.asked()
    issue = paper.tick(SEND_AT)
    assert issue.state is IssueState.SENDING
    assert (issue.checks[-1].changes, issue.checks[-1].notes) == ((), ())
    assert sorted(paper.asked()) == ["/10", "/11", "/12", "/feed", "/robots.txt"]
    assert numbers(issue) == list(range(1, 13))


def test_a_page_that_is_gone_holds_the_issue_and_is_told_once(paper: Paper) -> None:
    paper.approved()
    paper.publish(*range(1, 10), *range(13, 15))
    paper.site.page("/11", b"", status=410)
    held = paper.tick(SEND_AT)
    assert held.state is IssueState.HELD
    assert "“Story number 11 of the paper” is gone: site no longer has it." in held.held_because
    assert numbers(held) == [*range(1, 11), 12, 13]
    for minutes in (1, 2):
        paper.tick(SEND_AT + minutes * MINUTE)
    told = [subject for subject in paper.alerts() if "approval" not in subject]
    assert [subject.partition(":")[0] for subject in told] == ["Held"]
    paper.approve(held)
    assert paper.tick(SEND_AT + 5 * MINUTE).state is IssueState.SENDING
    assert paper.hidden() == {"Story number 11 of the paper": GONE}


def test_what_goes_out_by_itself_is_mended_and_an_extra_is_held(paper: Paper) -> None:
    paper.configure('send_at = "Fri 07:00"', 'send_at = "Fri 07:00"\napproval = "auto"')
    regular = paper.tick(DRAFT_AT)
    assert regular.approved_by == "approval auto"
    paper.publish(*range(2, 15))
    paper.site.page("/1", b"", status=404)
    sent = paper.tick(SEND_AT)
    assert (sent.state, numbers(sent)) == (IssueState.SENDING, list(range(2, 14)))

    paper.publish(0, -1)
    paper.site.page("/-1", b"<title>A story</title>")
    with open_installation(load_config(paper.path, {}), paper.clock) as installation:
        fetch_stories(installation)
        newsletter = installation.settings().newsletter[0]
        slot = named_slot(newsletter, ZoneInfo("America/New_York"), "2026-W32.x1")
        extra = draft_issue(installation, newsletter, slot, actor="lilit").issue
        assert numbers(extra) == [-1, 0]
        approve_issue(installation, extra, actor="lilit")
        paper.publish(0)
        paper.site.page("/-1", b"", status=404)
        tick(installation)
        with installation.database.read() as tx:
            held = tx.issues.by_id(extra.public_id)
    assert held is not None
    assert held.state is IssueState.HELD
    assert numbers(held) == [0]
    assert "Nothing takes its place" in held.checks[-1].changes[0]


def test_a_dead_page_that_the_feed_still_names_gives_way_or_holds(paper: Paper) -> None:
    paper.configure("link_seconds = 0", "link_seconds = 20")
    paper.configure('url = "https://paper.example"', f'url = "{paper.site.url("")}"')
    paper.configure('send_at = "Fri 07:00"', 'send_at = "Fri 07:00"\napproval = "auto"')
    for path in ("", "/"):
        paper.site.page(path, b"front page")
    paper.tick(DRAFT_AT)
    # What would come instead is gone as well.
    paper.site.page("/3", b"", status=404)
    paper.site.page("/13", b"", status=410)
    sent = paper.tick(SEND_AT)
    assert (sent.state, numbers(sent)) == (IssueState.SENDING, [1, 2, *range(4, 13), 14])
    (check,) = sent.checks[1:]
    assert check.changes == (
        "“Story number 3 of the paper” is out: its page does not exist any more. “Story number 14 "
        "of the paper” takes its place.",
    )
    assert any(subject.startswith("Changed at the site") for subject in paper.alerts())


def test_a_dead_page_that_the_feed_still_names_holds_for_a_person(paper: Paper) -> None:
    paper.configure("link_seconds = 0", "link_seconds = 20")
    paper.configure('url = "https://paper.example"', f'url = "{paper.site.url("")}"')
    for path in ("", "/"):
        paper.site.page(path, b"front page")
    paper.approved()
    paper.site.page("/3", b"", status=404)
    held = paper.tick(SEND_AT)
    assert held.state is IssueState.HELD
    assert "/3, which is gone" in held.held_because
    assert any(subject.startswith("Held") for subject in paper.alerts())


def test_where_no_story_is_left_the_issue_is_held(paper: Paper) -> None:
    paper.configure('send_at = "Fri 07:00"', 'send_at = "Fri 07:00"\napproval = "auto"')
    paper.publish(1)
    paper.tick(DRAFT_AT)
    paper.publish()
    paper.site.page("/1", b"", status=404)
    held = paper.tick(SEND_AT)
    assert held.state is IssueState.HELD
    assert "No other story is left to send" in held.held_because


def test_a_site_that_has_lost_all_pages_is_not_believed(paper: Paper) -> None:
    paper.approved()
    paper.publish(1)
    # The feed comes out of a cache.
    for number in range(1, 15):
        paper.site.page(f"/{number}", b"", status=404)
    issue = paper.tick(SEND_AT)
    assert issue.state is IssueState.SENDING
    assert numbers(issue) == list(range(1, 13))
    assert "has none of 11 pages, so it was not believed" in issue.checks[-1].notes[0]
    assert paper.hidden() == {}


def test_many_pages_may_be_gone_where_another_is_there(paper: Paper) -> None:
    paper.approved()
    gone = (10, 11, 12)
    paper.publish(*(number for number in range(1, 15) if number not in gone))
    for number in gone:
        paper.site.page(f"/{number}", b"", status=404)
    held = paper.tick(SEND_AT)
    assert held.state is IssueState.HELD
    assert numbers(held) == [*range(1, 10), 13, 14]
    assert "Gone, too: 2 more." in held.held_because
    assert len(paper.hidden()) == 3


@pytest.mark.parametrize("status", [403, 500, 429])
def test_a_site_in_trouble_is_noted_and_asked_little(paper: Paper, status: int) -> None:
    paper.approved()
    paper.publish()
    for number in range(1, 15):
        paper.site.page(f"/{number}", b"", status=status)
    paper.asked()
    issue = paper.tick(SEND_AT)
    assert issue.state is IssueState.SENDING
    assert numbers(issue) == list(range(1, 13))
    assert issue.checks[-1].notes
    asked = len(paper.asked())
    assert asked <= {403: 14, 500: 5, 429: 3}[status]
    assert paper.hidden() == {}


def test_a_site_that_forbids_robots_is_not_asked_for_pages(paper: Paper) -> None:
    paper.approved()
    paper.publish(*range(1, 11))
    paper.site.page("/robots.txt", b"User-agent: *\nDisallow: /\n")
    paper.asked()
    issue = paper.tick(SEND_AT)
    assert issue.state is IssueState.SENDING
    assert "robots.txt forbids 2 pages" in issue.checks[-1].notes[0]
    assert paper.asked() == ["/feed", "/robots.txt"]


def test_a_source_that_asked_us_to_wait_is_left_alone(paper: Paper) -> None:
    paper.approved()
    paper.site.page("/feed", b"", status=503, Retry_After="7200")
    paper.clock.set(SEND_AT - MINUTE)
    with open_installation(load_config(paper.path, {}), paper.clock) as installation:
        fetch_stories(installation)
    paper.asked()
    issue = paper.tick(SEND_AT)
    assert issue.state is IssueState.SENDING
    assert "site asked us to wait until 2026-08-07 12:59 UTC" in issue.checks[-1].notes[0]
    assert paper.asked() == []


def test_an_issue_that_a_check_stops_is_not_looked_up_at_every_tick(paper: Paper) -> None:
    paper.configure('send_at = "Fri 07:00"', 'send_at = "Fri 07:00"\ntitle = "{{oops"')
    paper.approved()
    paper.asked()
    for minutes in (0, 1, 2):
        issue = paper.tick(SEND_AT + minutes * MINUTE)
        assert (issue.state, len(issue.checks)) == (IssueState.APPROVED, 1)
    assert paper.asked() == []


def test_stories_of_a_sitemap_are_read_at_their_pages(paper: Paper) -> None:
    def page(number: int, title: str) -> None:
        published = (DRAFT_AT - number * timedelta(hours=5)).isoformat()
        head = f'<meta property="article:published_time" content="{published}">'
        paper.site.page(f"/{number}", f"<title>{title}</title>{head}".encode())

    rows = "".join(f"<url><loc>{paper.site.url(f'/{n}')}</loc></url>" for n in range(1, 15))
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    paper.site.page("/sitemap.xml", f"<urlset xmlns='{namespace}'>{rows}</urlset>".encode())
    for number in range(1, 15):
        page(number, f"Story number {number} of the paper")
    paper.configure(f'"{paper.site.url("/feed")}"', f'"{paper.site.url("/sitemap.xml")}"')
    paper.configure("allow_private", 'kind = "sitemap"\nallow_private')
    paper.configure('send_at = "Fri 07:00"', 'send_at = "Fri 07:00"\napproval = "auto"')
    paper.tick(DRAFT_AT)
    paper.site.page("/3", b"", status=404)
    page(5, "Story number 55 of the paper")
    paper.asked()
    issue = paper.tick(SEND_AT)
    assert issue.state is IssueState.SENDING
    assert numbers(issue) == [1, 2, 4, 55, *range(6, 14)]
    # The pages of the issue and of the story that came in, and nothing else.
    assert set(paper.asked()) == {"/robots.txt", *(f"/{n}" for n in range(1, 14))}
