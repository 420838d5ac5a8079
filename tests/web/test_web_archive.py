"""The public archive: issues as they were sent, and what leads to them."""

import json
import re
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import feedparser
import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from newsletter.delivery.model import Mailing, MailingKind
from newsletter.issues.model import CorrectionKind, CorrectionNote, Issue, IssueState
from newsletter.pictures.model import PictureFile
from newsletter.publication.model import Settings
from newsletter.rendering.model import ReaderSlot
from newsletter.sources.feeds import parse_feed
from newsletter.sources.json_feed import parse_json_feed
from newsletter.sources.sitemap import parse_sitemap
from newsletter.storage.ledger import SqlLedger
from newsletter.stories.model import Picture
from newsletter.web.archive import PAGE_LENGTH
from newsletter.web.archive_frame import Correction, frame_mail
from tests.rendering.sample_issue import sample_issue
from tests.web.site import BASE_URL, NOW, SETTINGS, Site, open_site
from tests.web.test_web_issues import issue_of, put_issue, rendered_html

LEAD_FILE = PictureFile("lead", "a" * 40 + ".jpg", 1184, 790)
CARD_FILE = PictureFile("card", "b" * 40 + ".jpg", 720, 480)


def pictured(issue: Issue) -> Issue:
    """The issue with our own files of the picture of its lead."""
    section, *others = issue.sections
    item, *rest = section.items
    picture = Picture(
        "https://paper.example/p.jpg", 1600, 900, alt="Lorries & <drivers>",
        files=(LEAD_FILE, CARD_FILE),
    )  # fmt: skip
    section = replace(section, items=(replace(item, picture=picture), *rest))
    return replace(issue, sections=(section, *others), lead=item.story_id)


def put_sent(site: Site, slot: str, send_at: datetime, **changes: object) -> Issue:
    issue = replace(
        pictured(issue_of(slot, IssueState.SENT)), send_at=send_at, date=send_at.date(), **changes
    )  # type: ignore[arg-type]
    return put_issue(site, issue, html=rendered_html(site, issue))


@pytest.fixture
def three(site: Site) -> Site:
    """Three weeks of issues, the last one W32."""
    for week in (30, 31, 32):
        put_sent(site, f"2025-W{week}", datetime(2025, 8, 8, 14, tzinfo=UTC) - timedelta(
            weeks=32 - week))  # fmt: skip
    return site


def page(client: TestClient, path: str) -> LexborHTMLParser:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return LexborHTMLParser(answer.text)


def attribute(tree: LexborHTMLParser, selector: str, name: str) -> str | None:
    node = tree.css_first(selector)
    return node.attributes[name] if node is not None else None


def meta(tree: LexborHTMLParser, name: str) -> str | None:
    return attribute(tree, f'meta[property="{name}"], meta[name="{name}"]', "content")


# ---- An issue ----


def test_an_issue_is_there_in_the_minute_after_its_first_hand_over(site: Site) -> None:
    subscriber = site.put("lilit@reader.example")
    site.put("ani@reader.example")
    issue = put_issue(site, issue_of(state=IssueState.SENDING), html="<p>as sent</p>")
    with site.database.write() as tx:
        tx.mailings.enqueue_audience(f"mailing{issue.public_id}", "weekly", NOW)
    address = "/archive/weekly/2025-W32"
    early = site.client.get(address)
    assert early.status_code == 404
    assert early.headers["cache-control"] == "no-store"
    assert address not in site.client.get("/archive/weekly/").text

    hand_over(site, subscriber.address)
    assert "as sent" in site.client.get(address).text
    assert address in site.client.get("/archive/weekly/").text
    for state in (IssueState.PAUSED, IssueState.RECALLED):
        with site.database.write() as tx:
            assert tx.issues.move(issue.public_id, set(IssueState), state, "test", NOW)
        assert site.client.get(address).status_code == 200
        assert address in site.client.get("/archive/weekly/").text


def hand_over(site: Site, address: str) -> None:
    """Claim what waits and hand over one of it."""
    with closing(SqlLedger(site.database)) as ledger:
        worker = ledger.enroll("test", NOW, timedelta(minutes=5))
        claimed = ledger.claim_issues(worker, NOW, 100)
        (row,) = (row.id for row in claimed if row.address == address)
        assert ledger.commit(worker, [], [row], NOW) == {row}


