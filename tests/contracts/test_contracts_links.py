"""Links of sent issues, their corrections, and clicks that several processes add at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from newsletter.feedback.model import Addressee, ClickSum, ReaderClicks
from newsletter.issues.links import story_links
from newsletter.issues.model import (
    CorrectionKind,
    CorrectionNote,
    FoundLink,
    Issue,
    IssueState,
    StoryLink,
)
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from tests.contracts.nouns import ACCEPTED, LEASE, MINUTE, NOW, add_reader, an_issue, start_sending
from tests.contracts.one_at_a_time import Workers

DAY = date(2025, 8, 5)


def sent(database: Database, readers: int = 1) -> tuple[Issue, tuple[StoryLink, ...]]:
    issue = start_sending(database, readers)
    links = story_links(issue)
    with database.write() as tx:
        tx.links.keep(issue.public_id, links)
    return issue, links


def test_links_are_kept_once_and_found(database: Database) -> None:
    issue, links = sent(database)
    assert len({link.public_id for link in links}) == len(links) == 6
    with database.write() as tx:
        tx.links.keep(issue.public_id, links)
        tx.links.keep(issue.public_id, ())
        assert tx.links.of_issue(issue.public_id) == links
        assert tx.links.of_issue("none") == ()
        assert tx.links.find(links[0].public_id) == FoundLink(
            links[0].public_id, "weekly", issue.slot, links[0].url, withdrawn=False
        )
        assert tx.links.find("none") is None
        assert tx.links.stories([links[0].public_id, "none"]) == {
            links[0].public_id: (issue.public_id, "story1")
        }


def test_people_s_clicks_of_a_story_are_added_over_its_places(database: Database) -> None:
    _, links = sent(database)
    first, *others = (link for link in links if link.story_id == "story1")
    second = next(link for link in links if link.story_id == "story2")
    tomorrow = DAY + timedelta(days=1)
    with database.write() as tx:
        tx.links.add_clicks(
            {
                (first.public_id, DAY): ClickSum(3, 100),
                (others[0].public_id, DAY): ClickSum(4, 0),
                (first.public_id, tomorrow): ClickSum(1, 0),
                (second.public_id, DAY): ClickSum(0, 50),
            }
        )
        assert tx.links.story_clicks(DAY, tomorrow) == {
            ("story1", DAY): 7,
            ("story1", tomorrow): 1,
        }
        assert tx.links.story_clicks(tomorrow, tomorrow) == {("story1", tomorrow): 1}


def test_corrections_change_all_places_of_a_story(database: Database) -> None:
    issue, links = sent(database)
    moved = CorrectionNote(
        NOW,
        CorrectionKind.CHANGED,
        "story1",
        "Headline 1",
        "https://paper.example/new",
        "We erred.",
    )
    gone = CorrectionNote(NOW + MINUTE, CorrectionKind.WITHDRAWN, "story2", "Headline 2")
    with database.write() as tx:
        for correction in (moved, gone):
            tx.links.correct(issue.public_id, correction, "anna")
        # A revision that is made afterwards leaves it so.
        tx.links.keep(issue.public_id, links)
        now = tx.links.of_issue(issue.public_id)
        assert {(one.url, one.withdrawn_at) for one in now if one.story_id == "story1"} == {
            ("https://paper.example/new", None)
        }
        assert {(one.url, one.withdrawn_at) for one in now if one.story_id == "story2"} == {
            ("https://paper.example/2", NOW + MINUTE)
        }
        assert tx.links.corrections(issue.public_id) == [moved, gone]
        assert tx.connection.scalar(sa.select(t.issue.c.changed_at)) == NOW + MINUTE
        changes = tx.changes.of("issue", issue.public_id)[-2:]
    assert [(c.actor, c.act, c.detail["to"]) for c in changes] == [
        ("anna", "links changed", "https://paper.example/new"),
        ("anna", "links withdrawn", ""),
    ]
    assert changes[0].detail["from"] == ["https://paper.example/1"]


def test_an_issue_that_is_drafted_again_has_no_old_links(database: Database) -> None:
    issue = an_issue(state=IssueState.APPROVED)
    with database.write() as tx:
        add_reader(tx, 0)
        assert tx.issues.create(issue, NOW, "test")
        links = story_links(issue)
        tx.links.keep(issue.public_id, links)
        tx.links.add_clicks({(links[0].public_id, DAY): ClickSum(1, 0)})
        gone = CorrectionNote(NOW, CorrectionKind.WITHDRAWN, "story2", "Headline 2")
        tx.links.correct(issue.public_id, gone, "anna")
        assert tx.issues.move(issue.public_id, {issue.state}, IssueState.CANCELLED, "test", NOW)
        again = an_issue(public_id="again")
        assert tx.issues.create(again, NOW, "test")
        assert tx.links.find(links[0].public_id) is None
        assert tx.links.of_issue("again") == ()
        assert tx.links.corrections("again") == []


def test_addressees_are_subscribers_with_the_time_of_their_mail(
    database: Database, ledger: Workers
) -> None:
    issue, _ = sent(database, readers=3)
    (first, *_) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(first, "w", NOW + MINUTE)
    ledger.record(first, "w", ACCEPTED, NOW + MINUTE)
    mail = first.mailing_id
    with database.write() as tx:
        tx.mailings.enqueue(mail, "editor", "editor@paper.example", NOW)
        tx.subscribers.forget("reader2", NOW, "reader")
        asked = {(mail, name) for name in ("reader0", "reader1", "reader2", "editor", "x")}
        found = tx.links.addressees(asked | {("none", "reader1")})
    others = {"reader0", "reader1"} - {first.recipient_id}
    assert found == {
        (mail, first.recipient_id): Addressee(issue.public_id, NOW + MINUTE),
        **{(mail, name): Addressee(issue.public_id, None) for name in others},
    }


def test_clicks_add_up_and_stray_ones_leave_nothing(database: Database) -> None:
    issue, links = sent(database, readers=2)
    link = links[0].public_id
    early, late = NOW - MINUTE, NOW + MINUTE
    with database.write() as tx:
        for day in (DAY, DAY, DAY + timedelta(days=1)):
            tx.links.add_clicks({(link, day): ClickSum(2, 1), ("none", day): ClickSum(9, 9)})
        for at, name in ((NOW, "reader0"), (early, "reader0"), (late, "reader1"), (NOW, "none")):
            tx.links.add_reader_clicks([ReaderClicks(name, link, 1, 0, at, at)])
        tx.links.add_reader_clicks([ReaderClicks("reader0", "none", 1, 0, NOW, NOW)])
        tx.links.add_reader_clicks([ReaderClicks("reader1", links[1].public_id, 0, 3, NOW, NOW)])
        first, second, *_ = tx.links.clicks(issue.public_id)
        assert (first.clicks, first.machine_clicks, first.readers) == (6, 3, 2)
        assert first.by_day[DAY] == ClickSum(4, 2)
        # Of whom only a machine has clicked is no reader of it.
        assert (second.clicks, second.readers) == (0, 0)
        assert tx.links.clicks_of("reader0") == [ReaderClicks("reader0", link, 2, 0, early, NOW)]
        # Of old ones nobody knows whose they were, only how many.
        for before, old in ((NOW, 0), (late, 2)):
            assert tx.retention.count_clicks(before) == old
            assert tx.retention.drop_clicks(before, 1) == min(old, 1)
        assert tx.retention.drop_clicks(late, 9) == 1
        (first, *_) = tx.links.clicks(issue.public_id)
        assert (first.clicks, first.readers) == (6, 1)
        tx.links.add_reader_clicks([ReaderClicks("reader0", link, 2, 0, NOW, NOW)])
        tx.subscribers.forget("reader0", NOW, "reader")
        assert tx.links.clicks_of("reader0") == []
        (first, *_) = tx.links.clicks(issue.public_id)
        assert (first.clicks, first.readers) == (6, 1)


def in_turns(count: int, act: Callable[[int], None]) -> None:
    barrier = threading.Barrier(count)

    def begin(number: int) -> None:
        barrier.wait()
        act(number)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(begin, range(count)))


def test_several_processes_count_at_once(database: Database) -> None:
    issue, links = sent(database, readers=3)
    names = [link.public_id for link in links]

    def count(number: int) -> None:
        for turn in range(10):
            # Each in an order of its own: nobody must wait for who waits for them.
            mine = names if (number + turn) % 2 else names[::-1]
            with database.write() as tx:
                tx.links.add_clicks({(name, DAY): ClickSum(1, 1) for name in mine})
                tx.links.add_reader_clicks(
                    [
                        ReaderClicks(f"reader{reader}", name, 1, 0, NOW, NOW)
                        for name in mine
                        for reader in ((0, 1, 2) if turn % 2 else (2, 1, 0))
                    ]
                )

    in_turns(4, count)
    with database.read() as tx:
        found = tx.links.clicks(issue.public_id)
        reader = tx.links.clicks_of("reader1")
    assert {(one.clicks, one.machine_clicks, one.readers) for one in found} == {(40, 40, 3)}
    assert {one.clicks for one in reader} == {40}


@pytest.mark.parametrize("turn", range(3))
def test_a_reader_who_is_forgotten_while_clicks_are_counted(database: Database, turn: int) -> None:
    issue, links = sent(database, readers=6)

    def act(number: int) -> None:
        for at in range(6):
            with database.write() as tx:
                if number == 0:
                    tx.subscribers.forget(f"reader{at}", NOW, "reader")
                else:
                    tx.links.add_reader_clicks(
                        [
                            ReaderClicks(f"reader{reader}", link.public_id, 1, 0, NOW, NOW)
                            for link in links
                            for reader in range(6)
                        ]
                    )

    in_turns(3, act)
    with database.read() as tx:
        assert [one.readers for one in tx.links.clicks(issue.public_id)] == [0] * 6
