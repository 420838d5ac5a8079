"""A rehearsal is a send without the wire and the ledger: same readers, same bytes, no trace."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.checks.model import Level
from newsletter.config import load_config
from newsletter.delivery.dkim_keys import Algorithm, create_key, key_folder
from newsletter.delivery.rehearsal import Unmailable
from newsletter.delivery.responder import OFFERS, accept
from newsletter.demo.catcher import MailCatcher
from newsletter.errors import InvalidTransition, RelayUnavailable
from newsletter.issues.model import IssueState
from newsletter.storage.identity import Identity
from newsletter.storage.tables import metadata, subscriber
from newsletter.workflows import rehearse
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import start_sending
from newsletter.workflows.rehearse import Rehearsal, rehearse_issue
from newsletter.workflows.relay_doors import ask_nobody, ask_relay
from newsletter.workflows.report import open_report
from tests.acceptance.command_line import write_config
from tests.contracts.nouns import NOW, add_reader
from tests.delivery.samples import SetClock
from tests.dns_server import SERVFAIL, dns_server
from tests.workflows.under_way import FEED, a_weekly_issue

READERS = 40
# Straight into the table: no door of ours lets such addresses in.
ODD = {
    3: "no-at-sign",
    5: "two words@reader.example",
    7: "line\nbreak@reader.example",
    9: f"{'x' * 65}@reader.example",
    11: "anna@-bad-.example",
}
WIDE = {13: "լիլիթ@reader.example", 15: "lilit@գիր.example"}
ADDED = """
[delivery]
group_by_mx = false
brake_share = 1
[dns]
nameservers = ["127.0.0.1"]
port = 9
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    with opened(folder, 9) as installation, installation.database.write() as tx:
        for number in range(READERS):
            add_reader(tx, number)
        for number, address in {**ODD, **WIDE}.items():
            tx.connection.execute(
                sa.update(subscriber)
                .where(subscriber.c.public_id == f"reader{number}")
                .values(address=address)
            )
        tx.issues.create(a_weekly_issue(), NOW, "anna")
    return folder


@contextmanager
def opened(folder: Path, port: int, added: str = ADDED) -> Iterator[Installation]:
    path = write_config(folder, feed=FEED, port=port)
    path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")
    with open_installation(load_config(path, {}), SetClock(NOW)) as installation:
        yield installation


@pytest.fixture
def installation(prepared: Path, tmp_path: Path) -> Iterator[Installation]:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    with opened(tmp_path, 9) as found:
        yield found


def found_by(installation: Installation, **options: Any) -> tuple[Rehearsal, dict[str, Unmailable]]:
    options = {"ask": ask_nobody, **options}
    with rehearse_issue(installation, a_weekly_issue(), **options) as rehearsal:
        unmailable = list(rehearsal.unmailable())
    assert len(unmailable) == rehearsal.failed
    return rehearsal, {one.address: one for one in unmailable}


def rows_of(installation: Installation) -> dict[str, list[Any]]:
    with installation.database.read() as tx:
        return {
            table.name: [tuple(row) for row in tx.connection.execute(sa.select(table))]
            for table in metadata.sorted_tables
        }


def stops_of(rehearsal: Rehearsal) -> list[str]:
    return [finding.key for finding in rehearsal.findings if finding.level is Level.STOP]


def test_everyone_is_counted_and_who_can_not_be_mailed_is_named(
    installation: Installation,
) -> None:
    rehearsal, unmailable = found_by(installation)
    assert set(unmailable) == set(ODD.values())
    assert unmailable[ODD[5]].recipient_id == "reader5"
    assert (rehearsal.audience, rehearsal.rehearsed) == (READERS, READERS)
    assert (rehearsal.accepted, rehearsal.failed) == (READERS - len(ODD), len(ODD))
    assert rehearsal.reasons == {"unknown_user": len(ODD)}
    assert rehearsal.complete
    assert rehearsal.falls_short
    assert (rehearsal.utf8, rehearsal.signed, stops_of(rehearsal)) == (1, False, [])
    assert rehearsal.domains.named[0][0] == "reader.example"
    assert rehearsal.domains.readers == READERS
    assert rehearsal.sizes is not None
    assert rehearsal.sizes.smallest <= rehearsal.sizes.median <= rehearsal.sizes.largest
    # Three connections, of which one is kept, and an answer each tenth of a second.
    assert rehearsal.estimate.starts_at == a_weekly_issue().send_at
    assert rehearsal.estimate.seconds == pytest.approx(READERS / 20)


