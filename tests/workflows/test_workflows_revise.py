"""Corrections in mid-send: numbered, for those not served yet, and nobody gets two."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from newsletter.demo.catcher import MailCatcher
from newsletter.errors import Advice, Conflict, InvalidTransition, Remedy
from newsletter.issues.correct import Correction
from newsletter.issues.model import IssueState, Save, SaveKind
from newsletter.sources.model import GONE
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.revise import PATIENCE_SECONDS, Revision, revise_issue
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    MINUTE,
    NOW,
    REFUSED,
    UNCERTAIN,
    a_story,
)
from tests.workflows.under_way import IssueUnderWay, issue_under_way, prepare_issue

BETTER = Correction(headlines={"latest/1": "What really happened"}, subject="What really happened")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_issue(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def under_way(prepared: Path, tmp_path: Path) -> Iterator[IssueUnderWay]:
    with issue_under_way(prepared, tmp_path) as found:
        yield found


def revise(under_way: IssueUnderWay, correction: Correction = BETTER) -> Revision:
    return revise_issue(under_way.installation, under_way.issue, correction, actor="anna")


def test_a_correction_reaches_those_not_served_yet(under_way: IssueUnderWay) -> None:
    served = under_way.deliver(ACCEPTED, REFUSED)
    doubtful, put_off = under_way.deliver(UNCERTAIN, DEFERRED)
    under_way.move(IssueState.PAUSED)
    made = revise(under_way)
    assert (made.number, made.readers) == (2, 3)
    assert made.changes == ("the subject", "the headline of latest/1")
    assert made.notices == ()
    first = {*served, doubtful}
    assert {name for name, number in under_way.revisions().items() if number == 1} == first
    assert under_way.revisions()[put_off] == 2

    assert under_way.issue.state is IssueState.PAUSED
    assert under_way.issue.subject == "What really happened"
    under_way.move(IssueState.SENDING)
    under_way.clock.set(NOW + 6 * MINUTE)
    assert len(under_way.deliver(*[ACCEPTED] * 4)) == 4
    counted = under_way.report.revisions
    assert {number: (c.accepted, c.refused) for number, c in counted.items()} == {
        1: (2, 1),
        2: (3, 0),
    }


def test_what_was_sent_first_stays_as_it_was(under_way: IssueUnderWay) -> None:
    with under_way.installation.database.read() as tx:
        (before,) = tx.mailings.of_issue(under_way.issue.public_id)
    under_way.move(IssueState.PAUSED)
    under_way.clock.set(NOW + MINUTE)
    revise(under_way)
    with under_way.installation.database.read() as tx:
        first, second = tx.mailings.of_issue(under_way.issue.public_id)
        (change,) = [
            c for c in tx.changes.of("issue", under_way.issue.public_id) if c.act == "corrected"
        ]
    assert first == before
    assert (second.revision, second.created_at) == (2, NOW + MINUTE)
    assert second.public_id != first.public_id
    assert "What really happened" in second.html
    assert "What really happened" in second.text
    assert (change.actor, change.detail["revision"]) == ("anna", 2)
    told = {one["part"]: (one["before"], one["after"]) for one in change.detail["changes"]}
    assert told["story:story3:headline"] == ("Headline 3", "What really happened")


def test_corrections_are_numbered_and_build_on_each_other(under_way: IssueUnderWay) -> None:
    under_way.move(IssueState.PAUSED)
    revise(under_way)
    under_way.move(IssueState.SENDING)
    (served,) = under_way.deliver(ACCEPTED)
    under_way.move(IssueState.PAUSED)
    made = revise(under_way, Correction(note="We erred.", removed=("most-read/2",)))
    assert (made.number, made.readers) == (3, 5)
    assert [item.story_id for item in made.issue.items] == ["story1", "story3", "story4"]
    assert made.issue.items[1].headline == "What really happened"
    assert under_way.revisions()[served] == 2


@pytest.mark.parametrize(
    "correction",
    [
        Correction(),
        Correction(subject="Headline  3 ", note="From the editors."),
        Correction(
            headlines={"story1": "Headline 1"}, links={"latest/2": "https://paper.example/4"}
        ),
    ],
)
def test_what_changes_nothing_is_refused(under_way: IssueUnderWay, correction: Correction) -> None:
    under_way.move(IssueState.PAUSED)
    with pytest.raises(Conflict, match="nothing changed"):
        revise(under_way, correction)
    assert under_way.report.revisions.keys() == {1}


@pytest.mark.parametrize(
    "correction",
    [
        Correction(subject=""),
        Correction(links={"latest/1": "javascript:alert(1)"}),
        Correction(removed=("most-read/1", "most-read/2", "latest/1", "latest/2")),
    ],
)
def test_what_a_check_stops_changes_nothing(
    under_way: IssueUnderWay, correction: Correction
) -> None:
    under_way.move(IssueState.PAUSED)
    before = under_way.issue
    with pytest.raises(Conflict, match="can't go out"):
        revise(under_way, correction)
    assert under_way.issue == before
    assert under_way.report.revisions.keys() == {1}


def test_while_it_is_sent_its_content_is_frozen(under_way: IssueUnderWay) -> None:
    before = under_way.issue
    with pytest.raises(InvalidTransition, match="2025-W32 is sending; pause it first"):
        revise(under_way)
    with under_way.installation.database.write() as tx:
        assert not tx.issues.replace(before, "anna", NOW)
        assert not tx.issues.correct(before, 2, "anna", NOW, Save(SaveKind.CORRECTED, ""))
    under_way.move(IssueState.RECALLED)
    with pytest.raises(InvalidTransition, match="is recalled"):
        revise(under_way)


def test_the_audience_is_frozen_when_sending_starts(under_way: IssueUnderWay) -> None:
    from_before = set(under_way.rows)
    assert "reader0" in from_before
    under_way.move(IssueState.PAUSED)
    with under_way.installation.database.write() as tx:
        tx.subscribers.forget("reader0", NOW, "reader")
    revise(under_way)
    # Who is forgotten meanwhile stays a row, under a name that leads to nobody.
    (nobody,) = set(under_way.rows) - from_before
    assert from_before - set(under_way.rows) == {"reader0"}
    assert nobody
    assert under_way.report.counts.total == 6


def test_a_correction_that_would_reach_nobody_is_refused(under_way: IssueUnderWay) -> None:
    under_way.deliver(*[ACCEPTED] * 5, UNCERTAIN)
    under_way.move(IssueState.PAUSED)
    with pytest.raises(Conflict, match="nobody is left"):
        revise(under_way)
    assert under_way.issue.subject == "Headline 3"


def test_a_message_on_its_way_is_awaited(under_way: IssueUnderWay) -> None:
    (delivery,) = under_way.claim(1)
    assert under_way.hand_over(delivery)
    under_way.move(IssueState.PAUSED)
    with pytest.raises(Conflict, match="answer for 1 of the readers"):
        revise(under_way)
    assert under_way.clock.now() >= NOW + timedelta(seconds=PATIENCE_SECONDS)
    assert under_way.report.revisions.keys() == {1}
    under_way.answer(delivery, ACCEPTED)
    assert revise(under_way).readers == 5


def test_a_dead_worker_is_not_awaited(under_way: IssueUnderWay) -> None:
    (delivery,) = under_way.claim(1)
    assert under_way.hand_over(delivery)
    under_way.move(IssueState.PAUSED)
    under_way.clock.set(LEASE)
    assert revise(under_way).readers == 5
    assert under_way.ledger.recover(LEASE, all_workers=True) == (1, 0)
    under_way.move(IssueState.SENDING)
    # It goes out again as it went out first.
    assert under_way.revisions()[delivery.recipient_id] == 1


class MeddlingClock(MovingClock):
    """Does something once while a workflow waits."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.act = lambda: None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        act, self.act = self.act, lambda: None
        act()


