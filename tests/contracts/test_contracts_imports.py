"""Imports by the batch: what they make of readers, how they go on, how they are taken back."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.errors import Conflict, NewsletterError, NotFound
from newsletter.publication.cadence import Cadence
from newsletter.storage import import_additions
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.import_additions import ImportAdditions
from newsletter.storage.import_undo import ImportUndo
from newsletter.subscribers.csv_import import SubscriberFile, open_subscriber_file
from newsletter.subscribers.importing import Imported
from newsletter.subscribers.model import (
    Consent,
    DomainRule,
    Subscriber,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.subscribers.states import MOVES, SubscriptionAct
from newsletter.tokens import Key, Keyring
from newsletter.workflows import import_subscribers as workflow
from newsletter.workflows.change_address import give_address
from newsletter.workflows.forget import forget_subscriber
from newsletter.workflows.import_subscribers import ImportReport, import_subscribers
from newsletter.workflows.undo_import import undo_import
from tests.contracts.nouns import (
    LEASE,
    NOW,
    a_consent,
    add_reader,
    add_system_mail,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

KEYRING = Keyring([Key("a", b"k" * 32)], b"h" * 32)
LATER = NOW + timedelta(days=1)
ACTIVE, UNSUBSCRIBED = SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED
PAUSED, PENDING = SubscriptionState.PAUSED, SubscriptionState.PENDING


def a_file(*rows: str, head: str = "email,status", **options: Any) -> SubscriberFile:
    return open_subscriber_file("\n".join((head, *rows)).encode(), **options)


def bring(
    database: Database, *rows: str, newsletter: str = "weekly", **options: Any
) -> ImportReport:
    file = options.pop("file", None) or a_file(*rows)
    return import_subscribers(
        *(database, KEYRING, file),
        **{"newsletter": newsletter, "consent": "on paper", "actor": "anna", "now": NOW} | options,
    )


def counts(report: ImportReport) -> dict[str, int]:
    return {str(outcome): n for outcome, n in report.outcomes.items() if n}


def state_of(
    database: Database, address: str, newsletter: str = "weekly"
) -> SubscriptionState | None:
    with database.read() as tx:
        reader = tx.subscribers.find(address)
        found = tx.subscribers.subscription(reader.public_id, newsletter) if reader else None
    return found.state if found else None


def move(database: Database, address: str, act: SubscriptionAct) -> bool:
    with database.write() as tx:
        reader = tx.subscribers.find(address)
        assert reader is not None
        made = MOVES[act]
        return tx.subscribers.move(
            reader.public_id, "weekly", made.allowed, made.to, LATER, "reader"
        )


def test_a_batch_brings_in_all_that_a_row_says(database: Database) -> None:
    head = "email,name,language,timezone,departments,cadence,Town,status"
    file = a_file(
        "Ani@reader.example,Ani Ա,hy,Asia/Yerevan,Arts;City,Monthly,Gyumri,",
        "eva@reader.example,,,,,,,paused",
        head=head,
        attributes=["town"],
    )
    report = bring(database, file=file)
    assert counts(report) == {"added": 2}
    with database.read() as tx:
        ani = tx.subscribers.find("ani@reader.example")
        assert ani is not None
        (subscription,) = tx.subscribers.subscriptions(ani.public_id)
        changes = tx.changes.of("subscription", ani.public_id)
    assert (ani.name, ani.language, ani.timezone) == ("Ani Ա", "hy", "Asia/Yerevan")
    assert ani.attributes == {"town": "Gyumri"}
    assert (subscription.state, subscription.departments) == (ACTIVE, ("Arts", "City"))
    assert subscription.cadence is Cadence.MONTHLY
    assert subscription.consent == Consent("import", "on paper", NOW)
    assert [(c.act, c.actor, c.detail) for c in changes] == [
        ("active", "anna", {"newsletter": "weekly", "how": "import", "import": report.import_id})
    ]
    assert state_of(database, "eva@reader.example") is PAUSED


def test_who_is_there_learns_only_what_was_not_known(database: Database) -> None:
    head = "email,timezone,departments,Town,Age"
    options = {"head": head, "attributes": ["town", "age"]}
    bring(database, file=a_file("ani@reader.example,Asia/Tokyo,,Gyumri,", **options))
    report = bring(
        database, file=a_file("ani@reader.example,Asia/Yerevan,Arts,Yerevan,30", **options)
    )
    assert counts(report) == {"already there": 1}

    def known() -> tuple[Any, ...]:
        with database.read() as tx:
            ani = tx.subscribers.find("ani@reader.example")
            assert ani is not None
            (subscription,) = tx.subscribers.subscriptions(ani.public_id)
        return ani.timezone, subscription.departments, dict(ani.attributes)

    assert known() == ("Asia/Tokyo", ("Arts",), {"town": "Gyumri", "age": "30"})
    undo_import(database, report.import_id or "", actor="anna", now=LATER)
    assert known() == ("Asia/Tokyo", (), {"town": "Gyumri"})


def test_a_second_newsletter_takes_the_person_who_is_there(database: Database) -> None:
    bring(database, "ani@reader.example,")
    second = bring(database, "ani@reader.example,", newsletter="daily")
    assert counts(second) == {"added": 1}
    undone = undo_import(database, second.import_id or "", actor="anna", now=LATER)
    assert (undone.subscriptions_removed, undone.people_removed) == (1, 0)
    assert state_of(database, "ani@reader.example") is ACTIVE
    assert state_of(database, "ani@reader.example", "daily") is None


def test_each_reader_is_logged_by_their_own_name(database: Database) -> None:
    """Also where a batch brings strangers beside people whom another newsletter has."""
    bring(database, "ani@reader.example,", "levon@reader.example,")
    rows = [f"{name}@reader.example," for name in ("aram", "levon", "siran", "ani")]
    report = bring(database, *rows, newsletter="daily")
    assert counts(report) == {"added": 4}
    with database.read() as tx:
        for name in ("ani", "aram", "levon", "siran"):
            reader = tx.subscribers.find(f"{name}@reader.example")
            assert reader is not None
            told = [
                (change.act, change.detail["import"])
                for change in tx.changes.of("subscription", reader.public_id)
                if change.detail["newsletter"] == "daily"
            ]
            assert told == [("active", report.import_id)], name
            found = tx.subscribers.subscription(reader.public_id, "daily")
            assert found is not None


def test_undoing_gives_everybody_back_where_they_were(database: Database) -> None:
    before = {"a": ACTIVE, "b": PAUSED, "c": PENDING, "d": UNSUBSCRIBED}
    bring(database, *(f"{name}@reader.example,{state}" for name, state in before.items()))
    report = bring(database, *(f"{name}@reader.example,unsubscribed" for name in before))
    assert counts(report) == {"taken off": 3, "left earlier": 1}
    assert {state_of(database, f"{name}@reader.example") for name in before} == {UNSUBSCRIBED}
    undone = undo_import(database, report.import_id or "", actor="anna", now=LATER)
    assert undone.brought_back == 3
    assert {name: state_of(database, f"{name}@reader.example") for name in before} == before


def test_whom_an_undone_import_brought_does_not_come_back_by_another_undo(
    database: Database,
) -> None:
    names = [f"{name}@reader.example," for name in ("left", "bounced")]
    first = bring(database, *names, "stays@reader.example,")
    second = bring(
        database,
        *("left@reader.example,unsubscribed", "bounced@reader.example,bounced"),
        *("stays@reader.example,", "other@reader.example,"),
    )
    undo_import(database, first.import_id or "", actor="anna", now=LATER)
    undone = undo_import(database, second.import_id or "", actor="anna", now=LATER)
    assert (undone.brought_back, undone.suppressions_lifted) == (0, 1)
    with database.read() as tx:
        for name in ("left", "bounced", "other"):
            assert tx.subscribers.find(f"{name}@reader.example") is None, name


def test_an_undo_that_broke_off_ends_by_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bring(database, "left@reader.example,")
    second = bring(database, "left@reader.example,unsubscribed", "other@reader.example,")
    undo_import(database, first.import_id or "", actor="anna", now=LATER)

    def break_off(*_: object) -> None:
        raise InterruptedError

    # After what was taken is given back, and after the subscriptions are gone.
    for step in ("remove_subscriptions", "people_without_subscription"):
        with monkeypatch.context() as patch:
            patch.setattr(ImportUndo, step, break_off)
            with pytest.raises(InterruptedError):
                undo_import(database, second.import_id or "", actor="anna", now=LATER)
    undone = undo_import(database, second.import_id or "", actor="anna", now=LATER)
    assert (undone.brought_back, undone.people_removed) == (0, 2)
    with database.read() as tx:
        for name in ("left", "other"):
            assert tx.subscribers.find(f"{name}@reader.example") is None, name


def test_what_readers_did_since_stays(database: Database) -> None:
    bring(database, "there@reader.example,", "says@reader.example,")
    report = bring(
        database,
        *("leaves@reader.example,", "pauses@reader.example,", "new@reader.example,"),
        *("there@reader.example,unsubscribed", "says@reader.example,unsubscribed"),
        *("asks@reader.example,pending", "both@reader.example,"),
    )
    assert move(database, "leaves@reader.example", SubscriptionAct.UNSUBSCRIBE)
    assert move(database, "pauses@reader.example", SubscriptionAct.PAUSE)
    assert move(database, "asks@reader.example", SubscriptionAct.CONFIRM)
    # Off already by the import, and now by the reader's own word too.
    assert not move(database, "says@reader.example", SubscriptionAct.UNSUBSCRIBE)
    with database.write() as tx:
        both = tx.subscribers.find("both@reader.example")
        assert both is not None
        tx.subscribers.subscribe(both.public_id, "daily", PENDING, a_consent(), LATER, "reader")
    undone = undo_import(database, report.import_id or "", actor="anna", now=LATER)
    assert undone.subscriptions_removed == 2
    assert undone.people_removed == 1
    assert state_of(database, "leaves@reader.example") is UNSUBSCRIBED
    assert state_of(database, "pauses@reader.example") is PAUSED
    assert state_of(database, "asks@reader.example") is ACTIVE
    assert state_of(database, "says@reader.example") is UNSUBSCRIBED
    assert state_of(database, "there@reader.example") is ACTIVE
    assert state_of(database, "both@reader.example") is None
    assert state_of(database, "both@reader.example", "daily") is PENDING


def test_who_chose_something_since_is_not_taken_away(database: Database) -> None:
    names = ("renamed", "speaks", "moved", "idle")
    report = bring(database, *(f"{name}@reader.example," for name in names))
    with database.write() as tx:
        ids = {}
        for name in names:
            reader = tx.subscribers.find(f"{name}@reader.example")
            assert reader is not None
            ids[name] = reader.public_id
        tx.preferences.rename(ids["renamed"], "Ani", LATER, "reader")
        tx.preferences.choose_language(ids["speaks"], "hy", LATER, "reader")
        tx.preferences.change_address(ids["moved"], "new@town.example", "newhash", LATER, "reader")
        # What is so already is no choice.
        tx.preferences.rename(ids["idle"], "", LATER, "reader")
    undone = undo_import(database, report.import_id or "", actor="anna", now=LATER)
    assert (undone.subscriptions_removed, undone.people_removed) == (1, 1)
    there = ("renamed@reader.example", "speaks@reader.example", "new@town.example")
    assert {state_of(database, address) for address in there} == {ACTIVE}
    assert state_of(database, "idle@reader.example") is None


def test_two_imports_are_taken_back_each_for_itself(database: Database) -> None:
    first = bring(database, "ani@reader.example,", "eva@reader.example,")
    second = bring(database, "ani@reader.example,unsubscribed", "mari@reader.example,")
    undo_import(database, second.import_id or "", actor="anna", now=LATER)
    assert state_of(database, "ani@reader.example") is ACTIVE
    undone = undo_import(database, first.import_id or "", actor="anna", now=LATER)
    assert (undone.subscriptions_removed, undone.people_removed) == (2, 2)
    with database.read() as tx:
        assert tx.subscribers.find("ani@reader.example") is None


def test_a_suppression_of_an_import_goes_with_it_unless_said_again(database: Database) -> None:
    report = bring(database, "a@reader.example,bounced", "b@reader.example,bounced")
    hashes = [KEYRING.hash_address(f"{name}@reader.example") for name in "ab"]
    with database.write() as tx:
        tx.subscribers.suppress(hashes[1], SuppressionReason.BOUNCED, LATER, "feedback")
    undone = undo_import(database, report.import_id or "", actor="anna", now=LATER)
    assert undone.suppressions_lifted == 1
    with database.read() as tx:
        assert [tx.subscribers.suppression(one) for one in hashes] == [
            *(None, SuppressionReason.BOUNCED)
        ]


def test_people_are_taken_back_in_mid_send(database: Database, ledger: Workers) -> None:
    report = bring(database, "ani@reader.example,", "eva@reader.example,")
    start_sending(database, readers=1)
    undo_import(database, report.import_id or "", actor="anna", now=LATER)
    claimed = ledger.claim("w", NOW, LEASE, 10)
    assert [delivery.recipient_id for delivery in claimed] == ["reader0"]
    with database.read() as tx:
        addresses = tx.connection.scalars(sa.select(t.delivery.c.address)).all()
    assert sorted(addresses, key=str) == [None, None, "reader000@reader.example"]


def test_an_import_goes_on_where_it_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "BATCH_ROWS", 3)
    rows = [f"r{n}@reader.example," for n in range(7)]
    file = a_file(rows[0], "a@@b,", *rows[1:], rows[0], rows[5])

    class Stop(Exception):
        pass

    def stop(read: int) -> None:
        if read >= 6:
            raise Stop

    refused: list[int] = []
    with pytest.raises(Stop):
        bring(database, file=file, on_progress=stop)
    report = bring(database, file=file, on_refused=lambda row: refused.append(row.line))
    assert report.resumed_at == 6
    assert (report.rows, report.refused) == (10, 1)
    assert counts(report) == {"added": 7, "repeated in the file": 2}
    assert refused == [3]
    with database.read() as tx:
        (one,) = tx.imports.all()
        assert tx.subscribers.counts("weekly")[ACTIVE] == 7
    assert (one.public_id, one.rows, one.finished_at) == (report.import_id, 10, NOW)
    # It ended: the next one begins anew, and finds them all.
    again = bring(database, file=file)
    assert again.import_id != report.import_id
    assert counts(again) == {"already there": 7, "repeated in the file": 2}


def test_a_batch_of_strangers_and_one_with_somebody_known_come_to_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken for strangers at first, each batch is looked at again where that is wrong."""
    bring(database, "left@known.example,unsubscribed", "there@known.example,")
    with database.write() as tx:
        stopped = KEYRING.hash_address("stopped@known.example")
        tx.subscribers.suppress(stopped, SuppressionReason.COMPLAINT, NOW, "anna")
        rule = DomainRule("*.shut.example", SuppressionReason.LEGAL, NOW, "anna")
        tx.suppressions.add_rules([rule], "anna")
    monkeypatch.setattr(workflow, "BATCH_ROWS", 2)
    report = bring(
        database,
        *("new1@reader.example,", "new2@reader.example,unsubscribed"),
        *("new3@reader.example,", "left@known.example,"),
        *("new4@reader.example,", "new5@reader.example,pending"),
        *("stopped@known.example,", "new6@reader.example,"),
        *("no address,", "new7@reader.example,bounced", "a@b.shut.example,"),
        *("there@known.example,", "new1@reader.example,", "new8@reader.example,"),
    )
    assert (report.rows, report.refused) == (14, 1)
    assert counts(report) == {
        "added": 6,
        "taken off": 2,
        "left earlier": 1,
        "suppressed": 2,
        "already there": 1,
        "repeated in the file": 1,
    }
    assert state_of(database, "left@known.example") is UNSUBSCRIBED
    assert state_of(database, "new2@reader.example") is UNSUBSCRIBED
    assert state_of(database, "new5@reader.example") is PENDING
    assert state_of(database, "stopped@known.example") is None
    with database.read() as tx:
        bounced = KEYRING.hash_address("new7@reader.example")
        assert tx.suppressions.reasons([bounced]) == {bounced: SuppressionReason.BOUNCED}
        log = tx.connection.execute(
            sa.select(t.change_log.c.subject, t.subscriber.c.address)
            .join(t.subscriber, t.subscriber.c.public_id == t.change_log.c.subject)
            .where(t.change_log.c.kind == "subscription")
        ).all()
    # Each that was brought in stands in the log once, under their own name.
    assert sorted(address for _, address in log) == sorted(
        [
            *("left@known.example", "there@known.example"),
            *(f"new{number}@reader.example" for number in range(1, 9)),
        ]
    )


