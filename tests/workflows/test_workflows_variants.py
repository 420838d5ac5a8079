"""An issue in variants: corrected on its way, and stopped by one of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.checks.model import Finding, Level
from newsletter.config import load_config
from newsletter.errors import Conflict
from newsletter.issues.correct import Correction
from newsletter.issues.model import Issue, IssueState
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.workflows import publish
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import move_issue, start_sending
from newsletter.workflows.report import report_issue
from newsletter.workflows.revise import revise_issue
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import NOW, add_reader
from tests.workflows.under_way import a_weekly_issue

# Of reader0 …; the first is served before the correction.
CHOICES = (("Arts",), ("Arts",), ("Arts",), (), ("Sports",))


def an_issue_of_departments() -> Issue:
    """Four stories of Arts, of which three are new, and one of Sports."""
    issue = a_weekly_issue()
    latest = issue.sections[1]
    items = tuple(
        replace(
            latest.items[0],
            story_id=f"story{number}",
            headline=f"Headline {number}",
            url=f"https://paper.example/{number}",
            position=number - 2,
            department="Sports" if number == 6 else "Arts",
        )
        for number in range(3, 7)
    )
    most_read = replace(
        issue.sections[0],
        items=tuple(replace(item, department="Arts") for item in issue.sections[0].items[:1]),
    )
    return replace(
        issue,
        sections=(most_read, replace(latest, items=items)),
        lead="story6",
        subject="Headline 6",
    )


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Installation]:
    path = write_config(tmp_path, feed="http://127.0.0.1:9/feed/", port=9)
    with open_installation(load_config(path, {}), MovingClock(NOW)) as installation:
        with installation.database.write() as tx:
            for number, departments in enumerate(CHOICES):
                reader = add_reader(tx, number)
                if departments:
                    tx.subscribers.choose_departments(
                        reader.public_id, "weekly", departments, NOW, "anna"
                    )
            tx.issues.create(an_issue_of_departments(), NOW, "anna")
        yield installation


def rows_of(installation: Installation, issue: Issue) -> dict[str, DeliveryRow]:
    with installation.database.read() as tx:
        return {row.recipient_id: row for row in tx.mailings.deliveries(issue.public_id)}


def test_each_reader_who_waits_gets_the_correction_in_their_variant(opened: Installation) -> None:
    issue = an_issue_of_departments()
    started = start_sending(opened, issue, actor="anna")
    assert started.variants == ("en", "en: Arts")
    before = rows_of(opened, issue)
    assert {name: row.variant for name, row in before.items()} == {
        **dict.fromkeys(("reader0", "reader1", "reader2"), "en: Arts"),
        **dict.fromkeys(("reader3", "reader4"), "en"),
    }
    paused = move_issue(opened, issue, IssueState.PAUSED, actor="anna")
    with opened.database.write() as tx:
        # Whoever chooses otherwise now does so from the next issue on.
        tx.subscribers.choose_departments("reader1", "weekly", (), NOW, "anna")
    correction = Correction(headlines={"latest/1": "What happened"})
    assert revise_issue(opened, paused, correction, actor="anna").readers == len(CHOICES)
    move_issue(opened, issue, IssueState.SENDING, actor="anna")
    after = rows_of(opened, issue)
    assert {name: (row.variant, row.revision) for name, row in after.items()} == {
        name: (row.variant, 2) for name, row in before.items()
    }
    with opened.database.read() as tx:
        mailings = {one.public_id: one for one in tx.mailings.of_issue(issue.public_id)}
    assert len(mailings) == 4
    arts = mailings[after["reader0"].mailing_id].text
    assert "What happened" in arts
    # As for all, a subject stays until it is corrected itself.
    subjects = {name: mailings[row.mailing_id].subject for name, row in after.items()}
    assert (subjects["reader0"], subjects["reader3"]) == ("Headline 3", "Headline 6")
    assert "Headline 6" not in arts
    assert "Headline 6" in mailings[after["reader3"].mailing_id].text
    report = report_issue(opened, issue)
    assert {name: counts.total for name, counts in report.variants.items()} == {
        "en": 2,
        "en: Arts": 3,
    }
    assert report.counts.total == len(CHOICES)


def test_what_stops_one_variant_stops_the_issue_and_is_told_of_it(
    opened: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(issue: Issue, *_: object, sender: str) -> tuple[Finding, ...]:
        of_all = Finding(Level.WARN, "alt", "A picture has no words.")
        few = Finding(Level.STOP, "size", "It is too large.")
        return (of_all, few) if len(issue.items) == 4 else (of_all,)

    monkeypatch.setattr(publish, "check_rendered", check)
    with pytest.raises(
        Conflict, match=r"can't go out: In the variant “en: Arts”: It is too large\.$"
    ):
        start_sending(opened, an_issue_of_departments(), actor="anna")