@pytest.mark.parametrize("state", [s for s in IssueState if s is not IssueState.SENT])
def test_what_nobody_has_is_nowhere(site: Site, state: IssueState) -> None:
    put_issue(site, issue_of(state=state), html="<p>as sent</p>")
    for path in ("", "2025-W32", "feed.xml", "feed.json"):
        assert "2025-W32" not in site.client.get(f"/archive/weekly/{path}").text
    assert "2025-W32" not in site.client.get("/sitemap.xml").text


def test_an_archived_issue_is_the_mail_that_was_sent_in_a_frame(three: Site) -> None:
    issue = issue_of("2025-W31")
    answer = three.client.get("/archive/weekly/2025-W31")
    sent = rendered_html(three, replace(pictured(issue), date=date(2025, 8, 1)))
    wrapper = sent[sent.index('<table class="page"') : sent.index("<!--reader-->")]
    assert wrapper in answer.text
    tree = LexborHTMLParser(answer.text)
    assert "First Lorries Cross <at> Dawn" in tree.css_first("main").text()
    assert len(tree.css("body")) == len(tree.css("main")) == len(tree.css("title")) == 1
    assert attribute(tree, 'header a[rel="prev"]', "href") == "/archive/weekly/2025-W30"
    assert attribute(tree, 'header a[rel="next"]', "href") == "/archive/weekly/2025-W32"
    assert attribute(tree, "footer a.archive-button", "href") == "/subscribe/weekly"
    assert "July 25, 2025" in tree.css_first("footer nav").text()
    assert tree.css_first(".archive-note") is None
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "sandbox" in policy
    for never in ("script-src", "allow-scripts", "allow-same-origin", "allow-forms"):
        assert never not in policy


@pytest.mark.parametrize(
    ("slot", "older", "newer"),
    [("2025-W30", None, "2025-W31"), ("2025-W32", "2025-W31", None)],
)
def test_the_first_and_the_last_issue_have_one_neighbour(
    three: Site, slot: str, older: str | None, newer: str | None
) -> None:
    tree = page(three.client, f"/archive/weekly/{slot}")
    for rel, other in (("prev", older), ("next", newer)):
        links = {node.attributes["href"] for node in tree.css(f'[rel="{rel}"]')}
        assert links == ({f"/archive/weekly/{other}"} if other else set())


def test_an_only_issue_has_none(site: Site) -> None:
    put_sent(site, "2025-W32", NOW)
    tree = page(site.client, "/archive/weekly/2025-W32")
    assert tree.css('[rel="prev"], [rel="next"]') == []
    assert tree.css_first("footer nav") is None


def test_who_shares_an_issue_shows_it_with_its_picture(three: Site) -> None:
    tree = page(three.client, "/archive/weekly/2025-W31")
    url = f"{BASE_URL}/archive/weekly/2025-W31"
    assert attribute(tree, 'link[rel="canonical"]', "href") == url
    assert {
        name: meta(tree, name)
        for name in (
            *("og:type", "og:site_name", "og:title", "og:description", "og:url", "og:image"),
            *("og:image:width", "og:image:height", "og:image:alt", "twitter:card"),
            *("description", "robots"),
        )
    } == {
        "og:type": "article",
        "og:site_name": "The Araks Courier",
        "og:title": "The border road reopens, 2025-W31",
        "og:description": "Plus a letter never posted",
        "og:url": url,
        "og:image": f"{BASE_URL}/media/{LEAD_FILE.name}",
        "og:image:width": "1184",
        "og:image:height": "790",
        "og:image:alt": "Lorries & <drivers>",
        "twitter:card": "summary_large_image",
        "description": "Plus a letter never posted",
        "robots": None,
    }
    assert len(tree.css('meta[name="description"]')) == 1
    assert meta(tree, "article:published_time") == NOW.isoformat()
    feeds = {node.attributes["type"]: node.attributes["href"] for node in tree.css("link[type]")}
    assert feeds == {
        "application/rss+xml": f"{BASE_URL}/archive/weekly/feed.xml",
        "application/feed+json": f"{BASE_URL}/archive/weekly/feed.json",
    }


