"""An issue in variants: corrected on its way, and stopped by one of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.checks.model import Finding, Level
from newsletter.config import load_config
from newsletter.errors import Conflict
from newsletter.issues.correct import Correction
from newsletter.issues.model import Issue, IssueState
from newsletter.rendering.corrections import tell_corrections
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.stories.model import Picture
from newsletter.subscribers.model import Subscriber, SubscriptionState
from newsletter.web.archive import newest_by_language
from newsletter.workflows import publish
from newsletter.workflows.check_issue import check_whole_issue
from newsletter.workflows.correct_links import LinkRequest, correct_links
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.preview import preview_issue
from newsletter.workflows.publish import move_issue, start_sending
from newsletter.workflows.rehearse import rehearse_issue
from newsletter.workflows.report import report_issue
from newsletter.workflows.revise import revise_issue
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import ACCEPTED, LEASE, NOW, a_consent, add_reader
from tests.contracts.one_at_a_time import Workers
from tests.postgres import fresh_database, running_postgres
from tests.workflows.test_rehearse import ask_nobody
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


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with running_postgres() as base_url:
        yield base_url


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """With the database's address, where it is not the config's."""
    if request.param == "sqlite":
        return {}
    return {"NEWSLETTER_DATABASE__URL": fresh_database(request.getfixturevalue("postgresql"))}


@pytest.fixture
def opened(tmp_path: Path, environment: dict[str, str]) -> Iterator[Installation]:
    with open_paper(tmp_path, environment) as installation:
        yield installation


@pytest.fixture
def bilingual(tmp_path: Path, environment: dict[str, str]) -> Iterator[Installation]:
    with open_paper(tmp_path, environment, 'languages = ["en", "hy"]\n') as installation:
        yield installation


@contextmanager
def open_paper(
    folder: Path, environment: dict[str, str], spoken: str = ""
) -> Iterator[Installation]:
    path = write_config(folder, feed="http://127.0.0.1:9/feed/", port=9)
    text, send_at = path.read_text("utf-8"), 'send_at = "Fri 07:00"\n'
    assert send_at in text
    path.write_text(text.replace(send_at, send_at + spoken), "utf-8")
    with open_installation(load_config(path, environment), MovingClock(NOW)) as installation:
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


def test_a_correction_is_of_every_language_and_told_of_in_the_archive(
    bilingual: Installation,
) -> None:
    issue = an_issue_of_departments()
    with bilingual.database.write() as tx:
        reader = Subscriber("armenian", "armenian@reader.example", NOW, "Lilit", "hy")
        tx.subscribers.add(reader, "hash")
        active = SubscriptionState.ACTIVE
        tx.subscribers.subscribe(reader.public_id, "weekly", active, a_consent(), NOW, "reader")
    assert start_sending(bilingual, issue, actor="anna").variants == ("en", "hy", "en: Arts")
    # Somebody has it as it was, so that the archive tells of the change.
    workers = Workers(bilingual.database)
    (first,) = workers.claim("w", NOW, LEASE, 1)
    assert workers.hand_over(first, "w", NOW)
    workers.record(first, "w", ACCEPTED, NOW)
    workers.close()
    paused = move_issue(bilingual, issue, IssueState.PAUSED, actor="anna")
    correction = Correction(headlines={"latest/1": "What happened"})
    revise_issue(bilingual, paused, correction, actor="anna", told="We had it wrong.")
    with bilingual.database.read() as tx:
        newest = newest_by_language(tx.mailings.of_issue(issue.public_id))
        corrections = tx.links.corrections(issue.public_id)
        now = tx.issues.by_id(issue.public_id)
    assert now is not None
    assert {tag: (one.revision, "What happened" in one.text) for tag, one in newest.items()} == {
        "en": (2, True),
        "hy": (2, True),
    }
    # In another language the headline and the editors' words say which they are in.
    ((_, english),) = tell_corrections(now, corrections, "en")
    ((_, armenian),) = tell_corrections(now, corrections, "hy")
    assert english == "The headline of “What happened” was changed. We had it wrong."
    assert armenian.count('<span lang="en" dir="ltr">') == 2


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


def with_a_mute_picture(issue: Issue) -> Issue:
    """The story that only the full issue has gets a picture without a description."""
    most_read, latest = issue.sections
    picture = Picture("https://paper.example/6.jpg", width=1200, height=800)
    items = tuple(
        replace(item, picture=picture if item.story_id == "story6" else None)
        for item in latest.items
    )
    return replace(issue, sections=(most_read, replace(latest, items=items)))


def test_a_check_and_a_preview_are_of_every_variant_and_name_them(opened: Installation) -> None:
    settings = opened.settings()
    issue = with_a_mute_picture(an_issue_of_departments())
    checked = check_whole_issue(opened, settings, issue, ask=False)
    assert checked.variants == ("en", "en: Arts")
    (mute,) = [one for one in checked.findings if one.key == "alt"]
    assert mute.variants == ("en",)
    preview = preview_issue(opened, settings, issue)
    assert {one.variants for one in preview.findings if one.key == "alt"} == {("en",)}
    full, arts = preview.variants
    assert (full.variant.name, arts.variant.name) == ("en", "en: Arts")
    assert "Headline 6" in full.text
    assert "Headline 6" not in arts.text
    assert arts.sizes.html < full.sizes.html
    # What went out is shown as it went out.
    start_sending(opened, an_issue_of_departments(), actor="anna")
    sending = replace(an_issue_of_departments(), state=IssueState.SENDING)
    sent = preview_issue(opened, settings, sending)
    assert [one.variant.name for one in sent.variants] == ["en", "en: Arts"]
    assert sent.variants[1].text == preview.variants[1].text


def test_a_rehearsal_is_of_every_variant(opened: Installation) -> None:
    with rehearse_issue(opened, an_issue_of_departments(), ask=ask_nobody) as rehearsal:
        assert dict(rehearsal.variants) == {"en": 2, "en: Arts": 3}
        assert rehearsal.accepted == len(CHOICES)


def test_a_links_correction_is_of_every_variant(opened: Installation) -> None:
    issue = an_issue_of_departments()
    start_sending(opened, issue, actor="anna")
    with opened.database.read() as tx:
        mailings = tx.mailings.of_issue(issue.public_id)
        kept = {link.public_id for link in tx.links.of_issue(issue.public_id)}
    printed = {
        mailing.departments: set(re.findall(r"/l/([a-z2-7]{12})", mailing.html + mailing.text))
        for mailing in mailings
    }
    assert set().union(*printed.values()) == kept
    # Story 3 leads the narrowed variant, and stands in another place of the full one.
    request = LinkRequest({"story3": "https://paper.example/mended"})
    correct_links(opened, issue, request, actor="anna")
    with opened.database.read() as tx:
        links = tx.links.of_issue(issue.public_id)
    mended = {link.public_id for link in links if "/mended" in link.url}
    assert mended == {link.public_id for link in links if link.story_id == "story3"}
    assert all(mended & names for names in printed.values())
