"""Readers at a glance, and the sign-up forms, as editors meet them."""

import re
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from newsletter.config import PrivacyTable
from newsletter.publication.editors import Role
from newsletter.publication.model import Settings
from newsletter.storage.database import Database
from newsletter.subscribers.figures import (
    ReaderFigures,
    figures_document,
    figures_from_document,
)
from newsletter.web.desk import reader_figures as desk_figures
from newsletter.web.desk.growth_chart import HEIGHT, Line, draw_bars, growth_of
from newsletter.workflows import reader_figures
from newsletter.workflows.reader_figures import WEEKS, count_anew, read_figures
from newsletter.workflows.retention import expire
from tests.web.desk.people import Person, somebody
from tests.web.desk.reader_shop import LILIT, fill
from tests.web.site import NOW, Site


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_figures_of_a_short_list_are_those_of_now(site: Site) -> None:
    fill(site)
    person = somebody(site, Role.VIEWER)
    page = text_of(person.get("/desk/readers").text)
    # 101 came, 14 left, and three of the four that are suppressed had not left before.
    assert "84 would be mailed now" in re.sub(r"(would be mailed now) 84", r"84 \1", page)
    assert "101 came (bars up), 14 went (bars down)" in page
    assert "Jul 21, 2025 11 11 0 3 +8" in page
    assert "footer 90 90 0 10 +80" in page
    assert "the button in their mail program 7" in page
    assert "Too much mail 3" in page
    assert "Count anew" not in page
    assert "@" not in page.replace("@paper.example", "")


def test_who_asks_again_has_signed_up_once(site: Site) -> None:
    for _ in range(3):
        site.sign_up("new@reader.example", placement="footer")
        site.clock.sleep(timedelta(hours=25).total_seconds())
    assert site.state("new@reader.example") == "pending"
    with site.database.read() as tx:
        told = list(tx.growth.since(NOW - timedelta(days=1)))
    assert [(one.act, one.before) for one in told] == [
        ("pending", ""),
        *[("pending", "pending")] * 2,
    ]
    page = text_of(somebody(site, Role.VIEWER).get("/desk/readers").text)
    assert "footer 1 0 0 0 0" in page


def test_figures_outlive_the_log_of_who_it_was(site: Site) -> None:
    fill(site)
    site.put("anew@reader.example", "pending")
    person = somebody(site, Role.VIEWER)
    before = text_of(person.get("/desk/readers").text)
    assert site.context.installation is not None
    site.clock.sleep(timedelta(days=2).total_seconds())
    privacy = PrivacyTable(change_log_days=1)
    for lines in (True, False):
        expired = expire(replace(site.context.installation, privacy=privacy))
        assert bool(expired.changes) is lines
        page = text_of(person.get("/desk/readers").text)
        for part in ("101 came (bars up), 14 went (bars down)", "footer 90 90 0 10 +80"):
            assert part in before
            assert part in page
        assert "the button in their mail program 7" in page
        assert "Too much mail 3" in page


def test_nobody_yet_is_said_with_a_way_on(site: Site) -> None:
    page = text_of(somebody(site, Role.VIEWER).get("/desk/readers").text)
    assert page.count("Nobody is on this list yet. Put a sign-up form on the site") == 2
    assert "In the last 12 weeks nobody came or left." in page


def counted_page(person: Person, path: str) -> str:
    """The page once the count behind it is done, as one who looks again and again sees it."""
    for _ in range(200):
        page = person.get(path).text
        if "Counted anew." in page:
            return page
        time.sleep(0.05)
    raise AssertionError("the readers are not counted")


