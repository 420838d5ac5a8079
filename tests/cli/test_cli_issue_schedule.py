"""`newsletter issue schedule`, `skip` and `approve --as` at the command line."""

from pathlib import Path

from tests.acceptance.ready_house import make_house, reader_addresses
from tests.cli.conftest import Call

TWO = ('send_at = "Fri 07:00"', 'send_at = "Fri 07:00"\napproval = "two"')


def test_an_issue_waits_for_two_and_is_sent_in_a_minute(tmp_path: Path, call: Call) -> None:
    make_house(tmp_path, 25, reader_addresses(2), changes=[TWO])
    held = call(tmp_path, "issue", "hold")
    assert held.status == 0, held.err
    first = call(tmp_path, "issue", "approve", "--as", "anna")
    assert "approved by anna; another has to approve it too" in first.out
    again = call(tmp_path, "issue", "approve", "--as", "anna")
    assert (again.status, "another one has to" in again.err) == (1, True)
    both = call(tmp_path, "issue", "approve", "--as", "vartan", "--json").json
    assert (both["state"], both["first_approved_by"]) == ("approved", "anna")
    wrong = call(tmp_path, "issue", "schedule", "--soon", "--readers", "3")
    assert "has 2 readers, and you wrote 3" in wrong.err
    soon = call(tmp_path, "issue", "schedule", "--soon", "--readers", "2")
    assert "for 60 seconds --take-back stops it" in soon.out, soon.err
    back = call(tmp_path, "issue", "schedule", "--take-back", "--json").json
    assert back["state"] == "held", "its own time is past"
    for arguments in (
        (),
        ("--soon", "--take-back"),
        ("2025-01-01",),
        ("soon",),
        ("--readers", "2"),
    ):
        refused = call(tmp_path, "issue", "schedule", *arguments)
        assert (refused.status, refused.out) == (2, "")
        assert "Traceback" not in refused.err


def test_a_week_is_skipped_and_taken_in_again(tmp_path: Path, call: Call) -> None:
    make_house(tmp_path, 25, reader_addresses(1))
    now = ("--now", "2025-08-05T12:00:00Z")
    before = call(tmp_path, "issue", "skip", *now, "--json").json["slots"]
    assert [one["skipped"] for one in before] == [False] * 8
    key = before[1]["slot"]
    skipped = call(tmp_path, "issue", "skip", key, *now)
    assert f"{key}  Fri 2025-08-15 07:00  skipped" in skipped.out
    assert call(tmp_path, "issue", "skip", key, *now).status == 1
    after = call(tmp_path, "issue", "skip", key, "--undo", *now, "--json").json["slots"]
    assert after == before
    assert call(tmp_path, "issue", "skip", "--undo").status == 2
    assert call(tmp_path, "issue", "skip", "2025-08-05", *now).status == 2
