"""`/l/ID`: where links of mails lead, for whom, and what is counted of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from newsletter.errors import StorageError
from newsletter.feedback.model import Click, ReaderClicks
from newsletter.issues.links import story_links
from newsletter.issues.model import CorrectionKind, CorrectionNote, IssueState, LinkPlace
from newsletter.publication.model import Clicks, Settings
from newsletter.storage.database import Database
from newsletter.tokens import Purpose
from newsletter.workflows.follow import ClickCounter
from tests.sources.test_access_log import FIREFOX
from tests.web.site import NOW, SETTINGS, Site, open_site
from tests.web.test_web_issues import issue_of, put_issue

TARGET = "https://paper.example/lorries"
DAY = date(2025, 8, 5)


def with_clicks(clicks: Clicks) -> Settings:
    tracking = SETTINGS.tracking.model_copy(update={"clicks": clicks})
    return SETTINGS.model_copy(update={"tracking": tracking})


@pytest.fixture
def counting(tmp_path: Path, blank: Path) -> Iterator[Site]:
    """A publication that counts by reader."""
    with open_site(tmp_path, blank, settings=with_clicks("count")) as opened:
        yield opened


def send(site: Site, slot: str = "2025-W32", url: str = TARGET) -> dict[LinkPlace, str]:
    """An issue of one story that went out, and the ids of its links."""
    issue = issue_of(slot, IssueState.SENT)
    (section,) = issue.sections
    item = replace(section.items[0], url=TARGET)
    issue = replace(issue, sections=(replace(section, items=(item,)),))
    put_issue(site, issue, html="<p>as sent</p>")
    links = [replace(link, url=url) for link in story_links(issue)]
    with site.database.write() as tx:
        tx.links.keep(issue.public_id, links)
    return {link.place: link.public_id for link in links}


def follow(site: Site, path: str, *, method: str = "GET", **headers: str) -> Response:
    agent = {"User-Agent": headers.pop("agent", FIREFOX)}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.request(method, path, headers=agent | named)


def counts(site: Site, issue: str = "issue2025w32") -> dict[LinkPlace, tuple[int, int]]:
    """Clicks by persons and by machines; every place that has any."""
    assert site.client.app.state.clicks.write()
    with site.database.read() as tx:
        found = tx.links.clicks(issue)
    return {
        one.link.place: (one.clicks, one.machine_clicks)
        for one in found
        if one.clicks or one.machine_clicks
    }


def test_a_click_is_led_on_and_counted_for_its_place_and_day(site: Site) -> None:
    links = send(site)
    answer = follow(site, f"/l/{links[LinkPlace.HEADLINE]}")
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert answer.content == b""
    site.clock.instant = NOW + timedelta(days=1)
    for place in (LinkPlace.HEADLINE, LinkPlace.TEXT):
        follow(site, f"/l/{links[place]}")
    assert counts(site) == {LinkPlace.HEADLINE: (2, 0), LinkPlace.TEXT: (1, 0)}
    with site.database.read() as tx:
        (headline, *_) = tx.links.clicks("issue2025w32")
    assert {day: found.clicks for day, found in headline.by_day.items()} == {
        DAY: 1,
        DAY + timedelta(days=1): 1,
    }


def test_nothing_of_the_visitor_is_kept(site: Site) -> None:
    links = send(site)
    follow(site, f"/l/{links[LinkPlace.TEXT]}", X_Forwarded_For="192.0.2.77")
    assert counts(site)
    dump = "\n".join(site.dump())
    assert "Firefox" not in dump
    assert "192.0.2." not in dump
    assert "testclient" not in dump


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"agent": ""}),
        ("GET", {"agent": "curl/8"}),
        ("GET", {"agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", {"agent": "Mozilla/5.0 (Mimecast-URL-Protection)"}),
        ("GET", {"agent": "Microsoft Office Existence Discovery"}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", {"X_Moz": "prefetch"}),
        ("GET", {"X_Purpose": "preview"}),
    ],
)
def test_programs_are_led_on_and_counted_apart(
    site: Site, method: str, headers: dict[str, str]
) -> None:
    links = send(site)
    answer = follow(site, f"/l/{links[LinkPlace.TEXT]}", method=method, **headers)
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    assert counts(site) == {LinkPlace.TEXT: (0, 1)}


@pytest.mark.parametrize(
    "path",
    [
        "/l/aaaaaaaaaaaa",
        "/l/aaaaaaaaaaa",
        "/l/https:%2F%2Fevil.example",
        "/l/https://evil.example/",
        "/l//evil.example",
        "/l/%0d%0aLocation:%20https:%2F%2Fevil.example",
        "/l/javascript:alert(1)",
        "/l/%00",
        "/l/' OR '1'='1",
        f"/l/{'a' * 5000}",
        "/l/",
    ],
)
def test_an_unknown_id_leads_to_a_page_of_ours(site: Site, path: str) -> None:
    send(site)
    answer = follow(site, path)
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "evil.example" not in str(answer.headers)
    assert "The Araks Courier" in answer.text
    assert counts(site) == {}


def test_no_address_in_the_request_is_ever_followed(site: Site) -> None:
    links = send(site)
    answer = follow(
        site, f"/l/{links[LinkPlace.TEXT]}?url=https://evil.example&next=//evil.example"
    )
    assert answer.headers["location"] == TARGET


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/inside",
        "ftp://paper.example/x",
        "https://paper.example/\r\nSet-Cookie: a=b",
        "https://paper.example\\@evil.example/",
        "",
    ],
)
def test_what_is_no_web_address_is_never_led_to(site: Site, url: str) -> None:
    """Whoever wrote it into the database."""
    links = send(site, url=url)
    answer = follow(site, f"/l/{links[LinkPlace.TEXT]}")
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers


def correct(site: Site, kind: CorrectionKind, url: str = "") -> None:
    with site.database.write() as tx:
        made = CorrectionNote(site.clock.now(), kind, "story1", "First Lorries", url)
        tx.links.correct("issue2025w32", made, "anna")


def test_a_link_that_is_known_is_corrected_within_seconds(site: Site) -> None:
    path = f"/l/{send(site)[LinkPlace.TEXT]}"
    assert follow(site, path).headers["location"] == TARGET
    correct(site, CorrectionKind.CHANGED, "https://paper.example/other")
    site.clock.instant += timedelta(seconds=6)
    assert follow(site, path).headers["location"] == "https://paper.example/other"


def test_a_withdrawn_link_says_so_and_leads_to_the_issue(site: Site) -> None:
    path = f"/l/{send(site)[LinkPlace.TEXT]}"
    correct(site, CorrectionKind.WITHDRAWN)
    answer = follow(site, path)
    assert answer.status_code == 410
    assert "This link was withdrawn" in answer.text
    assert "noindex" in answer.headers["x-robots-tag"]
    assert 'href="/archive/weekly/2025-W32"' in answer.text
    assert site.client.get("/archive/weekly/2025-W32").status_code == 200
    assert counts(site) == {}
    correct(site, CorrectionKind.CHANGED, TARGET)
    site.clock.instant += timedelta(seconds=6)
    assert follow(site, path).headers["location"] == TARGET


def test_a_link_takes_no_post(site: Site) -> None:
    path = f"/l/{send(site)[LinkPlace.TEXT]}"
    assert follow(site, path, method="POST").status_code == 405
    assert counts(site) == {}


def test_what_was_switched_off_since_is_not_counted(tmp_path: Path, blank: Path) -> None:
    with open_site(tmp_path, blank, settings=with_clicks("off")) as site:
        path = f"/l/{send(site)[LinkPlace.TEXT]}"
        assert follow(site, path).headers["location"] == TARGET
        assert counts(site) == {}


# Clicks of readers.


def serve(site: Site, name: str = "anna", slot: str = "2025-W32") -> Callable[[str], str]:
    """A reader who was handed the issue a minute ago; gives the paths of links in their mail."""
    mailing = f"mailing{issue_of(slot).public_id}"
    reader = site.put(f"{name}@reader.example")
    with site.database.write() as tx:
        tx.mailings.enqueue(mailing, reader.public_id, reader.address, NOW)
        handed_over = f"{NOW - timedelta(minutes=1):%F %T.000000}"
        tx.connection.exec_driver_sql("UPDATE delivery SET handed_over_at = ?", (handed_over,))
    token = site.keyring.sign(Purpose.CLICK, mailing, reader.public_id, short=True)
    return lambda link: f"/l/{link}/{token}"


def readers_clicks(site: Site, name: str = "anna") -> list[tuple[str, int, int]]:
    assert site.client.app.state.clicks.write()
    with site.database.read() as tx:
        reader = tx.subscribers.find(f"{name}@reader.example")
        assert reader is not None
        found: list[ReaderClicks] = tx.links.clicks_of(reader.public_id)
    return [(one.link, one.clicks, one.machine_clicks) for one in found]


def test_a_readers_click_is_counted_for_them_too(counting: Site) -> None:
    link = send(counting)[LinkPlace.PICTURE]
    path = serve(counting)
    for _ in range(2):
        assert follow(counting, path(link)).headers["location"] == TARGET
        counting.clock.instant += timedelta(hours=1)
    follow(counting, f"/l/{link}")
    assert counts(counting) == {LinkPlace.PICTURE: (3, 0)}
    assert readers_clicks(counting) == [(link, 2, 0)]
    with counting.database.read() as tx:
        (found, *_) = [one for one in tx.links.clicks("issue2025w32") if one.clicks]
    assert found.readers == 1


def test_a_reader_is_not_kept_where_clicks_are_anonymous(site: Site) -> None:
    link = send(site)[LinkPlace.TEXT]
    assert follow(site, serve(site)(link)).status_code == 302
    assert counts(site) == {LinkPlace.TEXT: (1, 0)}
    assert readers_clicks(site) == []


def test_a_part_that_is_not_ours_counts_as_nobodys(counting: Site) -> None:
    link = send(counting)[LinkPlace.TEXT]
    good = serve(counting)(link)
    other = counting.keyring.sign(Purpose.BOUNCE, "mailingissue2025w32", "reader1", short=True)
    nobody = counting.keyring.sign(Purpose.CLICK, "mailingissue2025w32", "nobody", short=True)
    forged = [
        good[:-1] + ("a" if good[-1] != "a" else "b"),
        f"/l/{link}/{other}",
        f"/l/{link}/{nobody}",
        f"/l/{link}/preview",
        f"/l/{link}/{'.' * 9}",
        f"/l/{link}/a.b.c.d.e",
        f"/l/{link}/%0d%0a",
    ]
    for path in forged:
        assert follow(counting, path).headers["location"] == TARGET
    assert counts(counting) == {LinkPlace.TEXT: (len(forged), 0)}
    assert readers_clicks(counting) == []


def test_a_part_of_another_issue_counts_as_nobodys(counting: Site) -> None:
    link = send(counting)[LinkPlace.TEXT]
    send(counting, "2025-W33")
    path = serve(counting, slot="2025-W33")
    assert follow(counting, path(link)).headers["location"] == TARGET
    assert counts(counting) == {LinkPlace.TEXT: (1, 0)}
    assert readers_clicks(counting) == []


def test_a_gateway_that_follows_the_mail_at_once_is_a_machine(counting: Site) -> None:
    link = send(counting)[LinkPlace.TEXT]
    path = serve(counting)
    counting.clock.instant = NOW - timedelta(seconds=55)
    follow(counting, path(link))
    counting.clock.instant = NOW
    follow(counting, path(link))
    assert readers_clicks(counting) == [(link, 1, 1)]
    assert counts(counting) == {LinkPlace.TEXT: (1, 1)}


def test_a_forgotten_readers_clicks_are_gone(counting: Site) -> None:
    link = send(counting)[LinkPlace.TEXT]
    path, other = serve(counting), serve(counting, "bob")
    for each in (path, other):
        follow(counting, each(link))
    assert len(readers_clicks(counting)) == len(readers_clicks(counting, "bob")) == 1
    # One more, which is still to be written when the reader is forgotten.
    follow(counting, path(link))
    with counting.database.write() as tx:
        reader = tx.subscribers.find("anna@reader.example")
        assert reader is not None
        tx.subscribers.forget(reader.public_id, NOW, "reader")
    assert counts(counting) == {LinkPlace.TEXT: (3, 0)}
    assert readers_clicks(counting, "bob") == [(link, 1, 0)]
    with counting.database.read() as tx:
        assert tx.links.clicks_of(reader.public_id) == []
    rows = [line for line in counting.dump() if line.startswith('INSERT INTO "reader_click"')]
    assert len(rows) == 1


# A database that takes nothing.


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[None]:
    def fail(self: Database) -> None:
        raise StorageError("the database is locked", subject="test")

    with monkeypatch.context() as patched:
        for name in names:
            patched.setattr(Database, name, fail)
        yield


def test_a_busy_database_holds_no_reader_up_and_loses_no_click(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/l/{send(site)[LinkPlace.TEXT]}"
    with failing(monkeypatch, "write"):
        assert follow(site, path).headers["location"] == TARGET
        assert not site.client.app.state.clicks.write()
    assert counts(site) == {LinkPlace.TEXT: (1, 0)}


def test_a_known_link_works_while_the_database_is_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = send(site)
    path = f"/l/{links[LinkPlace.TEXT]}"
    follow(site, path)
    site.clock.instant += timedelta(minutes=5)
    with failing(monkeypatch, "read", "write"):
        assert follow(site, path).headers["location"] == TARGET
        unknown = follow(site, f"/l/{links[LinkPlace.PICTURE]}")
    assert unknown.status_code == 503
    assert counts(site) == {LinkPlace.TEXT: (2, 0)}


def test_clicks_that_are_given_up_are_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    link = send(site)[LinkPlace.TEXT]
    counter = ClickCounter(site.database, lambda: site.settings, write_seconds=60, max_waiting=2)
    for _ in range(5):
        counter.count(Click(link, NOW, by_machine=False))
    with failing(monkeypatch, "write"), capture_logs() as logs:
        counter.close()
    lost = [line["clicks"] for line in logs if line["event"] == "clicks_lost"]
    assert sorted(lost) == [2, 3]


def test_clicks_are_written_by_themselves(site: Site) -> None:
    link = send(site)[LinkPlace.TEXT]
    counter = ClickCounter(site.database, lambda: site.settings, write_seconds=0.01)
    counter.count(Click(link, NOW, by_machine=False))
    for _ in range(500):
        with site.database.read() as tx:
            if any(found.clicks for found in tx.links.clicks("issue2025w32")):
                break
        time.sleep(0.01)
    else:
        pytest.fail("the click was not written")
    counter.close()


def test_clicks_are_written_when_the_pages_end(tmp_path: Path, blank: Path) -> None:
    with open_site(tmp_path, blank) as site:
        follow(site, f"/l/{send(site)[LinkPlace.TEXT]}")
    database = Database.open(f"sqlite:///{site.path}")
    with database.read() as tx:
        assert [found.clicks for found in tx.links.clicks("issue2025w32")] == [0, 0, 1]
    database.close()
