"""`newsletter issue correct` and `recall`, as a person calls them in mid-send."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.issues.model import IssueState
from newsletter.storage.transaction import Transaction
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import Answer
from tests.cli.conftest import Call
from tests.contracts.nouns import ACCEPTED, a_story
from tests.workflows.under_way import issue_under_way, prepare_issue


def must(call: Call, folder: Path, *arguments: str) -> Answer:
    answer = call(folder, *arguments)
    assert answer.status == 0, answer.err + answer.out
    return answer


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_issue(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    with issue_under_way(prepared, tmp_path) as under_way:
        under_way.deliver(ACCEPTED)
    return tmp_path


def test_a_correction_and_who_got_what(call: Call, folder: Path) -> None:
    early = call(folder, "issue", "correct", "--subject", "Better")
    assert early.status == 1
    assert "pause it first: newsletter issue pause --slot " in early.err
    must(call, folder, "issue", "pause")
    assert "[latest/2]" in must(call, folder, "issue", "show").out
    answer = must(
        call,
        folder,
        *("issue", "correct", "--headline", "latest/1=What = happened"),
        *("--summary", "latest/2=In short.", "--remove", "most-read/2", "--note", ""),
    )
    assert answer.out == (
        "issue 2025-W32 has a revision 2 for 5 readers: the note, most-read/2 is out, "
        "the headline of latest/1, the summary of latest/2\n"
    )
    assert "The subject still says “Headline 3”" in answer.err
    assert "issue resume" in answer.err
    made = must(call, folder, "issue", "correct", "--subject", "What happened", "--json").json
    assert made["subject"] == "What happened"
    assert (made["revision"]["number"], made["revision"]["readers"]) == (3, 5)
    must(call, folder, "issue", "resume")
    report = must(call, folder, "issue", "report", "--json").json
    assert {part["revision"]: part["readers"] for part in report["by_revision"]} == {1: 1, 3: 5}
    assert {row["state"]: row["revision"] for row in report["deliveries"]} == {
        "accepted": 1,
        "queued": 3,
    }


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ((), 2, "--subject"),
        (("--headline", "Better"), 2, "latest/1=TEXT"),
        (("--headline", "latest/9=Better"), 1, "latest/1, latest/2"),
        (("--link", "latest/1="), 2, "begins with https://"),
        (("--withdraw", "latest/9"), 1, "latest/1, latest/2"),
        (("--withdraw", "latest/1", "--subject", "Better"), 2, "a call of its own"),
        (("--because", "We erred."), 2, "--subject"),
        (("--subject", "Headline 3"), 1, "nothing changed"),
        (("--block", "poem=Roses"), 2, "write quote=TEXT, number=TEXT or question=TEXT"),
        (("--block-source", "Ani"), 2, "belongs to --block"),
        (("--link", "latest/1=ftp://paper.example"), 2, "begins with https://"),
        (("--link", "latest/1=ftp://paper.example", "--note", "Hm."), 1, "can't go out"),
        (("--link", "latest/1=https://paper.example/3"), 1, "are so already"),
    ],
)
def test_what_can_not_be_corrected_is_told(
    call: Call, paused: Path, options: tuple[str, ...], status: int, words: str
) -> None:
    answer = call(paused, "issue", "correct", *options)
    assert answer.status == status, answer.err
    assert "Traceback" not in answer.err
    (line,) = [line for line in answer.err.splitlines() if line.startswith("newsletter: ")]
    assert words in line


@pytest.fixture(scope="module")
def paused(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paused")
    with issue_under_way(prepared, folder) as under_way:
        under_way.move(IssueState.PAUSED)
    return folder


@pytest.mark.parametrize("act", ["recall", "cancel"])
def test_an_issue_is_called_off(call: Call, folder: Path, act: str) -> None:
    word = {"recall": "recalled", "cancel": "cancelled"}[act]
    assert must(call, folder, "issue", act).out == (
        f"issue 2025-W32 is {word}: of 6 readers 1 accepted, 0 refused, 0 uncertain, 5 skipped "
        "(called off: 5)\n"
    )
    report = must(call, folder, "issue", "report", "--slot", "2025-W32", "--json").json
    assert (report["state"], report["open"]) == (word, 0)
    assert {(part["state"], part["reason"], part["readers"]) for part in report["by_reason"]} == {
        ("accepted", "accepted", 1),
        ("skipped", word, 5),
    }
    again = call(folder, "issue", act, "--slot", "2025-W32")
    assert again.status == 1
    assert f"is {word} already" in again.err


@contextmanager
def reading(folder: Path) -> Iterator[tuple[Transaction, str]]:
    """The database, and the issue's public id."""
    with (
        open_installation(load_config(folder / "config.toml", {}), SystemClock()) as installation,
        installation.database.read() as tx,
    ):
        issue = tx.issues.get("weekly", "2025-W32")
        assert issue is not None
        yield tx, issue.public_id


def links_of(folder: Path) -> dict[str, set[str]]:
    """Where each story's links in mails lead, without their tag."""
    found: dict[str, set[str]] = {}
    with reading(folder) as (tx, issue):
        for link in tx.links.of_issue(issue):
            found.setdefault(link.name, set()).add(link.url.partition("?")[0])
    return found


