"""Every config key and every command stands in the docs, as it is."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from docs.write_reference import (
    checks_reference,
    command_reference,
    config_reference,
    rows_of,
)
from newsletter.cli.main import COMMANDS, build_app
from newsletter.config import Bootstrap, load_config, validate
from newsletter.publication.model import Settings

ROOT = Path(__file__).parents[2]


def test_example_config_is_valid_and_complete() -> None:
    path = ROOT / "config.example.toml"
    config = load_config(path, {})
    validate(Settings, config.settings, str(path))
    text = path.read_text(encoding="utf-8")
    keys = [key for model in (Bootstrap, Settings) for key, _, _ in rows_of(model)]
    # Keys that exclude each other, or have no default, stand there behind a "#".
    assert [key for key in keys if not re.search(rf"\b{key.split('.')[-1]} = ", text)] == []


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("config.md", config_reference),
        ("commands.md", command_reference),
        ("checks.md", checks_reference),
    ],
)
def test_reference_is_as_the_code(name: str, write: Any) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == write(), "run `make reference`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_does(name: str) -> None:
    command: Any = typer.main.get_command(build_app(name)).commands[name]
    for sub, one in getattr(command, "commands", {"": command}).items():
        silent = [p.name for p in one.params if p.name != "help" and not p.help]
        assert (sub, bool(one.help), silent) == (sub, True, [])
