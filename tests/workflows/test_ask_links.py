"""The addresses of an issue asked for real: politely, in bounded time, not twice, and as a gate."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from newsletter.checks.model import Finding
from newsletter.config import load_config
from newsletter.delivery.model import MailingKind
from newsletter.errors import IssueHeld
from newsletter.issues.model import Issue, IssueState
from newsletter.workflows.ask_links import ANSWERS_FILE, GOOD_FOR, look_at_links
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import render_current, start_sending
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import NOW, add_reader
from tests.dns_server import dns_server
from tests.web_pages import site
from tests.workflows.under_way import a_weekly_issue

__all__ = ["site"]

MINUTE = timedelta(minutes=1)


class House:
    """An installation whose issue links to four pages of a site on the loopback."""

    def __init__(self, site: Any, folder: Path, seconds: float, extra: str = "") -> None:
        self.site = site
        self.clock = MovingClock(NOW)
        path = write_config(folder, feed=site.url("/feed"), port=9)
        text = path.read_text(encoding="utf-8")
        text = text.replace("link_seconds = 0", f"link_seconds = {seconds}")
        path.write_text(text.replace("https://paper.example", site.url("")) + extra, "utf-8")
        self.config = load_config(path, {})
        issue = a_weekly_issue()
        self.issue = replace(
            issue,
            sections=tuple(
                replace(
                    section,
                    items=tuple(
                        replace(item, url=site.url(f"/{item.story_id}")) for item in section.items
                    ),
                )
                for section in issue.sections
            ),
        )
        for item in self.issue.items:
            site.page(f"/{item.story_id}", b"<title>A story</title>")
        site.page("", b"front page")
        site.page("/", b"front page")

    def open(self) -> Any:
        return open_installation(self.config, self.clock)

    def look(self, issue: Issue | None = None, **options: Any) -> list[Finding]:
        with self.open() as installation:
            settings = installation.settings()
            issue = issue or self.issue
            made = [(issue, render_current(installation, settings, issue).rendered)]
            return list(look_at_links(installation, settings, issue, made, **options))

    def asked(self) -> list[str]:
        heads, self.site.heads = self.site.heads, []
        return sorted(heads)


@pytest.fixture
def house(site: Any, tmp_path: Path) -> House:
    return House(site, tmp_path, 5)


STORIES = ["/story1", "/story2", "/story3", "/story4"]


def test_each_address_is_asked_once_without_the_tag_of_our_mails(house: House) -> None:
    assert house.look() == []
    assert [path for path in house.asked() if path.startswith("/story")] == STORIES
    # A send that begins right behind a check asks nobody twice; a later one does.
    assert house.look() == []
    assert house.asked() == []
    house.clock.set(NOW + 2 * MINUTE)
    assert house.look(good_for=GOOD_FOR) == []
    assert house.asked() == []
    house.look()
    assert [path for path in house.asked() if path.startswith("/story")] == STORIES


def test_a_story_that_is_gone_stops_and_its_mending_is_seen_at_once(house: House) -> None:
    house.site.page("/story3", b"", status=410)
    (finding,) = house.look()
    assert (finding.level, finding.key, finding.item) == (
        *("stop", "dead_link"),
        "latest/1 “Headline 3”",
    )
    assert house.site.url("/story3") in finding.sentence
    house.asked()
    # A send that is put off believes it for a minute; whoever calls the check does not.
    assert house.look() == [finding]
    assert house.asked() == []
    house.site.page("/story3", b"here again")
    assert house.look(good_for=GOOD_FOR, bad_for=timedelta(0)) == []
    assert house.asked() == ["/story3"]


def test_stories_that_were_just_seen_are_not_asked_for_again(house: House) -> None:
    house.look(known={"story1", "story2"})
    assert [path for path in house.asked() if path.startswith("/story")] == STORIES[2:]


@pytest.mark.parametrize(("status", "level"), [(500, "warn"), (403, "info"), (999, "info")])
def test_a_host_that_fails_or_keeps_us_out_stops_nothing(
    house: House, status: int, level: str
) -> None:
    for path in STORIES:
        house.site.page(path, b"", status=status)
    findings = house.look()
    assert [one.level for one in findings] == [level]
    # A host that fails is left alone after the third time; one that answers is asked for all.
    stories = [path for path in house.asked() if path.startswith("/story")]
    assert len(stories) == (3 if status == 500 else 4)


def test_who_asks_us_to_wait_is_left_alone(house: House) -> None:
    for path in STORIES:
        house.site.page(path, b"", status=503, Retry_After="600")
    assert {one.level for one in house.look()} <= {"info", "warn"}
    assert len(house.asked()) == 1


def test_a_slow_host_takes_no_more_than_the_time_allowed(site: Any, tmp_path: Path) -> None:
    house = House(site, tmp_path, 1)
    over = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        over.wait(20)

    for path in STORIES:
        site.pages[path] = drip
    done = threading.Event()
    found: list[Finding] = []

    def look() -> None:
        found.extend(house.look())
        done.set()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        assert done.wait(15)
        assert {one.level for one in found} <= {"info", "warn"}
        assert found
    finally:
        over.set()
        thread.join()


def test_a_name_is_missing_only_where_dns_itself_says_so(site: Any, tmp_path: Path) -> None:
    for zone, level in (({("elsewhere.example", "A"): ["192.0.2.1"]}, "stop"), (None, "warn")):
        folder = tmp_path / level
        folder.mkdir()
        with dns_server(zone or {}, None if zone else {"gone.invalid": "SERVFAIL"}) as server:
            dns = f'\n[dns]\nnameservers = ["127.0.0.1"]\nport = {server.port}\n'
            house = House(site, folder, 10, dns)
            ranked, latest = house.issue.sections
            item = replace(latest.items[0], url="https://gone.invalid/1")
            latest = replace(latest, items=(item, *latest.items[1:]))
            (finding,) = house.look(replace(house.issue, sections=(ranked, latest)))
        assert (finding.level, finding.item) == (level, "latest/1 “Headline 3”")
        assert "gone.invalid" in finding.sentence


@pytest.mark.parametrize("words", ["", "{", "[1]", '{"a": 1}', '{"a": ["x", "y", "z"]}'])
def test_a_damaged_memory_is_no_harm(house: House, words: str) -> None:
    house.look()
    path = house.config.bootstrap.data_dir / ANSWERS_FILE
    assert json.loads(path.read_text("utf-8"))
    path.write_text(words, encoding="utf-8")
    house.asked()
    assert house.look() == []
    assert house.asked()
    assert json.loads(path.read_text("utf-8"))


def test_with_no_seconds_nobody_is_asked(site: Any, tmp_path: Path) -> None:
    house = House(site, tmp_path, 0)
    site.page("/story3", b"", status=404)
    assert house.look() == []
    assert house.asked() == []


@pytest.fixture
def approved(house: House) -> Iterator[tuple[House, Installation]]:
    with house.open() as installation:
        with installation.database.write() as tx:
            add_reader(tx, 0)
            tx.issues.create(house.issue, NOW, "anna")
        yield house, installation


def state(installation: Installation) -> tuple[IssueState, str, int]:
    with installation.database.read() as tx:
        (issue,) = tx.issues.recent("weekly", 5)
        mailings = [m for m in tx.mailings.of_issue(issue.public_id) if m.kind is MailingKind.ISSUE]
    return issue.state, issue.held_because, len(mailings)


def test_an_issue_with_a_dead_link_is_held_and_nothing_is_queued(
    approved: tuple[House, Installation],
) -> None:
    house, installation = approved
    house.site.page("/story2", b"", status=404)
    with pytest.raises(IssueHeld, match="story2, which is gone"):
        start_sending(installation, house.issue, actor="scheduler")
    held, why, mailings = state(installation)
    assert (held, mailings) == (IssueState.HELD, 0)
    assert "most-read/2 “Headline 2” leads to" in why
    assert "Correct the address or take the story out" in why


def test_an_issue_whose_site_is_in_trouble_goes_out(
    approved: tuple[House, Installation],
) -> None:
    house, installation = approved
    for path in STORIES:
        house.site.page(path, b"", status=500)
    start_sending(installation, house.issue, actor="scheduler")
    assert state(installation) == (IssueState.SENDING, "", 1)
