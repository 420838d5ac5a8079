"""Nouns for the contracts: a small paper, its stories, issues and readers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from newsletter.delivery.model import Mailing, MailingKind, Outcome, OutcomeKind, Reply
from newsletter.issues.model import Issue, IssueState, Item, RunnerUp, Section
from newsletter.publication.model import Settings
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.stories.model import Picture, Story
from newsletter.subscribers.model import Consent, Subscriber, SubscriptionState

NOW = datetime(2025, 8, 5, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEASE = NOW + 10 * MINUTE


def a_settings(**changes: Any) -> Settings:
    section = {"slug": "latest", "kind": "latest", "title": "Latest articles"}
    most_read = {"slug": "most-read", "kind": "most_read", "title": "Most read"}
    document: dict[str, Any] = {
        "publication": {"name": "The Paper", "url": "https://paper.example"},
        "source": [
            {"slug": "site", "url": "https://paper.example/feed/"},
            {"slug": "wire", "url": "https://wire.example/feed/"},
        ],
        "reads": [
            {"slug": "counter", "source": "site", "kind": "csv", "url": "https://paper.example/c"},
            {"slug": "log", "source": "site", "kind": "csv", "url": "https://paper.example/l"},
        ],
        "newsletter": [
            {
                "slug": slug,
                "name": slug.title(),
                "from": {"name": "The Paper", "address": "weekly@paper.example"},
                "section": [most_read, section],
            }
            for slug in ("weekly", "daily")
        ],
    }
    return Settings.model_validate(document | changes)


def a_story(number: int, **changes: Any) -> Story:
    published_at = NOW - timedelta(hours=number)
    story = Story(
        public_id=f"story{number}",
        source="site",
        url=f"https://paper.example/{number}",
        title=f"Headline {number}",
        published_at=published_at,
        first_seen_at=NOW,
        title_key=f"headline {number}",
        published_on=published_at.date(),
        native_id=str(number),
        guid=f"https://paper.example/?p={number}",
        byline="Ani Example",
        departments=("Culture", "Film"),
        tags=("cinema",),
        excerpt="Մի քանի բառ.",
        words=450,
        picture=Picture("https://paper.example/p.jpg", 1200, 800, "A square", "Noon", "Photo"),
    )
    return replace(story, **changes)


def an_issue(slot: str = "2025-W32", **changes: Any) -> Issue:
    items = tuple(
        Item(
            story_id=f"story{number}",
            position=number,
            headline=f"Headline {number}",
            url=f"https://paper.example/{number}",
            published_at=NOW,
            picture=Picture("https://paper.example/p.jpg", 1200, 800),
            reads=100 - number,
            reasons=("read by many", "of this week"),
        )
        for number in (1, 2)
    )
    issue = Issue(
        public_id=f"issue-{slot}",
        newsletter="weekly",
        slot=slot,
        state=IssueState.DRAFT,
        date=date(2025, 8, 8),
        send_at=NOW + timedelta(days=3),
        covers_from=NOW - timedelta(days=7),
        covers_until=NOW,
        title="Top Stories · Week 32",
        subject="Headline 1",
        preheader="and Headline 2",
        sections=(
            Section(
                slug="most-read",
                kind="most_read",
                title="Most read",
                window="the last 30 days",
                items=items,
                runners_up=(RunnerUp("story3", "Headline 3", "https://paper.example/3", 9, "few"),),
            ),
        ),
        language="en",
    )
    return replace(issue, **changes)


def a_mailing(public_id: str = "mailing1", **changes: Any) -> Mailing:
    mailing = Mailing(
        public_id=public_id,
        kind=MailingKind.ISSUE,
        subject="Headline 1",
        html="<p>Headline 1 – XXREADERUNSUBSCRIBEXX</p>\r\n",
        text="Headline 1\n",
        from_name="The Paper",
        from_address="weekly@paper.example",
        created_at=NOW,
        language="en",
        newsletter_id="newsletter1",
        list_id="weekly.paper.example",
        base_url="https://news.paper.example",
    )
    return replace(mailing, **changes)


def a_system_mailing(public_id: str, **changes: Any) -> Mailing:
    return a_mailing(
        public_id,
        kind=MailingKind.SYSTEM,
        newsletter_id=None,
        list_id="",
        subject="Please confirm",
        html="<p>Dear reader1@reader.example</p>",
        **changes,
    )


def a_consent(how: str = "form") -> Consent:
    return Consent(how, "I want the weekly.", NOW - timedelta(days=1), "front page")


def add_reader(
    tx: Transaction,
    number: int,
    state: SubscriptionState | None = SubscriptionState.ACTIVE,
    newsletter: str = "weekly",
) -> Subscriber:
    address = f"reader{number:03}@reader.example"
    subscriber = tx.subscribers.add(
        Subscriber(f"reader{number}", address, NOW, f"Reader {number}", "en"), f"hash{number}"
    )
    if state is not None:
        tx.subscribers.subscribe(
            subscriber.public_id, newsletter, state, a_consent(), NOW, "reader"
        )
    return subscriber


def start_sending(database: Database, readers: int, slot: str = "2025-W32") -> Issue:
    """An issue on its way to ``readers`` active readers, reader0 first."""
    issue = an_issue(slot, state=IssueState.SENDING)
    with database.write() as tx:
        for number in range(readers):
            add_reader(tx, number)
        assert tx.issues.create(issue, NOW, "test")
        tx.mailings.create(
            a_mailing(f"mailing-{slot}"), key=slot, issue_id=issue.public_id, newsletter="weekly"
        )
        tx.mailings.enqueue_audience(f"mailing-{slot}", "weekly", NOW)
    return issue


def add_system_mail(database: Database, number: int, public_id: str = "confirm") -> None:
    """A confirmation to reader ``number``, who need not be active."""
    with database.write() as tx:
        assert tx.mailings.create(a_system_mailing(public_id), key=public_id, newsletter="weekly")
        tx.mailings.enqueue(public_id, f"reader{number}", f"reader{number:03}@reader.example", NOW)


def an_outcome(kind: OutcomeKind, code: int = 250, text: str = "", **changes: Any) -> Outcome:
    return Outcome(kind, changes.pop("reason", kind.value), Reply(code, text), **changes)


ACCEPTED = an_outcome(OutcomeKind.ACCEPTED, 250, "2.0.0 Ok: queued as 4XYZ")
REFUSED = an_outcome(OutcomeKind.REFUSED, 550, "5.1.1 no such user", reason="unknown_user")
UNCERTAIN = an_outcome(OutcomeKind.UNCERTAIN, 0)
REQUEUED = an_outcome(OutcomeKind.REQUEUED, 0)
DEFERRED = an_outcome(OutcomeKind.DEFERRED, 451, "later", retry_at=NOW + 5 * MINUTE)
