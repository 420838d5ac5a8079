"""`newsletter subscribers`: add, import, export, find, suppress, forget, count."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, NewsletterOption
from newsletter.cli.output import (
    print_json,
    print_json_with_rows,
    print_rows,
    progress_bar,
    say,
)
from newsletter.errors import NotFound, UsageError
from newsletter.publication.cadence import Cadence, Edition
from newsletter.publication.editions import in_edition
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.csv_export import refusal_writer
from newsletter.subscribers.csv_import import SubscriberFile, open_subscriber_file
from newsletter.subscribers.csv_source import RefusedRow
from newsletter.subscribers.growth import Growth, Period, count_growth
from newsletter.subscribers.importing import Imported
from newsletter.subscribers.model import (
    Segment,
    SubscriberImport,
    SuppressionReason,
)
from newsletter.subscribers.segment_text import print_segment
from newsletter.subscribers.suppressions_csv import SuppressionFile, open_suppression_file
from newsletter.workflows.export_subscribers import export_subscribers
from newsletter.workflows.forget import forget_subscriber
from newsletter.workflows.import_subscribers import ImportReport, add_subscriber, import_subscribers
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.personal_data import collect_data
from newsletter.workflows.retention import expire, find_expired
from newsletter.workflows.segments import audience_segment, segment_of, subscription_row, wish_row
from newsletter.workflows.suppress import (
    export_suppressions,
    import_suppressions,
    lift_suppression,
    suppress_address,
)
from newsletter.workflows.undo_import import undo_import

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Add, import, find and export readers."
)
suppressions = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List what may not be mailed; bring it in from a CSV, write it as one.",
)
app.add_typer(suppressions, name="suppressions")
ACTOR = "command line"

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="an e-mail address")]


def _evidence(text: str) -> str:
    if not text.strip():
        raise UsageError("--consent: say how they agreed; it is kept as the evidence")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError("--consent is not written in UTF-8: see to the terminal's encoding")
    return text


ConsentOption = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        callback=_evidence,
        help="how they agreed to be mailed; kept as the evidence",
    ),
]


FilterOption = Annotated[
    str | None,
    typer.Option("--filter", metavar="FILTER", help="only those it names, such as 'language = hy'"),
]
MOST_FOUND = 1_000
_USUAL_SPAN = timedelta(weeks=8)


@app.command("add")
def add(
    address: AddressArgument,
    consent: ConsentOption,
    name: Annotated[str, typer.Option(metavar="NAME", help="the person's name")] = "",
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="their time zone, such as Asia/Yerevan")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="the language they prefer, such as hy")
    ] = None,
    departments: Annotated[
        str,
        typer.Option(metavar="NAMES", help="what they want to read of the paper: Arts;Community"),
    ] = "",
    cadence: Annotated[
        Cadence, typer.Option(help="each issue, or only the best of each month")
    ] = Cadence.EACH,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
) -> None:
    """Subscribe one person whose consent you hold."""
    with open_from_file(config) as installation:
        chosen = only_newsletter(installation.settings(), newsletter)
        slug = chosen.slug
        if not chosen.serves(cadence):
            raise UsageError(
                f"--cadence: {slug} does not offer the best of a month; leave it out, or set "
                "[newsletter.monthly] offered = true",
                subject="cadence",
            )
        outcome = add_subscriber(
            installation.database,
            installation.keyring,
            newsletter=slug,
            address=address,
            wording=consent,
            actor=ACTOR,
            now=installation.clock.now(),
            name=name,
            timezone=timezone,
            language=language,
            departments=departments,
            cadence=cadence,
        )
    if json:
        print_json({"address": address, "newsletter": slug, "outcome": outcome})
    else:
        print(f"{address} on {slug}: {outcome}")


@app.command("import")
def import_file(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="a CSV; other services' exports too")
    ] = None,
    consent: Annotated[
        str,
        typer.Option(metavar="TEXT", help="how they agreed to be mailed; kept as the evidence"),
    ] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say what would become of the rows")
    ] = False,
    attributes: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="other columns to keep, parted by commas; * for all there are"
        ),
    ] = "",
    without_opt_in: Annotated[
        bool,
        typer.Option(
            "--without-opt-in",
            help="also those of whom a Mailchimp file tells no opt-in; only if --consent is true "
            "of them",
        ),
    ] = False,
    refused: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="a CSV to write of the rows that can't be used, and why"),
    ] = None,
    undo: Annotated[
        str | None, typer.Option(metavar="ID", help="take an import back instead")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Bring readers in from a CSV: plain, or Mailchimp's, listmonk's, Ghost's, Substack's or
    MailPoet's. Who left or is suppressed stays so. One that broke off goes on where it was.
    Exit status 1 if a row could not be used."""
    if undo is not None:
        flags = dry_run or without_opt_in
        if file is not None or flags or refused is not None or attributes or consent:
            raise UsageError("--undo ID takes an import back; it goes with no file and no option")
        _undo(config, undo, json=json)
        return
    if file is None:
        raise UsageError("name the file to import, or --undo ID to take an import back")
    _evidence(consent)
    wanted = [name.strip() for name in attributes.split(",") if name.strip()]
    readers = open_subscriber_file(file, attributes=wanted, without_opt_in=without_opt_in)
    recognised = _recognised(readers)
    if not json:
        say(_sentence_of(recognised, " (see --attributes)"))
    with (
        open_from_file(config) as installation,
        _plain_file_errors(file, refused),
        _refusals(refused) as on_refused,
        progress_bar("reading", readers.row_bound) as advance,
    ):
        chosen = only_newsletter(installation.settings(), newsletter)
        report = import_subscribers(
            installation.database,
            installation.keyring,
            readers,
            newsletter=chosen.slug,
            monthly=chosen.serves(Cadence.MONTHLY),
            consent=consent,
            actor=ACTOR,
            now=installation.clock.now(),
            file_name=file.name,
            dry_run=dry_run,
            on_progress=advance,
            on_refused=on_refused,
        )
    if json:
        print_json(_report_document(report, recognised, dry_run=dry_run))
    else:
        _print_report(report, dry_run=dry_run)
    raise typer.Exit(1 if report.refused else 0)


