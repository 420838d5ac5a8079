"""What a night lets go of, in an installation of one paper."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config import PrivacyTable
from newsletter.issues.model import IssueState
from newsletter.subscribers.model import PreviousAddress, SubscriptionState
from newsletter.workflows.personal_data import collect_data
from newsletter.workflows.retention import Expired, expire, expire_at_night, find_expired
from tests.acceptance.moving_clock import MovingClock
from tests.cli.conftest import Call, call  # noqa: F401
from tests.contracts.nouns import ACCEPTED, NOW, add_reader
from tests.workflows.under_way import READERS, IssueUnderWay, issue_under_way, prepare_issue

DAY = timedelta(days=1)
NOTHING = Expired(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An issue that was sent to all, a sign-up that nobody confirmed, and one who left."""
    folder = prepare_issue(tmp_path_factory.mktemp("paper"))
    with issue_under_way(folder, folder) as under_way:
        under_way.deliver(*[ACCEPTED] * READERS)
        with under_way.installation.database.write() as tx:
            moved = tx.issues.move(
                under_way.issue.public_id, (IssueState.SENDING,), IssueState.SENT, "test", NOW
            )
            assert moved
            add_reader(tx, 7, SubscriptionState.PENDING)
            tx.subscribers.move(
                "reader0", "weekly", [SubscriptionState.ACTIVE], UNSUBSCRIBED, NOW, "reader"
            )
    return folder


def at(under_way: IssueUnderWay, days: int, **privacy: int) -> IssueUnderWay:
    under_way.clock.set(NOW + days * DAY)
    under_way.installation = replace(under_way.installation, privacy=PrivacyTable(**privacy))
    return under_way


def test_a_night_lets_go_of_what_is_over_and_of_nothing_else(
    prepared: Path, tmp_path: Path
) -> None:
    with issue_under_way(prepared, tmp_path, MovingClock(NOW)) as under_way:
        with under_way.installation.database.write() as tx:
            before = PreviousAddress("change", "old@reader.example", NOW)
            tx.preferences.keep_previous("reader1", before)
        i = at(under_way, 29).installation
        assert find_expired(i) == expire(i) == NOTHING

        i = at(under_way, 31).installation
        assert find_expired(i) == replace(NOTHING, unconfirmed=1, previous_addresses=1)
        assert expire(i) == replace(NOTHING, unconfirmed=1, previous_addresses=1)
        with i.database.read() as tx:
            assert tx.preferences.previous("reader1") == []
            assert tx.subscribers.by_id("reader7") is None
            # They never agreed to anything, and may ask again.
            assert tx.subscribers.suppression("hash7") is None

        report = under_way.report
        i = at(under_way, 410).installation
        assert expire(i) == replace(NOTHING, deliveries=READERS, versions=2)
        assert under_way.report.counts == report.counts
        with i.database.read() as tx:
            reader = tx.subscribers.by_id("reader1")
        assert reader is not None
        assert collect_data(i.database, i.keyring, reader)["deliveries"] == []

        i = at(under_way, 1100).installation
        expected = find_expired(i)
        assert expected.long_gone == 1
        assert expire(i).long_gone == 1
        with i.database.read() as tx:
            assert tx.subscribers.by_id("reader0") is None
            address_hash = i.keyring.hash_address("reader000@reader.example")
            assert tx.subscribers.suppression(address_hash) == "forgotten"
            assert tx.subscribers.by_id("reader1") is not None
            log = tx.changes.of("subscription", "reader1")
        assert [(change.act, change.detail) for change in log] == [("active", {})]
        assert expire(i) == NOTHING


def test_who_has_no_subscription_at_all_is_not_kept_for_ever(
    prepared: Path, tmp_path: Path
) -> None:
    with issue_under_way(prepared, tmp_path, MovingClock(NOW)) as under_way:
        with under_way.installation.database.write() as tx:
            add_reader(tx, 8, None)
        i = at(under_way, 29).installation
        assert find_expired(i) == expire(i) == NOTHING
        i = at(under_way, 31).installation
        assert find_expired(i) == expire(i) == replace(NOTHING, unconfirmed=2)
        with i.database.read() as tx:
            assert tx.subscribers.find("reader008@reader.example") is None
        assert expire(i) == NOTHING


def test_counts_of_confirmations_go_once_they_keep_nobody_from_anything(
    prepared: Path, tmp_path: Path
) -> None:
    with issue_under_way(prepared, tmp_path, MovingClock(NOW)) as under_way:
        with under_way.installation.database.write() as tx:
            for name in ("answered", "unanswered"):
                tx.sign_ups.count_confirmation(name, NOW, quiet=DAY, most=3)
            tx.sign_ups.answer_confirmation("answered")
        assert find_expired(at(under_way, 1).installation) == NOTHING
        i = at(under_way, 2).installation
        assert find_expired(i) == expire(i) == replace(NOTHING, confirmations=1)
        i = at(under_way, 29, confirmations_days=28).installation
        assert find_expired(i) == expire(i) == replace(NOTHING, confirmations=1)
        assert expire(i) == NOTHING


def test_with_zero_days_all_is_kept(prepared: Path, tmp_path: Path) -> None:
    with issue_under_way(prepared, tmp_path, MovingClock(NOW)) as under_way:
        kept = {"unsubscribed_days": 0, "change_log_days": 0, "ledger_days": 0}
        i = at(under_way, 30_000, **kept).installation
        # Versions tell of no reader, and what went out is kept.
        assert find_expired(i) == replace(NOTHING, unconfirmed=1, versions=2)


def test_it_runs_at_night_where_the_paper_is(prepared: Path, tmp_path: Path) -> None:
    with issue_under_way(prepared, tmp_path, MovingClock(NOW)) as under_way:
        i = under_way.installation
        # New York is four hours behind.
        for hour, left in ((3, 1), (6, 1), (8, 1), (7, 0)):
            under_way.clock.set(datetime(2025, 9, 20, hour, 30, tzinfo=UTC))
            expire_at_night(i)
            assert find_expired(i).unconfirmed == left


def test_the_command_counts_before_it_acts(prepared: Path, call: Call) -> None:  # noqa: F811
    # Long after: the machine's own clock.
    dry = call(prepared, "subscribers", "expire", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["unconfirmed"]) == (True, 1)
    assert call(prepared, "subscribers", "expire", "--dry-run", "--json").json == dry
    done = call(prepared, "subscribers", "expire", "--json").json
    assert done == {**dry, "dry_run": False}
    assert call(prepared, "subscribers", "expire", "--json").json["unconfirmed"] == 0
    assert "unconfirmed" in call(prepared, "subscribers", "expire").out
    find = ("subscribers", "find", "--everything")
    held = call(prepared, *find, "--json", "reader001@reader.example")
    assert held.json["subscriber"]["address"] == "reader001@reader.example"
    nobody = call(prepared, *find, "--json", "a@b.example")
    assert nobody.status == 1
    assert call(prepared, *find, "a@b.example").status == 2


@pytest.mark.parametrize(
    "wrong", [{"unsubscribed_days": 30}, {"ledger_days": 10}, {"unconfirmed_days": 0}]
)
def test_times_that_would_break_what_readers_were_promised_are_refused(
    wrong: dict[str, int],
) -> None:
    with pytest.raises(ValueError, match="days"):
        PrivacyTable.model_validate(wrong)
