"""`newsletter issue rehearse`, as a person and as a machine call it."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.cli.rehearsal_answers import in_words
from newsletter.config import load_config
from newsletter.issues.model import IssueState
from newsletter.storage.tables import subscriber
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import Answer, newsletter, write_config
from tests.acceptance.moving_clock import MovingClock
from tests.cli.conftest import Call
from tests.contracts.nouns import NOW, add_reader
from tests.workflows.under_way import FEED, a_weekly_issue

READERS = 12
ODD = {3: "no\x1b[2Jat-sign", 5: "two words@reader.example"}
WIDE = "լիլիթ@reader.example"
CLOCK = ("--now", NOW.isoformat())
REHEARSE = ("issue", "rehearse", *CLOCK)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A draft for twelve readers, two of whom no mail can reach; the relay is not there."""
    folder = tmp_path_factory.mktemp("odd")
    path = write_config(folder, feed=FEED, port=9)
    limits = "connections = 3\nrate = 2\ndaily_cap = 7\n"
    text = path.read_text(encoding="utf-8").replace("connections = 3\n", limits)
    path.write_text(text, encoding="utf-8")
    with (
        open_installation(load_config(path, {}), MovingClock(NOW)) as installation,
        installation.database.write() as tx,
    ):
        for number in range(READERS):
            add_reader(tx, number)
        for number, address in {**ODD, 7: WIDE}.items():
            tx.connection.execute(
                sa.update(subscriber)
                .where(subscriber.c.public_id == f"reader{number}")
                .values(address=address)
            )
        tx.issues.create(a_weekly_issue(), NOW, "anna")
        tx.issues.move("issue-2025-W32", {IssueState.APPROVED}, IssueState.HELD, "anna", NOW)
        tx.issues.move("issue-2025-W32", {IssueState.HELD}, IssueState.DRAFT, "anna", NOW)
    return folder


@pytest.fixture
def good(odd: Path, tmp_path: Path) -> Path:
    """The same, and everybody can be reached."""
    shutil.copytree(odd, tmp_path, dirs_exist_ok=True)
    with (
        open_installation(
            load_config(tmp_path / "config.toml", {}), MovingClock(NOW)
        ) as installation,
        installation.database.write() as tx,
    ):
        for number in ODD:
            tx.connection.execute(
                sa.update(subscriber)
                .where(subscriber.c.public_id == f"reader{number}")
                .values(address=f"reader{number}@reader.example")
            )
    return tmp_path


def lines_of(answer: Answer) -> list[str]:
    return answer.out.splitlines()


def test_a_person_reads_what_a_send_will_be_like(call: Call, odd: Path) -> None:
    answer = call(odd, *REHEARSE)
    assert answer.status == 1
    lines = lines_of(answer)
    assert lines[0] == (
        "rehearsal of issue 2025-W32, which is draft: of 12 readers 10 would get it and 2 would "
        "not; nothing was sent"
    )
    assert lines[1].startswith("pace: ")
    assert "not signed" in lines[1]
    assert "octets on the wire" in lines[2]
    assert lines[3] == "SMTPUTF8: 1 of the addresses need a relay that takes it"
    assert "from 2025-08-08 12:00 to 2025-08-09 00:00 UTC" in lines[4]
    assert lines[5] == "  catcher: 2 a second by its rate; 7 on the first day at most"
    cells = [line.split() for line in lines]
    assert ["2025-08-08", "7"] in cells
    assert ["2025-08-09", "5"] in cells
    assert ["reader.example", "11", "91.7%"] in cells
    (told,) = [line for line in lines if line.startswith("two words@reader.example")]
    assert "reader5" in told
    assert "what stands before its @ can't be put in an envelope" in told
    assert "no\N{REPLACEMENT CHARACTER}[2Jat-sign" in answer.out
    assert "\x1b" not in answer.out
    (door,) = [line for line in lines if line.startswith("warn: relay catcher")]
    assert "refuses the connection" in door


