"""Leaving by mail: what `newsletter inbox take` does with a mail that a server pipes to it."""

import io
import json
import re
import sys
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace

import pytest

from newsletter.demo.catcher import MailCatcher
from newsletter.workflows.deliver import deliver, open_ledger
from tests.acceptance.command_line import Answer
from tests.cli.conftest import Call
from tests.feedback.test_feedback_bounces import POSTFIX
from tests.workflows.under_way import issue_under_way, prepare_issue

TABLES = '[inbox]\naddress = "leave@paper.example"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A paper whose issue was sent to its readers; their mails lie in ``outbox``."""
    prepare_issue(tmp_path, TABLES)
    with (
        MailCatcher(tmp_path / "outbox") as catcher,
        issue_under_way(tmp_path, tmp_path, port=catcher.port, tables=TABLES) as under_way,
        open_ledger(under_way.installation) as ledger,
    ):
        deliver(under_way.installation, ledger)
    return tmp_path


def test_a_mail_to_the_address_in_an_issue_unsubscribes(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(message: str, *arguments: str) -> Answer:
        stream = SimpleNamespace(buffer=io.BytesIO(message.encode()))
        monkeypatch.setattr(sys, "stdin", stream)
        return call(folder, "inbox", "take", "--json", *arguments)

    def states() -> dict[str, int]:
        counts = call(folder, "subscribers", "stats", "--json").json["newsletters"]["weekly"]
        return {state: counts[state] for state in ("active", "unsubscribed")}

    first, second, *_ = sorted((folder / "outbox").rglob("*.eml"))
    addresses = [leave_address(path) for path in (first, second)]
    readers = states()["active"]

    # Whatever it says, and however often.
    for _ in range(2):
        answer = take(f"To: {addresses[0]}\nSubject: no\n\nI want to stay!\n")
        assert (answer.status, answer.json) == (0, {"taken": True})
        assert states() == {"active": readers - 1, "unsubscribed": 1}
    # The envelope's recipient counts before what is written in the head.
    answer = take("To: undisclosed\n\n", addresses[1])
    assert (answer.status, answer.json) == (0, {"taken": True})
    assert states() == {"active": readers - 2, "unsubscribed": 2}

    told = call(folder, "subscribers", "stats", "--json").json["newsletters"]["weekly"]
    assert set(told["left_because"].values()) == {0}

    third = leave_address(sorted((folder / "outbox").rglob("*.eml"))[2])
    last = "a" if third.partition("@")[0][-1] != "a" else "b"
    forged = third.replace("@", f"{last}@"), third.partition("@")[0][:-1] + last + "@paper.example"
    for message in ("", "\0\xff", "To: leave@paper.example\n\n", *(f"To: {f}\n\n" for f in forged)):
        answer = take(message)
        assert (answer.status, answer.json) == (0, {"taken": False})
        assert "mail_leads_nowhere" in answer.err
    assert states() == {"active": readers - 2, "unsubscribed": 2}


def test_a_report_that_comes_back_is_told_of_its_one_message(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(message: str, *arguments: str) -> Answer:
        stream = SimpleNamespace(buffer=io.BytesIO(message.encode()))
        monkeypatch.setattr(sys, "stdin", stream)
        return call(folder, "inbox", "take", "--json", *arguments)

    def told() -> dict[str, tuple[str, str]]:
        rows = call(folder, "issue", "report", "--each", "--json").json["deliveries"]
        return {row["address"]: (row["bounce"], row["bounce_text"]) for row in rows}

    lines = (folder / "outbox" / "envelopes.jsonl").read_text().splitlines()
    envelopes = [json.loads(line) for line in lines[:2]]
    readers = [one["to"][0] for one in envelopes]
    paths = [one["from"] for one in envelopes]
    assert set(told().values()) == {("", "")}

    late, gone = (POSTFIX.replace("failed", action) for action in ("delayed", "failed"))
    for message in (late, gone, late):
        # Whom the report names does not count: the return path is signed.
        assert take(message, paths[0]).json == {"taken": True}
    words = "550 5.1.1 <a…@reader.example>: Recipient address rejected: User unknown"
    assert told()[readers[0]] == ("failed", words)
    assert [bounce for bounce, _ in told().values()].count("") == len(told()) - 1
    assert "failed" in call(folder, "issue", "report", "--csv", "-").out
    # It was taken all the same, and nobody is struck off by a report.
    assert (
        call(folder, "subscribers", "stats", "--json").json["newsletters"]["weekly"]["unsubscribed"]
        == 0
    )

    for message, path in (
        ("Subject: Away\n\nI am away.\n", paths[1]),
        (gone, paths[1].replace("+", "+a")),
        (gone, "bounces@paper.example"),
    ):
        answer = take(message, path)
        assert (answer.status, answer.json) == (0, {"taken": False})
    assert told()[readers[1]] == ("", "")
    # With the reader it goes, and does not come again.
    assert call(folder, "subscribers", "forget", readers[0]).status == 0
    assert take(gone, paths[0]).json == {"taken": False}
    assert set(told().values()) == {("", "")}


def test_a_mail_that_comes_while_nothing_works_is_to_come_again(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"To: a@b.example\n\n")))
    answer = call(tmp_path, "inbox", "take")
    # EX_TEMPFAIL of sysexits.h: with 1 or 2 a mail server would send a bounce.
    assert answer.status == 75
    assert "config.toml" in answer.err


def leave_address(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    (found,) = re.findall(r"<mailto:(leave\+[^?>]+)\?", message["List-Unsubscribe"])
    return found