@app.command("imports")
def imports(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """List the imports, the newest first, with the ids by which they are taken back."""
    with open_from_file(config, adopts=False) as installation, installation.database.read() as tx:
        found = tx.imports.all()
    if json:
        print_json({"imports": [{**_import_row(one), "counts": one.counts} for one in found]})
        return
    rows = [
        (
            one.public_id,
            f"{one.started_at:%Y-%m-%d %H:%M}",
            one.newsletter,
            _state_of(one),
            f"{one.rows:,}",
            f"{one.counts.get(Imported.ADDED, 0):,}",
            one.file,
            one.format,
        )
        for one in found
    ]
    print_rows(rows, ("id", "started (UTC)", "newsletter", "state", "rows", "added", "file", "of"))


@app.command("export")
def export(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="else standard output")] = None,
    filter_text: FilterOption = None,
) -> None:
    """Write the readers as CSV, of one newsletter or of all."""
    with open_from_file(config, adopts=False) as installation:
        segment = None if filter_text is None else _segment(installation, filter_text)
        if out is None:
            count = export_subscribers(installation.database, newsletter, sys.stdout, segment)
        else:
            try:
                with out.open("w", encoding="utf-8", newline="") as stream:
                    count = export_subscribers(installation.database, newsletter, stream, segment)
            except OSError as error:
                raise _unwritable(out, error) from error
    say(f"{count} rows")


