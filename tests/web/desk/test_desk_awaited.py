"""What is worked out behind a page: the page says so at once, and has it when one looks again."""

import threading
from collections.abc import Callable

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from newsletter.storage.segments import SegmentRepository
from newsletter.storage.standings import Standings
from newsletter.storage.story_search import StorySearch
from newsletter.web.desk import background
from tests.web.desk.people import Person, somebody
from tests.web.desk.reader_shop import fill
from tests.web.desk.send_shop import ISSUE, PATH, open_send_shop
from tests.web.site import Site

SEGMENT = "/desk/readers/segments?filter=state+%3D+active"


@pytest.fixture
def admin(site: Site) -> Person:
    return somebody(open_send_shop(site), Role.ADMIN)


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Until this is set what takes long on a large paper takes for ever."""
    gate = threading.Event()
    monkeypatch.setattr(background, "PATIENCE", 0.0)

    def behind(work: Callable[..., object]) -> Callable[..., object]:
        def wait(*args: object, **values: object) -> object:
            assert gate.wait(30)
            return work(*args, **values)

        return wait

    for place, name in (
        (SegmentRepository, "count"),
        (StorySearch, "most_read"),
        (Standings, "most_read"),
    ):
        monkeypatch.setattr(place, name, behind(getattr(place, name)))
    return gate


def part_of(person: Person, address: str, part: str, *, made: bool = False) -> LexborHTMLParser:
    answer = person.get_made(address) if made else person.get(address)
    assert answer.status_code == 200
    found = LexborHTMLParser(answer.text).css_first(part)
    assert found is not None, answer.text
    return LexborHTMLParser(found.html or "")


def see(person: Person, opens: threading.Event, address: str, part: str) -> str:
    """What a part says once it is there; before that it leads to itself."""
    awaited = part_of(person, address, part)
    shown = awaited.css_first(part)
    again = awaited.css_first(".awaited a")
    assert shown is not None
    assert again is not None
    assert shown.attributes["data-refresh"] == address
    assert (again.attributes["href"] or "").partition("#")[0] == address
    opens.set()
    made = part_of(person, address, part, made=True).css_first(part)
    assert made is not None
    assert "data-refresh" not in made.attributes
    return made.text(strip=True)


def test_a_segment_is_counted_and_its_readers_are_looked_for(
    admin: Person, opens: threading.Event
) -> None:
    fill(admin.site)
    # Fetched while somebody types, and asked for again as long as it waits.
    assert 'class="awaited"' in admin.get(SEGMENT.replace("?", "/count?")).text
    assert "Some of them: 50" in see(admin, opens, SEGMENT, "#found-part")
    assert "87" in admin.get_made(SEGMENT.replace("?", "/count?")).text


def test_the_most_read_by_some_words_are_looked_for(admin: Person, opens: threading.Event) -> None:
    address = f"{PATH}/stories?order=most_read&words=headline"
    assert "Found: 0" in see(admin, opens, address, "#found-part")


def test_what_the_week_read_is_added_up(admin: Person, opens: threading.Event) -> None:
    site = admin.site
    with site.database.write() as tx:
        now = site.clock.now()
        assert tx.issues.move(ISSUE, frozenset(IssueState), IssueState.SENT, "test", now)
    assert "None: what" in see(admin, opens, f"{PATH}/report?buried=1", "#buried")
