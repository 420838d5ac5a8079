"""`newsletter config`: what is in force and where it comes from, and snippets for the site."""

import os
from dataclasses import asdict

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, NewsletterOption
from newsletter.cli.output import print_json, say
from newsletter.config import load_config
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.key_origins import keys_in_force
from newsletter.workflows.sign_up_snippets import WAYS, WORDPRESS, origin_of, sign_up_snippets

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show what is in force, and snippets for the site.",
)


@app.callback()
def _config() -> None:
    """Show what is in force, and snippets for the site."""


@app.command("show")
def show(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Print every key in force, and whether file, environment, desk or default set it so."""
    loaded = load_config(config, os.environ)
    with open_from_file(config, adopts=False) as installation:
        keys = keys_in_force(installation, loaded)
    if json:
        print_json({"keys": [{**asdict(key), "fixed": bool(key.where)} for key in keys]})
        return
    for key in keys:
        print(f"{key.key} = {key.value!r}   ({key.told})")


@app.command("snippets")
def snippets(
    newsletter: NewsletterOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Print what to paste into the paper's pages so that readers sign up there, and where."""
    with open_from_file(config, adopts=False) as installation:
        settings, base_url = installation.settings(), installation.base_url
    wanted = (only_newsletter(settings, newsletter),) if newsletter else settings.newsletter
    found = list(sign_up_snippets(base_url, settings, wanted))
    filled = {"site": origin_of(base_url), "page": f"{base_url}/subscribe/NEWSLETTER"}
    ways = {way: about % filled for way, about in WAYS.items()}
    steps = [step % filled for step in WORDPRESS]
    if json:
        document = {"snippets": [asdict(one) for one in found], "ways": ways, "wordpress": steps}
        print_json(document)
        return
    for way, about in ways.items():
        say(f"{way}: {about}")
        for one in found:
            if one.way == way:
                print(f"<!-- {one.newsletter}, {one.placement} -->\n{one.html}")
    for step in steps:
        say(step)