def test_an_issue_without_preheader_or_picture_is_described_by_its_headlines(site: Site) -> None:
    issue = replace(issue_of(state=IssueState.SENT), preheader="")
    put_issue(site, issue, html=rendered_html(site, issue))
    tree = page(site.client, "/archive/weekly/2025-W32")
    assert meta(tree, "description") == "First Lorries Cross <at> Dawn"
    assert meta(tree, "og:image") is None
    assert meta(tree, "twitter:card") == "summary"


def test_a_picture_that_is_left_at_the_site_is_shared_from_there(site: Site) -> None:
    issue = pictured(issue_of(state=IssueState.SENT))
    section = issue.sections[0]
    picture = replace(section.items[0].picture, files=())  # type: ignore[type-var]
    items = (replace(section.items[0], picture=picture),)
    issue = replace(issue, sections=(replace(section, items=items),))
    put_issue(site, issue, html=rendered_html(site, issue))
    tree = page(site.client, "/archive/weekly/2025-W32")
    assert meta(tree, "og:image") == "https://paper.example/p.jpg"
    assert meta(tree, "og:image:width") == "1600"
    assert page(site.client, "/archive/weekly/").css("main img") == []


def put_variant(
    site: Site,
    issue: Issue,
    language: str,
    words: str,
    *departments: str,
    revision: int = 1,
) -> None:
    with site.database.write() as tx:
        mailing = Mailing(
            public_id=f"variant{language}{revision}{''.join(departments)}",
            kind=MailingKind.ISSUE,
            subject=words,
            html=f"<!DOCTYPE html><html lang={language}><head><title>{words}</title></head>"
            f"<body><p>{words}</p></body></html>",
            text=words,
            from_name="The Araks Courier",
            from_address="weekly@paper.example",
            created_at=NOW,
            language=language,
            revision=revision,
            departments=departments,
        )
        key = mailing.public_id
        assert tx.mailings.create(mailing, key=key, issue_id=issue.public_id, newsletter="weekly")


def test_lang_picks_another_rendering_where_there_is_one(site: Site) -> None:
    issue = put_issue(site, issue_of(state=IssueState.SENT))
    put_variant(site, issue, "en", "First English")
    put_variant(site, issue, "hy", "Հայերեն")
    put_variant(site, issue, "en", "Second English", revision=2)
    # What only some readers chose is no page.
    put_variant(site, issue, "en", "Second Arts", "Arts", revision=2)
    put_variant(site, issue, "fr", "Les arts", "Arts", revision=2)
    path = "/archive/weekly/2025-W32"
    url = f"{BASE_URL}{path}"
    for query, words, canonical in (
        ("", "Second English", url),
        ("?lang=hy", "Հայերեն", f"{url}?lang=hy"),
        ("?lang=en", "Second English", url),
        ("?lang=fr", "Second English", url),
        ("?lang=%22%3E%3Cscript%3E", "Second English", url),
    ):
        tree = page(site.client, path + query)
        assert tree.css_first("main p").text() == words
        assert attribute(tree, 'link[rel="canonical"]', "href") == canonical
        assert {
            n.attributes["hreflang"]: n.attributes["href"] for n in tree.css("link[hreflang]")
        } == {
            "en": url,
            "hy": f"{url}?lang=hy",
        }


def test_the_frame_and_the_list_speak_the_language_that_was_picked(three: Site) -> None:
    tree = page(three.client, "/archive/weekly/2025-W31?lang=hy")
    assert attribute(tree, "html", "lang") == "en"
    assert attribute(tree, "header", "lang") == attribute(tree, "footer", "lang") == "hy"
    assert "Նախորդ թողարկումը" in tree.css_first("footer").text()
    links = {n.attributes["href"] for n in tree.css("header a[rel], footer a")}
    assert links == {
        "/archive/weekly/2025-W30?lang=hy",
        "/archive/weekly/2025-W32?lang=hy",
        "/subscribe/weekly?lang=hy",
    }
    canonical = f"{BASE_URL}/archive/weekly/"
    assert attribute(tree, 'link[rel="canonical"]', "href") == f"{canonical}2025-W31"
    listed = page(three.client, "/archive/weekly/?lang=hy")
    assert attribute(listed, "html", "lang") == "hy"
    assert attribute(listed, "h3 a", "href") == "/archive/weekly/2025-W32?lang=hy"
    assert attribute(listed, 'link[rel="canonical"]', "href") == canonical