@app.command("count")
def count_segment(
    filter_text: Annotated[
        str,
        typer.Argument(metavar="FILTER", help="such as 'language = hy and placement = article'"),
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Count the readers that a filter names, by newsletter and state."""
    with open_from_file(config, adopts=False) as installation:
        segment = _segment(installation, filter_text)
        with installation.database.read() as tx:
            counted = tx.segments.count(segment)
    rows = [
        {"newsletter": slug, "state": state, "subscriptions": number}
        for (slug, state), number in counted.subscriptions.items()
    ]
    if json:
        told = {"filter": print_segment(segment.filter), "readers": counted.readers}
        print_json({**told, "subscriptions": rows})
        return
    print(f"{counted.readers:,} readers")
    for row in rows:
        print(f"  {row['subscriptions']:,} {row['state']} on {row['newsletter']}")


@app.command("find")
def find(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="an e-mail address")
    ] = None,
    filter_text: FilterOption = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_FOUND, help="with --filter: how many at most")
    ] = 20,
    everything: Annotated[
        bool, typer.Option("--everything", help="all rows about them; goes with --json")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Show what we hold of a person; with --filter, list the readers that it names."""
    if (address is None) == (filter_text is None):
        raise UsageError("name an address, or a filter by --filter; one of the two")
    if address is None:
        _list(config, filter_text or "", limit, json=json)
        return
    wanted = normalise_address(address)
    if everything:
        if not json:
            raise UsageError("--everything prints a JSON document: add --json")
        _print_everything(config, wanted)
        return
    with open_from_file(config, adopts=False) as installation, installation.database.read() as tx:
        subscriber = tx.subscribers.find(wanted)
        suppressed = tx.suppressions.reason(wanted, installation.keyring.hash_address(wanted))
        if subscriber is None and suppressed is None:
            raise NotFound(f"nobody has the address {wanted}", subject="address")
        subscriptions = tx.subscribers.subscriptions(subscriber.public_id) if subscriber else []
        former = len(tx.former_addresses.hashes(subscriber.public_id)) if subscriber else 0
        wishes = tx.wishes.of(subscriber.public_id) if subscriber else {}
    rows = [
        {**subscription_row(one), "wish": wish_row(wishes.get(one.newsletter))}
        for one in subscriptions
    ]
    if json:
        found = {"subscriber": subscriber, "suppressed": suppressed, "subscriptions": rows}
        print_json({**found, "former_addresses": former})
        return
    if suppressed:
        print(f"{wanted} is suppressed: {suppressed}")
    for row in rows:
        print(f"{wanted} on {row['newsletter']}: {row['state']} since {row['since']:%Y-%m-%d}")
        if row["departments"]:
            print(f"  departments: {', '.join(row['departments'])}")
        if row["cadence"] is Cadence.MONTHLY:
            print("  cadence: the best of each month")
        print(f"  agreed by {row['how']}, {row['at']:%Y-%m-%d}: {row['wording']}")
        if wish := row["wish"]:
            print(
                f"  asked again by {wish['how']}, {wish['at']:%Y-%m-%d}, not confirmed: "
                f"{wish['wording']}"
            )
    if former:
        print(f"{former} former address{'es' if former > 1 else ''}")
    for name, value in (subscriber.attributes if subscriber else {}).items():
        print(f"  {name}: {value}")


@app.command("suppress")
def suppress(
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS",
            help="an e-mail address; @example.org for a domain, *.example.org for all below it",
        ),
    ],
    reason: Annotated[
        SuppressionReason, typer.Option(help="what it blocks depends on it")
    ] = SuppressionReason.LEGAL,
    lift: Annotated[bool, typer.Option("--lift", help="allow mail to it again")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Mail an address or a domain no more, whether we know it or not; or lift that again."""
    with open_from_file(config) as installation:
        database, keyring = installation.database, installation.keyring
        now = installation.clock.now()
        if not lift:
            suppress_address(database, keyring, address, reason, actor=ACTOR, now=now)
        elif not lift_suppression(database, keyring, address, actor=ACTOR, now=now):
            raise NotFound(f"{address} was not suppressed", subject="address")
    if json:
        print_json({"address": address, "suppressed": None if lift else reason})
    else:
        print(f"{address} {'may be mailed again' if lift else f'is suppressed: {reason}'}")


@suppressions.command("import")
def import_suppression_list(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="a CSV of addresses, domains (@… or *.…) or our export's hashes; other services' "
            "exports too",
        ),
    ],
    reason: Annotated[
        SuppressionReason, typer.Option(help="of the rows that give none")
    ] = SuppressionReason.LEGAL,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say what would become of the rows")
    ] = False,
    refused: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="a CSV to write of the rows that can't be used, and why"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Suppress all that a CSV names. Exit status 1 if a row could not be used."""
    listed = open_suppression_file(file)
    recognised = _recognised(listed)
    if not json:
        say(_sentence_of(recognised))
    with open_from_file(config) as installation, _refusals(refused) as on_refused:
        report = import_suppressions(
            installation.database,
            installation.keyring,
            listed,
            reason=reason,
            source=file.name,
            actor=ACTOR,
            now=installation.clock.now(),
            dry_run=dry_run,
            on_refused=on_refused,
        )
    counts = {
        "suppressed": report.suppressed,
        "rules": report.rules,
        "already": report.already,
        "refused": report.refused,
    }
    if json:
        told = {"dry_run": dry_run, "file": recognised, **counts}
        print_json({**told, "refused_rows": _named(report.refused_rows)})
    else:
        words = ("suppressed", "domains suppressed", "suppressed already", "refused")
        print_rows(
            list(zip(counts.values(), words, strict=True)), ("", "would be" if dry_run else "")
        )
        _say_refused(report.refused_rows)
    raise typer.Exit(1 if report.refused else 0)


@suppressions.command("export")
def export_suppression_list(
    config: ConfigOption = DEFAULT_CONFIG,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="else standard output")] = None,
) -> None:
    """Write what may not be mailed as CSV: domains, hashes, and addresses while we hold them."""
    with open_from_file(config, adopts=False) as installation:
        if out is None:
            count = export_suppressions(installation.database, installation.keyring, sys.stdout)
        else:
            try:
                with out.open("w", encoding="utf-8", newline="") as stream:
                    count = export_suppressions(installation.database, installation.keyring, stream)
            except OSError as error:
                raise _unwritable(out, error) from error
    say(f"{count} rows")


