"""`newsletter reads`: ask the counters, import a file, confirm, learn, and the beacon's snippet."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, NowOption
from newsletter.cli.output import print_json, say
from newsletter.errors import UsageError
from newsletter.workflows.beacon import beacon_snippet
from newsletter.workflows.keep_reads import ReadReport
from newsletter.workflows.reads import (
    FORMATS,
    confirm_reads,
    import_reads,
    learn_page_selector,
    sync_reads,
)

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Bring in how often stories were read."
)

ReadsOption = Annotated[
    str | None,
    typer.Option("--reads", metavar="SLUG", help="the [[reads]] entry these counts belong to"),
]


@app.command("sync")
def sync(
    config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False, now: NowOption = None
) -> None:
    """Ask every counter now. Exit status 1 if one of them failed."""
    with open_from_file(config, now=now) as installation:
        _answer(sync_reads(installation), json=json)


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="a CSV, JSON or access log, perhaps gzipped")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    now: NowOption = None,
    reads: ReadsOption = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help=f"one of {', '.join(FORMATS)}; else seen"),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="first day that an export without days covers"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="its last day; else the first")
    ] = None,
    new_kind: Annotated[
        bool,
        typer.Option(
            "--new-kind",
            help="let the counter count another kind from now on, as the file does (views, "
            "visitors or visits); what it told before ranks no more",
        ),
    ] = False,
) -> None:
    """Take counts from a file.

    A table (CSV or JSON) of url, path or id, reads, and date where they are by day,
    or an export of GA4, Plausible, Matomo or Jetpack, or a web server's access log,
    of which each line is counted once however often the file is imported.
    """
    if file_format is not None and file_format not in FORMATS:
        raise UsageError(f"--format: choose one of {', '.join(FORMATS)}", subject="format")
    window = _window(first, until)
    with open_from_file(config, now=now) as installation:
        report = import_reads(
            installation,
            file,
            reads,
            file_format=file_format,
            window=window,
            new_kind=new_kind,
        )
        _answer((report,), json=json)


@app.command("confirm")
def confirm(
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    now: NowOption = None,
    reads: ReadsOption = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="leave them out; counting goes on from there")
    ] = False,
) -> None:
    """Count the reads that were set aside after a jump or a fall, or leave them out for good."""
    with open_from_file(config, now=now) as installation:
        slug, counts, total = confirm_reads(installation, reads, leave_out=leave_out)
    if json:
        print_json({"reads": slug, "counts": counts, "total": total, "left_out": leave_out})
        return
    done = "left out" if leave_out else "counted"
    print(f"{slug}: {total} reads in {counts} counts {done}")


@app.command("learn")
def learn(
    url: Annotated[str, typer.Argument(metavar="URL", help="a story's page")],
    count: Annotated[int, typer.Argument(metavar="NUMBER", help="the number of reads it prints")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Find the CSS selector of the counter that the site prints, from one example."""
    with open_from_file(config, adopts=False) as installation:
        selector = learn_page_selector(installation, url, count)
    if json:
        print_json({"selector": selector})
        return
    say('for a [[reads]] table with kind = "page":')
    print(f"selector = '{selector}'")


@app.command("snippet")
def snippet(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Print the script that counts reads on the paper's own pages, and where to paste it."""
    with open_from_file(config, adopts=False) as installation:
        text = beacon_snippet(installation.base_url)
        has_beacon = any(reads.kind == "beacon" for reads in installation.settings().reads)
    where = (
        "Paste it once into every story's page, just before </body>: in WordPress by the theme's "
        "footer.php or a plugin for header and footer scripts, in Ghost by Settings, Code "
        "injection, Site footer."
    )
    if json:
        print_json({"snippet": text, "where": where, "configured": has_beacon})
        return
    print(text, end="")
    say(where)
    if not has_beacon:
        say('It counts once the config has a [[reads]] table with kind = "beacon".')


def _window(first: str | None, until: str | None) -> tuple[date, date] | None:
    if first is None:
        if until is not None:
            raise UsageError("--until needs --from, the first day", subject="until")
        return None
    days = (_day("from", first), _day("until", until or first))
    if days[1] < days[0] or (days[1] - days[0]).days > 3660:
        raise UsageError("--until must be a day after --from, of the same years", subject="until")
    return days


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f'--{option}: "{text}" is no day; write it as 2025-08-05', subject=option
        ) from error


def _answer(reports: tuple[ReadReport, ...], *, json: bool) -> None:
    if json:
        print_json({"reads": reports})
    for report in () if json else reports:
        _print(report)
    if not reports:
        say("no [[reads]] that can be asked is configured, so there is nobody to ask")
    raise typer.Exit(1 if any(report.error for report in reports) else 0)


def _print(report: ReadReport) -> None:
    if report.error:
        print(f"{report.reads}: failed: {report.error}")
        return
    if report.waiting:
        print(f"{report.reads}: not asked: {report.waiting}")
        return
    kind = f" ({report.kind})" if report.kind else ""
    print(f"{report.reads}{kind}: {report.matched} of {report.rows} rows matched a story")
    if report.note:
        say(f"  {report.note}")
    for name in report.unmatched:
        say(f"  no story has {name}")
    if report.unmatched_count > len(report.unmatched):
        say(f"  … and {report.unmatched_count - len(report.unmatched)} more that no story has")
    for problem in (*report.problems, *report.set_aside):
        say(f"  {problem}")
