"""The pages over a real migrated SQLite file, for tests: one paper, two newsletters."""

import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from httpx2 import Response
from starlette.testclient import TestClient

from newsletter.delivery.model import Delivery, Mailing
from newsletter.net.fetcher import Fetcher
from newsletter.publication.model import Settings
from newsletter.rendering.environment import Templates
from newsletter.storage.database import Database
from newsletter.storage.ledger import SqlLedger
from newsletter.subscribers.model import Consent, Subscriber, Subscription, SubscriptionState
from newsletter.tokens import Key, Keyring, Purpose
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.installation import Installation
from tests.migrated import place_database

BASE_URL = "https://news.paper.example"
NOW = datetime(2025, 8, 5, 11, tzinfo=UTC)
SETTINGS = Settings.model_validate(
    {
        "publication": {
            "name": "The Araks Courier",
            "short_name": "the Courier",
            "url": "https://paper.example",
            "timezone": "America/Los_Angeles",
            "postal_address": "12 Bridge Street, Glendale, CA 91200",
        },
        "newsletter": [
            {
                "slug": "weekly",
                "name": "The Courier Weekly",
                "from": {"name": "The Araks Courier", "address": "weekly@paper.example"},
                "reply_to": "editors@paper.example",
                "section": [
                    {"slug": "most-read", "kind": "most_read", "title": "Most read of the month"},
                    {"slug": "latest", "kind": "latest", "title": "Latest of the week"},
                ],
            },
            {
                "slug": "kitchen",
                "name": "From the Kitchen",
                "from": {"name": "The Araks Courier", "address": "kitchen@paper.example"},
                "draft_at": "day 1 07:00",
                "send_at": "day 2 07:00",
                "consent": "Yes, recipes please, once a month.",
                "section": [{"slug": "latest", "kind": "latest", "title": "Recipes"}],
            },
        ],
        "bounces": {"return_path": "bounces@paper.example"},
        # SpamAssassin takes seconds for each mail; tests of its own ask it.
        "checks": {"spam": False},
    }
)


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.instant.timestamp()

    def boottime(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass
class Site:
    """One installation as a visitor meets it, and as a test may look behind it."""

    path: Path
    context: WebContext
    clock: SetClock
    client: TestClient

    @property
    def database(self) -> Database:
        return self.context.database

    @property
    def keyring(self) -> Keyring:
        return self.context.keyring

    @property
    def templates(self) -> Templates:
        return self.context.templates

    @property
    def settings(self) -> Settings:
        return self.context.load_settings()

    def subscription(self, address: str, newsletter: str = "weekly") -> Subscription | None:
        with self.database.read() as tx:
            subscriber = tx.subscribers.find(address)
            return subscriber and tx.subscribers.subscription(subscriber.public_id, newsletter)

    def state(self, address: str, newsletter: str = "weekly") -> str:
        subscription = self.subscription(address, newsletter)
        return str(subscription.state) if subscription else "unknown"

    def put(
        self, address: str, state: str = "active", newsletter: str = "weekly", name: str = ""
    ) -> Subscriber:
        """A subscriber in that state, as if it had come to it by itself."""
        with self.database.write() as tx:
            known = tx.subscribers.find(address)
            subscriber = known or Subscriber(
                f"reader{abs(hash(address)) % 10**9}", address, self.clock.now(), name
            )
            tx.subscribers.add(subscriber, self.keyring.hash_address(address))
            tx.subscribers.subscribe(
                subscriber.public_id,
                newsletter,
                SubscriptionState(state),
                Consent("import", "Paper slips of 2019", self.clock.now()),
                self.clock.now(),
                "test",
            )
        return subscriber

    def unsubscribe_path(self, subscriber: Subscriber, newsletter: str = "weekly") -> str:
        with self.database.read() as tx:
            newsletter_id = tx.settings.newsletter_id(newsletter)
        token = self.keyring.sign(Purpose.UNSUBSCRIBE, subscriber.public_id, newsletter_id)
        return f"/unsubscribe/{token}"

    def preferences_path(self, subscriber: Subscriber) -> str:
        return f"/preferences/{self.keyring.sign(Purpose.PREFERENCES, subscriber.public_id)}"

    def choose(self, path: str, wishes: Mapping[str, str | list[str]]) -> Response:
        """Post the preferences form of that path as its page does."""
        shown = [newsletter.slug for newsletter in self.settings.newsletter]
        return self.client.post(path, data={"shown": shown, **wishes})

    def outgoing(self) -> list[tuple[Delivery, Mailing]]:
        """What a worker would send now and has not been given before."""
        now = self.clock.now()
        with closing(SqlLedger(self.database)) as ledger:
            worker = ledger.enroll("test", now, timedelta(minutes=5))
            claimed = [
                *ledger.claim_system(worker, now, 100),
                *ledger.claim_issues(worker, now, 100),
            ]
            return [(delivery, ledger.mailing(delivery.mailing_id)) for delivery in claimed]

    def sign_up(self, address: str, newsletter: str = "weekly", **fields: str) -> str:
        """Fill in and post the form as a person does; the answer's body."""
        page = self.client.get(f"/subscribe/{newsletter}").text
        self.clock.sleep(8)
        answer = self.client.post(
            f"/subscribe/{newsletter}",
            data={"address": address, "stamp": stamp_in(page), **fields},
        )
        return answer.text

    def dump(self) -> list[str]:
        """The whole database, to see whether anything changed."""
        with closing(sqlite3.connect(self.path)) as connection:
            return list(connection.iterdump())


def stamp_in(page: str) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def links_in(text: str) -> list[str]:
    """Every address in a page or mail, absolute or of this site."""
    return re.findall(r'(?:href|action|src)="([^"#]+)"', text) + re.findall(r"https?://\S+", text)


def make_blank(path: Path, settings: Settings = SETTINGS) -> Path:
    """A migrated database that knows the settings, to be copied."""
    place_database(path)
    database = Database.open(f"sqlite:///{path}")
    with database.write() as tx:
        tx.settings.append(settings.model_dump(mode="json", by_alias=True), "test", NOW)
        tx.settings.register(settings, NOW)
    database.close()
    return path


@contextmanager
def open_site(
    folder: Path, blank: Path, *, base_url: str = BASE_URL, settings: Settings = SETTINGS
) -> Iterator[Site]:
    """A site of its own in ``folder``, over a copy of ``blank``."""
    path = folder / "newsletter.sqlite"
    shutil.copyfile(blank, path)
    database = Database.open(f"sqlite:///{path}")
    with serve_site(folder, database, base_url=base_url, settings=settings) as site:
        yield site
    database.close()


@contextmanager
def serve_site(
    folder: Path,
    database: Database,
    *,
    base_url: str = BASE_URL,
    settings: Settings = SETTINGS,
    visitor: str = "testclient",
) -> Iterator[Site]:
    """A site over a database that knows the settings; ``visitor`` is who comes, by address."""
    clock = SetClock()
    fetcher = Fetcher(user_agent="newsletter-test")
    installation = Installation(
        database=database,
        keyring=Keyring([Key("a", b"k" * 32)], b"h" * 32),
        clock=clock,
        fetcher=fetcher,
        templates=Templates(),
        base_url=base_url,
        data_dir=folder,
        relays=(),
    )
    context = WebContext(
        database=database,
        keyring=installation.keyring,
        clock=clock,
        base_url=base_url,
        pictures=installation.pictures,
        templates=installation.templates,
        load_settings=lambda: settings,
        steady_seconds=0,
        installation=installation,
    )
    client = TestClient(
        create_app(context),
        base_url=base_url.removesuffix(context.base_path),
        follow_redirects=False,
        raise_server_exceptions=False,
        client=(visitor, 50_000),
    )
    with fetcher, client:
        yield Site(Path(database.url.database or ""), context, clock, client)