def test_corrections_stand_above_the_issue_with_their_date(site: Site) -> None:
    issue = issue_of()
    frame = frame_mail(
        rendered_html(site, issue),
        site.templates,
        publication=site.settings.publication,
        newsletter=site.settings.newsletter[0],
        base_path="", language="en", picked="", issue=issue, title="t", description="",
        picture=None, published_at=NOW, changed_at=NOW, url="u", urls={"en": "u"},
        archive_url="a/", noindex=False, older=None, newer=None,
        spoken="en", languages=[("en", "English")],
        corrections=(
            Correction(date(2025, 8, 9), "The road is 41 <km> long."),
            Correction(date(2025, 8, 10), "The link to the timetable was mended."),
        ),
    )  # fmt: skip
    tree = LexborHTMLParser(frame)
    note = " ".join(tree.css_first(".archive-note").text().split())
    assert note == (
        "Corrected on August 9, 2025: The road is 41 <km> long. "
        "Corrected on August 10, 2025: The link to the timetable was mended."
    )
    assert frame.index('archive-note"') < frame.index("First Lorries")


def test_a_corrected_link_is_told_of_above_the_issue_and_right_in_the_feeds(three: Site) -> None:
    later = datetime(2025, 8, 12, 3, tzinfo=UTC)
    target = "https://paper.example/other?a=1&b=2"
    with three.database.write() as tx:
        for kind, url, told in (
            (CorrectionKind.CHANGED, target, ""),
            (CorrectionKind.WITHDRAWN, "", "We took the <story> back."),
        ):
            issue = "issue2025w32" if url else "issue2025w31"
            made = CorrectionNote(later, kind, "story1", "First Lorries", url, told)
            tx.links.correct(issue, made, "anna")
    words = {
        slot: " ".join(page(three.client, f"/archive/weekly/{slot}").css_first(".archive-note")
            .text().split())
        for slot in ("2025-W31", "2025-W32")
    }  # fmt: skip
    # By the newsletter's own calendar: in Los Angeles it was still the day before.
    assert words == {
        "2025-W31": "Corrected on August 11, 2025: The link of “First Lorries” was withdrawn. "
        "We took the <story> back.",
        "2025-W32": "Corrected on August 11, 2025: The link of “First Lorries” leads to another "
        "page now.",
    }
    contents = [
        entry["content_html"]
        for entry in three.client.get("/archive/weekly/feed.json").json()["items"]
    ]
    links = [[n.attributes["href"] for n in LexborHTMLParser(c).css("a")] for c in contents]
    assert links == [[target], [], ["https://paper.example/lorries"]]
    assert "First Lorries" in contents[1]
    sitemap = parse_sitemap(three.client.get("/sitemap.xml").content, BASE_URL).entries
    changed = {entry.url[-8:]: entry.dated for entry in sitemap}
    assert (changed["2025-W32"], changed["2025-W30"]) == (later, NOW)
    headers = three.client.get("/archive/weekly/2025-W31").headers
    assert parsedate_to_datetime(headers["last-modified"]) == later


def test_a_correction_says_in_which_language_its_words_are(site: Site) -> None:
    issue = put_issue(site, issue_of(state=IssueState.SENT))
    put_variant(site, issue, "en", "English")
    put_variant(site, issue, "hy", "Հայերեն")
    made = CorrectionNote(
        NOW, CorrectionKind.WITHDRAWN, "story1", "First <b> Lorries", "", "We took it back."
    )
    with site.database.write() as tx:
        tx.links.correct(issue.public_id, made, "anna")
    path = "/archive/weekly/2025-W32"
    note = page(site.client, f"{path}?lang=hy").css_first(".archive-note p bdi")
    assert [(n.attributes["lang"], n.text()) for n in note.css("[lang]")] == [
        ("en", "First <b> Lorries"),
        ("en", "We took it back."),
    ]
    assert note.text().startswith("«First <b> Lorries»")
    # In the page's own language there is nothing to mark.
    assert page(site.client, f"{path}?lang=en").css(".archive-note p bdi [lang]") == []