def test_it_leaves_no_trace(installation: Installation) -> None:
    before = rows_of(installation)
    assert before["issue"]
    files = {path.name for path in installation.data_dir.iterdir()}
    rehearsal, _ = found_by(installation)
    assert rehearsal.accepted
    assert rows_of(installation) == before
    assert {path.name for path in installation.data_dir.iterdir()} == files


@contextmanager
def signing(folder: Path, faults: dict[str, str]) -> Iterator[str]:
    """A key and a DNS that does not show it; gives what the config needs."""
    create_key(key_folder(folder / "data"), "s1", Algorithm.RSA)
    with dns_server({}, faults) as server:
        yield ADDED.replace("port = 9", f"port = {server.port}") + '[dkim]\nselectors = ["s1"]\n'


@pytest.mark.parametrize("signed", [False, True])
def test_a_send_brings_what_was_rehearsed_byte_for_byte(
    prepared: Path, tmp_path: Path, signed: bool
) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    rehearsed: list[bytes] = []

    def answers(command: str, argument: bytes) -> bytes:
        if command == "DOT":
            rehearsed.append(argument)
        return accept(command, argument)

    inbox = tmp_path / "inbox"
    with ExitStack() as stack:
        # Where DNS does not answer, that stops nobody.
        faults = {"s1._domainkey.paper.example": SERVFAIL}
        added = stack.enter_context(signing(tmp_path, faults)) if signed else ADDED
        catcher = stack.enter_context(MailCatcher(inbox))
        installation = stack.enter_context(opened(tmp_path, catcher.port, added))
        rehearsal, unmailable = found_by(installation, ask=ask_relay, answers=answers)
        assert (rehearsal.signed, stops_of(rehearsal)) == (signed, [])
        start_sending(installation, a_weekly_issue(), actor="anna")
        with open_ledger(installation) as ledger:
            summary = deliver(installation, ledger)
        with open_report(installation, a_weekly_issue()) as report:
            states = {row.address: (row.state.value, row.reason) for row in report.rows()}
    assert summary.accepted == rehearsal.accepted == catcher.accepted
    refused = {address: reason for address, (state, reason) in states.items() if state == "refused"}
    assert refused == {address: one.reason for address, one in unmailable.items()}
    sent = [path.read_bytes() for path in inbox.glob("*.eml")]
    assert sorted(sent) == sorted(rehearsed)
    assert len(set(sent)) == READERS - len(ODD)
    assert all((b"DKIM-Signature" in message) is signed for message in sent)
    sizes = sorted(map(len, sent))
    assert rehearsal.sizes is not None
    assert (rehearsal.sizes.smallest, rehearsal.sizes.largest) == (sizes[0], sizes[-1])


