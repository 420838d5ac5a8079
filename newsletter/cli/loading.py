"""The one lazy loader: a command's module is loaded when the command is called."""

import importlib
from types import ModuleType


def load_command(name: str) -> ModuleType:
    """The module of a command: with an ``app`` of several, or a function called ``name``."""
    return importlib.import_module(f"newsletter.cli.{name}_commands")