def test_an_archived_issue_leads_to_its_other_languages_and_its_neighbours_stay_in_it(
    three: Site,
) -> None:
    path = "/archive/weekly/2025-W31"
    assert page(three.client, path).css(".archive-languages") == []
    with three.database.read() as tx:
        issue = tx.issues.by_id("issue2025w31")
    assert issue is not None
    put_variant(three, issue, "hy", "Հայերեն")
    # There are no words of ours in it.
    put_variant(three, issue, "fr", "Français")
    shown = page(three.client, path).css(".archive-languages a")
    assert [(a.attributes["href"], a.attributes["hreflang"], a.text()) for a in shown] == [
        ("?lang=en", "en", "English"),
        ("?lang=hy", "hy", "հայերեն"),
        ("?lang=fr", "fr", "français"),
    ]
    for tag in ("hy", "fr"):
        tree = page(three.client, f"{path}?lang={tag}")
        current = tree.css(".archive-languages [aria-current]")
        assert [a.attributes["hreflang"] for a in current] == [tag]
        links = {a.attributes["href"] for a in tree.css('a[rel="prev"], a[rel="next"]')}
        assert links == {
            f"/archive/weekly/2025-W30?lang={tag}",
            f"/archive/weekly/2025-W32?lang={tag}",
        }


def test_the_mail_links_to_its_own_page(site: Site) -> None:
    html = rendered_html(site, issue_of())
    assert f'href="{BASE_URL}/archive/weekly/2025-W32"' in html


@pytest.mark.parametrize("slot", ["2025-W33", "nonsense", "2025-W32.x1", "..%2f..%2fetc"])
def test_an_issue_that_is_not_there(three: Site, slot: str) -> None:
    assert three.client.get(f"/archive/weekly/{slot}").status_code == 404
    assert three.client.get("/archive/kitchen/2025-W32").status_code == 404
    assert three.client.get("/archive/daily/2025-W32").status_code == 404


def test_no_readers_mark_token_or_link_is_anywhere(three: Site) -> None:
    issue = sample_issue(slot="2025-W33", state=IssueState.SENT, public_id="sample")
    html = rendered_html(three, issue)
    assert ReaderSlot.UNSUBSCRIBE in html
    assert ReaderSlot.PREFERENCES in html
    put_issue(three, issue, html=html)
    for path in (
        *("/archive/weekly/", "/archive/weekly/2025-W33", "/archive/weekly/2025-W31"),
        *("/archive/weekly/feed.xml", "/archive/weekly/feed.json", "/sitemap.xml", "/robots.txt"),
    ):
        text = three.client.get(path).text
        for never in ("XXREADER", "/unsubscribe", "/preferences", "/confirm", "/desk/"):
            assert never not in text, (path, never)
        # Tokens are 32 characters of base 32 behind a dot; nothing else here looks like that.
        assert re.search(r"\.[a-z2-7]{16,}", text) is None, path


# ---- The list ----


def test_the_list_shows_date_title_stories_and_a_small_picture(three: Site) -> None:
    tree = page(three.client, "/archive/weekly/")
    first = tree.css_first("ol.issues li")
    assert " ".join(first.text().split()) == (
        "Friday, August 8 The border road reopens, 2025-W32 Plus a letter never posted "
        "1 story, 6 minutes"
    )
    assert attribute(tree, "li img", "src") == f"/media/{CARD_FILE.name}"
    assert attribute(tree, "li img", "alt") == ""
    slots = [node.attributes["href"] for node in tree.css("ol.issues h3 a")]
    assert slots == [f"/archive/weekly/2025-W{week}" for week in (32, 31, 30)]
    assert [node.text() for node in tree.css("h2")] == ["2025"]
    assert tree.css("nav.years, nav.pages") == []
    assert attribute(tree, 'link[rel="canonical"]', "href") == f"{BASE_URL}/archive/weekly/"
    assert three.client.get("/archive/daily/").status_code == 404