def test_a_long_list_is_told_as_it_was_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(site)
    monkeypatch.setattr(reader_figures, "SHORT_LIST", 10)
    person = somebody(site, Role.PUBLISHER)
    assert "were not counted yet" in person.get("/desk/readers").text
    counting = threading.Event()
    count = desk_figures.count_anew

    def count_slowly(database: Database, settings: Settings, now: datetime) -> ReaderFigures:
        assert counting.wait(20)
        return count(database, settings, now)

    monkeypatch.setattr(desk_figures, "count_anew", count_slowly)
    again = person.post("/desk/readers/count").headers["location"]
    # Answered at once, however long it takes.
    waits = person.get(again).text
    assert "The readers are being counted" in waits
    assert "Look again" in text_of(waits)
    counting.set()
    counted_page(person, again)
    site.clock.sleep(3600)
    site.put("new@reader.example")
    page = person.get(again).text
    assert "Counted anew." in page
    assert "as counted on 5 Aug 2025" in text_of(page)
    assert "101 came" in text_of(page)
    assert "Count anew" not in somebody(site, Role.VIEWER).get("/desk/readers").text
    again = person.post("/desk/readers/count").headers["location"]
    assert "102 came" in text_of(counted_page(person, again))


def test_kept_figures_are_those_that_were_counted(site: Site) -> None:
    fill(site)
    counted = count_anew(site.database, site.settings, NOW)
    assert figures_from_document(figures_document(counted), NOW) == counted
    assert read_figures(site.database, site.settings, NOW) == counted
    with site.database.read() as tx:
        kept = tx.figures.kept("readers")
    assert kept is not None
    assert figures_from_document(kept[1], kept[0]) == counted


def test_quiet_weeks_have_a_line_too_and_bars_fit(site: Site) -> None:
    fill(site)
    figures = count_anew(site.database, site.settings, NOW)
    growth = growth_of("weekly", figures.growth, figures.since, WEEKS)
    assert len(growth.weeks) == len(growth.bars) == WEEKS
    assert sum(line.came for line in growth.weeks.values()) == growth.all.came == 101
    assert sum(line.went for line in growth.by_both.values()) == growth.all.went == 14
    assert growth.base + max(bar.down for bar in growth.bars) <= HEIGHT
    assert all(bar.up <= growth.base for bar in growth.bars)
    quiet = growth_of("kitchen", figures.growth, figures.since, WEEKS)
    assert [bar.up for bar in quiet.bars] == [0.0] * WEEKS
    # One among a million is still to be seen.
    assert draw_bars([Line(confirmed=10**6), Line(confirmed=1)])[1].up > 1


def test_every_form_is_there_to_copy_with_its_look(site: Site) -> None:
    person = somebody(site, Role.VIEWER)
    answer = person.get("/desk/readers/sign-up?newsletter=kitchen&placement=footer")
    page = answer.text
    assert "&lt;newsletter-signup newsletter=&#34;kitchen&#34; placement=&#34;footer&#34;" in page
    assert "form-action https://news.paper.example" in page
    assert "an administrator (on a multisite network, its super admin) has to paste it" in page
    looks = re.findall(r'<iframe class="look" src="([^"]+)"', page)
    assert len(looks) == 3
    for look in looks[:2]:
        shown = person.get(look)
        assert shown.status_code == 200
        policy = shown.headers["content-security-policy"]
        # It has no origin, so that the site's script reaches nothing of the desk's.
        assert "sandbox allow-scripts" in policy
        assert "allow-same-origin" not in policy
        assert "frame-ancestors 'self'" in policy
    assert site.client.get(looks[2].removeprefix("https://news.paper.example")).status_code == 200
    assert "newsletter-signup" in person.get(looks[0]).text


@pytest.mark.parametrize(
    "path",
    [
        "sign-up?newsletter=nothing",
        "sign-up/weekly/nowhere/element",
        "sign-up/weekly/article/frame",
        "sign-up/nothing/article/element",
    ],
)
def test_a_form_that_is_none_is_not_there(site: Site, path: str) -> None:
    assert somebody(site, Role.VIEWER).get(f"/desk/readers/{path}").status_code == 404


def test_no_address_stands_in_what_viewers_see(site: Site) -> None:
    fill(site)
    person = somebody(site, Role.VIEWER)
    assert LILIT not in person.get("/desk/readers").text


def test_what_came_before_the_weeks_is_not_drawn(site: Site) -> None:
    site.clock.instant = NOW - timedelta(weeks=30)
    site.put(LILIT)
    site.clock.instant = NOW
    page = text_of(somebody(site, Role.VIEWER).get("/desk/readers").text)
    assert "In the last 12 weeks nobody came or left." in page
