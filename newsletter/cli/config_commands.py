"""`newsletter config show`: what is in force, and where it comes from."""

import os
from typing import Any

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json
from newsletter.config import load_config

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show the config and settings in force."
)


@app.callback()
def _config() -> None:
    """Show the config and settings in force."""


@app.command("show")
def show(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Print every key in force; those set in the file or the environment are marked fixed."""
    loaded = load_config(config, os.environ)
    with open_from_file(config) as installation:
        settings = installation.settings()
    bootstrap = loaded.bootstrap.model_dump(mode="json")
    for relay in bootstrap["relay"]:
        relay["password"] = "(set)" if relay["password"] else ""
    document = {**bootstrap, **settings.model_dump(mode="json", by_alias=True)}
    fixed = set(_paths(loaded.settings))
    if json:
        print_json({"config": document, "fixed": sorted(fixed)})
        return
    for path, value in _leaves(document):
        print(f"{path} = {value!r}{'   (fixed)' if path in fixed else ''}")


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every value with its dotted path, entries of arrays by their slug."""
    if isinstance(value, dict):
        return [
            leaf
            for key, inner in value.items()
            for leaf in _leaves(inner, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return [
            leaf
            for number, entry in enumerate(value)
            for leaf in _leaves(entry, f"{path}.{entry.get('slug', number)}")
        ]
    return [(path, value)]


def _paths(document: dict[str, Any]) -> list[str]:
    return [path for path, _ in _leaves(document)]
