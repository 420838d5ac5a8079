"""Where every key in force comes from: the file, the environment, the desk, or the default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from newsletter.config import Config
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import ORDER, Path, dotted, flatten
from newsletter.storage.settings import SettingsVersion
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import FILE_ACTOR, Installation

_A_READING = 50


class Origin(StrEnum):
    """Where a key's value comes from."""

    FILE = "file"
    ENVIRONMENT = "environment"
    DESK = "desk"
    FORMER_FILE = "former file"  # a file once set it, and sets it no more
    DEFAULT = "default"


@dataclass(frozen=True)
class KeyInForce:
    """A key with its value, secrets hidden, and its origin.

    ``where`` is the file or variable that fixes it; ``by`` who set it and ``at`` when,
    where nothing does.
    """

    key: str
    value: Any
    origin: Origin
    where: str = ""
    by: str = ""
    at: datetime | None = None

    @property
    def told(self) -> str:
        """The origin in a few words."""
        if self.origin is Origin.DESK:
            return f"desk: {self.by}, {self.at:%Y-%m-%d %H:%M} UTC"
        if self.origin is Origin.FORMER_FILE:
            return f"from a config file of {self.at:%Y-%m-%d %H:%M} UTC, which has it no more"
        return f"{self.origin}: {self.where}" if self.where else str(self.origin)


def keys_in_force(installation: Installation, config: Config) -> tuple[KeyInForce, ...]:
    """Every key of the config and the settings, in the order of their tables."""
    bootstrap = config.bootstrap.model_dump(mode="json")
    fixed = FixedKeys.of_bootstrap(config)
    keys = [_fixed_key(fixed, path, value) for path, value in _values(_masked(bootstrap))]
    settings = installation.settings().model_dump(mode="json", by_alias=True)
    with installation.database.read() as tx:
        setters = _setters(tx)
        names = tx.editors.names()
    for path, value in _values(settings):
        key = _fixed_key(installation.fixed, path, value)
        setter = _setter_of(setters, path) if key.origin is Origin.DEFAULT else None
        if setter is not None:
            by_file = setter.actor == FILE_ACTOR
            key = KeyInForce(
                key=key.key,
                value=key.value,
                origin=Origin.FORMER_FILE if by_file else Origin.DESK,
                by=names.get(setter.actor, setter.actor),
                at=setter.at,
            )
        keys.append(key)
    return tuple(keys)


def _fixed_key(fixed: FixedKeys, path: Path, value: Any) -> KeyInForce:
    where = fixed.where(path)
    origin = Origin.DEFAULT
    if where:
        origin = Origin.FILE if where == fixed.file else Origin.ENVIRONMENT
    return KeyInForce(dotted(path), hide_secrets(value), origin, where)


def _masked(bootstrap: dict[str, Any]) -> dict[str, Any]:
    web = {**bootstrap["web"], "api_key": _tell_set(bootstrap["web"]["api_key"])}
    relays = [{**relay, "password": _tell_set(relay["password"])} for relay in bootstrap["relay"]]
    database = {**bootstrap["database"], "url": hide_secrets(bootstrap["database"]["url"])}
    return {**bootstrap, "database": database, "web": web, "relay": relays}


def _tell_set(secret: str) -> str:
    return "(set)" if secret else ""


def _values(document: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """All values; of a table that is empty, the empty table."""
    for path, value in flatten(_with_empty(document)).items():
        if path[-1] != ORDER:
            yield path, {} if value is _EMPTY else value


_EMPTY = object()


def _with_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_empty(inner) for key, inner in value.items()} or _EMPTY
    return [_with_empty(one) for one in value] if isinstance(value, list) else value


def _setters(tx: Transaction) -> dict[Path, SettingsVersion]:
    """By path the version that gave a key of the document in force its value."""
    found: dict[Path, SettingsVersion] = {}
    waiting: dict[Path, SettingsVersion] = {}
    before: int | None = None
    values: dict[Path, Any] = {}
    while versions := tx.settings.versions(_A_READING, before=before):
        for version in versions:
            stood = flatten(version.document)
            if before is None and not waiting:
                values, waiting = stood, dict.fromkeys(stood, version)
            for path in list(waiting):
                if path in stood and stood[path] == values[path]:
                    waiting[path] = version
                else:
                    found[path] = waiting.pop(path)
        before = versions[-1].version
        if not waiting:
            break
    return found | waiting


def _setter_of(setters: Mapping[Path, SettingsVersion], path: Path) -> SettingsVersion | None:
    """Who set a key, or the last of its parts where it is a table."""
    inner = [version for one, version in setters.items() if one[: len(path)] == path]
    return max(inner, key=lambda version: version.version, default=None)