@suppressions.command("list")
def list_suppressions(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Show what may not be mailed, why and since when: domains first, then addresses."""
    with open_from_file(config, adopts=False) as installation, installation.database.read() as tx:
        rules = tx.suppressions.rules()
        if json:
            print_json_with_rows({"rules": rules}, "addresses", tx.suppressions.each())
            return
        for rule in rules:
            print(f"{rule.pattern}: {rule.reason} since {rule.at:%Y-%m-%d} ({rule.source})")
        for each in tx.suppressions.each():
            shown = each.address or f"hash {each.address_hash}"
            print(f"{shown}: {each.reason} since {each.at:%Y-%m-%d} ({each.source})")


@app.command("forget")
def forget(
    address: AddressArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Erase a person; a keyed hash stays, so that no import brings them back."""
    with open_from_file(config) as installation:
        forget_subscriber(
            installation.database,
            installation.keyring,
            address,
            actor=ACTOR,
            now=installation.clock.now(),
        )
    if json:
        print_json({"forgotten": True})
    else:
        print(f"{address} is forgotten")


@app.command("expire")
def expire_old(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say how much would be let go")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Let go of what [privacy] no longer keeps, as the scheduler does each night."""
    with open_from_file(config) as installation:
        expired = find_expired(installation) if dry_run else expire(installation)
    if json:
        print_json({"dry_run": dry_run, **asdict(expired)})
        return
    rows = [(count, name.replace("_", " ")) for name, count in asdict(expired).items()]
    print_rows(rows, ("would go" if dry_run else "gone", ""))


@app.command("stats")
def stats(
    config: ConfigOption = DEFAULT_CONFIG,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="the first day of the figures of growth; else eight weeks ago"
        ),
    ] = None,
    by: Annotated[Period, typer.Option(help="what a line of them is about")] = Period.WEEK,
    json: JsonOption = False,
) -> None:
    """Count each newsletter's readers by state, who would be mailed now, and why others left; then
    how the lists grew: sign-ups, confirmations and goodbyes by newsletter and placement."""
    with open_from_file(config, adopts=False) as installation:
        settings, now = installation.settings(), installation.clock.now()
        with installation.database.read() as tx:
            known = tx.settings.newsletters()
            counted = {
                newsletter.slug: {
                    **{
                        str(state): n for state, n in tx.subscribers.counts(newsletter.slug).items()
                    },
                    "audience": tx.subscribers.audience_size(
                        newsletter.slug, audience_segment(newsletter, settings, now)
                    ),
                    **_monthly_counts(tx, settings, newsletter, now),
                }
                for newsletter in settings.newsletter
                if newsletter.slug in known
            }
            told = {slug: tx.preferences.reasons_told(slug) for slug in counted}
            zone = settings.publication.zone
            begin = _first_day(since, now.astimezone(zone).date(), by)
            midnight = datetime(begin.year, begin.month, begin.day, tzinfo=zone)
            growth = count_growth(tx.growth.since(midnight), by, zone)
    if json:
        documents = {slug: {**counted[slug], "left_because": told[slug]} for slug in counted}
        print_json({"newsletters": documents, "since": begin, "by": by, "growth": growth})
        return
    for slug, counts in counted.items():
        told_counts = (f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items())
        print(f"{slug}: " + ", ".join(told_counts))
        if any(told[slug].values()):
            reasons = (f"{count:,} {reason}" for reason, count in told[slug].items() if count)
            print("  told on leaving: " + ", ".join(reasons))
    if growth:
        print(f"\nsince {begin}, by {by}:")
        print_rows([_growth_row(one) for one in growth], _GROWTH_HEADS)
    else:
        say(f"since {begin} nobody came or left")