def test_a_key_that_dns_does_not_show_is_found(prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    with signing(tmp_path, {}) as added, opened(tmp_path, 9, added) as installation:
        rehearsal, _ = found_by(installation, limit=1)
    assert stops_of(rehearsal) == ["dkim"]


def test_a_relay_without_smtputf8_costs_the_readers_who_need_it(
    installation: Installation,
) -> None:
    def ask(_relay: object) -> dict[str, str]:
        return {name: "" for name in OFFERS if name != "smtputf8"}

    rehearsal, unmailable = found_by(installation, ask=ask)
    assert set(unmailable) == {*ODD.values(), WIDE[13]}
    assert "SMTPUTF8" in unmailable[WIDE[13]].sentence
    assert rehearsal.utf8 == 0


def test_what_a_relays_door_tells(installation: Installation) -> None:
    def ask_small(_relay: object) -> dict[str, str]:
        return {**OFFERS, "size": "1000"}

    rehearsal, _ = found_by(installation, ask=ask_small)
    assert stops_of(rehearsal) == ["size"]
    assert "takes messages of up to 1,000 octets" in rehearsal.findings[0].sentence

    def ask_closed(_relay: object) -> dict[str, str]:
        raise RelayUnavailable("relay catcher is asleep", subject="catcher")

    rehearsal, _ = found_by(installation, ask=ask_closed)
    assert stops_of(rehearsal) == []
    (told,) = [finding for finding in rehearsal.findings if finding.key == "relay"]
    assert told.sentence.startswith("relay catcher is asleep. ")
    assert rehearsal.accepted == READERS - len(ODD)


def test_a_sample_is_fair_and_says_so(installation: Installation) -> None:
    rehearsal, _ = found_by(installation, limit=10)
    assert (rehearsal.limit, rehearsal.rehearsed, rehearsal.audience) == (10, 10, READERS)
    assert rehearsal.complete
    assert rehearsal.domains.readers == READERS
    assert sum(rehearsal.estimate.by_relay.values()) == READERS
    whole, _ = found_by(installation, limit=READERS + 1)
    assert (whole.rehearsed, whole.complete) == (READERS, True)


def test_broken_off_it_tells_what_it_has(installation: Installation) -> None:
    dots: list[str] = []

    def answers(command: str, argument: bytes) -> bytes:
        if command == "DOT":
            dots.append(command)
        return accept(command, argument)

    rehearsal, _ = found_by(installation, answers=answers, should_stop=lambda: len(dots) >= 5)
    assert 5 <= rehearsal.accepted < READERS - len(ODD)
    assert not rehearsal.complete
    assert rehearsal.falls_short


def test_the_brake_is_foreseen(prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    added = ADDED.replace("brake_share = 1", "brake_share = 0.05")
    with MailCatcher(tmp_path / "inbox") as catcher, opened(tmp_path, catcher.port, added) as i:
        rehearsal, _ = found_by(i)
        assert stops_of(rehearsal) == ["brake"]
        assert rehearsal.findings[0].sentence.startswith("5 of the first 40 readers")
        start_sending(i, a_weekly_issue(), actor="anna")
        with open_ledger(i) as ledger:
            deliver(i, ledger)
        with i.database.read() as tx:
            issue = tx.issues.by_id(a_weekly_issue().public_id)
    assert issue is not None
    assert issue.state is IssueState.PAUSED


def test_what_stops_a_send_is_found(installation: Installation) -> None:
    with installation.database.write() as tx:
        tx.issues.move("issue-2025-W32", {IssueState.APPROVED}, IssueState.HELD, "anna", NOW)
        assert tx.issues.replace(replace(a_weekly_issue(), subject=""), "anna", NOW)
        before = replace(
            a_weekly_issue(), public_id="earlier", slot="2025-W31", state=IssueState.SENT
        )
        tx.issues.create(before, NOW - timedelta(days=7), "anna")
        tx.identity.create(Identity("instance1", 1, tx.identity.fingerprint(), "so it is"), NOW)
    rehearsal, _ = found_by(installation)
    assert rehearsal.issue.state is IssueState.HELD
    assert sorted(stops_of(rehearsal)) == ["held", "repeats", "subject"]
    levels = [finding.level for finding in rehearsal.findings]
    assert levels == sorted(levels, key=list(Level).index)
    assert rehearsal.accepted == READERS - len(ODD)


def test_an_issue_of_which_nothing_can_be_written_is_told_once(
    installation: Installation,
) -> None:
    with installation.database.write() as tx:
        tx.issues.move("issue-2025-W32", {IssueState.APPROVED}, IssueState.HELD, "anna", NOW)
        assert tx.issues.replace(replace(a_weekly_issue(), subject="Bell \x07"), "anna", NOW)
    rehearsal, unmailable = found_by(installation)
    assert stops_of(rehearsal) == ["message"]
    assert (rehearsal.rehearsed, rehearsal.complete, unmailable) == (0, False, {})
    assert (rehearsal.sizes, rehearsal.per_second) == (None, 0)
    assert rehearsal.falls_short


@pytest.mark.parametrize("state", [IssueState.SENDING, IssueState.PAUSED, IssueState.CANCELLED])
def test_only_before_its_sending_begins(installation: Installation, state: IssueState) -> None:
    with installation.database.write() as tx:
        path = [IssueState.SENDING, IssueState.PAUSED] if state is IssueState.PAUSED else [state]
        for to in path:
            assert tx.issues.move("issue-2025-W32", set(IssueState), to, "anna", NOW)
    with (
        pytest.raises(InvalidTransition, match=f"is {state}; only one whose sending"),
        rehearse_issue(installation, a_weekly_issue(), ask=ask_nobody),
    ):
        pass


def test_a_great_many_who_can_not_be_mailed_are_not_kept_in_memory(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearse, "_KEPT_OCTETS", 10)
    _, unmailable = found_by(installation)
    assert set(unmailable) == set(ODD.values())