def test_an_empty_archive_says_when_the_first_issue_comes(site: Site) -> None:
    tree = page(site.client, "/archive/kitchen/")
    assert "No issue has gone out yet. The first one comes on" in tree.css_first("main").text()
    assert attribute(tree, ".empty a", "href") == "/subscribe/kitchen"
    assert tree.css("ol") == []


def test_many_issues_come_in_pages_grouped_by_year(site: Site) -> None:
    start = datetime(2023, 12, 8, 15, tzinfo=UTC)
    count = PAGE_LENGTH * 2 + 5
    for number in range(count):
        send_at = start + timedelta(weeks=number)
        put_issue(
            site,
            replace(
                issue_of(f"{send_at:%G-W%V}", IssueState.SENT), send_at=send_at,
                date=send_at.date(), public_id=f"issue{number}",
            ),
            html="<p>as sent</p>",
        )  # fmt: skip
    seen: list[str] = []
    path = "/archive/weekly/"
    pages = []
    while path:
        tree = page(site.client, path)
        seen += [node.attributes["href"] or "" for node in tree.css("ol.issues h3 a")]
        pages.append([node.text() for node in tree.css("h2")])
        years = {node.text(): node.attributes["href"] or "" for node in tree.css("nav.years a")}
        path = attribute(tree, 'nav.pages a[rel="next"]', "href") or ""
    assert len(seen) == len(set(seen)) == count
    assert pages == [["2025", "2024"], ["2024"], ["2024", "2023"]]
    assert years == {
        "2025": "/archive/weekly/#y2025",
        "2024": "/archive/weekly/#y2024",
        "2023": "/archive/weekly/?page=3#y2023",
    }
    assert attribute(tree, 'nav.pages a[rel="prev"]', "href") == "/archive/weekly/?page=2"
    picked = page(site.client, "/archive/weekly/?page=2&lang=en")
    turns = [node.attributes["href"] for node in picked.css("nav.pages a")]
    assert turns == ["/archive/weekly/?lang=en", "/archive/weekly/?page=3&lang=en"]
    canonical = attribute(tree, 'link[rel="canonical"]', "href")
    assert canonical == f"{BASE_URL}/archive/weekly/?page=3"
    for wrong in ("0", "4", "-1", "x", "٣", "9" * 30, ""):
        assert site.client.get("/archive/weekly/", params={"page": wrong}).status_code == 404


# ---- Feeds ----


def test_an_issue_in_a_feed_says_its_language_and_comes_once_whatever_its_variants(
    site: Site,
) -> None:
    issue = issue_of(state=IssueState.SENT)
    (section,) = issue.sections
    told = (("english", "Lorries", "en"), ("armenian", "Սևանի թատրոն", None), ("own", "١", None))
    items = tuple(
        replace(section.items[0], story_id=name, headline=headline, language=language)
        for name, headline, language in told
    )
    issue = replace(issue, language="ar", sections=(replace(section, items=items),))
    put_issue(site, issue)
    for language in ("ar", "en"):
        put_variant(site, issue, language, f"In {language}")
    put_variant(site, issue, "ar", "Arts", "Arts")
    (entry,) = site.client.get("/archive/weekly/feed.json").json()["items"]
    assert (entry["url"], entry["language"]) == (f"{BASE_URL}/archive/weekly/2025-W32", "ar")
    (rss,) = feedparser.parse(site.client.get("/archive/weekly/feed.xml").content).entries
    assert rss.link == entry["url"]
    whole = LexborHTMLParser(entry["content_html"]).css_first("body > div")
    assert (whole.attributes["lang"], whole.attributes["dir"]) == ("ar", "rtl")
    marks = [(n.attributes.get("lang"), n.attributes.get("dir")) for n in whole.css("li")]
    assert marks == [("en", "ltr"), ("hy", "ltr"), (None, None)]


