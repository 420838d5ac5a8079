"""`newsletter stories`: fetch and list."""

from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, NowOption
from newsletter.cli.output import print_json, print_rows, say
from newsletter.workflows.fetch import FetchReport, fetch_stories

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Fetch and list stories.")


@app.command("fetch")
def fetch(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    now: NowOption = None,
    source: Annotated[
        list[str] | None, typer.Option(metavar="SLUG", help="only this source; may be repeated")
    ] = None,
) -> None:
    """Poll the sources now. Exit status 1 if one of them failed."""
    with open_from_file(config, now=now) as installation:
        reports = fetch_stories(installation, only=source or ())
    if json:
        print_json({"sources": reports})
    else:
        for report in reports:
            print(_sentence(report))
            for problem in report.problems:
                say(f"  {problem}")
        if not reports:
            say("no [[source]] is configured")
    raise typer.Exit(1 if any(report.error for report in reports) else 0)


@app.command("list")
def list_stories(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    now: NowOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many, newest first")] = 50,
) -> None:
    """List the stories we know, newest first, and how their sources fare."""
    with open_from_file(config, now=now) as installation:
        settings = installation.settings()
        slugs = [source.slug for source in settings.source]
        with installation.database.read() as tx:
            stories = tx.stories.recent(slugs, limit)
            states = {slug: tx.sources.state(slug) for slug in slugs}
    if json:
        print_json({"stories": stories, "sources": states})
        return
    zone = settings.publication.zone
    print_rows(
        [
            (f"{story.published_at.astimezone(zone):%Y-%m-%d %H:%M}", story.department, story.title)
            for story in stories
        ],
        ("published", "department", "headline"),
    )
    for slug, state in states.items():
        success = (
            f"{state.last_success_at:%Y-%m-%d %H:%M} UTC" if state.last_success_at else "never"
        )
        failure = f"; {state.last_error}" if state.last_error else ""
        say(f"source {slug}: last success {success}{failure}")


def _sentence(report: FetchReport) -> str:
    if report.error:
        return f"{report.source}: failed: {report.error}"
    if report.unchanged:
        return f"{report.source}: unchanged"
    return f"{report.source}: {report.items} items, {report.new} new, {report.changed} changed"