_GROWTH_HEADS = (
    *("begins", "newsletter", "placement", "signed up", "confirmed", "added", "removed"),
    *("returned", "left", "how", "told", "cadence"),
)


def _growth_row(one: Growth) -> tuple[Any, ...]:
    how, why, chose = (
        ", ".join(f"{reason} {count:,}" for reason, count in sorted(counted.items()))
        for counted in (one.left, one.told, one.chose)
    )
    numbers = (one.signed_up, one.confirmed, one.added, one.removed, one.returned)
    told = (f"{number:,}" for number in (*numbers, one.left.total()))
    return (one.begin, one.newsletter, one.placement, *told, how, why, chose)


def _monthly_counts(
    tx: Transaction, settings: Settings, newsletter: Newsletter, now: datetime
) -> dict[str, int]:
    """How many would get the best of the month; nothing where nobody can choose it."""
    if not newsletter.offers_monthly:
        return {}
    edition = in_edition(newsletter, Edition.MONTHLY, settings.publication)
    segment = audience_segment(edition, settings, now)
    return {"monthly_audience": tx.subscribers.audience_size(newsletter.slug, segment)}


def _first_day(since: str | None, today: date, by: Period) -> date:
    if since is None:
        return by.begin(today - _USUAL_SPAN)
    try:
        day = date.fromisoformat(since)
    except ValueError as error:
        raise UsageError(
            f'--since: "{since}" is no day; write it as 2026-01-31', subject="since"
        ) from error
    if not 1970 < day.year < 9000:
        raise UsageError(f'--since: the year of "{since}" is out of reach', subject="since")
    return day


def _print_everything(config: Path, address: str) -> None:
    """The document that the reader gets from their own page."""
    with open_from_file(config, adopts=False) as installation:
        with installation.database.read() as tx:
            subscriber = tx.subscribers.find(address)
        if subscriber is None:
            raise NotFound(f"nobody has the address {address}", subject="address")
        print_json(collect_data(installation.database, installation.keyring, subscriber))


def _segment(installation: Installation, text: str) -> Segment:
    return segment_of(text, installation.settings(), installation.clock.now())


def _list(config: Path, text: str, limit: int, *, json: bool) -> None:
    with open_from_file(config, adopts=False) as installation:
        segment = _segment(installation, text)
        with installation.database.read() as tx:
            found = list(tx.subscribers.each(None, segment, limit=limit + 1))
    more = len(found) > limit
    found = found[:limit]
    if json:
        rows = [{"address": one.subscriber.address, **subscription_row(one)} for one in found]
        print_json({"filter": print_segment(segment.filter), "found": rows, "more": more})
        return
    for one in found:
        print(f"{one.subscriber.address} on {one.newsletter}: {one.state}")
    if more:
        say(f"there are more than {limit:,}; --limit shows up to {MOST_FOUND:,}, export all")


