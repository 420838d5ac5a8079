"""`newsletter stories`: fetch, list, show and evaluate."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    NewsletterOption,
    NowOption,
)
from newsletter.cli.output import print_json, print_rows, say
from newsletter.ranking.evaluate import Interval
from newsletter.sources.model import SourceState
from newsletter.stories.model import Story, TrailEntry
from newsletter.workflows.evaluate import AS_SENT, FEWEST_WEEKS, evaluate_history
from newsletter.workflows.fetch import FetchReport, fetch_stories
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.look_up import find_story

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fetch, list and evaluate stories."
)


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
    with open_from_file(config, now=now, adopts=False) as installation:
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
        say(f"source {slug}: {_how_it_fares(state)}")


def _how_it_fares(state: SourceState) -> str:
    success = f"{state.last_success_at:%Y-%m-%d %H:%M} UTC" if state.last_success_at else "never"
    words = f"last success {success}"
    if state.last_error_at is None:
        return words
    times = f", {state.failures} in a row" if state.failures > 1 else ""
    mended = "" if state.is_failing else " (since mended)"
    words += f"; last error {state.last_error_at:%Y-%m-%d %H:%M} UTC{times}{mended}: "
    words += state.last_error
    if state.is_failing and state.due_at is not None:
        words += (
            f"; asked again after {max(state.due_at, state.held_until or state.due_at):%H:%M} UTC"
        )
    return words


@app.command("show")
def show(
    story: Annotated[str, typer.Argument(metavar="ID|URL", help="a story's id, or its address")],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
    now: NowOption = None,
) -> None:
    """Show what we believe of a story, and its trail: what came from where, and when."""
    with open_from_file(config, now=now, adopts=False) as installation:
        zone = installation.settings().publication.zone
        found = find_story(installation, story)
        with installation.database.read() as tx:
            trail = tx.stories.trail([found.public_id])
    if json:
        print_json({"story": found, "trail": trail})
        return
    for line in _story_lines(found, zone):
        print(line)
    print()
    print_rows(
        [
            (f"{entry.at.astimezone(zone):%Y-%m-%d %H:%M}", entry.source, *_told(entry))
            for entry in trail
        ],
        ("when", "source", "what", ""),
    )


def _story_lines(story: Story, zone: ZoneInfo) -> list[str]:
    guessed = "" if story.published_known else " (first seen; its source tells no date)"
    lines = [
        story.title,
        story.url,
        f"id: {story.public_id}",
        f"source: {story.source}",
        f"published: {story.published_at.astimezone(zone):%Y-%m-%d %H:%M}{guessed}",
    ]
    facts = (
        ("by", story.byline),
        ("departments", ", ".join(story.departments)),
        ("first published by", f"{story.syndicated_from} {story.syndicated_url}".strip()),
        ("not used because", story.hidden),
    )
    return lines + [f"{name}: {value}" for name, value in facts if value]


def _told(entry: TrailEntry) -> tuple[str, str]:
    change = f"{entry.before} → {entry.after}" if entry.before and entry.after else ""
    return entry.kind.value, change or entry.after or (entry.before and f"was {entry.before}")


@app.command("evaluate")
def evaluate(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
    now: NowOption = None,
    weeks: Annotated[int, typer.Option(min=4, max=260, help="how many past weeks at most")] = 26,
    choose: Annotated[int, typer.Option(min=1, max=28, help="how many stories a week")] = 5,
    seed: Annotated[int, typer.Option(help="of the intervals and the random rule")] = 1,
) -> None:
    """Say how past issues would have done: our choice beside simple rules, on your own reads.

    Each past week is replayed as it was known then; "as we sent" is what your issues really
    had. Shares are of the reads that the best
    possible choice would have had; intervals are 95 % of a bootstrap over weeks.
    """
    with open_from_file(config, now=now, adopts=False) as installation:
        settings = installation.settings()
        chosen = only_newsletter(settings, newsletter)
        with installation.database.read() as tx:
            replay = evaluate_history(
                tx, settings, chosen, installation.clock.now(), weeks=weeks, k=choose, seed=seed
            )
    if json:
        print_json({"seed": seed, **vars(replay)})
        return
    print(
        f"{len(replay.weeks)} weeks from {replay.weeks[0]} to {replay.weeks[-1]}, "
        f"{replay.stories:,} stories, {choose} chosen a week"
    )
    print_rows(
        [
            (
                rule.verdict.rule,
                _interval(rule.verdict.eventual),
                _interval(rule.verdict.to_come),
                _interval(rule.verdict.ndcg),
                f"{rule.verdict.departments:.2f}",
                f"{rule.duplicates:.2f}",
                f"{rule.verdict.repeats:.2f}",
            )
            for rule in replay.rules
        ],
        ("rule", "reads of 28 days", "of the next 7", "NDCG", "departments", "twins", "repeats"),
    )
    if replay.issues < FEWEST_WEEKS:
        say(
            f"{replay.issues} of these weeks had an issue of yours; with {FEWEST_WEEKS} there is "
            "a line for them too"
        )
    else:
        say(f'"{AS_SENT}" is what your issues had in {replay.issues} of these weeks')
    if not replay.learned_weeks:
        say("too few old stories to learn the curve from: the prior one was used throughout")


def _interval(found: Interval) -> str:
    return f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"


def _sentence(report: FetchReport) -> str:
    if report.error:
        return f"{report.source}: failed: {report.error}"
    if report.waiting:
        return f"{report.source}: not asked: {report.waiting}"
    if report.unchanged:
        return f"{report.source}: unchanged"
    counts = f"{report.items} items, {report.new} new, {report.changed} changed"
    return f"{report.source}: {counts}{f', {report.gone} gone' if report.gone else ''}"
