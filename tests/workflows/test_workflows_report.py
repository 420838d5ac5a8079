"""Every reader of an issue accounted for, whatever became of them and of the issue."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.model import DeliveryState, LedgerCounts, OutcomeKind
from newsletter.errors import InvalidTransition
from newsletter.issues.model import IssueState
from newsletter.storage.delivery_rows import DeliveryGroup, DeliveryRow, DomainCounts
from newsletter.subscribers.csv_cells import unguard_cell
from newsletter.workflows.report import (
    IssueReport,
    describe_doubt,
    open_report,
)
from newsletter.workflows.report_csv import HEADER, write_readers
from newsletter.workflows.unserved import skip_called_off
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    MINUTE,
    NOW,
    REFUSED,
    UNCERTAIN,
    an_issue,
    an_outcome,
)
from tests.marking import first_soon
from tests.workflows.under_way import IssueUnderWay, issue_under_way, prepare_issue

TAKEN = ACCEPTED._replace(reason="")
GREYLISTED = DEFERRED._replace(reason="greylisted")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare_issue(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def under_way(prepared: Path, tmp_path: Path) -> Iterator[IssueUnderWay]:
    with issue_under_way(prepared, tmp_path) as found:
        yield found


def assert_adds_up(report: IssueReport, audience: int) -> None:
    totals = report.totals()
    assert totals["audience"] == audience
    parts = ("accepted", "refused", "uncertain", "skipped", "open")
    assert sum(totals[part] for part in parts) == audience
    assert sum(reason.readers for reason in report.reasons) == audience
    for breakdown in (report.relays, report.revisions, report.by_wave):
        assert_is_whole(list(breakdown.values()), report.counts)
    domains = [one.counts for one in report.domains]
    assert_is_whole([*domains, report.other_domains], report.counts)


def assert_is_whole(parts: list[LedgerCounts], whole: LedgerCounts) -> None:
    for state, readers in asdict(whole).items():
        assert sum(asdict(part)[state] for part in parts) == readers


GROUPS = st.lists(
    st.builds(
        DeliveryGroup,
        revision=st.integers(1, 3),
        wave=st.integers(0, 3),
        state=st.sampled_from(DeliveryState),
        reason=st.sampled_from(["", "left", "network"]),
        relay=st.sampled_from(["", "main", "spare"]),
        readers=st.integers(1, 1_000_000),
        doubtful=st.just(0),
    )
)


@given(GROUPS, st.integers(0, 100))
def test_whatever_the_groups_are_every_list_adds_up(
    groups: list[DeliveryGroup], percent: int
) -> None:
    bare = IssueReport(an_issue(), tuple(groups))
    named = LedgerCounts(**{s: n * percent // 100 for s, n in asdict(bare.counts).items()})
    report = replace(bare, domains=(DomainCounts("mail.example", named),))
    assert_adds_up(report, sum(group.readers for group in groups))


def test_each_reader_is_found_in_every_list(under_way: IssueUnderWay) -> None:
    under_way.deliver(TAKEN, GREYLISTED)
    under_way.deliver(REFUSED, relay="spare")
    under_way.deliver(UNCERTAIN, relay="")
    report = under_way.report
    assert_adds_up(report, 6)
    assert [(one.state, one.reason, one.readers) for one in report.reasons] == [
        (DeliveryState.QUEUED, "", 2),
        (DeliveryState.QUEUED, "uncertain", 1),
        (DeliveryState.ACCEPTED, "", 1),
        (DeliveryState.DEFERRED, "greylisted", 1),
        (DeliveryState.REFUSED, "unknown_user", 1),
    ]
    assert {relay: counts.total for relay, counts in report.relays.items()} == {
        "": 3,
        "main": 2,
        "spare": 1,
    }
    assert [(one.domain, one.counts.total) for one in report.domains] == [("reader.example", 6)]
    assert report.waves == {0: "all"}
    assert report.sentence() == (
        "issue 2025-W32 is sending: of 6 readers 1 accepted, 1 refused, 0 uncertain, 0 skipped, "
        "4 still to go"
    )


def test_it_adds_up_for_readers_who_left_and_who_were_forgotten(under_way: IssueUnderWay) -> None:
    served, _ = under_way.deliver(TAKEN, UNCERTAIN)
    names = [name for name in under_way.rows if name != served]
    with under_way.installation.database.write() as tx:
        tx.subscribers.forget(served, NOW, "reader")
        tx.subscribers.forget(names[0], NOW, "reader")
        tx.subscribers.forget(names[-1], NOW, "reader")
    report = under_way.report
    assert_adds_up(report, 6)
    assert {one.domain: one.counts.total for one in report.domains} == {"": 3, "reader.example": 3}
    assert report.counts.accepted == 1
    assert (DeliveryState.SKIPPED, "forgotten", 2) in [
        (one.state, one.reason, one.readers) for one in report.reasons
    ]


def test_domains_that_are_not_named_are_counted_together(
    under_way: IssueUnderWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.workflows.report.NAMED_DOMAINS", 2)
    with under_way.installation.database.write() as tx:
        (mailing,) = tx.mailings.of_issue(under_way.issue.public_id)
        for number in range(4):
            address = f"guest@{'abc'[number % 3]}.example"
            tx.mailings.enqueue(mailing.public_id, f"guest{number}", address, NOW)
    report = under_way.report
    assert [one.domain for one in report.domains] == ["reader.example", "a.example"]
    assert report.other_domains == LedgerCounts(queued=2)
    assert_adds_up(report, 10)


def test_doubts_are_listed_with_what_is_known_by_now(under_way: IssueUnderWay) -> None:
    dropped = an_outcome(OutcomeKind.UNCERTAIN, 0, "the connection broke")
    first, second, third = under_way.deliver(dropped, dropped, dropped)
    assert {describe_doubt(row) for row in under_way.report.doubts} == {"waits to be resent"}
    assert {row.reply_text for row in under_way.report.doubts} == {"the connection broke"}
    again = under_way.claim(6)
    by_name = {delivery.recipient_id: delivery for delivery in again}
    for name in (first, second):
        assert under_way.hand_over(by_name[name])
    under_way.answer(by_name[first], TAKEN)
    under_way.answer(by_name[second], dropped)
    report = under_way.report
    assert report.doubtful == report.totals()["in_doubt"] == 3
    found = {row.recipient_id: (describe_doubt(row), row.reply_code) for row in report.doubts}
    assert found == {
        first: ("in doubt once, resent once or answered late", 250),
        second: ("resent once, in doubt again", 0),
        third: ("is being resent", 0),
    }
    assert_adds_up(report, 6)


@pytest.mark.parametrize(
    ("state", "doubts", "words"),
    [
        (DeliveryState.UNCERTAIN, 1, "not resent"),
        (DeliveryState.DEFERRED, 1, "resent once, put off until later"),
        (DeliveryState.SKIPPED, 1, "in doubt once, then called off"),
        (DeliveryState.REFUSED, 1, "in doubt once, resent once or answered late"),
        (DeliveryState.ACCEPTED, 2, "in doubt 2 times, resent once or answered late"),
    ],
)
def test_a_doubt_is_told_in_words(state: DeliveryState, doubts: int, words: str) -> None:
    assert describe_doubt(a_row(state=state, doubts=doubts)) == words


def a_row(**changes: object) -> DeliveryRow:
    row = DeliveryRow(
        mailing_id="mailing1",
        recipient_id="reader1",
        address="lilit@reader.example",
        state=DeliveryState.REFUSED,
        attempts=1,
        doubts=0,
        reason="unknown_user",
        sender_fault=False,
        relay="main",
        reply_code=550,
        reply_enhanced="5.1.1",
        reply_text="no such user",
        queued_at=NOW,
        due_at=None,
        first_tried_at=NOW,
        handed_over_at=NOW,
        changed_at=NOW,
        domain="reader.example",
    )
    return replace(row, **changes)


def written(*rows: DeliveryRow) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    assert write_readers(rows, stream) == len(rows)
    return list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))


def test_a_csv_has_each_reader_with_reply_and_times() -> None:
    (found,) = written(a_row(revision=2, wave=1))
    assert tuple(found) == HEADER
    assert found["address"] == "lilit@reader.example"
    assert (found["state"], found["reason"], found["relay"]) == ("refused", "unknown_user", "main")
    assert (found["reply_code"], found["reply_text"]) == ("550", "no such user")
    assert (found["revision"], found["wave"]) == ("2", "1")
    assert found["handed_over_at"] == "2025-08-05T12:00:00.000+00:00"
    assert found["due_at"] == ""


@given(st.text(), st.text(alphabet="=+-@\t\r'a\"\n,"))
def test_no_cell_of_a_csv_is_a_formula_and_none_is_lost(reply: str, local: str) -> None:
    row = a_row(reply_text=reply.replace("\0", ""), address=f"{local}@reader.example")
    (found,) = written(row)
    for cell in found.values():
        assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert unguard_cell(found["reply_text"]) == row.reply_text
    assert unguard_cell(found["address"]) == row.address


def test_totals_and_readers_are_of_one_moment(under_way: IssueUnderWay) -> None:
    with open_report(under_way.installation, under_way.issue) as opened:
        under_way.deliver(TAKEN)
        rows = list(opened.rows())
    assert {row.state for row in rows} == {DeliveryState.QUEUED}
    assert opened.report.counts == LedgerCounts(queued=6)
    assert under_way.report.counts == LedgerCounts(queued=5, accepted=1)


@pytest.mark.parametrize("to", [IssueState.RECALLED, IssueState.CANCELLED])
@pytest.mark.parametrize("pause", first_soon([True, False]))
def test_after_a_recall_nobody_waits(under_way: IssueUnderWay, to: IssueState, pause: bool) -> None:
    under_way.deliver(TAKEN, GREYLISTED)
    flying, claimed = under_way.claim(2)
    assert under_way.hand_over(flying)
    if pause:
        under_way.move(IssueState.PAUSED)
    assert under_way.move(to).state is to
    assert not under_way.hand_over(claimed)
    report = under_way.report
    assert report.counts == LedgerCounts(accepted=1, handed_over=1, skipped=4)
    assert_adds_up(report, 6)
    # What was on its way is put off: it belongs to the closing of issues to end it.
    under_way.answer(flying, GREYLISTED)
    assert under_way.report.counts.open == 1
    assert skip_called_off(under_way.installation) == 1
    assert skip_called_off(under_way.installation) == 0
    report = under_way.report
    assert report.counts == LedgerCounts(accepted=1, skipped=5)
    assert report.totals()["called_off"] == 5
    assert "5 skipped (called off: 5)" in report.sentence()
    assert (DeliveryState.SKIPPED, to.value, 5) in [
        (one.state, one.reason, one.readers) for one in report.reasons
    ]
    under_way.clock.set(NOW + 9 * MINUTE)
    assert under_way.claim(9) == []
    with pytest.raises(InvalidTransition, match=f"an issue that is {to} cannot become sending"):
        under_way.move(IssueState.SENDING)


def test_a_recall_goes_through_many_readers_in_pieces(
    under_way: IssueUnderWay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.workflows.unserved._ROWS", 2)
    under_way.claim(1)
    under_way.move(IssueState.RECALLED)
    assert under_way.report.counts == LedgerCounts(skipped=6)


def test_a_pause_stops_what_is_claimed_and_a_resume_lets_it_go_on(
    under_way: IssueUnderWay,
) -> None:
    flying, claimed = under_way.claim(2)
    assert under_way.hand_over(flying)
    under_way.move(IssueState.PAUSED)
    assert not under_way.hand_over(claimed)
    assert under_way.claim(9) == []
    under_way.answer(flying, TAKEN)
    assert under_way.report.counts == LedgerCounts(queued=5, accepted=1)
    under_way.move(IssueState.SENDING)
    assert len(under_way.deliver(*[TAKEN] * 5)) == 5
    assert under_way.report.counts == LedgerCounts(accepted=6)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (IssueState.SENDING, "is sending already"),
        (IssueState.APPROVED, "sending cannot become approved"),
    ],
)
def test_a_move_that_is_none_is_told(under_way: IssueUnderWay, to: IssueState, words: str) -> None:
    with pytest.raises(InvalidTransition, match=words):
        under_way.move(to)


def test_only_a_paused_issue_is_resumed(under_way: IssueUnderWay) -> None:
    issue = under_way.issue.public_id
    with under_way.installation.database.write() as tx:
        tx.issues.move(issue, set(IssueState), IssueState.APPROVED, "anna", NOW)
    with pytest.raises(InvalidTransition, match="is approved; only one that is paused"):
        under_way.move(IssueState.SENDING)
