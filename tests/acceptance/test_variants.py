"""Readers of two languages and of single departments, from the import to the inbox."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any

import pytest

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.issues.model import ServedVariant
from newsletter.web.archive import newest_by_language
from newsletter.workflows.opening import open_installation
from newsletter.workflows.variants import render_variants
from tests.acceptance.command_line import must, newsletter, write_config
from tests.acceptance.moving_clock import MovingClock
from tests.acceptance.weekly_feed import weekly_feed

DRAFTED = datetime(2025, 8, 7, 16, 0, tzinfo=UTC)
SENT = datetime(2025, 8, 8, 11, 0, tzinfo=UTC)
READERS = """\
email,language,departments
ann@readers.example,,
ara@readers.example,hy-AM,
art@readers.example,en,Arts
arev@readers.example,hy,Arts
com@readers.example,en,community;ARTS
odd@readers.example,en,Chess
eve@readers.example,de,
"""
TABLES = 'languages = ["en", "hy"]\nmax_variants = {most}\n'
LATEST = 'kind = "latest"'


def make_paper(folder: Path, feed: str, port: int, most: int = 12) -> None:
    path = write_config(folder, feed=feed, port=port)
    text = path.read_text("utf-8")
    send_at = 'send_at = "Fri 07:00"\n'
    assert send_at in text
    text = text.replace(send_at, send_at + TABLES.format(most=most))
    titles = 'titles = { hy = "Շաբաթվա նոր նյութերը" }'
    path.write_text(text.replace(LATEST, f'{LATEST}\nwindow = "28 days"\n{titles}'), "utf-8")
    (folder / "readers.csv").write_text(READERS, "utf-8")
    must(folder, "subscribers", "import", "readers.csv", "--consent", "told on paper")
    must(folder, "issue", "draft", "--now", DRAFTED.isoformat())
    must(folder, "issue", "approve", "--now", DRAFTED.isoformat())


@contextmanager
def house(folder: Path, **settings: Any) -> Iterator[MailCatcher]:
    folder.mkdir(exist_ok=True)
    clock = MovingClock(DRAFTED)
    with (
        weekly_feed(clock, datetime(2025, 6, 1, tzinfo=UTC)) as feed,
        MailCatcher(folder / "outbox") as catcher,
    ):
        make_paper(folder, feed, catcher.port, **settings)
        yield catcher


def inbox(folder: Path) -> dict[str, EmailMessage]:
    """The readers' mails, by what stands before the @."""
    found = {}
    for file in sorted((folder / "outbox").rglob("*.eml")):
        message = message_from_bytes(file.read_bytes(), policy=mail_policy)
        name, _, domain = message["To"].partition("@")
        if domain == "readers.example":
            found[name] = message
    return found


