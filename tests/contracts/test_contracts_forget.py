"""Whoever is forgotten is in no table any more, whichever tables there are."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.feedback.model import ReaderClicks
from newsletter.issues.links import story_links
from newsletter.issues.model import Issue, IssueState
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.subscribers.address import limit_address
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.growth import Growth, Period, count_growth
from newsletter.subscribers.model import (
    AddressChange,
    PreviousAddress,
    SubscriptionState,
    SubscriptionWish,
)
from newsletter.tokens import Key, Keyring, Purpose
from newsletter.workflows.forget import forget_subscriber
from newsletter.workflows.import_subscribers import import_subscribers
from newsletter.workflows.leave import unsubscribe
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    NOW,
    a_consent,
    a_settings,
    add_system_mail,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

KEYRING = Keyring([Key("a", b"k" * 32)], b"h" * 32)
ADDRESS, NEIGHBOUR = "reader000@reader.example", "reader001@reader.example"
# What tells who it was: the addresses, the name, and the id in the links of old mails.
TRACES = (
    "reader000",
    "wanted@other",
    "old@other",
    "Reader 0",
    r"\breader0\b",
    "Gyumri",
    "Dear reader1",
)


def of_readers() -> list[sa.Column[Any]]:
    """The columns that point to a reader, in every table there is."""
    return [
        column
        for table in t.metadata.sorted_tables
        for column in table.columns
        if column.name == "subscriber_id"
        or any(key.target_fullname == "subscriber.id" for key in column.foreign_keys)
    ]


def be_everywhere(database: Database, ledger: Workers) -> Issue:
    """An issue that one reader got, clicked in and wrote about in every way there is."""
    issue = start_sending(database, 2)
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    assert delivery.recipient_id == "reader0"
    assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(delivery, "w", ACCEPTED, NOW)
    # Its letter names them, and is theirs alone.
    add_system_mail(database, 0)
    links = story_links(issue)
    with database.write() as tx:
        tx.links.keep(issue.public_id, links)
        tx.links.add_reader_clicks([ReaderClicks("reader0", links[0].public_id, 1, 0, NOW, NOW)])
        tx.preferences.ask_address("reader0", AddressChange("wish", "wanted@other.example", NOW))
        tx.preferences.keep_previous("reader0", PreviousAddress("change", "old@other.example", NOW))
        tx.former_addresses.note("reader0", "formerhash", NOW)
        tx.wishes.hold("reader0", "daily", SubscriptionWish(a_consent()), "reader")
        tx.catch_ups.owe("reader0", "weekly", "2025-W30..2025-W31", NOW, "reader")
        tx.preferences.rename("reader0", "Reader 0", NOW, "reader")
    rows = f"email,timezone,Town\n{ADDRESS},Asia/Yerevan,Gyumri\n"
    import_subscribers(
        *(database, KEYRING, open_subscriber_file(rows.encode(), attributes=["town"])),
        newsletter="weekly",
        consent="on paper",
        actor="anna",
        now=NOW,
    )
    return issue


def growth(database: Database) -> list[Growth]:
    with database.read() as tx:
        changes = tx.growth.since(NOW - timedelta(days=9))
        return count_growth(changes, Period.MONTH, ZoneInfo("UTC"))


def test_no_table_holds_who_is_forgotten(database: Database, ledger: Workers) -> None:
    issue = be_everywhere(database, ledger)
    with database.read() as tx:
        key = tx.connection.scalar(
            sa.select(t.subscriber.c.id).where(t.subscriber.c.public_id == "reader0")
        )
        newsletter_id = tx.settings.newsletter_id("weekly")
        counts = tx.mailings.counts(issue.public_id)
        for column in of_readers():
            found = sa.select(sa.func.count()).where(column == key)
            assert tx.connection.scalar(found), f"let {column} be filled above"
    counted_by = KEYRING.hash_address(limit_address(ADDRESS))
    with database.write() as tx:
        tx.sign_ups.count_confirmation(counted_by, NOW, quiet=timedelta(days=1), most=3)
        tx.sign_ups.answer_confirmation(counted_by)
    grown = growth(database)
    assert grown
    forget_subscriber(database, KEYRING, ADDRESS, actor="reader", now=NOW)

    with database.read() as tx:
        for column in of_readers():
            assert not tx.connection.scalar(sa.select(sa.func.count()).where(column == key)), column
        for table in t.metadata.sorted_tables:
            for row in tx.connection.execute(sa.select(table)):
                text = repr(tuple(row))
                # The suppression list alone keeps a keyed hash, and the log tells of that.
                if table not in (t.suppression, t.change_log):
                    assert counted_by not in text, table.name
                assert not [trace for trace in TRACES if re.search(trace, text)], (table.name, text)
        assert tx.mailings.counts(issue.public_id) == counts
        assert tx.subscribers.suppression(KEYRING.hash_address(ADDRESS)) == "forgotten"
        assert tx.subscribers.find(NEIGHBOUR) is not None
        rows = list(tx.mailings.deliveries(issue.public_id))
    assert len({row.recipient_id for row in rows}) == 2
    assert growth(database) == grown
    # The link in their old mails leads to a page, and to nobody.
    token = KEYRING.sign(Purpose.UNSUBSCRIBE, "reader0", newsletter_id)
    gone = unsubscribe(database, KEYRING, a_settings(), token, how="one-click", now=NOW)
    assert gone.gone
    assert gone.subscription is None


def test_rows_of_an_issue_that_was_stopped_are_nobodys_in_the_end(
    database: Database, ledger: Workers
) -> None:
    issue = be_everywhere(database, ledger)
    with database.write() as tx:
        for state in (IssueState.PAUSED, IssueState.RECALLED):
            tx.issues.move(issue.public_id, list(IssueState), state, "test", NOW)
        (old,) = tx.retention.old_issues(NOW + timedelta(days=99))
        for keys in tx.retention.stretches(old, 100):
            assert tx.retention.fold_stretch(old, keys) == 2
        rows = list(tx.mailings.deliveries(issue.public_id))
    assert len(rows) == 2
    assert not {row.recipient_id for row in rows} & {"reader0", "reader1"}


def test_what_comes_back_for_who_was_forgotten_in_mid_send_ends_quietly(
    database: Database, ledger: Workers
) -> None:
    issue = start_sending(database, 2)
    first, second = ledger.claim("w", NOW, LEASE, 2)
    for delivery in (first, second):
        assert ledger.hand_over(delivery, "w", NOW)
    for number in range(2):
        with database.write() as tx:
            tx.subscribers.forget(f"reader{number}", NOW, "reader")
    ledger.record(first, "w", ACCEPTED, NOW)
    ledger.record(second, "w", DEFERRED, NOW)
    with database.read() as tx:
        rows = list(tx.mailings.deliveries(issue.public_id))
        assert tx.links.addressees({(first.mailing_id, first.recipient_id)}) == {}
        assert tx.subscribers.counts("weekly")[SubscriptionState.ACTIVE] == 0
    assert sorted(str(row.state) for row in rows) == ["accepted", "skipped"]
