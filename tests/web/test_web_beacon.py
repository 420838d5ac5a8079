"""The beacon: which opened pages count, and which do not."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from starlette.responses import Response

from newsletter.publication.model import Settings
from tests.contracts.nouns import a_story
from tests.sources.test_access_log import FIREFOX
from tests.web.site import NOW, SETTINGS, Site, make_blank, open_site

DAY = date(2025, 8, 5)
STORY = "https://paper.example/1"
TAG = "?utm_source=newsletter&utm_medium=email&utm_campaign=weekly-2025-W32"
WITH_BEACON = Settings.model_validate(
    SETTINGS.model_dump(mode="json", by_alias=True)
    | {
        "source": [{"slug": "site", "url": "https://feeds.paper.example/feed/"}],
        "reads": [{"slug": "own", "source": "site", "kind": "beacon"}],
    }
)


@pytest.fixture(scope="module")
def blank_with_beacon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_blank(tmp_path_factory.mktemp("beacon") / "newsletter.sqlite", WITH_BEACON)


@pytest.fixture
def paper(tmp_path: Path, blank_with_beacon: Path) -> Iterator[Site]:
    with open_site(tmp_path, blank_with_beacon, settings=WITH_BEACON) as opened:
        with opened.database.write() as tx:
            tx.stories.save([a_story(1), a_story(2)])
        yield opened


def tell(paper: Site, page: str, agent: str = FIREFOX, **headers: str) -> Response:
    return paper.client.post(
        "/b",
        content=page,
        headers={"Content-Type": "text/plain;charset=UTF-8", "User-Agent": agent, **headers},
    )


def reads(paper: Site, *, less_own: bool = False) -> dict[str, int]:
    with paper.database.read() as tx:
        return tx.reads.sums({"site": "own"}, DAY, DAY, less_own=less_own)


def test_an_opened_story_counts_as_a_visit_without_a_cookie(paper: Site) -> None:
    answer = tell(paper, STORY, Origin="https://paper.example")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "set-cookie" not in answer.headers
    assert reads(paper) == {"story1": 1}


def test_a_repeat_counts_again_after_half_an_hour_of_silence(paper: Site) -> None:
    for minutes, count in ((0, 1), (29, 1), (58, 1), (89, 2)):
        paper.clock.instant = NOW + timedelta(minutes=minutes)
        assert tell(paper, STORY).status_code == 204
        assert reads(paper) == {"story1": count}
    tell(paper, STORY, agent=FIREFOX.replace("128", "129"))
    assert reads(paper) == {"story1": 3}


def test_with_two_beacons_an_opened_story_counts_once(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    changes = {
        "source": [
            {"slug": "site", "url": "https://feeds.paper.example/feed/"},
            {"slug": "arts", "url": "https://feeds.paper.example/arts/"},
        ],
        "reads": [
            {"slug": "own", "source": "site", "kind": "beacon"},
            {"slug": "second", "source": "arts", "kind": "beacon"},
        ],
    }
    settings = Settings.model_validate(WITH_BEACON.model_dump(mode="json", by_alias=True) | changes)
    blank = make_blank(tmp_path_factory.mktemp("two") / "newsletter.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as paper:
        with paper.database.write() as tx:
            tx.stories.save([a_story(1), a_story(2, source="arts")])
        tell(paper, STORY)
        tell(paper, "https://paper.example/2")
        with paper.database.read() as tx:
            counted = {slug: tx.reads.sums({"site": slug}, DAY, DAY) for slug in ("own", "second")}
            both = tx.reads.sums({"site": "own", "arts": "second"}, DAY, DAY)
    assert counted == {"own": {"story1": 1}, "second": {"story2": 1}}
    assert both == {"story1": 1, "story2": 1}


def test_what_our_mails_caused_is_told_apart(paper: Site) -> None:
    tell(paper, STORY + TAG)
    tell(paper, STORY, agent=FIREFOX.replace("128", "129"))
    assert reads(paper) == {"story1": 2}
    assert reads(paper, less_own=True) == {"story1": 1}


def test_nothing_of_the_visitor_is_kept(paper: Site) -> None:
    tell(paper, STORY)
    with paper.database.read() as tx:
        ((visit, _),) = tx.read_logs.recent_visits("own")
    assert len(visit) == 24
    assert b"Firefox" not in paper.path.read_bytes()


@pytest.mark.parametrize("agent", ["", "-", "curl/8", "Mozilla/5.0 (compatible; Googlebot/2.1)"])
def test_bots_are_ignored(paper: Site, agent: str) -> None:
    assert tell(paper, STORY, agent=agent).status_code == 204
    assert reads(paper) == {}


@pytest.mark.parametrize("page", ["https://www.paper.example/about/", "https://paper.example/"])
def test_pages_without_a_story_are_ignored(paper: Site, page: str) -> None:
    assert tell(paper, page).status_code == 204
    assert reads(paper) == {}


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("", 400),
        ("x" * 5000, 400),
        ("https://elsewhere.example/1", 403),
        ("javascript:alert(1)", 403),
        ("/1", 403),
        ("https://paper.example@elsewhere.example/1", 403),
        ("https://[", 403),
    ],
)
def test_what_is_no_page_of_the_paper_is_refused(paper: Site, page: str, status: int) -> None:
    assert tell(paper, page).status_code == status
    assert reads(paper) == {}


def test_another_sites_script_is_refused(paper: Site) -> None:
    assert tell(paper, STORY, Origin="https://elsewhere.example").status_code == 403
    assert reads(paper) == {}


def test_any_bytes_are_answered(paper: Site) -> None:
    answer = paper.client.post("/b", content=b"\xff\xfe\0https://", headers={"User-Agent": FIREFOX})
    assert answer.status_code == 403


def test_one_network_may_tell_so_often_a_minute(paper: Site) -> None:
    answers = [tell(paper, STORY).status_code for _ in range(121)]
    assert answers.count(204) == 120
    assert answers[-1] == 429
    paper.clock.instant += timedelta(minutes=2)
    assert tell(paper, STORY).status_code == 204


def test_reading_the_address_does_nothing(paper: Site) -> None:
    assert paper.client.get("/b").status_code == 405