def _undo(config: Path, import_id: str, *, json: bool) -> None:
    with open_from_file(config) as installation:
        report = undo_import(
            installation.database, import_id, actor=ACTOR, now=installation.clock.now()
        )
    if json:
        print_json(report)
        return
    rows = [
        (f"{report.subscriptions_removed:,}", "subscriptions removed"),
        (f"{report.people_removed:,}", "people erased whom nothing else keeps"),
        (f"{report.brought_back:,}", "readers back who were taken off"),
        (f"{report.suppressions_lifted:,}", "suppressions lifted"),
    ]
    print_rows(rows, ("", ""))


@contextmanager
def _refusals(path: Path | None) -> Iterator[Callable[[RefusedRow], None] | None]:
    """What writes refused rows to ``path`` as CSV, each with its line and why."""
    if path is None:
        yield None
        return
    try:
        stream = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise _unwritable(path, error) from error
    with stream:
        yield refusal_writer(stream)


@contextmanager
def _plain_file_errors(file: Path, refused: Path | None) -> Iterator[None]:
    """A sentence where the list can't be read to its end, or the refused rows not be written."""
    try:
        yield
    except OSError as error:
        if refused is not None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise _unwritable(refused, error) from error
        raise UsageError(
            f"{error.filename or file}: can't be read to its end ({error.strerror}); the same "
            "command goes on where it was",
            subject=str(file),
        ) from error


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: can't be written ({error.strerror})", subject=str(path))


def _recognised(file: SubscriberFile | SuppressionFile) -> dict[str, Any]:
    return {
        "format": file.format,
        "encoding": file.encoding,
        "separator": file.delimiter,
        "columns": file.columns,
        "not_taken": file.extra,
    }


def _sentence_of(recognised: dict[str, Any], hint: str = "") -> str:
    separator = {"\t": "tabs"}.get(recognised["separator"], f'"{recognised["separator"]}"')
    told = (
        f"{recognised['format']}, {recognised['encoding']}, separated by {separator}; "
        f"taken: {', '.join(recognised['columns'])}"
    )
    left = ", ".join(recognised["not_taken"])
    return f"{told}; not taken: {left}{hint}" if left else told


def _report_document(
    report: ImportReport, recognised: dict[str, Any], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "import": report.import_id,
        "dry_run": dry_run,
        "file": recognised,
        "rows": report.rows,
        "resumed_at": report.resumed_at,
        "outcomes": report.outcomes,
        "refused": report.refused,
        "lines": report.lines,
        "refused_rows": _named(report.refused_rows),
    }


def _print_report(report: ImportReport, *, dry_run: bool) -> None:
    rows = [
        (f"{count:,}", outcome, _lines_of(report, outcome, count))
        for outcome, count in report.counts.items()
    ]
    print_rows(rows, ("", "would be" if dry_run else "", ""))
    if report.resumed_at:
        say(f"went on after {report.resumed_at:,} rows that an earlier run had read")
    if report.import_id:
        say(f"import {report.import_id}; take it back by --undo {report.import_id}")
    _say_refused(report.refused_rows)


def _lines_of(report: ImportReport, outcome: str, count: int) -> str:
    lines = report.lines.get(outcome, [])
    more = ", …" if count > len(lines) else ""
    return f"line {', '.join(map(str, lines))}{more}" if lines else ""


def _say_refused(rows: list[RefusedRow]) -> None:
    for row in rows:
        say(f"line {row.line}: {row.sentence}")


def _named(rows: list[RefusedRow]) -> list[dict[str, Any]]:
    return [{"line": row.line, "sentence": row.sentence} for row in rows]


def _import_row(one: SubscriberImport) -> dict[str, Any]:
    return {
        "id": one.public_id,
        "newsletter": one.newsletter,
        "state": _state_of(one),
        "file": one.file,
        "format": one.format,
        "consent": one.consent,
        "actor": one.actor,
        "started_at": one.started_at,
        "finished_at": one.finished_at,
        "undone_at": one.undone_at,
        "rows": one.rows,
    }


def _state_of(one: SubscriberImport) -> str:
    if one.undone_at is not None:
        return "undone"
    return "finished" if one.finished_at is not None else "broke off"
