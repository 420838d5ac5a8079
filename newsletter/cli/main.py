"""The command line: `newsletter`, also `python -m newsletter`.

Exit status: 0 done, 1 the work failed or falls short, 2 wrong usage or config.
"""

import sys

import typer

from newsletter.cli.ending import run_to_status
from newsletter.cli.loading import load_command

# A command's module is loaded when the command is called, so that --help is quick.
COMMANDS = {
    "demo": "Run the whole job on a small paper made up for it.",
    "init": "Write config.toml from what a site tells of itself.",
    "check": "Look at config, database, relays, sources and DNS, and say what is wrong.",
    "run": "Run web, scheduler and worker, and keep them running.",
    "web": "Serve the public pages.",
    "scheduler": "Draft and send when it is time.",
    "worker": "Send what is queued.",
    "migrate": "Bring the database to this version.",
    "adopt": "Let a held installation send: say that it is the true one.",
    "config": "Show what is in force, and snippets for the site.",
    "stories": "Fetch and list stories, and say how past choices would have done.",
    "reads": "Bring in how often stories were read.",
    "issue": "Draft, look at, approve and send issues.",
    "templates": "Check a paper's own templates.",
    "editors": "Say who may sit at the desk, and as what.",
    "subscribers": "Add, import, find and export readers.",
    "inbox": "Take mail that comes in: readers who leave by it.",
    "dkim": "Make the keys that sign mail.",
}


def build_app(*wanted: str) -> typer.Typer:
    """The command line with the commands ``wanted`` loaded and the others by name only."""
    app = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="The newsletter service of a newspaper.",
    )
    # Without a callback an app of one command would lose the command's name.
    app.callback()(_nothing)
    for name, summary in COMMANDS.items():
        if name not in wanted:
            app.command(name, help=summary)(_nothing)
            continue
        module = load_command(name)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=summary)
        else:
            app.command(name)(getattr(module, name))
    return app


def main() -> None:
    """Run the command line; what a person can mend is one line on standard error."""
    sys.exit(run_to_status(build_app(*sys.argv[1:2])))


def _nothing() -> None:
    """Stands in for what is not loaded."""
