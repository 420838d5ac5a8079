"""An audience queued in the variants that its readers chose, and corrected in them."""

from newsletter.issues.model import Choice, IssueState, ServedVariant, Variant
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Subscriber, SubscriptionState
from tests.contracts.nouns import NOW, a_consent, a_mailing, an_issue

ISSUE = an_issue(state=IssueState.APPROVED)
READERS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "plain": (None, ()),
    "arts": (None, ("Arts",)),
    "english": ("en", ("Arts",)),
    "hy": ("hy-AM", ()),
    "hy-arts": ("hy", ("Arts",)),
    "other": ("hy", ("Chess", "Sports")),
    "late": ("fr", ("Arts",)),
}
SERVED = {
    "en1": ServedVariant(Variant("en"), (Choice(),)),
    "hy1": ServedVariant(
        Variant("hy"), (Choice("hy-AM"), Choice("hy", ("Arts",)), Choice("hy", ("Chess", "Sports")))
    ),
    "arts1": ServedVariant(
        Variant("en", ("Arts",)), (Choice(None, ("Arts",)), Choice("en", ("Arts",)))
    ),
}


def add_readers(tx: Transaction) -> None:
    for name, (language, departments) in READERS.items():
        reader = Subscriber(name, f"{name}@reader.example", NOW, language=language)
        tx.subscribers.add(reader, name)
        tx.subscribers.subscribe(name, "weekly", SubscriptionState.ACTIVE, a_consent(), NOW, "test")
        if departments:
            tx.subscribers.choose_departments(name, "weekly", departments, NOW, "test")


def create_mailings(tx: Transaction, revision: int) -> None:
    for name, served in SERVED.items():
        mailing = a_mailing(
            f"{name[:-1]}{revision}",
            language=served.variant.language,
            departments=served.variant.departments,
            revision=revision,
        )
        assert tx.mailings.create(
            mailing, key=mailing.public_id, issue_id=ISSUE.public_id, newsletter="weekly"
        )


def queue(database: Database) -> None:
    with database.write() as tx:
        add_readers(tx)
        tx.issues.create(ISSUE, NOW, "test")
        create_mailings(tx, 1)
        assert tx.mailings.enqueue_audience("en1", "weekly", NOW, (), SERVED) == len(READERS)


def who_gets_what(database: Database) -> dict[str, str]:
    with database.read() as tx:
        return {row.recipient_id: row.mailing_id for row in tx.mailings.deliveries(ISSUE.public_id)}


def test_each_reader_is_queued_for_what_serves_them(database: Database) -> None:
    queue(database)
    assert who_gets_what(database) == {
        **dict.fromkeys(("plain", "late"), "en1"),
        **dict.fromkeys(("arts", "english"), "arts1"),
        **dict.fromkeys(("hy", "hy-arts", "other"), "hy1"),
    }
    with database.write() as tx:
        assert tx.mailings.enqueue_audience("en1", "weekly", NOW, (), SERVED) == 0
        groups = tx.mailings.groups(ISSUE.public_id)
    assert {(group.variant, group.readers) for group in groups} == {
        ("en", 2),
        ("en: Arts", 2),
        ("hy", 3),
    }


def test_a_revision_reaches_each_in_their_variant(database: Database) -> None:
    queue(database)
    before = who_gets_what(database)
    with database.write() as tx:
        create_mailings(tx, 2)
        keys = range(1, 10_000)
        assert tx.mailings.give_newest(ISSUE.public_id, keys) == len(READERS)
        assert tx.mailings.give_newest(ISSUE.public_id, keys) == 0
    assert who_gets_what(database) == {name: f"{mailing[:-1]}2" for name, mailing in before.items()}


def test_choices_are_counted_over_those_who_are_mailed(database: Database) -> None:
    with database.write() as tx:
        add_readers(tx)
        tx.subscribers.choose_departments("hy", "weekly", (), NOW, "test")
        active = {SubscriptionState.ACTIVE}
        left = SubscriptionState.UNSUBSCRIBED
        assert tx.subscribers.move("late", "weekly", active, left, NOW, "test")
        every = tx.audience.choices("weekly")
        narrowed = tx.audience.choices("weekly", only_departments=True)
    expected = {Choice(*READERS[name]): 1 for name in READERS if name != "late"}
    assert every == expected
    assert narrowed == {choice: n for choice, n in expected.items() if choice.departments}


def test_departments_are_kept_and_learned_only_where_none_are_known(database: Database) -> None:
    with database.write() as tx:
        add_readers(tx)

        def learn(name: str) -> bool:
            return tx.subscribers.choose_departments(
                name, "weekly", ("Chess",), NOW, "test", if_unknown=True
            )

        assert not learn("arts")
        assert tx.subscribers.choose_departments("arts", "weekly", (), NOW, "test")
        # All of them is a choice too.
        assert not learn("arts")
        assert learn("plain")
        subscription = tx.subscribers.subscription("plain", "weekly")
    assert subscription is not None
    assert subscription.departments == ("Chess",)
