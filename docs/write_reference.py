"""Write docs/config.md, docs/commands.md and docs/checks.md from the code that they describe.

Run by `make reference`; a test says when they are out of date.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from newsletter.checks.model import MEANINGS
from newsletter.cli.main import COMMANDS, build_app
from newsletter.config import Bootstrap
from newsletter.publication.model import Settings

DOCS = Path(__file__).parent

_CONFIG_HEAD = """\
# Config and settings

Written from the code by `make reference`. `config.example.toml` shows every key in its place.

Any key may come from the environment as `NEWSLETTER_TABLE__KEY`, in arrays by slug
(`NEWSLETTER_RELAY__MAIN__PASSWORD`; a hyphen of a slug is written `_`); lists and tables are
written as JSON there. Unknown keys and unknown `NEWSLETTER_*` names stop the start with one line
that names the key and the nearest known one. Paths count from the config file's folder.

**Bootstrap** is read once when a process starts. **Settings** are kept in the database in numbered
versions, seeded from the file, and read anew for every unit of work. A key set in the file wins;
what it does not set can be changed at the desk. Take a key out of the file to let the desk have it:
its value stays. `newsletter config show` prints what is in force and what set it so.

The file and the environment are written into the settings by the service (`run`, `web`,
`scheduler`, `worker`) and by commands that work on issues, stories, reads or readers. Commands that
only report (`check`, `config show`, lists, previews, counts, exports), `editors`, `adopt` and
`inbox take` lay them over the settings for themselves: a variable of one shell changes nothing for
the others.
"""


_CHECKS_HEAD = """\
# Findings

Written from the code by `make reference`. What `newsletter issue check`, `issue rehearse`, `issue
preview` and the gate before a send have to say of an issue. `stop` holds it back, `warn` does not,
`info` asks for nothing. `--json` gives for each finding its `key`, `level`, `item` (a story's place
and headline, a part, or a host), the `sentence` and the `mend`.

| Key | Level | What it is about | What mends it |
|---|---|---|---|
"""


def main() -> None:
    """Write the files."""
    (DOCS / "config.md").write_text(config_reference(), encoding="utf-8")
    (DOCS / "commands.md").write_text(command_reference(), encoding="utf-8")
    (DOCS / "checks.md").write_text(checks_reference(), encoding="utf-8")


def config_reference() -> str:
    """The text of docs/config.md."""
    parts = [_CONFIG_HEAD]
    for title, model in (("Bootstrap", Bootstrap), ("Settings", Settings)):
        parts.append(f"\n## {title}\n\n| Key | Default | What it is |\n|---|---|---|\n")
        parts += [f"| `{key}` | {default} | {words} |\n" for key, default, words in rows_of(model)]
    return "".join(parts)


def command_reference() -> str:
    """The text of docs/commands.md."""
    parts = [
        "# Commands\n\nWritten from the code by `make reference`. Exit status: 0 done, 1 the work "
        "failed or falls short, 2 wrong usage or config. `--json` prints one JSON document on "
        "standard output; progress and logs go to standard error.\n"
    ]
    for name in COMMANDS:
        command: Any = typer.main.get_command(build_app(name))
        command = command.commands[name]
        for called, one in _commands_in(f"newsletter {name}", command):
            parts.append(f"\n## `{called}`\n\n")
            parts.append(" ".join(str(one.help).split()) + "\n\n")
            parts += [_option_line(p) for p in one.params if p.name != "help"]
    return "".join(parts)


def _commands_in(called: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Each command of a group, and of the groups in it, as one calls it."""
    for name, one in getattr(command, "commands", {}).items():
        yield from _commands_in(f"{called} {name}", one)
    if not hasattr(command, "commands"):
        yield called, command


def checks_reference() -> str:
    """The text of docs/checks.md."""
    rows = [
        f"| `{key}` | {meaning.levels} | {meaning.about} | {meaning.mend} |\n"
        for key, meaning in MEANINGS.items()
    ]
    return f"{_CHECKS_HEAD}{''.join(rows)}"


def _option_line(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = f"`{parameter.metavar or parameter.name}`"
    default = parameter.default
    shown = "" if default in (None, False, (), "") or callable(default) else f" (default {default})"
    return f"- {names}: {parameter.help}{shown}\n"


def rows_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key of ``model`` with its default and what it is, inner tables spelled out."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner = _model_in(field.annotation)
        if inner is None:
            yield key, _default(field.default), str(field.description or "")
        else:
            yield from rows_of(inner, f"{key}.")


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    return "-" if value in (None, "", ()) else f"`{value}`"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, getattr(annotation, "__args__", ()))), None)


if __name__ == "__main__":
    main()