def test_who_signs_up_between_two_batches_of_strangers_is_found(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "BATCH_ROWS", 2)

    def sign_up(rows: int) -> None:
        if rows == 2:
            with database.write() as tx:
                address_hash = KEYRING.hash_address("c@reader.example")
                tx.subscribers.add(Subscriber("c", "c@reader.example", NOW), address_hash)
                tx.subscribers.subscribe("c", "weekly", PENDING, a_consent(), NOW, "reader")

    names = [f"{name}@reader.example," for name in "abcdefgh"]
    report = bring(database, *names, on_progress=sign_up)
    assert counts(report) == {"added": 7, "waits for confirmation": 1}
    assert report.lines["added"] == [2, 3, 5, 6, 7]
    assert state_of(database, "c@reader.example") is PENDING
    assert state_of(database, "d@reader.example") is ACTIVE


@pytest.mark.parametrize("rows", [["no address,"], ["a@reader.example,", "no address,"]])
def test_a_batch_of_refused_rows_alone_is_told_like_any(
    database: Database, rows: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "BATCH_ROWS", 1)
    report = bring(database, *rows)
    assert (report.rows, report.refused) == (len(rows), 1)
    with database.read() as tx:
        assert tx.imports.all()[0].finished_at is not None


def meanwhile(monkeypatch: pytest.MonkeyPatch, step: str, act: Callable[[], object]) -> None:
    """Let somebody else do something just before the batch's people are added, once."""
    real = getattr(ImportAdditions, step)

    def late(additions: ImportAdditions, *arguments: Any) -> Any:
        monkeypatch.setattr(ImportAdditions, step, real)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(act).result(20)
        return real(additions, *arguments)

    monkeypatch.setattr(ImportAdditions, step, late)


