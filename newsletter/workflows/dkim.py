"""A new DKIM key, and what DNS has to show for it."""

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.checks.dns import PublishedKey
from newsletter.config import Config, validate
from newsletter.delivery.addresses import wire_address
from newsletter.delivery.dkim_keys import Algorithm, DkimKey, create_key, key_folder, read_key
from newsletter.errors import ConfigError, StorageError
from newsletter.log import get_logger
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.database import Database
from newsletter.workflows.installation import read_settings

log = get_logger(__name__)

_STRING_OCTETS = 255  # of one string in a TXT record, RFC 1035 section 3.3


@dataclass(frozen=True)
class NewDkimKey:
    """A key just made: its file, and its records, one for each domain that mail comes from.

    ``selectors`` is what the config is to name once DNS shows it: this key, and
    beside it the one of the other algorithm that signs now.
    """

    selector: str
    algorithm: Algorithm
    path: Path
    published: tuple[PublishedKey, ...]
    selectors: tuple[str, ...]


def make_dkim_key(
    config: Config, now: datetime, *, selector: str | None, algorithm: Algorithm
) -> NewDkimKey:
    """Make a key in the data folder; it signs nothing until the config names it.

    Without ``selector`` one is made from the day. Conflict where there is such
    a key, ConfigError where no domain is known that mail would come from.
    """
    selector = selector or f"s{now:%Y%m%d}{'e' if algorithm is Algorithm.ED25519 else ''}"
    domains = signing_domains(config)
    folder = key_folder(config.bootstrap.data_dir)
    key = create_key(folder, selector, algorithm)
    return NewDkimKey(
        selector=selector,
        algorithm=algorithm,
        path=folder / f"{selector}.pem",
        published=tuple(key.published(domain) for domain in domains),
        selectors=_selectors_with(folder, key, config.bootstrap.dkim.selectors),
    )


def _selectors_with(folder: Path, new: DkimKey, signing: Sequence[str]) -> tuple[str, ...]:
    keys = [new]
    for selector in signing:
        # A name in the config that has no key yet is no reason to refuse making one.
        with suppress(ConfigError):
            keys.append(read_key(folder, selector))
    first = {key.algorithm: key.selector for key in reversed(keys)}
    return tuple(first[algorithm] for algorithm in Algorithm if algorithm in first)


def signing_domains(config: Config) -> tuple[str, ...]:
    """The domains in whose DNS a key has to stand: that of ``[dkim]``, or the senders'.

    Read without opening the installation, which wants the keys to be there already.
    """
    if config.bootstrap.dkim.domain:
        return (config.bootstrap.dkim.domain,)
    newsletters = config.settings.get("newsletter")
    if newsletters is None:
        found = _stored_newsletters(config)
    else:
        found = tuple(validate(Newsletter, table, str(config.path)) for table in newsletters)
    addresses = [wire_address(newsletter.sender.address) for newsletter in found]
    domains = tuple(dict.fromkeys(address.rpartition("@")[2].lower() for address in addresses))
    if not domains:
        raise ConfigError(
            f"{config.path}: no [[newsletter]] says which domain mail comes from; add one, or set "
            "[dkim] domain",
            subject="dkim",
        )
    return domains


def txt_strings(record: str) -> tuple[str, ...]:
    """A TXT record's text cut into the strings that DNS can hold."""
    return tuple(
        record[start : start + _STRING_OCTETS] for start in range(0, len(record), _STRING_OCTETS)
    )


def _stored_newsletters(config: Config) -> tuple[Newsletter, ...]:
    """Those of the settings; none where there is no database yet, or it can't be reached."""
    table = config.bootstrap.database
    try:
        with closing(Database.open(table.url, durability=table.durability)) as database:
            if database.pending_migrations():
                return ()
            with database.read() as tx:
                return read_settings(tx).newsletter
    except StorageError as error:
        log.warning("newsletters_not_read", error=str(error))
        return ()
