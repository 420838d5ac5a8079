"""`newsletter reads`: import a file, or ask the counters."""

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, NowOption
from newsletter.cli.output import print_json, say
from newsletter.errors import UsageError
from newsletter.workflows.reads import ReadReport, import_reads, sync_reads

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Bring in how often stories were read."
)


@app.command("sync")
def sync(
    config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False, now: NowOption = None
) -> None:
    """Ask every counter now. Exit status 1 if one of them failed."""
    with open_from_file(config, now=now) as installation:
        _answer(sync_reads(installation), json=json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a CSV with url, date and reads")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    now: NowOption = None,
    reads: Annotated[
        str | None, typer.Option(metavar="SLUG", help="the [[reads]] entry these counts belong to")
    ] = None,
) -> None:
    """Take counts from a CSV file: url (or id), reads, and date where they are by day."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: can't be read ({error.strerror})", subject=str(file)) from error
    with open_from_file(config, now=now) as installation:
        _answer((import_reads(installation, body, reads),), json=json)


def _answer(reports: tuple[ReadReport, ...], *, json: bool) -> None:
    if json:
        print_json({"reads": reports})
    for report in () if json else reports:
        if report.error:
            print(f"{report.reads}: failed: {report.error}")
            continue
        print(f"{report.reads}: {report.matched} of {report.rows} rows matched a story")
        for name in report.unmatched:
            say(f"  no story has {name}")
        for problem in report.problems:
            say(f"  {problem}")
    if not reports:
        say("no [[reads]] with a url is configured, so there is nobody to ask")
    raise typer.Exit(1 if any(report.error for report in reports) else 0)
