"""The settings that the config file and the environment fix, which nobody changes elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from newsletter.config import Config
from newsletter.publication.settings_document import ORDER, Path, flatten, lay_over


@dataclass(frozen=True)
class FixedKeys:
    """What a config file sets of the settings, the environment's keys included.

    ``file`` is its name; ``variables`` are the environment's names by path.
    """

    document: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    variables: Mapping[Path, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> "FixedKeys":
        """Those of a config that was read."""
        return cls(config.settings, config.path.name, _variables(config, config.settings))

    @classmethod
    def of_bootstrap(cls, config: Config) -> "FixedKeys":
        """Those beside the settings, which are fixed all: what is not set has its default."""
        return cls(config.given, config.path.name, _variables(config, config.given))

    def where(self, path: Path) -> str:
        """Where a key, a table's key or an entry is fixed: a file or a variable; else empty."""
        for size in range(len(path), 0, -1):
            if path[:size] in self.variables:
                return self.variables[path[:size]]
        values = flatten(self.document)
        if path in values or path[-1] in values.get((*path[:-1], ORDER), ()):
            return self.file
        # Part of a key that is a table of its own, such as titles by language.
        below = [one for one in values if one[: len(path)] == path]
        return next((self.variables.get(one, self.file) for one in below), "")

    def lay_over(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with all that is fixed as it is fixed."""
        return lay_over(document, self.document)

    def hold(self, document: Mapping[str, Any]) -> bool:
        """Whether all that is fixed is in the document as it is fixed."""
        return flatten(self.lay_over(document)) == flatten(document)


def _variables(config: Config, document: Mapping[str, Any]) -> dict[Path, str]:
    """The environment's names of what it set in this part of a config."""
    keys = {tuple(key.split(".")): name for key, name in config.origins.items()}
    return {_by_slug(document, key): name for key, name in keys.items() if key[0] in document}


def _by_slug(document: Any, keys: Path) -> Path:
    """A place in the document, in which entries of arrays are numbers, by their slugs."""
    path: list[str] = []
    for key in keys:
        if isinstance(document, list):
            document = document[int(key)]
            path.append(str(document.get("slug", key)))
            continue
        document = document.get(key) if isinstance(document, dict) else None
        path.append(key)
    return tuple(path)