def test_a_machine_reads_one_document(call: Call, odd: Path) -> None:
    answer = call(odd, *REHEARSE, "--json", "--no-ask")
    assert answer.status == 1
    found = answer.json
    assert (found["newsletter"], found["issue"], found["state"]) == ("weekly", "2025-W32", "draft")
    assert (found["audience"], found["rehearsed"], found["limit"]) == (12, 12, None)
    assert (found["accepted"], found["failed"], found["complete"]) == (10, 2, True)
    assert found["octets"]["smallest"] <= found["octets"]["p95"] <= found["octets"]["largest"]
    assert [day["messages"] for day in found["estimate"]["by_day"]] == [7, 5]
    assert found["estimate"]["by_relay"] == [{"relay": "catcher", "messages": 12}]
    assert sum(part["readers"] for part in found["by_domain"]) == 12
    assert found["by_reason"] == [{"reason": "unknown_user", "readers": 2}]
    assert {(one["address"], one["recipient"]) for one in found["unmailable"]} == {
        (address, f"reader{number}") for number, address in ODD.items()
    }
    assert not any(finding["level"] == "stop" for finding in found["findings"])
    assert not any(finding["key"] == "relay" for finding in found["findings"])


def test_where_nothing_is_amiss_it_ends_well(call: Call, good: Path) -> None:
    answer = call(good, *REHEARSE, "--no-ask")
    assert answer.status == 0, answer.out + answer.err
    assert "of 12 readers 12 would get it and 0 would not" in answer.out
    assert "can't be mailed" not in answer.out
    assert call(good, "issue", "list", "--json", *CLOCK).json["issues"][0]["state"] == "draft"
    report = call(good, "issue", "report", "--json", *CLOCK).json
    assert (report["audience"], report["state"]) == (0, "draft")


def test_a_sample_says_that_it_is_one(call: Call, good: Path) -> None:
    answer = call(good, *REHEARSE, "--no-ask", "--limit", "5")
    assert answer.status == 0
    assert "of a sample of 5 of 12 readers 5 would get it" in answer.out
    found = call(good, *REHEARSE, "--no-ask", "--limit", "5", "--json").json
    assert (found["limit"], found["rehearsed"], found["audience"]) == (5, 5, 12)
    assert call(good, *REHEARSE, "--limit", "0").status == 2


def test_without_readers_there_is_little_to_say(call: Call, odd: Path, tmp_path: Path) -> None:
    shutil.copytree(odd, tmp_path, dirs_exist_ok=True)
    with open_installation(load_config(tmp_path / "config.toml", {}), MovingClock(NOW)) as i:
        for number in range(READERS):
            with i.database.write() as tx:
                tx.subscribers.forget(f"reader{number}", NOW, "anna")
    answer = call(tmp_path, *REHEARSE, "--no-ask")
    assert answer.status == 0, answer.out + answer.err
    assert "of 0 readers 0 would get it" in answer.out
    found = call(tmp_path, *REHEARSE, "--no-ask", "--json").json
    assert (found["octets"], found["unmailable"], found["estimate"]["by_day"]) == (None, [], [])


def test_by_the_real_command_an_issue_on_its_way_is_refused(good: Path) -> None:
    with (
        open_installation(load_config(good / "config.toml", {}), MovingClock(NOW)) as installation,
        installation.database.write() as tx,
    ):
        assert tx.issues.move("issue-2025-W32", set(IssueState), IssueState.SENDING, "anna", NOW)
    answer = newsletter(good, *REHEARSE, "--json")
    assert (answer.status, answer.out) == (1, "")
    (line,) = [line for line in answer.err.splitlines() if line.startswith("newsletter: ")]
    assert "issue 2025-W32 is sending; only one whose sending has not begun" in line


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "less than a second"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (9_999, "2 h 46 min"),
        (86_400, "1 day"),
        (200_000, "2 days 7 h"),
    ],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@given(st.floats(0, 1e9))
def test_every_length_of_time_has_words(seconds: float) -> None:
    words = in_words(seconds)
    assert words == words.strip()
    assert 2 <= len(words.split()) <= 5
