"""Settings versions, the rows of what they name, the change log, polling states."""

from datetime import timedelta

import pytest

from newsletter.errors import NotFound, StorageError
from newsletter.sources.model import SourceState, Validators
from newsletter.storage.changes import Change
from newsletter.storage.database import Database
from tests.contracts.nouns import NOW, a_settings


def test_settings_are_versioned(database: Database) -> None:
    with database.read() as tx:
        assert tx.settings.latest() is None
    document = {"publication": {"name": "Հայելի", "editors": []}, "count": 3}
    with database.write() as tx:
        first = tx.settings.append(document, "config file", NOW)
        second = tx.settings.append(document | {"count": 4}, "anna", NOW + timedelta(hours=1))
    assert second > first
    with database.read() as tx:
        latest = tx.settings.latest()
        changes = tx.changes.of("settings", "settings")
    assert latest is not None
    assert (latest.version, latest.actor, latest.at) == (second, "anna", NOW + timedelta(hours=1))
    assert latest.document == document | {"count": 4}
    assert list(latest.document) == list(document)
    assert [change.detail for change in changes] == [{"version": first}, {"version": second}]


def test_newsletters_keep_their_identity(database: Database) -> None:
    with database.write() as tx:
        public_id = tx.settings.newsletter_id("weekly")
        tx.settings.register(a_settings(), NOW + timedelta(days=1))
        assert tx.settings.newsletter_id("weekly") == public_id
        assert tx.settings.newsletter_slug(public_id) == "weekly"
        assert tx.settings.newsletter_since("weekly") == NOW
        assert tx.settings.newsletter_id("daily") != public_id


@pytest.mark.parametrize("method", ["newsletter_id", "newsletter_slug", "newsletter_since"])
def test_unknown_newsletter(database: Database, method: str) -> None:
    with database.read() as tx, pytest.raises(NotFound, match='"nothing"'):
        getattr(tx.settings, method)("nothing")


def test_polling_states(database: Database) -> None:
    with database.write() as tx:
        assert tx.sources.state("site") == SourceState()
        tx.sources.record_success(
            "site", NOW, validators=Validators('"x"', "Tue"), latest_modified=NOW
        )
        for _ in range(2):
            tx.sources.record_error(
                "site",
                NOW + timedelta(hours=1),
                "it did not answer",
                due_at=NOW + timedelta(hours=2),
                held_until=NOW + timedelta(hours=3),
            )
        tx.sources.record_scan("site", NOW)
    with database.read() as tx:
        assert tx.sources.state("site") == SourceState(
            Validators('"x"', "Tue"),
            NOW,
            NOW,
            NOW + timedelta(hours=1),
            "it did not answer",
            failures=2,
            due_at=NOW + timedelta(hours=2),
            held_until=NOW + timedelta(hours=3),
            scanned_at=NOW,
        )
        assert tx.sources.state("site").is_failing
        assert tx.sources.states() == {"site": tx.sources.state("site"), "wire": SourceState()}
        # A counter of the same name would be another thing.
        assert set(tx.reads.states()) == {"counter", "log"}


def test_a_success_ends_a_failure_and_keeps_what_it_does_not_tell(database: Database) -> None:
    with database.write() as tx:
        tx.sources.record_success(
            "site", NOW, validators=Validators('"x"', "Tue"), latest_modified=NOW
        )
        tx.sources.record_error("site", NOW, "it did not answer")
        tx.sources.record_success("site", NOW + timedelta(hours=2))
        state = tx.sources.state("site")
        # The last error stays to be read: whoever looks tomorrow wants to know of it.
        assert (state.last_error, state.last_error_at) == ("it did not answer", NOW)
        assert not state.is_failing
        assert (state.validators, state.latest_modified) == (Validators('"x"', "Tue"), NOW)
        tx.sources.record_success("site", NOW, validators=Validators(None, "Wed"))
        assert tx.sources.state("site").validators == Validators(None, "Wed")


def test_a_new_address_is_asked_for_everything(database: Database) -> None:
    with database.write() as tx:
        tx.sources.record_success(
            "site", NOW, validators=Validators('"x"'), latest_modified=NOW, due_at=NOW
        )
        tx.sources.record_scan("site", NOW)
        tx.sources.ask_anew("site")
        assert tx.sources.state("site") == SourceState(last_success_at=NOW)


def test_crawled_pages_are_remembered_by_source(database: Database) -> None:
    long = "https://paper.example/" + "ո" * 9_000
    with database.write() as tx:
        tx.sources.record_pages("site", {long: "2025-08-01", "https://paper.example/b": ""}, NOW)
        tx.sources.record_pages("site", {long: "2025-08-02"}, NOW)
        tx.sources.record_pages("site", {}, NOW)
    with database.read() as tx:
        asked = [long, "https://paper.example/b", "https://paper.example/c"]
        assert tx.sources.crawled_pages("site", asked) == {
            long: "2025-08-02",
            "https://paper.example/b": "",
        }
        assert tx.sources.crawled_pages("wire", asked) == {}


def test_a_source_taken_out_of_the_settings_keeps_its_row(database: Database) -> None:
    with database.write() as tx:
        tx.sources.record_success("wire", NOW)
        tx.settings.register(a_settings(source=[{"slug": "site", "url": "https://a.example"}]), NOW)
        assert set(tx.sources.states()) == {"site"}
        assert tx.sources.state("wire").last_success_at == NOW
        tx.settings.register(a_settings(), NOW)
        assert set(tx.sources.states()) == {"site", "wire"}


def test_unknown_source_and_counter(database: Database) -> None:
    with database.write() as tx:
        with pytest.raises(NotFound, match='no source called "none"'):
            tx.sources.state("none")
        with pytest.raises(NotFound, match='no counter called "site"'):
            tx.reads.record_success("site", NOW)


def test_the_change_log_keeps_order_and_detail(database: Database) -> None:
    with database.write() as tx:
        tx.changes.record(NOW, "anna", "issue", "issue1", "note", {"text": "ա"})
        tx.changes.record(NOW, "ben", "issue", "issue1", "note")
        tx.changes.record(NOW, "ben", "issue", "issue2", "note")
    with database.read() as tx:
        assert tx.changes.of("issue", "issue1") == [
            Change(NOW, "anna", "issue", "issue1", "note", {"text": "ա"}),
            Change(NOW, "ben", "issue", "issue1", "note", {}),
        ]


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as tx:
            tx.settings.append({}, "anna", NOW)
            tx.sources.state("none")

    with pytest.raises(NotFound):
        fail()
    with database.read() as tx:
        assert tx.settings.latest() is None


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError), database.read() as tx:
        tx.settings.append({}, "anna", NOW)
    with database.write() as tx:
        tx.settings.append({}, "anna", NOW)


def test_a_reading_transaction_sees_one_moment(database: Database) -> None:
    with database.read() as before:
        assert before.settings.latest() is None
        with database.write() as tx:
            tx.settings.append({}, "anna", NOW)
        assert before.settings.latest() is None
    with database.read() as after:
        assert after.settings.latest() is not None