def test_rss_is_read_by_feedparser_and_by_ourselves(three: Site) -> None:
    answer = three.client.get("/archive/weekly/feed.xml")
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert feed.version == "rss20"
    assert feed.feed.title == "The Courier Weekly"
    assert feed.feed.link == f"{BASE_URL}/archive/weekly/"
    assert feed.feed.language == "en"
    assert [entry.title[-3:] for entry in feed.entries] == ["W32", "W31", "W30"]
    entry = feed.entries[0]
    assert entry.link == entry.id == f"{BASE_URL}/archive/weekly/2025-W32"
    assert parsedate_to_datetime(entry.published) == NOW
    assert entry.summary == "Plus a letter never posted"
    assert "First Lorries Cross &lt;at&gt; Dawn" in entry.content[0].value
    assert entry.media_content[0]["url"] == f"{BASE_URL}/media/{LEAD_FILE.name}"
    ours = parse_feed(answer.content, f"{BASE_URL}/archive/weekly/feed.xml")
    assert ours.problems == ()
    assert [item.url[-8:] for item in ours.items] == ["2025-W32", "2025-W31", "2025-W30"]
    assert ours.items[0].picture is not None


def test_json_feed_is_read_by_ourselves(three: Site) -> None:
    answer = three.client.get("/archive/weekly/feed.json")
    assert answer.headers["content-type"] == "application/feed+json; charset=utf-8"
    document = answer.json()
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document["feed_url"] == f"{BASE_URL}/archive/weekly/feed.json"
    ours = parse_json_feed(answer.content, document["feed_url"])
    assert ours.batch.problems == ()
    assert ours.profile.name == "The Courier Weekly"
    item = ours.batch.items[0]
    assert item.title == "The border road reopens, 2025-W32"
    assert item.url == f"{BASE_URL}/archive/weekly/2025-W32"
    assert item.published_at == NOW
    assert item.language == "en"
    assert item.picture is not None
    assert item.picture.url == f"{BASE_URL}/media/{LEAD_FILE.name}"


@pytest.mark.parametrize("name", ["feed.xml", "feed.json"])
def test_a_feed_holds_the_newest_twenty_and_may_be_empty(site: Site, name: str) -> None:
    path = f"/archive/weekly/{name}"
    assert site.client.get(path).status_code == 200
    assert site.client.get(f"/archive/daily/{name}").status_code == 404
    for week in range(10, 34):
        send_at = datetime(2025, 3, 7, 15, tzinfo=UTC) + timedelta(weeks=week - 10)
        put_issue(
            site,
            replace(issue_of(f"2025-W{week}", IssueState.SENT), send_at=send_at),
            html="<p>as sent</p>",
        )
    answer = site.client.get(path)
    found = re.findall(r"/archive/weekly/(2025-W\d\d)", answer.text)
    assert list(dict.fromkeys(found)) == [f"2025-W{week}" for week in range(33, 13, -1)]


def test_letters_that_xml_has_no_place_for_do_not_break_a_feed(site: Site) -> None:
    put_sent(
        site, "2025-W32", NOW, subject="Bells \x07 & <tags> ]]> \x0b \uffff", preheader="\x1b[31m"
    )
    answer = site.client.get("/archive/weekly/feed.xml")
    feed = feedparser.parse(answer.content)
    assert not feed.bozo
    assert feed.entries[0].title == "Bells \ufffd & <tags> ]]> \ufffd \ufffd"
    assert json.loads(site.client.get("/archive/weekly/feed.json").content)["items"]


# ---- Search engines and caches ----


def test_the_sitemap_names_every_page_once(three: Site) -> None:
    answer = three.client.get("/sitemap.xml")
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    entries = parse_sitemap(answer.content, f"{BASE_URL}/sitemap.xml").entries
    assert {entry.url: entry.dated for entry in entries} == {
        f"{BASE_URL}/": None,
        f"{BASE_URL}/archive/weekly/": NOW,
        **{f"{BASE_URL}/archive/weekly/2025-W{week}": NOW for week in (30, 31, 32)},
    }
    for entry in entries:
        assert three.client.get(entry.url.removeprefix(BASE_URL)).status_code == 200
    robots = three.client.get("/robots.txt")
    assert robots.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"Sitemap: {BASE_URL}/sitemap.xml" in robots.text.splitlines()