def forget_c(database: Database) -> None:
    forget_subscriber(database, KEYRING, "c@reader.example", actor="anna", now=NOW)


def move_c(database: Database) -> None:
    with database.write() as tx:
        reader = tx.subscribers.find("c@reader.example")
        assert reader is not None
        give_address(tx, KEYRING, reader.public_id, "new@reader.example", NOW)


# SQLite has one writer: nothing comes in between.
amid_others = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@amid_others
@pytest.mark.parametrize("act", [forget_c, move_c])
def test_who_goes_while_a_batch_is_added_does_not_come_back_with_it(
    database: Database, act: Callable[[Database], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(database, "c@reader.example,")
    meanwhile(monkeypatch, "add_unknown", lambda: act(database))
    bring(database, "a@reader.example,", "c@reader.example,")
    assert state_of(database, "c@reader.example") is None
    assert state_of(database, "a@reader.example") is ACTIVE


@amid_others
def test_who_signs_up_while_a_batch_is_added_is_decided_of_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(database, "known@reader.example,")

    def sign_up() -> None:
        with database.write() as tx:
            for name in "cd":
                address = f"{name}@reader.example"
                tx.subscribers.add(Subscriber(name, address, NOW), KEYRING.hash_address(address))
                tx.subscribers.subscribe(name, "weekly", PENDING, a_consent(), NOW, "reader")

    meanwhile(monkeypatch, "add", sign_up)
    report = bring(
        database,
        *("known@reader.example,", "c@reader.example,unsubscribed", "d@reader.example,"),
    )
    assert counts(report) == {"already there": 1, "taken off": 1, "waits for confirmation": 1}
    assert state_of(database, "c@reader.example") is UNSUBSCRIBED
    assert state_of(database, "d@reader.example") is PENDING


@amid_others
@pytest.mark.parametrize("status", ["", "unsubscribed", "bounced"])
def test_lists_of_the_same_readers_that_come_in_at_once_are_in_nobodys_way(
    database: Database, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "BATCH_ROWS", 100)
    names = [f"reader{number}@reader.example" for number in range(900)]
    bring(database, *(f"{name}," for name in names[::2]))

    def one(seed: int) -> ImportReport:
        mine = random.Random(seed).sample(names, len(names))
        rows = [f"{name},{status if seed else ''},Asia/Yerevan,town {seed}" for name in mine]
        file = a_file(*rows, head="email,status,timezone,town", attributes=["town"])
        return bring(database, file=file)

    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(one, range(3)))
    assert [sum(report.outcomes.values()) for report in reports] == [900] * 3
    assert all(number >= 0 for report in reports for number in report.outcomes.values())
    # Whoever is said to have left has, whichever list came first.
    states = Counter(state_of(database, name) for name in names)
    assert states == {UNSUBSCRIBED if status else ACTIVE: 900}


@amid_others
def test_a_copy_that_is_called_off_is_told_in_a_sentence(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = import_additions._batch_values
    others = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"

    def values(*arguments: Any) -> Iterator[Any]:
        for number, row in enumerate(real(*arguments)):
            if number == 1:
                with database.session() as session:
                    session.exec_driver_sql(f"{others} AND datname = current_database()")
            yield row

    monkeypatch.setattr(import_additions, "_batch_values", values)
    with pytest.raises(NewsletterError):
        bring(database, *(f"reader{number}@reader.example," for number in range(5_000)))


def test_two_processes_do_not_count_rows_twice(database: Database) -> None:
    report = bring(database, "ani@reader.example,")
    with database.write() as tx, pytest.raises(Conflict, match="somebody else"):
        tx.imports.advance(report.import_id or "", rows_before=0, rows=5, counts={})
    undo_import(database, report.import_id or "", actor="anna", now=LATER)
    with database.write() as tx, pytest.raises(Conflict):
        tx.imports.advance(report.import_id or "", rows_before=1, rows=5, counts={})
    with pytest.raises(NotFound, match='no import "x"'):
        undo_import(database, "x", actor="anna", now=LATER)


def test_rules_mark_those_there_and_those_to_come(database: Database) -> None:
    bring(database, "a@one.example,", "b@sub.one.example,", "c@other.example,")
    rules = [
        DomainRule("*.one.example", SuppressionReason.LEGAL, NOW, "anna"),
        DomainRule("@sub.one.example", SuppressionReason.COMPLAINT, NOW, "anna"),
    ]
    with database.write() as tx:
        assert tx.suppressions.add_rules(rules, "anna") == 2
        assert tx.suppressions.add_rules(rules, "anna") == 0
        assert tx.subscribers.audience_size("weekly") == 2
        tx.subscribers.add(Subscriber("new", "d@x.y.one.example", NOW), "hash")
        tx.subscribers.subscribe("new", "weekly", ACTIVE, a_consent(), NOW, "reader")
        assert tx.subscribers.audience_size("weekly") == 2
        reasons = {
            address: tx.suppressions.reason(address, "no hash")
            for address in ("x@one.example", "x@sub.one.example", "x@notone.example")
        }
    assert reasons == {
        "x@one.example": None,
        "x@sub.one.example": SuppressionReason.LEGAL,
        "x@notone.example": None,
    }
    assert counts(bring(database, "e@z.one.example,", "f@one.example,")) == {
        "suppressed": 1,
        "added": 1,
    }
    with database.write() as tx:
        assert tx.suppressions.remove_rule("*.one.example", LATER, "anna")
        assert not tx.suppressions.remove_rule("*.one.example", LATER, "anna")
        # The other rule still covers b.
        assert tx.subscribers.audience_size("weekly") == 4
        acts = [c.act for c in tx.changes.of("suppression", "*.one.example")]
    assert acts == ["suppressed", "lifted"]


@pytest.mark.parametrize("rules", [1, 40])
def test_a_list_with_many_domains_heeds_the_rules_on_each(database: Database, rules: int) -> None:
    patterns = ["*.three.example", *(f"@none{number}.example" for number in range(1, rules))]
    with database.write() as tx:
        tx.suppressions.add_rules(
            [DomainRule(pattern, SuppressionReason.LEGAL, NOW) for pattern in patterns], "anna"
        )
    domains = ["a.three.example", *(f"home{number}.example" for number in range(25))]
    report = bring(database, *(f"somebody@{domain}," for domain in domains))
    assert counts(report) == {"added": 25, "suppressed": 1}
    assert state_of(database, "somebody@a.three.example") is None


def test_batches_grow_with_the_list_and_bring_in_all_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "BATCH_ROWS", 2)
    monkeypatch.setattr(workflow, "_LARGEST_BATCH", 5)
    read: list[int] = []
    rows = [f"r{number}@reader.example," for number in range(70)]
    report = bring(database, *rows, on_progress=read.append)
    assert counts(report) == {"added": 70}
    sizes = [after - before for before, after in zip([0, *read], read, strict=False)]
    assert sizes[:3] == [2, 2, 2]
    assert sizes == sorted(sizes)
    assert max(sizes) == 5


@pytest.mark.parametrize("others", [0, 30])
def test_rules_mark_alike_be_they_few_or_many(database: Database, others: int) -> None:
    bring(database, "a@one.example,", "b@sub.one.example,", "one.example@other.example,")
    patterns = ["@one.example", *(f"*.n{number}.example" for number in range(others))]
    rules = [DomainRule(name, SuppressionReason.LEGAL, NOW, "anna") for name in patterns]
    with database.write() as tx:
        assert tx.suppressions.add_rules(rules, "anna") == len(patterns)
        assert tx.subscribers.audience_size("weekly") == 2
        assert tx.suppressions.add_rules(
            [DomainRule("*.one.example", SuppressionReason.LEGAL, NOW)], "anna"
        )
        assert tx.subscribers.audience_size("weekly") == 1
        assert tx.suppressions.remove_rule("@one.example", LATER, "anna")
        assert tx.subscribers.audience_size("weekly") == 2


def test_a_rule_stops_what_was_claimed_already(database: Database, ledger: Workers) -> None:
    start_sending(database, readers=2)
    (claimed,) = ledger.claim("w", NOW, LEASE, 1)
    with database.write() as tx:
        rule = DomainRule("@reader.example", SuppressionReason.LEGAL, NOW)
        tx.suppressions.add_rules([rule], "anna")
    assert not ledger.hand_over(claimed, "w", NOW)
    assert ledger.claim("w", NOW, LEASE, 5) == []
    with database.read() as tx:
        rows = tx.connection.execute(sa.select(t.delivery.c.state, t.delivery.c.reason)).all()
    assert {tuple(row) for row in rows} <= {("skipped", "suppressed"), ("claimed", "")}


def test_a_rule_stops_system_mail_too(database: Database, ledger: Workers) -> None:
    with database.write() as tx:
        add_reader(tx, 1, None)
    add_system_mail(database, 1)
    with database.write() as tx:
        tx.suppressions.add_rules(
            [DomainRule("@reader.example", SuppressionReason.COMPLAINT, NOW)], "anna"
        )
    assert ledger.claim("w", NOW, LEASE, 5) == []


def test_repeated_rows_are_told_and_the_stricter_word_counts(database: Database) -> None:
    report = bring(
        database,
        *("ani@reader.example,", "ANI@reader.example,", "eva@reader.example,"),
        "ani@reader.example,unsubscribed",
    )
    assert report.outcomes[Imported.REPEATED] == 2
    assert state_of(database, "ani@reader.example") is UNSUBSCRIBED
    undone = undo_import(database, report.import_id or "", actor="anna", now=LATER)
    assert (undone.people_removed, undone.brought_back) == (2, 0)


def test_no_list_brings_back_an_address_that_a_reader_has_given_up(database: Database) -> None:
    old, new = "olda@reader.example", "newb@other.example"
    rows = (f"{old},", f"{new},")
    bring(database, f"{new},")
    with database.write() as tx:
        reader = tx.subscribers.find(new)
        assert reader is not None
        tx.former_addresses.note(reader.public_id, KEYRING.hash_address(old), NOW)
    for dry_run in (True, False):
        assert counts(bring(database, *rows, dry_run=dry_run)) == {"already there": 2}
    # Whoever typed the address into the form has not confirmed with it.
    with database.write() as tx:
        tx.subscribers.add(Subscriber("typed", old, NOW), KEYRING.hash_address(old))
    assert counts(bring(database, f"{old},", newsletter="daily")) == {"left earlier": 1}
    with database.write() as tx:
        tx.subscribers.forget("typed", NOW, "test")
    # That the mailbox is no more is nothing to who has another; that they left is.
    assert counts(bring(database, f"{old},bounced")) == {"already there": 1}
    assert state_of(database, new) is ACTIVE
    bounced = KEYRING.hash_address(old)
    with database.write() as tx:
        assert tx.subscribers.suppression(bounced) is SuppressionReason.BOUNCED
        tx.subscribers.unsuppress(bounced, NOW, "test")
    left = bring(database, f"{old},unsubscribed")
    assert (counts(left), state_of(database, new)) == ({"taken off": 1}, UNSUBSCRIBED)
    for dry_run in (True, False):
        assert counts(bring(database, *rows, "z@x.example,", dry_run=dry_run)) == {
            "left earlier": 2,
            "added": 1,
        }
    with database.read() as tx:
        assert tx.subscribers.find(old) is None
        assert tx.holdings.of(reader.public_id, "", "")["former_addresses"] == 1
    forget_subscriber(database, KEYRING, new, actor="anna", now=NOW)
    for dry_run in (True, False):
        assert counts(bring(database, *rows, dry_run=dry_run)) == {"suppressed": 2}


def test_who_left_by_an_address_that_they_have_given_up_is_not_brought_in_by_another(
    database: Database,
) -> None:
    old, new = "old@reader.example", "new@other.example"
    with database.write() as tx:
        tx.subscribers.add(Subscriber("lilit", new, NOW), KEYRING.hash_address(new))
        tx.former_addresses.note("lilit", KEYRING.hash_address(old), NOW)
        # What is known of the old mailbox says nothing of the other.
        tx.subscribers.suppress(
            KEYRING.hash_address(old), SuppressionReason.BOUNCED, NOW, "feedback"
        )
    # In one file too, whichever row comes first.
    left = bring(database, f"{new},", f"{old},unsubscribed", f"{old},unsubscribed")
    assert counts(left) == {"left earlier": 1, "taken off": 1, "repeated in the file": 1}
    assert state_of(database, new) is UNSUBSCRIBED
    assert counts(bring(database, f"{new},")) == {"left earlier": 1}
    with database.read() as tx:
        changes = tx.changes.of("subscription", "lilit")
    assert [(one.act, one.detail["import"]) for one in changes] == [(UNSUBSCRIBED, left.import_id)]
    undone = undo_import(database, left.import_id or "", actor="anna", now=LATER)
    assert (undone.subscriptions_removed, undone.people_removed) == (1, 0)
    assert state_of(database, new) is None


@pytest.mark.parametrize("typed", [PENDING, UNSUBSCRIBED])
def test_a_stranger_s_sign_up_does_not_hide_who_had_the_address(
    database: Database, typed: SubscriptionState
) -> None:
    old, new = "old@reader.example", "new@other.example"
    bring(database, f"{new},")
    with database.write() as tx:
        reader = tx.subscribers.find(new)
        assert reader is not None
        tx.former_addresses.note(reader.public_id, KEYRING.hash_address(old), NOW)
        tx.subscribers.add(Subscriber("typed", old, NOW), KEYRING.hash_address(old))
        tx.subscribers.subscribe("typed", "weekly", typed, a_consent(), NOW, "reader")
    waits = {PENDING: "waits for confirmation", UNSUBSCRIBED: "left earlier"}[typed]
    assert counts(bring(database, f"{old},")) == {waits: 1}
    assert (state_of(database, old), state_of(database, new)) == (typed, ACTIVE)
    left = bring(database, f"{old},unsubscribed")
    assert counts(left) == {"taken off": 1}
    assert (state_of(database, old), state_of(database, new)) == (UNSUBSCRIBED, UNSUBSCRIBED)
    undo_import(database, left.import_id or "", actor="anna", now=LATER)
    assert (state_of(database, old), state_of(database, new)) == (typed, ACTIVE)
    bring(database, f"{old},bounced")
    assert state_of(database, new) is ACTIVE


def test_former_addresses_go_to_who_takes_a_place_and_with_who_is_erased(
    database: Database,
) -> None:
    with database.write() as tx:
        for number in (1, 2, 3):
            add_reader(tx, number)
            tx.former_addresses.note(f"reader{number}", f"former{number}", NOW)
        tx.former_addresses.note("reader1", "former2", LATER)
        assert tx.former_addresses.hashes("reader2") == []
        tx.former_addresses.pass_on("reader3", "reader1")
        assert tx.former_addresses.hashes("reader1") == ["former1", "former3", "former2"]
        tx.former_addresses.drop("former3")
        assert tx.former_addresses.hashes("reader1") == ["former1", "former2"]
        tx.subscribers.forget("reader1", NOW, "retention")
        assert tx.connection.scalars(sa.select(t.former_address.c.address_hash)).all() == []