def told(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("variants")
    with house(folder):
        told_by = must(folder, "issue", "send", "--now", SENT.isoformat(), "--json").json
    return folder, told_by


def test_each_reader_gets_their_language_and_departments(
    sent: tuple[Path, dict[str, Any]],
) -> None:
    folder, told_by = sent
    assert (told_by["audience"], told_by["accepted"], told_by["state"]) == (7, 7, "sent")
    mails = inbox(folder)
    languages = {name: mail["Content-Language"] for name, mail in mails.items()}
    assert languages == {
        **dict.fromkeys(("ann", "art", "com", "odd", "eve"), "en"),
        **dict.fromkeys(("ara", "arev"), "hy"),
    }
    departments = {
        name: set(re.findall(r"^ *(Arts|Community)(?: ·|$)", told(mail), re.MULTILINE))
        for name, mail in mails.items()
    }
    both = {"Arts", "Community"}
    assert departments == {
        **dict.fromkeys(("ann", "ara", "eve"), both),
        **{name: {"Arts"} for name in ("art", "arev")},
        # All that there is, and nothing that there is, are the full one.
        **dict.fromkeys(("com", "odd"), both),
    }
    assert "View in browser" in told(mails["art"])
    assert "View in browser" not in told(mails["arev"])
    assert "/archive/weekly/2025-W32?lang=hy\n" in told(mails["arev"])
    assert "Շաբաթվա նոր նյութերը" in told(mails["ara"])
    # A story keeps its language within a mail in another.
    html = mails["ara"].get_body(("html",))
    assert html is not None
    assert 'lang="en"' in html.get_content()


def test_the_same_input_gives_the_same_bytes(
    sent: tuple[Path, dict[str, Any]],
) -> None:
    config = load_config(sent[0] / "config.toml", {})
    with open_installation(config, MovingClock(SENT)) as opened:
        with opened.database.read() as tx:
            (issue,) = tx.issues.recent("weekly", 5)
            frozen = tx.mailings.of_issue(issue.public_id)
        settings = opened.settings()
        for mailing in frozen:
            served = (ServedVariant(mailing.variant),)
            (made,) = render_variants(opened, settings, settings.newsletter[0], issue, served)
            again = made.rendered
            assert (again.subject, again.html, again.text) == (
                mailing.subject,
                mailing.html,
                mailing.text,
            )
    assert len({mailing.public_id for mailing in frozen}) == len(frozen) == 4


def test_the_subject_follows_the_lead_of_the_variant(sent: tuple[Path, dict[str, Any]]) -> None:
    mails = inbox(sent[0])
    for name in ("ann", "art"):
        assert f"{mails[name]['Subject']}\n" in told(mails[name])
    assert mails["ann"]["Subject"] == mails["com"]["Subject"] != mails["art"]["Subject"]


def test_the_report_adds_up_over_variants(sent: tuple[Path, dict[str, Any]]) -> None:
    report = must(sent[0], "issue", "report", "--slot", "2025-W32", "--json").json
    by_variant = {part["variant"]: part["readers"] for part in report["by_variant"]}
    assert by_variant == {"en": 4, "en: Arts": 1, "hy": 1, "hy: Arts": 1}
    assert sum(by_variant.values()) == report["audience"] == 7
    assert {row["address"]: row["variant"] for row in report["deliveries"]}[
        "arev@readers.example"
    ] == "hy: Arts"


def test_the_archive_shows_full_variants_only(sent: tuple[Path, dict[str, Any]]) -> None:
    config = load_config(sent[0] / "config.toml", {})
    with open_installation(config, SystemClock()) as opened, opened.database.read() as tx:
        (issue,) = tx.issues.recent("weekly", 5)
        shown = newest_by_language(tx.mailings.of_issue(issue.public_id))
    assert set(shown) == {"en", "hy"}
    assert not any(mailing.departments for mailing in shown.values())


@pytest.mark.long
def test_an_issue_in_variants_is_checked_previewed_and_rehearsed_before(tmp_path: Path) -> None:
    with house(tmp_path, most=3):
        checked = must(tmp_path, "issue", "check", "--no-fetch", "--json").json
        names = ["en", "hy", "en: Arts"]
        assert checked["variants"] == names
        look = ("issue", "preview", "--no-screenshots", "--out", "look", "--json")
        looked = must(tmp_path, *look).json
        assert [part["variant"] for part in looked["variants"]] == names
        assert 'lang="hy"' in (tmp_path / "look/hy/issue.html").read_text("utf-8")
        arts = looked["variants"][2]
        assert arts["files"]["text"] == "look/en-Arts/issue.txt"
        assert arts["sizes"]["html"] < looked["sizes"]["html"]
        rehearsed = must(tmp_path, "issue", "rehearse", "--now", SENT.isoformat(), "--json").json
        assert (rehearsed["audience"], rehearsed["accepted"]) == (7, 7)
        wanted = {"en": 4, "en: Arts": 1, "hy": 2}
        assert {part["variant"]: part["readers"] for part in rehearsed["by_variant"]} == wanted
        must(tmp_path, "issue", "send", "--now", SENT.isoformat())
    report = must(tmp_path, "issue", "report", "--slot", "2025-W32", "--json").json
    by_variant = {part["variant"]: part["readers"] for part in report["by_variant"]}
    assert by_variant == wanted


def test_one_reader_is_added_with_language_and_departments(tmp_path: Path) -> None:
    write_config(tmp_path, feed="http://127.0.0.1:9/feed/", port=9)
    add = ("subscribers", "add", "ann@readers.example", "--consent", "by phone")
    must(tmp_path, *add, "--language", "hy", "--departments", "Sports; arts;Arts")
    found = must(tmp_path, "subscribers", "find", "ann@readers.example", "--json").json
    assert found["subscriber"]["language"] == "hy"
    assert found["subscriptions"][0]["departments"] == ["arts", "Sports"]
    exported = must(tmp_path, "subscribers", "export").out
    assert "arts;Sports" in exported
    wrong = newsletter(tmp_path, *add, "--language", "the tongue")
    assert wrong.status == 2
    assert "language" in wrong.err