def test_noindex_by_choice(tmp_path: Path, blank: Path) -> None:
    weekly, kitchen = SETTINGS.newsletter
    weekly = weekly.model_copy(update={"archive_noindex": True})
    settings = SETTINGS.model_copy(update={"newsletter": (weekly, kitchen)})
    with open_site(tmp_path, blank, settings=Settings.model_validate(settings)) as site:
        put_sent(site, "2025-W32", NOW)
        for path in ("", "2025-W32"):
            answer = site.client.get(f"/archive/weekly/{path}")
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["cache-control"].startswith("public")
            assert meta(LexborHTMLParser(answer.text), "robots") == "noindex"
        for name in ("feed.xml", "feed.json"):
            headers = site.client.get(f"/archive/weekly/{name}").headers
            assert headers["x-robots-tag"] == "noindex"
        assert "weekly" not in site.client.get("/sitemap.xml").text
        other = site.client.get("/archive/kitchen/")
        assert "x-robots-tag" not in other.headers
        assert meta(LexborHTMLParser(other.text), "robots") is None


PATHS = (
    "/archive/weekly/",
    "/archive/weekly/2025-W31",
    "/archive/weekly/feed.xml",
    "/archive/weekly/feed.json",
    "/sitemap.xml",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_cache_may_ask_whether_anything_changed(three: Site, path: str) -> None:
    whole = three.client.get(path)
    assert whole.headers["cache-control"].startswith("public")
    tag, changed = whole.headers["etag"], whole.headers["last-modified"]
    assert parsedate_to_datetime(changed) == NOW
    for headers in (
        {"if-none-match": tag},
        {"if-none-match": f'"other", W/{tag}'},
        {"if-none-match": "*"},
        {"if-modified-since": changed},
        {"if-none-match": tag, "if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    ):
        answer = three.client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (304, b""), headers
        for name in ("etag", "last-modified", "cache-control", "content-security-policy"):
            assert answer.headers[name] == whole.headers[name]
        assert "content-type" not in answer.headers
    for headers in (
        {"if-none-match": '"other"'},
        {"if-none-match": '"other"', "if-modified-since": changed},
        {"if-modified-since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": changed.replace("GMT", "-0000")},
    ):
        answer = three.client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (200, whole.content), headers


@pytest.mark.parametrize("path", PATHS)
def test_the_next_issue_changes_what_leads_to_it(three: Site, path: str) -> None:
    whole = three.client.get(path)
    later = NOW + timedelta(days=4)
    issue = replace(issue_of("2025-W31.x1", IssueState.SENT), send_at=datetime(2025, 8, 5,
        tzinfo=UTC))  # fmt: skip
    put_issue(three, issue)
    put_later(three, issue, later)
    asked = {"if-none-match": whole.headers["etag"]}
    assert three.client.get(path, headers=asked).status_code == 200
    asked = {"if-modified-since": whole.headers["last-modified"]}
    changed = three.client.get(path, headers=asked)
    assert changed.status_code == 200
    assert parsedate_to_datetime(changed.headers["last-modified"]) == later


def put_later(site: Site, issue: Issue, at: datetime) -> None:
    with site.database.write() as tx:
        mailing = Mailing(
            public_id="later", kind=MailingKind.ISSUE, subject="s", html="<p>later</p>", text="t",
            from_name="n", from_address="weekly@paper.example", created_at=at, language="en",
        )  # fmt: skip
        tx.mailings.create(mailing, key="later", issue_id=issue.public_id, newsletter="weekly")


def test_below_a_path_every_link_keeps_it(tmp_path: Path, blank: Path) -> None:
    with open_site(tmp_path, blank, base_url="https://paper.example/news") as site:
        put_sent(site, "2025-W31", NOW - timedelta(days=7))
        put_sent(site, "2025-W32", NOW)
        for path in ("", "2025-W31", "2025-W32"):
            tree = page(site.client, f"/news/archive/weekly/{path}")
            for node in tree.css("a[href], link[href], img[src]"):
                address = node.attributes.get("href") or node.attributes.get("src") or ""
                assert address.startswith(("/news/", "https://", "mailto:", "#")), address
            canonical = attribute(tree, 'link[rel="canonical"]', "href")
            assert canonical == f"https://paper.example/news/archive/weekly/{path}"
        robots = site.client.get("/news/robots.txt").text
        assert "https://paper.example/news/sitemap.xml" in robots
