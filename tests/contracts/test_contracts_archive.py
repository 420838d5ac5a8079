"""What the archive may show: issues from their first hand-over on, and nothing before it."""

from datetime import timedelta

import pytest

from newsletter.delivery.model import PlannedWave
from newsletter.issues.model import IssueState
from newsletter.publication.cadence import Edition
from newsletter.storage.database import Database
from tests.contracts.nouns import (
    LEASE,
    MINUTE,
    NOW,
    REQUEUED,
    a_mailing,
    add_reader,
    add_system_mail,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

ISSUE = "issue-2025-W32"
AFTER_SENDING = [
    IssueState.SENDING,
    IssueState.PAUSED,
    IssueState.SENT,
    IssueState.RECALLED,
    IssueState.CANCELLED,
]


def shown(database: Database, newsletter: str = "weekly", limit: int | None = None) -> list[str]:
    with database.read() as tx:
        return [place.slot for place in tx.archive.places(newsletter, limit=limit)]


def move(database: Database, to: IssueState) -> None:
    with database.write() as tx:
        tx.issues.move(ISSUE, set(IssueState), to, "test", NOW)


def hand_over_one(ledger: Workers) -> None:
    """Of two readers the second: the first one's row is claimed, and goes back."""
    first, second = ledger.claim("w", NOW, LEASE, 2)
    assert ledger.hand_over(second, "w", NOW)
    ledger.record(first, "w", REQUEUED, NOW)


@pytest.mark.parametrize("state", AFTER_SENDING)
def test_an_issue_is_shown_from_its_first_hand_over_on(
    database: Database, ledger: Workers, state: IssueState
) -> None:
    start_sending(database, 2)
    assert shown(database) == []
    hand_over_one(ledger)
    assert shown(database) == ["2025-W32"]
    move(database, state)
    assert shown(database) == ["2025-W32"]
    assert shown(database, "daily") == []


@pytest.mark.parametrize("state", AFTER_SENDING)
def test_before_it_an_issue_is_shown_only_where_its_sending_has_ended(
    database: Database, state: IssueState
) -> None:
    start_sending(database, 2)
    move(database, state)
    assert shown(database) == (["2025-W32"] if state is IssueState.SENT else [])


def test_a_hand_over_that_did_not_reach_the_server_leaves_it_shown(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)
    (row,) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(row, "w", NOW)
    ledger.record(row, "w", REQUEUED, NOW)
    assert shown(database) == ["2025-W32"]


def test_other_mail_and_other_issues_say_nothing_of_it(database: Database, ledger: Workers) -> None:
    start_sending(database, 2)
    add_system_mail(database, 1)
    (system,) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(system, "w", NOW)
    with database.write() as tx:
        assert tx.issues.create(an_issue("2025-W31", state=IssueState.SENDING), NOW, "test")
    assert shown(database) == []


def test_a_later_wave_is_looked_at_too(database: Database, ledger: Workers) -> None:
    waves = (
        PlannedWave("staff", NOW, addresses=("reader000@reader.example",)),
        PlannedWave("the rest", NOW, others=True),
    )
    issue = an_issue(state=IssueState.SENDING)
    with database.write() as tx:
        for number in range(4):
            add_reader(tx, number)
        assert tx.issues.create(issue, NOW, "test")
        tx.mailings.create(a_mailing(), key="waves", issue_id=ISSUE)
        tx.mailings.enqueue_audience("mailing1", "weekly", NOW, waves)
        _, rest = tx.waves.of_issue(ISSUE)
        assert tx.waves.release(rest, NOW)
    claimed = ledger.claim("w", NOW, LEASE, 9)
    assert shown(database) == []
    last = next(row for row in claimed if row.address == "reader003@reader.example")
    assert ledger.hand_over(last, "w", NOW)
    assert shown(database) == ["2025-W32"]


def test_places_come_the_newest_first_and_tell_when_they_changed(database: Database) -> None:
    with database.write() as tx:
        for week in range(10, 16):
            issue = an_issue(
                f"2025-W{week}",
                state=IssueState.SENT,
                send_at=NOW + timedelta(days=7 * week),
                edition=Edition.MONTHLY if week == 14 else Edition.REGULAR,
            )
            assert tx.issues.create(issue, NOW, "test")
            for revision in range(1, 3 if week == 12 else 2):
                tx.mailings.create(
                    a_mailing(
                        f"m{week}r{revision}", revision=revision, created_at=NOW + revision * MINUTE
                    ),
                    key=f"{week}:{revision}",
                    issue_id=issue.public_id,
                )
    assert shown(database) == [f"2025-W{week}" for week in range(15, 9, -1)]
    assert shown(database, limit=2) == ["2025-W15", "2025-W14"]
    with database.read() as tx:
        places = {place.slot: place for place in tx.archive.places("weekly")}
        monthly = tx.archive.places("weekly", limit=1, edition=Edition.MONTHLY)
    assert [place.slot for place in monthly] == ["2025-W14"]
    assert places["2025-W12"].published_at == NOW + MINUTE
    assert places["2025-W12"].changed_at == NOW + 2 * MINUTE
    assert places["2025-W13"].changed_at == NOW + MINUTE
