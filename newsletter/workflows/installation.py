"""The installation: what every workflow is given to work with."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from newsletter.clock import Clock
from newsletter.config import Config, PrivacyTable, validate
from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.model import Relay
from newsletter.errors import ConfigError, NotFound
from newsletter.issues.model import Issue
from newsletter.net.fetcher import Fetcher
from newsletter.net.resolver import Resolver
from newsletter.pictures.store import PictureStore
from newsletter.publication.editions import in_edition
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.settings_document import flatten, lay_over
from newsletter.rendering.environment import Templates
from newsletter.storage.database import Database
from newsletter.storage.settings import SettingsVersion
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.segments import check_segments
from newsletter.tokens import Keyring
from newsletter.workflows.adopt_settings import add_version

FILE_ACTOR = "config file"


@dataclass(frozen=True)
class Installation:
    """One installation's parts, opened once and passed on.

    ``base_url`` is the root of the readers' links and ``desk`` where the editors' desk
    lies; ``data_dir`` holds keys, locks and pictures. `settings` reads the settings anew,
    once a unit of work, because another process may have changed them. ``api_key`` is
    what programs have to show to read readers, empty where none may. ``signer`` holds the
    DKIM keys, if any; ``privacy`` says how long what is known of readers is kept.
    ``fixed`` are the settings that the config file fixes; ``overlay`` is the config that is
    laid over the stored settings as they are read, None where these have it already.
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
    fixed: FixedKeys = field(default_factory=FixedKeys)
    overlay: Config | None = field(default=None, repr=False)
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

    @property
    def uploads(self) -> Path:
        """The folder of files that editors brought to the desk; it holds addresses."""
        return self.data_dir / "uploads"

    def settings(self) -> Settings:
        """The settings as they stand now."""
        with self.database.read() as tx:
            return self._known.read(tx, self.overlay)

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

    def read(self, tx: Transaction, overlay: Config | None) -> Settings:
        """As `read_settings`, or with a config laid over them."""
        version, last = tx.settings.version(), self._last
        if last is not None and last[0] == version:
            return last[1]
        settings = read_settings(tx) if overlay is None else _overlaid(tx, overlay)
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

    A key set in the file wins; a key that only the database has stays. Entries of arrays
    are met by slug: those of the file are there, beside those that the desk added, and
    one that the file names no more is gone while the file still has others of its kind.
    """
    with database.read() as tx:
        latest = tx.settings.latest()
    merged = _lay_file_over(latest, config)
    settings = _validate_with_file(merged, config)
    if (
        latest is None
        or latest.fixed != config.settings
        or flatten(merged) != flatten(latest.document)
    ):
        with database.write() as tx:
            tx.settings.lock()
            latest = tx.settings.latest()
            merged = _lay_file_over(latest, config)
            settings = _validate_with_file(merged, config)
            if latest is not None and flatten(merged) == flatten(latest.document):
                tx.settings.note_fixed(latest.version, config.settings)
            else:
                add_version(
                    tx,
                    latest,
                    merged,
                    settings,
                    actor=FILE_ACTOR,
                    now=now,
                    fixed=config.settings,
                )
    return settings


def see_settings(database: Database, config: Config, now: datetime) -> Settings:
    """The settings as `seed_settings` would have them, with nothing written.

    A database that has none yet is given them: there is nothing in force that would change.
    """
    with database.read() as tx:
        if tx.settings.version() is not None:
            return _overlaid(tx, config)
    return seed_settings(database, config, now)


def _overlaid(tx: Transaction, config: Config) -> Settings:
    return _validate_with_file(_lay_file_over(tx.settings.latest(), config), config)


def _lay_file_over(latest: SettingsVersion | None, config: Config) -> dict[str, Any]:
    if latest is None:
        return lay_over({}, config.settings)
    # Before this was noted, all that stood in the database had come from files.
    former = latest.document if latest.fixed is None else latest.fixed
    return lay_over(latest.document, config.settings, former)


def _validate_with_file(merged: dict[str, Any], config: Config) -> Settings:
    """The settings; ConfigError names the file's own key where that alone is wrong already."""
    where = str(config.path)
    try:
        settings = validate(Settings, merged, where)
    except ConfigError:
        document = {"publication": _ANY_PUBLICATION, **config.settings}
        validate(Settings, document, where, config.origins)
        raise
    check_segments(settings, where)
    return settings


# Stands in where a file sets other tables only, and the database has this one.
_ANY_PUBLICATION = {"name": "-", "url": "http://localhost"}


def newsletter_of(settings: Settings, issue: Issue) -> Newsletter:
    """The newsletter of an issue, in the issue's edition. NotFound."""
    newsletter = settings.newsletter_called(issue.newsletter)
    if newsletter is None:
        raise NotFound(
            f"issue {issue.slot} belongs to the newsletter {issue.newsletter}, which the settings "
            "no longer have: put its [[newsletter]] table back",
            subject=issue.newsletter,
        )
    return in_edition(newsletter, issue.edition, settings.publication, issue.slot)


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
