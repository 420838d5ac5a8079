"""`newsletter issue report`: each reader in one list, and every list whole."""

import csv
import io
from pathlib import Path

import pytest

from newsletter.delivery.model import OutcomeKind
from tests.acceptance.command_line import Answer
from tests.cli.conftest import Call
from tests.contracts.nouns import ACCEPTED, NOW, an_issue, an_outcome
from tests.workflows.under_way import issue_under_way, prepare_issue

FORMULA = "=cmd|' /C calc'!A0"


def must(call: Call, folder: Path, *arguments: str) -> Answer:
    answer = call(folder, *arguments)
    assert answer.status == 0, answer.err + answer.out
    return answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of six readers one has the issue, one is refused, one in doubt, one forgotten."""
    prepared = prepare_issue(tmp_path_factory.mktemp("prepared"))
    folder = tmp_path_factory.mktemp("report")
    with issue_under_way(prepared, folder) as under_way:
        dropped = an_outcome(OutcomeKind.UNCERTAIN, 0, "no [bold]answer")
        under_way.deliver(ACCEPTED, an_outcome(OutcomeKind.REFUSED, 550, FORMULA), dropped)
        with under_way.installation.database.write() as tx:
            tx.subscribers.forget(list(under_way.rows)[-1], NOW, "reader")
    return folder


def test_json_has_the_totals_and_each_reader(call: Call, folder: Path) -> None:
    document = must(call, folder, "issue", "report", "--json").json
    assert (document["newsletter"], document["issue"]) == ("weekly", "2025-W32")
    parts = ("accepted", "refused", "uncertain", "skipped", "open")
    assert [document[part] for part in parts] == [1, 1, 0, 1, 3]
    assert document["audience"] == 6 == len(document["deliveries"])
    for name in ("by_reason", "by_relay", "by_domain", "by_revision", "by_wave"):
        assert sum(part["readers"] for part in document[name]) == 6
    assert [part["domain"] for part in document["by_domain"]] == ["reader.example", "", None]
    assert sorted(row["state"] for row in document["deliveries"]) == [
        *("accepted", "queued", "queued", "queued", "refused", "skipped")
    ]
    (doubt,) = document["doubts"]
    assert (doubt["became"], doubt["reply"]) == ("waits to be resent", "no [bold]answer")


def test_json_without_the_readers(call: Call, folder: Path) -> None:
    document = must(call, folder, "issue", "report", "--json", "--no-each").json
    assert document["audience"] == 6
    assert "deliveries" not in document


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_csv_lists_each_reader_and_runs_nothing(call: Call, folder: Path) -> None:
    to_file = must(call, folder, "issue", "report", "--csv", "readers.csv", "--json", "--no-each")
    assert to_file.json["audience"] == 6
    written = (folder / "readers.csv").read_bytes().decode()
    rows = rows_of(written)
    assert len(rows) == 6
    (refused,) = [row for row in rows if row["state"] == "refused"]
    # Also where a program parts the file at bars instead.
    assert refused["reply_text"] == "'" + FORMULA.replace("|", "|'")
    assert refused["address"].endswith("@reader.example")
    assert {row["revision"] for row in rows} == {"1"}
    piped = must(call, folder, "issue", "report", "--csv", "-")
    assert rows_of(piped.out) == rows
    assert "6 readers" in piped.err


def test_a_person_reads_tables(call: Call, folder: Path) -> None:
    lines = must(call, folder, "issue", "report").out.splitlines()
    assert lines[0].startswith("issue 2025-W32 is sending: of 6 readers 1 accepted")
    cells = [line.split() for line in lines]
    assert ["audience", "6"] in cells
    assert ["refused", "refused", "1", "16.7%"] in cells
    assert ["reader.example", "5", "1", "1", "0", "0", "3"] in cells
    assert ["(forgotten)", "1", "0", "0", "0", "1", "0"] in cells
    (doubt,) = [line for line in lines if "waits to be resent" in line]
    assert doubt.endswith("no [bold]answer")


def sentence_of(answer: Answer) -> str:
    assert answer.status == 2, answer.err
    (line,) = [line for line in answer.err.splitlines() if line.startswith("newsletter: ")]
    return line


def test_two_documents_do_not_share_standard_output(call: Call, folder: Path) -> None:
    assert "--csv" in sentence_of(call(folder, "issue", "report", "--json", "--csv", "-"))


def test_a_csv_that_can_not_be_written_is_named(call: Call, folder: Path) -> None:
    answer = call(folder, "issue", "report", "--csv", "none/readers.csv")
    assert "none/readers.csv" in sentence_of(answer)


def test_an_issue_that_was_not_sent_yet_has_an_empty_report(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    with (
        issue_under_way(folder, tmp_path) as under_way,
        under_way.installation.database.write() as tx,
    ):
        tx.issues.create(an_issue("2025-W33"), NOW, "anna")
    answer = must(call, tmp_path, "issue", "report", "--slot", "2025-W33")
    assert "is draft: of 0 readers" in answer.out
    document = must(call, tmp_path, "issue", "report", "--slot", "2025-W33", "--json").json
    assert (document["audience"], document["deliveries"]) == (0, [])
