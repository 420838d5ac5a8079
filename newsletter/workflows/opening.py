"""Opening the installation that a config describes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter import __version__
from newsletter.clock import Clock
from newsletter.config import Config, RelayTable
from newsletter.delivery.dkim_keys import load_signer
from newsletter.delivery.model import Relay
from newsletter.errors import ConfigError, StorageError
from newsletter.net.fetcher import Fetcher
from newsletter.net.resolver import Resolver
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.rendering.environment import Templates
from newsletter.storage.database import Database
from newsletter.tokens import load_keyring
from newsletter.workflows.installation import Installation, see_settings, seed_settings


@contextmanager
def open_installation(
    config: Config, clock: Clock, *, adopts: bool = True
) -> Iterator[Installation]:
    """The installation of ``config``, its SQLite file migrated.

    Where it ``adopts`` the config, that is written into the settings, which every process
    reads; else it is only laid over them for who opened it.
    """
    bootstrap = config.bootstrap
    make_data_folder(bootstrap.data_dir)
    database = Database.open(bootstrap.database.url, durability=bootstrap.database.durability)
    try:
        prepare_database(database)
        find_settings = seed_settings if adopts else see_settings
        settings = find_settings(database, config, clock.now())
        with Fetcher(user_agent=user_agent(settings.publication.url)) as fetcher:
            yield Installation(
                database=database,
                keyring=load_keyring(bootstrap.data_dir / "keys.json"),
                clock=clock,
                fetcher=fetcher,
                templates=Templates(bootstrap.templates_dir),
                base_url=bootstrap.web.base_url,
                data_dir=bootstrap.data_dir,
                relays=tuple(relay_of(table) for table in bootstrap.relay),
                trusted_proxies=frozenset(bootstrap.web.trusted_proxies),
                api_key=bootstrap.web.secret(),
                resolver=Resolver(bootstrap.dns.nameservers, bootstrap.dns.port),
                signer=load_signer(bootstrap.data_dir, bootstrap.dkim),
                privacy=bootstrap.privacy,
                desk=bootstrap.web.desk,
                fixed=FixedKeys.of(config),
                overlay=None if adopts else config,
            )
    finally:
        database.close()


def relay_of(table: RelayTable) -> Relay:
    """The relay that a table of the config describes, its password read."""
    return Relay(
        slug=table.slug,
        host=table.host,
        port=table.port,
        tls=table.tls,
        username=table.username,
        password=table.secret(),
        connections=table.connections,
        rate=table.rate,
        daily_cap=table.daily_cap,
        warm_up=table.warm_up,
        weight=table.weight,
    )


def prepare_database(database: Database) -> None:
    """Migrate an SQLite file by itself; a server's database waits for `newsletter migrate`."""
    if not database.pending_migrations():
        return
    if not database.is_sqlite:
        raise StorageError(
            "the database is not at this version: stop the service, make a backup and run "
            "`newsletter migrate`",
            subject="database",
        )
    database.migrate()


def make_data_folder(path: Path) -> None:
    """Let there be the folder of data_dir; ConfigError where it can't be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"data_dir {path}: can't be made ({error.strerror}); name a folder that may be written",
            subject="data_dir",
        ) from error


def user_agent(contact: str) -> str:
    """How we name ourselves to sites: with an address where the owner can be found."""
    return f"newsletter/{__version__} (+{contact})"
