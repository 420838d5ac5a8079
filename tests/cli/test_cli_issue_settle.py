"""`newsletter issue settle`: a person says what became of a message in doubt."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.workflows.opening import open_installation
from tests.acceptance.ready_house import make_house, read_report
from tests.cli.conftest import Call
from tests.delivery.smtp_servers import DROP, Faults, smtp_server

HOLD = '[delivery]\non_uncertain = "hold"\n'
READERS = [f"reader{number}@reader.example" for number in range(4)]


@pytest.fixture
def server() -> Iterator[tuple[Faults, int]]:
    """A relay that takes the first two messages and hangs up without a word."""
    faults = Faults({"DOT": lambda count: DROP if count <= 2 else None})
    with smtp_server(faults) as port:
        yield faults, port


def states(folder: Path) -> dict[str, str]:
    return {row["address"]: str(row["state"]) for row in read_report(folder)["deliveries"]}


def test_a_doubt_is_settled_by_hand(call: Call, tmp_path: Path, server: tuple[Faults, int]) -> None:
    faults, port = server
    make_house(tmp_path, port, READERS, settings=HOLD)
    sent = call(tmp_path, "issue", "send")
    assert sent.status == 0, sent.err
    assert faults.fired["DOT"] == 2
    arrived, lost = [name for name, state in states(tmp_path).items() if state == "uncertain"]
    assert read_report(tmp_path)["state"] == "sent"

    kept = call(tmp_path, "issue", "settle", arrived.upper(), "--accepted", "--json")
    assert kept.json["delivery"] == "accepted"
    assert kept.json["state"] == "sent"
    again = call(tmp_path, "issue", "settle", lost, "--resend")
    assert "once more" in again.out
    assert states(tmp_path)[lost] == "queued"
    assert call(tmp_path, "issue", "send").status == 0

    report = read_report(tmp_path)
    assert report["state"] == "sent"
    assert set(states(tmp_path).values()) == {"accepted"}
    copies = [message for _, recipient, message in faults.messages if recipient == lost]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert len(faults.messages) == 5
    shown = call(tmp_path, "issue", "report").out
    assert "settled by hand" in shown
    assert "resent once" in shown
    config = load_config(tmp_path / "config.toml", {})
    with open_installation(config, SystemClock()) as house, house.database.read() as tx:
        acts = tx.changes.of("issue", "issue00000000001")
    settled = [one.detail["to"] for one in acts if one.act == "doubt_settled"]
    assert settled == ["accepted", "queued"]
    assert [one.act for one in acts][-2:] == ["sending", "sent"]


def test_what_is_in_no_doubt_is_not_settled(
    call: Call, tmp_path: Path, server: tuple[Faults, int]
) -> None:
    faults, port = server
    faults.answers["DOT"] = lambda count: DROP if count != 4 else None
    make_house(tmp_path, port, READERS[:2], settings=HOLD)
    assert call(tmp_path, "issue", "send").status == 0
    mistakes = {
        ("settle", READERS[0]): "either --accepted or --resend",
        ("settle", READERS[0], "--accepted", "--resend"): "either --accepted or --resend",
        ("settle", "nobody@reader.example", "--accepted"): "has no reader nobody@reader.example",
    }
    for arguments, sentence in mistakes.items():
        answer = call(tmp_path, "issue", *arguments)
        assert answer.status in (1, 2)
        assert sentence in answer.err
    # Sent once more and in doubt again: it may be in the inbox twice by now.
    assert call(tmp_path, "issue", "settle", READERS[0], "--resend").status == 0
    call(tmp_path, "issue", "send")
    assert faults.fired["DOT"] == 3
    twice = call(tmp_path, "issue", "settle", READERS[0], "--resend")
    assert (twice.status, "sent twice already" in twice.err) == (1, True)
    assert call(tmp_path, "issue", "settle", READERS[0], "--accepted").status == 0
    over = call(tmp_path, "issue", "settle", READERS[0], "--accepted")
    assert (over.status, "nothing is in doubt" in over.err) == (1, True)
