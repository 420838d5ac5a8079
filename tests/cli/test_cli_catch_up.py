"""After a pause: the best of what was missed, once, for all who missed the same in one mailing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.issues.model import Issue, IssueState
from newsletter.publication.cadence import Edition
from newsletter.workflows import catch_up, publish
from newsletter.workflows.opening import open_installation
from newsletter.workflows.tick import tick
from tests.cli.conftest import Call
from tests.cli.ticking_house import BEGIN, House, open_house
from tests.marking import first_soon

ANI, LILIT, ARAM = "ani@readers.example", "lilit@readers.example", "aram@readers.example"
FIRST = datetime(2026, 8, 7, 11, 1, tzinfo=UTC)  # a Friday, seven in New York
WEEK, HOUR = timedelta(weeks=1), timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path, call: Call) -> Iterator[House]:
    with open_house(tmp_path, call) as opened:
        opened.at(BEGIN)
        for address in (ANI, LILIT, ARAM):
            opened.add(address)
        yield opened


def weeks(house: House, *numbers: int) -> None:
    for number in numbers:
        house.at(FIRST + number * WEEK - 12 * HOUR)
        house.at(FIRST + number * WEEK)
        house.clock.set(FIRST + number * WEEK + timedelta(minutes=10))


def catch_ups(house: House) -> list[Issue]:
    return house.issues(Edition.CATCH_UP)


def test_who_missed_the_same_gets_one_mailing_once(house: House) -> None:
    weeks(house, 0)
    house.clock.set(FIRST + HOUR)
    # Until the day after the third issue that she misses, in New York.
    house.choose(ANI, pause="weekly", pause_until="2026-08-29")
    house.clock.set(FIRST + WEEK - 24 * HOUR)
    house.choose(LILIT, pause="weekly")
    weeks(house, 1, 2, 3)
    assert [len(house.mail_of(one)) for one in (ANI, LILIT, ARAM)] == [1, 1, 4]

    house.at(datetime(2026, 8, 29, 4, 0, tzinfo=UTC))
    (made,) = catch_ups(house)
    assert (made.slot, made.state) == ("2026-W33..2026-W35", IssueState.SENT)
    assert made.title == "While you were away"
    ran = {
        item.story_id
        for issue in house.issues(Edition.REGULAR)
        if issue.slot in ("2026-W33", "2026-W34", "2026-W35")
        for item in issue.items
    }
    assert made.items
    assert {item.story_id for item in made.items} <= ran
    assert made.subject.startswith("While you were away: ")
    assert made.subject in house.mail_of(ANI)
    # Nobody else, and not again.
    house.at(datetime(2026, 8, 30, 4, 0, tzinfo=UTC))
    assert [len(house.mail_of(one)) for one in (ANI, LILIT, ARAM)] == [2, 1, 4]

    # She comes back by herself two days later, and missed the same: the same mailing.
    house.choose(LILIT)
    house.at(datetime(2026, 8, 31, 4, 0, tzinfo=UTC))
    house.at(datetime(2026, 8, 31, 5, 0, tzinfo=UTC))
    assert [len(house.mail_of(one)) for one in (ANI, LILIT, ARAM)] == [2, 2, 4]
    assert [issue.state for issue in catch_ups(house)] == [IssueState.SENT]
    slot = ("--slot", made.slot)
    report = house.call("issue", "report", *slot, "--json").json
    assert (report["audience"], report["accepted"], report["state"]) == (2, 2, "sent")
    assert [one["readers"] for one in report["by_revision"]] == [2]
    assert [one["readers"] for one in report["by_variant"]] == [2]
    shown = house.call("issue", "show", *slot, "--json").json
    assert (shown["edition"], shown["slot"]) == ("catch_up", made.slot)

    # In no list and no feed, and on a page for those who have it.
    for page in ("/archive/weekly/", "/archive/weekly/feed.xml", "/sitemap.xml"):
        told = house.visit(page)
        assert "2026-W35" in told
        assert ".." not in told.replace("...", "")
    page = house.visit(f"/archive/weekly/{made.slot}")
    assert "Your pause is over." in page
    assert "noindex" in page

    # The next weekly comes to all of them, with the news since the last one.
    weeks(house, 4)
    assert [len(house.mail_of(one)) for one in (ANI, LILIT, ARAM)] == [3, 3, 5]


@pytest.mark.long
def test_nothing_comes_to_who_missed_too_little(house: House) -> None:
    house.clock.set(FIRST - 24 * HOUR)
    house.choose(ANI, pause="weekly")
    weeks(house, 0)
    house.choose(ANI)
    house.at(FIRST + HOUR)
    assert catch_ups(house) == []
    house.choose(ANI, pause="weekly")
    weeks(house, 1, 2)
    # Who leaves instead of coming back is left alone.
    house.choose(ANI, none="1")
    house.at(FIRST + 2 * WEEK + HOUR)
    assert catch_ups(house) == []
    assert house.mail_of(ANI) == []


@pytest.mark.parametrize("setting", ["missed = 0", "missed = 3"])
def test_the_paper_says_after_how_many_issues_and_whether_at_all(
    house: House, setting: str
) -> None:
    house.configure(f"catch_up = {{ {setting} }}")
    house.choose(ANI, pause="weekly")
    weeks(house, 0, 1)
    house.choose(ANI)
    house.at(FIRST + WEEK + HOUR)
    assert catch_ups(house) == []


@pytest.mark.long
def test_an_editor_may_have_the_last_word(house: House) -> None:
    house.configure('catch_up = { approval = "required" }')
    house.choose(ANI, pause="weekly")
    weeks(house, 0, 1)
    house.choose(ANI)
    house.at(FIRST + WEEK + HOUR)
    (draft,) = catch_ups(house)
    assert draft.state is IssueState.DRAFT
    now = ("--now", house.clock.now().isoformat())
    rehearsed = house.call("issue", "rehearse", "--slot", draft.slot, *now, "--json").json
    assert rehearsed["audience"] == 1
    house.call("issue", "approve", "--slot", draft.slot)
    house.at(FIRST + WEEK + 2 * HOUR)
    assert len(house.mail_of(ANI)) == 1
    # It is made by itself and by nobody's hand.
    wrong = house.call("issue", "draft", "--slot", "2026-W10..2026-W12", status=2)
    assert "made by itself once a reader's pause ends" in wrong.err


class Crash(BaseException):
    """The machine went away."""


@pytest.mark.parametrize(
    ("module", "name"),
    # Before anything is queued, while newcomers are, while it is made.
    first_soon(
        [
            (publish, "freeze_mailings"),
            (catch_up, "match_variants"),
            (catch_up, "draft_issue"),
        ]
    ),
)
def test_a_crash_loses_nobody_and_sends_nothing_twice(
    house: House, monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> None:
    for address in (ANI, LILIT):
        house.choose(address, pause="weekly")
    weeks(house, 0, 1)
    house.choose(ANI)
    late = name == "match_variants"
    if late:
        house.at(FIRST + WEEK + HOUR)
        house.choose(LILIT)

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(module, name, crash)
        house.clock.set(FIRST + WEEK + 2 * HOUR)
        with open_installation(house.config, house.clock) as installation, pytest.raises(Crash):
            tick(installation)
    house.at(FIRST + WEEK + 3 * HOUR)
    house.choose(LILIT)
    house.at(FIRST + WEEK + 4 * HOUR)
    assert [len(house.mail_of(one)) for one in (ANI, LILIT)] == [1, 1]
    assert len(catch_ups(house)) == 1


@pytest.mark.long
def test_a_story_that_was_taken_back_is_not_in_it(house: House) -> None:
    house.choose(ANI, pause="weekly")
    weeks(house, 0, 1)
    (newest, _) = house.issues(Edition.REGULAR)
    gone = newest.items[0]
    place = f"{newest.sections[0].slug}/1"
    told = ("--withdraw", place, "--because", "It was wrong.")
    house.call("issue", "correct", "--slot", newest.slot, *told)
    house.choose(ANI)
    house.at(FIRST + WEEK + HOUR)
    (made,) = catch_ups(house)
    stories = {item.story_id for item in made.items}
    assert gone.story_id not in stories
    assert {item.story_id for item in newest.items} - {gone.story_id} <= stories
