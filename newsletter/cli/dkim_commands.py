"""`newsletter dkim keygen`: makes a key, and says what DNS has to show for it."""

import os
from typing import Annotated

import typer

from newsletter.checks.dns import PublishedKey
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json
from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.delivery.dkim_keys import Algorithm
from newsletter.workflows.dkim import NewDkimKey, make_dkim_key, txt_strings

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make the keys that sign mail.")


@app.callback()
def _dkim() -> None:
    """Make the keys that sign mail."""


@app.command("keygen")
def keygen(
    selector: Annotated[
        str | None, typer.Option(metavar="NAME", help="the key's name in DNS; else from the date")
    ] = None,
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="a key for the second signature, beside an RSA one")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Make a DKIM key in data_dir/dkim and print the DNS record for it. Overwrites nothing."""
    loaded = load_config(config, os.environ)
    algorithm = Algorithm.ED25519 if ed25519 else Algorithm.RSA
    made = make_dkim_key(loaded, SystemClock().now(), selector=selector, algorithm=algorithm)
    steps = _next_steps(made, loaded.bootstrap.dkim.selectors)
    if json:
        print_json(
            {
                "selector": made.selector,
                "algorithm": made.algorithm,
                "file": str(made.path),
                "records": [_record(key) for key in made.published],
                "next": steps,
            }
        )
        return
    print(f"made {made.path} ({made.algorithm}); it belongs into your backup, and nowhere else\n")
    for key in made.published:
        print(f"{key.name}. IN TXT (")
        for string in txt_strings(key.record):
            print(f'  "{string}"')
        print(")\n")
    for number, step in enumerate(steps, start=1):
        print(f"{number}. {step}")


def _record(key: PublishedKey) -> dict[str, object]:
    return {
        "name": key.name,
        "type": "TXT",
        "value": key.record,
        "strings": txt_strings(key.record),
    }


def _next_steps(made: NewDkimKey, signing: tuple[str, ...]) -> list[str]:
    names = " and ".join(key.name for key in made.published)
    steps = [
        f"Publish the record at {names}: its strings in this order are one value, and the web "
        "form of a DNS host takes them joined, without quotes.",
        "Wait until `newsletter check` sees it.",
    ]
    if made.algorithm is Algorithm.ED25519 and len(made.selectors) == 1:
        steps.append(
            "Make an RSA key too, by `newsletter dkim keygen`: many servers know no other."
        )
    elif set(signing) != set(made.selectors):
        wanted = ", ".join(f'"{name}"' for name in made.selectors)
        steps.append(
            f"Set selectors = [{wanted}] under [dkim] in the config file, and restart the service."
        )
    if replaced := set(signing) - set(made.selectors):
        steps.append(
            f"Keep the file and the record of {', '.join(sorted(replaced))} for a week: issues "
            "that were begun with it are finished with it, and receivers verify late mail."
        )
    return steps
