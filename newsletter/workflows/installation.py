"""The installation: what every workflow is given to work with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from newsletter.clock import Clock
from newsletter.config import Config, PrivacyTable, validate
from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.model import Relay
from newsletter.errors import ConfigError, NotFound
from newsletter.net.fetcher import Fetcher
from newsletter.net.resolver import Resolver
from newsletter.pictures.store import PictureStore
from newsletter.publication.model import Newsletter, Reads, Settings, Source
from newsletter.rendering.environment import Templates
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.segments import check_segments
from newsletter.tokens import Keyring

FILE_ACTOR = "config file"


@dataclass(frozen=True)
class Installation:
    """One installation's parts, opened once and passed on.

    ``base_url`` is the root of the readers' links and ``desk`` where the editors' desk
    lies; ``data_dir`` holds keys, locks and pictures. `settings` reads the settings anew,
    once a unit of work, because another process may have changed them. ``api_key`` is
    what programs have to show to read readers, empty where none may. ``signer`` holds the
    DKIM keys, if any; ``privacy`` says how long what is known of readers is kept.
    """

    database: Database
    keyring: Keyring
    clock: Clock
    fetcher: Fetcher
    templates: Templates
    base_url: str
    data_dir: Path
    relays: tuple[Relay, ...]
    trusted_proxies: frozenset[str] = frozenset()
    api_key: str = field(default="", repr=False)
    resolver: Resolver = field(default_factory=Resolver)
    signer: Signer | None = None
    privacy: PrivacyTable = field(default_factory=PrivacyTable)
    desk: str = ""
    _known: "_KnownSettings" = field(
        default_factory=lambda: _KnownSettings(), init=False, repr=False
    )

    @property
    def desk_url(self) -> str:
        """The root of the desk's pages, without a slash at the end."""
        return self.desk or f"{self.base_url}/desk"

    @property
    def dkim_selectors(self) -> tuple[str, ...]:
        """The keys that sign a mailing made now."""
        return self.signer.selectors if self.signer is not None else ()

    @property
    def pictures(self) -> PictureStore:
        """The files kept of stories' pictures."""
        return PictureStore(self.data_dir / "pictures")

    def settings(self) -> Settings:
        """The settings as they stand now."""
        with self.database.read() as tx:
            return self._known.read(tx)

    @property
    def relay(self) -> Relay:
        """The SMTP server that mail is handed to; ConfigError where none is configured."""
        if not self.relays:
            raise ConfigError(
                "no relay is configured: add a [[relay]] table with the host of your SMTP server",
                subject="relay",
            )
        return self.relays[0]


class _KnownSettings:
    """The settings that were read last: a version never changes, so that asking for its
    number is enough. For any number of threads."""

    def __init__(self) -> None:
        self._last: tuple[int, Settings] | None = None

    def read(self, tx: Transaction) -> Settings:
        """As `read_settings`."""
        version, last = tx.settings.version(), self._last
        if last is not None and last[0] == version:
            return last[1]
        settings = read_settings(tx)
        if version is not None:
            self._last = version, settings
        return settings


def read_settings(tx: Transaction) -> Settings:
    """The settings as this transaction sees them."""
    version = tx.settings.latest()
    if version is None:
        raise ConfigError(
            "the database holds no settings yet: start once with a config file that has a "
            "[publication] table",
            subject="settings",
        )
    where = f"settings, version {version.version}"
    settings = validate(Settings, version.document, where)
    check_segments(settings, where)
    return settings


def seed_settings(database: Database, config: Config, now: datetime) -> Settings:
    """Write the file's settings as a new version where they differ from what is there.

    A key set in the file wins; a key that only the database has stays. Arrays
    of tables that the file has are taken from it whole.
    """
    document = {"publication": _ANY_PUBLICATION, **config.settings}
    validate(Settings, document, str(config.path), config.origins)
    with database.read() as tx:
        latest = tx.settings.latest()
    stored = latest.document if latest else {}
    merged = lay_over(stored, config.settings)
    settings = validate(Settings, merged, str(config.path))
    check_segments(settings, str(config.path))
    if merged != stored:
        with database.write() as tx:
            tx.settings.append(merged, FILE_ACTOR, now)
            tx.settings.register(settings, now)
            for slug in _moved(stored.get("source", ()), settings.source):
                tx.sources.ask_anew(slug)
            for slug in _moved(stored.get("reads", ()), settings.reads):
                tx.reads.ask_anew(slug)
    return settings


def _moved(stored: Iterable[Mapping[str, Any]], now: Iterable[Source | Reads]) -> list[str]:
    """Sources or counters whose address is not the one that was stored."""
    before = {each.get("slug"): each.get("url") for each in stored}
    return [each.slug for each in now if before.get(each.slug, each.url) != each.url]


# Stands in where a file sets other tables only, and the database has this one.
_ANY_PUBLICATION = {"name": "-", "url": "http://localhost"}


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``below`` with the keys of ``above`` in their place, tables merged key by key."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping):
            merged[key] = lay_over(under if isinstance(under, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def only_newsletter(settings: Settings, slug: str | None) -> Newsletter:
    """The newsletter of that slug, or the only one; NotFound says which there are."""
    names = ", ".join(newsletter.slug for newsletter in settings.newsletter)
    if not settings.newsletter:
        raise ConfigError("no newsletter is configured: add a [[newsletter]] table")
    if slug is None:
        if len(settings.newsletter) > 1:
            raise NotFound(f"there are several newsletters, name one by --newsletter: {names}")
        return settings.newsletter[0]
    newsletter = settings.newsletter_called(slug)
    if newsletter is None:
        raise NotFound(f'there is no newsletter "{slug}"; there is: {names}', subject=slug)
    return newsletter
