"""`newsletter templates`: a paper's own templates."""

import typer

from newsletter.checks.model import Level
from newsletter.checks.templates import check_templates
from newsletter.cli.opening import open_from_file
from newsletter.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    NewsletterOption,
)
from newsletter.cli.output import print_json
from newsletter.workflows.installation import only_newsletter

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Check a paper's own templates."
)


@app.callback()
def _templates() -> None:
    """Without a callback an app of one command would lose the command's name."""


@app.command("check")
def check(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
) -> None:
    """Parse templates_dir's templates, render issues of every state, and read their style.

    Without templates_dir those shipped are checked. Exit status 1 if something must be mended.
    """
    with open_from_file(config, adopts=False) as installation:
        settings = installation.settings()
        # The look is one for all newsletters: where none is named, any will do.
        slug = newsletter or next((each.slug for each in settings.newsletter), None)
        chosen = only_newsletter(settings, slug)
        findings = check_templates(installation.templates, settings.publication, chosen)
        folder = installation.templates.own_folder
    if json:
        print_json({"folder": folder, "findings": findings})
    for finding in () if json else findings:
        print(f"{finding.level}: {finding.told}")
    if not findings and not json:
        print("nothing to complain of")
    raise typer.Exit(1 if any(one.level is Level.STOP for one in findings) else 0)
