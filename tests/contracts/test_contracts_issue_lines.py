"""Issues in lists, and the totals of those that are over."""

from dataclasses import replace
from datetime import timedelta

from newsletter.delivery.model import LedgerCounts
from newsletter.issues.model import IssueState
from newsletter.storage.database import Database
from tests.contracts.nouns import NOW, an_issue

WEEK = timedelta(weeks=1)


def test_lists_tell_issues_without_their_stories(database: Database) -> None:
    with database.write() as tx:
        for number, state in enumerate(IssueState):
            issue = replace(
                an_issue(),
                public_id=f"issue{number}",
                slot=f"2025-W{10 + number}",
                state=state,
                send_at=NOW + number * WEEK,
                subject=f"Երևան “{number}”",
                title="The Week",
            )
            assert tx.issues.create(issue, NOW, "test")
    with database.read() as tx:
        lines = tx.issue_lines.under_way(9)
        assert [line.state for line in lines] == [
            *(IssueState.DRAFT, IssueState.APPROVED, IssueState.HELD),
            *(IssueState.SENDING, IssueState.PAUSED),
        ]
        assert (lines[0].subject, lines[0].title, lines[0].readers) == ("Երևան “0”", "The Week", 0)
        assert lines[0].language == an_issue().language
        assert tx.issue_lines.under_way(2) == lines[:2]
        assert tx.issue_lines.count_under_way() == 5
        over = tx.issue_lines.over(9)
        assert {line.state for line in over} == {IssueState.SENT, IssueState.RECALLED}
        assert over == sorted(over, key=lambda line: line.send_at, reverse=True)
        assert tx.issue_lines.by_ids(["issue0", "nothing"]) == {"issue0": lines[0]}
        assert tx.issue_lines.by_ids([]) == {}


def test_totals_are_good_until_the_issue_changes(database: Database) -> None:
    counts = LedgerCounts(accepted=3, refused=1)
    with database.write() as tx:
        assert tx.issues.create(replace(an_issue(), state=IssueState.SENT), NOW, "test")
        (line,) = tx.issue_lines.over(1)
        assert tx.issue_lines.totals(line) is None
        tx.issue_lines.keep_totals(line, LedgerCounts())
        tx.issue_lines.keep_totals(line, counts)
        assert tx.issue_lines.totals(line) == counts
        tx.issue_lines.forget_totals(line.public_id)
        assert tx.issue_lines.totals(line) is None
        tx.issue_lines.keep_totals(line, counts)
        later = NOW + WEEK
        states = {IssueState.SENT}
        assert tx.issues.move(line.public_id, states, IssueState.SENDING, "test", later)
        assert tx.issues.move(line.public_id, {IssueState.SENDING}, IssueState.SENT, "test", later)
        (line,) = tx.issue_lines.over(1)
        assert tx.issue_lines.totals(line) is None