def test_links_alone_are_corrected_without_a_pause_or_a_revision(call: Call, folder: Path) -> None:
    new = "https://paper.example/new"
    must(call, folder, "issue", "correct", "--link", f"latest/1={new}")
    assert links_of(folder)["latest/1"] == {new}
    must(call, folder, "issue", "pause")
    must(call, folder, "issue", "correct", "--withdraw", "latest/2")
    report = must(call, folder, "issue", "report", "--json").json
    assert [part["revision"] for part in report["by_revision"]] == [1]
    # A revision afterwards leaves both as they are.
    must(call, folder, "issue", "correct", "--headline", "latest/1=What happened")
    assert links_of(folder)["latest/1"] == {new}
    with reading(folder) as (tx, issue):
        withdrawn = {link.name for link in tx.links.of_issue(issue) if link.withdrawn_at}
    assert withdrawn == {"latest/2"}


def test_a_revision_leads_those_who_have_the_issue_to_the_same_pages(
    call: Call, folder: Path
) -> None:
    must(call, folder, "issue", "pause")
    change = ("--link", "latest/1=https://paper.example/new", "--note", "We erred.")
    must(call, folder, "issue", "correct", *change)
    assert links_of(folder)["latest/1"] == {"https://paper.example/new"}
    assert links_of(folder)["latest/2"] == {"https://paper.example/4"}
    shown = must(call, folder, "issue", "show", "--json").json["corrections"]
    assert [(one["story_id"], one["kind"]) for one in shown] == [
        ("story3", "changed"),
        ("", "note"),
    ]


def test_a_revision_is_told_of_in_the_archive_to_those_who_have_another(
    call: Call, folder: Path
) -> None:
    must(call, folder, "issue", "pause")
    change = ("--headline", "latest/1=What happened", "--remove", "latest/2", "--note", "Now so.")
    because = ("--because", "We  named a <wrong> town.")
    at = ("--now", "2025-08-06T10:00:00+00:00")
    must(call, folder, "issue", "correct", *change, *because, *at)
    assert archive_note(folder) == (
        "Corrected on August 6, 2025: The editors’ note was changed. The headline of “What "
        "happened” was changed. “Headline 4” was taken out. We named a <wrong> town."
    )
    shown = must(call, folder, "issue", "show").err
    assert "since 2025-08-06 10:00 UTC the headline of “What happened” is another" in shown
    assert "“Headline 4” is out" in shown
    must(call, folder, "issue", "correct", "--summary", "latest/1=In short.", *at)
    assert archive_note(folder).endswith("The summary of “What happened” was changed.")


def test_what_nobody_has_is_changed_without_a_word_in_the_archive(call: Call, paused: Path) -> None:
    answer = must(call, paused, "issue", "correct", "--note", "Hm.", "--because", "We erred.")
    assert "Nobody has the issue as it was" in answer.err
    assert must(call, paused, "issue", "show", "--json").json["corrections"] == []


def archive_note(folder: Path) -> str:
    """The words on corrections above the issue in the archive."""
    config = load_config(folder / "config.toml", {})
    with open_installation(config, SystemClock()) as installation:
        client = TestClient(create_app(WebContext.of(installation)), base_url="http://127.0.0.1")
        page = client.get("/archive/weekly/2025-W32")
    note = LexborHTMLParser(page.text).css_first(".archive-note")
    assert note is not None
    return " ".join(note.text().split())


@pytest.mark.parametrize("called", ["latest/2", "story4"])
def test_links_to_a_story_that_was_taken_out_are_still_withdrawn(
    call: Call, prepared: Path, tmp_path: Path, called: str
) -> None:
    folder = tmp_path
    with issue_under_way(prepared, folder) as under_way:
        with under_way.installation.database.write() as tx:
            tx.stories.save([a_story(4)])
        under_way.deliver(ACCEPTED)
        under_way.move(IssueState.PAUSED)
    removed = must(call, folder, "issue", "correct", "--remove", "latest/2")
    command = "issue correct --slot 2025-W32 --withdraw story4"
    assert "The links of “Headline 4” in mails that were sent still lead there" in removed.err
    assert f"(newsletter {command})\n" in removed.err
    moved = must(call, folder, "issue", "correct", "--link", f"{called}=https://paper.example/new")
    assert "the links of “Headline 4” lead to" in moved.out
    answer = must(call, folder, "issue", "correct", "--withdraw", called, "--because", "False.")
    assert "the links of “Headline 4” are withdrawn" in answer.out
    with reading(folder) as (tx, issue):
        assert {link.name for link in tx.links.of_issue(issue) if link.withdrawn_at} == {"latest/2"}
    assert call(folder, "issue", "correct", "--withdraw", "latest/9").status == 1


def test_what_nobody_has_is_taken_out_without_a_word_on_its_links(
    call: Call, prepared: Path, tmp_path: Path
) -> None:
    with issue_under_way(prepared, tmp_path) as under_way:
        under_way.move(IssueState.PAUSED)
    removed = must(call, tmp_path, "issue", "correct", "--remove", "latest/2")
    assert "still lead there" not in removed.err


def test_links_that_were_ours_stay_ours_in_a_revision(call: Call, folder: Path) -> None:
    must(call, folder, "issue", "pause")
    must(call, folder, "issue", "correct", "--link", "latest/1=https://paper.example/new")
    config = folder / "config.toml"
    text = config.read_text("utf-8")
    config.write_text(f'{text}\n[tracking]\nclicks = "off"\n', encoding="utf-8")
    must(call, folder, "issue", "correct", "--headline", "latest/2=What happened")
    with reading(folder) as (tx, issue):
        first, second = tx.mailings.of_issue(issue)
    assert "/l/" in second.html
    assert "https://paper.example/3" not in first.html + second.html
