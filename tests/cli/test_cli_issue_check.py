"""`newsletter issue check`: each finding on an issue that deserves it, and none on a good one."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.config import load_config
from newsletter.issues.model import Issue
from newsletter.stories.model import Picture
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import must, write_config
from tests.acceptance.moving_clock import MovingClock
from tests.cli.conftest import Call
from tests.contracts.nouns import NOW
from tests.dns_server import DnsServer, dns_server, txt
from tests.real.programs import find_program
from tests.web_pages import site
from tests.workflows.under_way import FEED, a_weekly_issue

__all__ = ["site"]

CHECK = ("issue", "check", "--slot", "2025-W32", "--json")
PREHEADER = "And a second story, and a third, of which the week will be remembered"


def good_issue() -> Issue:
    """One of which nothing is to be said."""
    issue = a_weekly_issue()
    picture = Picture("https://paper.example/p.jpg", 1200, 800, "A square at noon")
    sections = tuple(
        replace(
            section,
            items=tuple(
                replace(
                    item,
                    picture=picture if section.kind == "latest" else None,
                    excerpt=f"What happened in story {item.story_id}.",
                    byline="Ani Example",
                    language="en",
                )
                for item in section.items
            ),
        )
        for section in issue.sections
    )
    return replace(issue, sections=sections, preheader=PREHEADER, subject="What a week it was")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    path = write_config(folder, feed=FEED, port=9)
    with open_installation(load_config(path, {}), MovingClock(NOW)):
        return folder


class Door:
    """The command on a copy of the prepared installation, with an issue put into it."""

    def __init__(self, call: Call, folder: Path) -> None:
        self.call = call
        self.folder = folder

    def configure(self, old: str, new: str) -> None:
        path = self.folder / "config.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, table: str) -> None:
        path = self.folder / "config.toml"
        path.write_text(f"{path.read_text('utf-8')}\n{table}\n", encoding="utf-8")

    def check(self, issue: Issue, *arguments: str) -> tuple[int, list[dict[str, str]]]:
        config = load_config(self.folder / "config.toml", {})
        with (
            open_installation(config, MovingClock(NOW)) as installation,
            installation.database.write() as tx,
        ):
            assert tx.issues.create(issue, NOW, "anna")
        answer = self.call(self.folder, *CHECK, *arguments)
        document = json.loads(answer.out)
        findings = document["findings"]
        if "rendering" not in {one["key"] for one in findings}:
            assert document["encoded_bytes"] >= document["html_bytes"] > 0
        for one in findings:
            assert set(one) == {"key", "level", "item", "sentence", "mend", "variants"}
            assert one["mend"]
            assert one["item"]
            assert one["sentence"].endswith(".")
        return answer.status, findings


@pytest.fixture
def door(call: Call, prepared: Path, tmp_path: Path) -> Door:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return Door(call, tmp_path)


def first(**changes: Any) -> Callable[[Issue], Issue]:
    """The issue with its first latest story changed."""

    def change(issue: Issue) -> Issue:
        ranked, latest = issue.sections
        items = (replace(latest.items[0], **changes), *latest.items[1:])
        return replace(issue, sections=(ranked, replace(latest, items=items)))

    return change


def issue(**changes: Any) -> Callable[[Issue], Issue]:
    return lambda issue: replace(issue, **changes)


def test_of_a_good_issue_nothing_is_said(door: Door) -> None:
    assert door.check(good_issue(), "--no-fetch") == (0, [])
    answer = door.call(door.folder, "issue", "check", "--slot", "2025-W32", "--no-fetch")
    assert answer.out == "nothing to complain of\n"


@pytest.mark.parametrize(
    ("change", "level", "key", "item"),
    [
        (issue(subject=""), "stop", "subject", "subject"),
        (issue(subject="x" * 61), "warn", "subject", "subject"),
        (issue(preheader="short"), "warn", "preheader", "preheader"),
        (issue(note=""), "warn", "note", "note"),
        (issue(sections=()), "stop", "stories", "stories"),
        (lambda i: replace(i, sections=i.sections[:1]), "warn", "lead", "lead"),
        (first(story_id="story4"), "warn", "twice", "latest/2 “Headline 4”"),
        (first(url="https://paper.example/4"), "warn", "twice", "latest/2 “Headline 4”"),
        (first(url="javascript:x"), "stop", "links", "latest/1 “Headline 3”"),
        (first(url="http://paper.example/3"), "warn", "https", "latest/1 “Headline 3”"),
        (first(headline="A {{ brace"), "warn", "marks", "latest/1 “A {{ brace”"),
        (
            first(picture=Picture("https://paper.example/p.jpg", 1200, 800)),
            *("warn", "alt", "latest/1 “Headline 3”"),
        ),
        (
            first(picture=Picture("https://cdn.elsewhere.net/p.jpg", 1200, 800, "A square")),
            *("warn", "host", "cdn.elsewhere.net"),
        ),
        (first(excerpt="x" * 100_000), "stop", "size", "HTML part"),
        (first(excerpt="x" * 74_000), "warn", "size", "HTML part"),
        (first(excerpt="ա" * 12_100), "warn", "size", "HTML part"),
    ],
)
def test_what_an_issue_deserves(
    door: Door, change: Callable[[Issue], Issue], level: str, key: str, item: str
) -> None:
    status, findings = door.check(change(good_issue()), "--no-fetch")
    (found,) = [one for one in findings if one["key"] == key]
    assert (found["level"], found["item"]) == (level, item)
    assert status == (1 if any(one["level"] == "stop" for one in findings) else 0)
    if level == "stop":
        assert status == 1


@pytest.mark.parametrize(
    ("old", "new", "level", "key"),
    [
        ('postal_address = "The Araks', 'postal_address = "" # "The', "warn", "postal_address"),
        (
            'editors = ["desk@paper.example"]',
            'colours = { accent = "#ffcc00" }',
            *("warn", "contrast"),
        ),
        (
            'data_dir = "data"',
            'data_dir = "data"\nweb.base_url = "http://news.paper.example"',
            *("warn", "list_unsubscribe"),
        ),
    ],
)
def test_what_the_settings_deserve(door: Door, old: str, new: str, level: str, key: str) -> None:
    door.configure(old, new)
    status, findings = door.check(good_issue(), "--no-fetch")
    assert status == 0
    assert {(one["level"], one["key"]) for one in findings} >= {(level, key)}


def test_own_templates_are_judged_by_the_mail_that_they_make(door: Door) -> None:
    lead = door.folder / "own" / "email" / "parts" / "lead.html"
    lead.parent.mkdir(parents=True)
    lead.write_text(
        '<tr><td><h5 style="color: #eeeeee; background-color: #ffffff">{{ view.lead.headline }}'
        "</h5><form></form></td></tr>",
        encoding="utf-8",
    )
    door.configure('data_dir = "data"', 'data_dir = "data"\ntemplates_dir = "own"')
    status, findings = door.check(good_issue(), "--no-fetch")
    assert status == 1
    keys = {one["key"] for one in findings}
    assert keys >= {"elements", "headings", "contrast", "text"}
    (text, *_) = [one for one in findings if one["key"] == "text"]
    assert text["item"] == "latest/1 “Headline 3”"


ZONE = {
    ("paper.example", "MX"): ["10 mail.paper.example."],
    ("mail.paper.example", "A"): ["192.0.2.1"],
    ("_dmarc.paper.example", "TXT"): [txt("v=DMARC1; p=none")],
}


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with dns_server(ZONE) as running:
        yield running


def test_dns_and_links_are_asked_unless_told_not_to(
    door: Door, server: DnsServer, site: Any
) -> None:
    door.add(f'[dns]\nnameservers = ["127.0.0.1"]\nport = {server.port}')
    door.configure("link_seconds = 0", "link_seconds = 10")
    door.configure('url = "https://paper.example"', f'url = "{site.url("/front")}"')
    made = good_issue()
    ranked, latest = made.sections
    stories = (
        replace(latest.items[0], url=site.url("/3")),
        replace(latest.items[1], url=site.url("/4")),
    )
    ranked = replace(
        ranked, items=tuple(replace(i, url=site.url(f"/{i.position}")) for i in ranked.items)
    )
    for path in ("/front", "/1", "/2", "/4"):
        site.page(path, b"a page")
    made = replace(made, sections=(ranked, replace(latest, items=stories)))
    status, findings = door.check(made)
    told = {(one["level"], one["key"], one["item"]) for one in findings}
    assert status == 1
    assert ("stop", "dead_link", "latest/1 “Headline 3”") in told
    assert ("warn", "spf", "paper.example") in told
    assert ("warn", "dkim", "paper.example") in told
    quiet = door.call(door.folder, *CHECK, "--no-fetch")
    assert quiet.status == 0
    assert {one["key"] for one in quiet.json["findings"]} == set()


def test_a_link_that_died_since_is_seen_by_a_fresh_check(door: Door, site: Any) -> None:
    door.configure("link_seconds = 0", "link_seconds = 5")
    door.configure('url = "https://paper.example"', f'url = "{site.url("/front")}"')
    site.page("/front", b"a page")
    made = good_issue()
    for section in made.sections:
        for item in section.items:
            site.page(f"/{item.story_id}", b"a page")
    sections = tuple(
        replace(
            section,
            items=tuple(replace(i, url=site.url(f"/{i.story_id}")) for i in section.items),
        )
        for section in made.sections
    )
    story = sections[0].items[0]
    assert door.check(replace(made, sections=sections))[0] == 0
    site.page(f"/{story.story_id}", b"", status=410)
    for options, dead in ((), False), (("--fresh",), True):
        findings = door.call(door.folder, *CHECK, *options).json["findings"]
        assert ("dead_link" in {one["key"] for one in findings}) is dead


def test_what_can_not_be_rendered_is_told_in_a_document_too(door: Door) -> None:
    own = door.folder / "own" / "email"
    own.mkdir(parents=True)
    (own / "layout.html").write_text("{{ nothing.at.all }}", encoding="utf-8")
    path = door.folder / "config.toml"
    path.write_text(f'templates_dir = "own"\n{path.read_text("utf-8")}', encoding="utf-8")
    status, findings = door.check(good_issue())
    assert status == 1
    assert [(one["level"], one["key"], one["item"]) for one in findings] == [
        ("stop", "rendering", "templates")
    ]
    assert "layout.html, line 1" in findings[0]["sentence"]


def test_spamassassin_is_asked_where_it_is_installed(door: Door) -> None:
    find_program("spamassassin", "spamassassin")
    door.configure("spam = false", "spam = true")
    pills = (
        "Dear friend, buy cheap viagra and cialis from our online pharmacy, no prescription. "
        "You have won the lottery: one million dollars by bank transfer from Nigeria."
    )
    bad = first(headline="BUY VIAGRA NOW!!! 100% FREE MONEY $$$", excerpt=pills)(good_issue())
    status, findings = door.check(replace(bad, subject="BUY VIAGRA NOW!!! 100% FREE"), "--no-fetch")
    (spam,) = [one for one in findings if one["key"] == "spam"]
    assert (status, spam["level"]) == (1, "stop")
    assert spam["item"] in spam["sentence"]
    assert "ERECTILE" in spam["sentence"] or "DRUG" in spam["sentence"]


def test_a_good_issue_is_no_spam(door: Door) -> None:
    find_program("spamassassin", "spamassassin")
    door.configure("spam = false", "spam = true")
    assert door.check(good_issue(), "--no-fetch") == (0, [])


def test_a_spamassassin_that_fails_or_hangs_stops_nothing_and_is_told(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = door.folder / "bin" / "spamassassin"
    program.parent.mkdir()
    assert door.check(good_issue(), "--no-fetch") == (0, [])
    door.configure("spam = false", "spam = true")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    for script, seconds, why in (
        ("cat >/dev/null; echo broken >&2; exit 70", 20, "the mail: broken."),
        ("cat >/dev/null; exit 70", 20, "it ended with status 70."),
        ("exec sleep 30", 0.5, "it gave no answer within 0.5 seconds."),
    ):
        monkeypatch.setattr("newsletter.workflows.judge_spam.SECONDS", seconds)
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        answer = door.call(door.folder, *CHECK, "--no-fetch")
        findings = answer.json["findings"]
        assert [(one["level"], one["key"]) for one in findings] == [("info", "spam")]
        assert answer.status == 0
        assert findings[0]["sentence"].endswith(why)
        assert "spamassassin --lint" in findings[0]["mend"]


def test_the_real_command_says_the_sentence_and_the_mend(door: Door) -> None:
    door.check(issue(note="")(good_issue()), "--no-fetch")
    answer = must(door.folder, "issue", "check", "--slot", "2025-W32", "--no-fetch")
    assert answer.out == ("warn: There is no note from the editors above the stories. Write one.\n")