@pytest.fixture
def meddled(prepared: Path, tmp_path: Path) -> Iterator[tuple[IssueUnderWay, MeddlingClock]]:
    clock = MeddlingClock()
    with issue_under_way(prepared, tmp_path, clock) as found:
        yield found, clock


def test_two_corrections_at_once_are_not_mixed(
    meddled: tuple[IssueUnderWay, MeddlingClock],
) -> None:
    under_way, clock = meddled
    (delivery,) = under_way.claim(1)
    assert under_way.hand_over(delivery)
    under_way.move(IssueState.PAUSED)

    def other() -> None:
        under_way.answer(delivery, ACCEPTED)
        assert revise(under_way, Correction(note="We erred.")).number == 2

    clock.act = other
    with pytest.raises(Conflict, match="somebody else changed"):
        revise(under_way)
    assert (under_way.issue.note, under_way.issue.subject) == ("We erred.", "Headline 3")
    assert under_way.report.revisions.keys() == {1, 2}


def test_a_correction_that_was_broken_off_is_finished_before_the_issue_goes_on(
    under_way: IssueUnderWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.storage.delivery_rows._STRETCH_ROWS", 2)
    under_way.move(IssueState.PAUSED)

    def stop(looked_at: int) -> None:
        assert looked_at == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        revise_issue(under_way.installation, under_way.issue, BETTER, actor="a", on_progress=stop)
    assert sorted(under_way.revisions().values()) == [1, 1, 1, 1, 2, 2]
    under_way.move(IssueState.SENDING)
    assert set(under_way.revisions().values()) == {2}


def test_a_correction_during_a_resume_comes_first(
    meddled: tuple[IssueUnderWay, MeddlingClock], monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way, clock = meddled
    monkeypatch.setattr("newsletter.storage.delivery_rows._STRETCH_ROWS", 2)
    under_way.move(IssueState.PAUSED)
    revise(under_way)
    clock.act = lambda: revise(under_way, Correction(note="We erred."))
    with pytest.raises(Conflict, match="corrected just now"):
        under_way.move(IssueState.SENDING)
    assert under_way.issue.state is IssueState.PAUSED
    under_way.move(IssueState.SENDING)
    assert set(under_way.revisions().values()) == {3}


def test_what_the_inbox_still_says_is_told(under_way: IssueUnderWay) -> None:
    under_way.move(IssueState.PAUSED)
    made = revise(under_way, Correction(headlines={"story3": "What really happened"}))
    (notice,) = made.notices
    assert notice.sentence == "The subject still says “Headline 3”; correct it too."
    assert notice.remedy is Remedy.SUBJECT


def test_each_reader_is_sent_their_revision(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    prepare_issue(tmp_path)
    with (
        MailCatcher(outbox) as catcher,
        issue_under_way(tmp_path, tmp_path, port=catcher.port) as under_way,
    ):
        (doubtful,) = under_way.deliver(UNCERTAIN)
        under_way.move(IssueState.PAUSED)
        revise(under_way)
        under_way.move(IssueState.SENDING)
        with open_ledger(under_way.installation) as ledger:
            deliver(under_way.installation, ledger)
        revisions = {row.recipient_id: row.revision for row in under_way.rows.values()}
        assert under_way.report.counts.accepted == 6
    sent = [message_from_bytes(path.read_bytes()) for path in outbox.glob("*.eml")]
    assert len(sent) == 6
    assert [name for name, revision in revisions.items() if revision == 1] == [doubtful]
    by_subject = Counter(message["Subject"] for message in sent)
    assert by_subject == {"Headline 3": 1, "What really happened": 5}
    assert under_way.issue.state is IssueState.SENT


def test_a_correction_names_stories_that_are_gone(under_way: IssueUnderWay) -> None:
    under_way.move(IssueState.PAUSED)
    with under_way.installation.database.write() as tx:
        tx.stories.save([a_story(3, hidden=GONE), a_story(4)])
    gone, note = revise(under_way).notices
    # The editor's own headline stands; the place is how they call the story.
    assert gone == Advice(
        "“What really happened” is still in it, but site no longer has it; take it out.",
        *(Remedy.REMOVE, "2025-W32", "latest/1"),
    )
    assert note.sentence.startswith("site could not be asked")
    assert under_way.issue.state is IssueState.PAUSED
