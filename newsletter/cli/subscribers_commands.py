"""`newsletter subscribers`: add, import, export, find, suppress, forget, count."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, NewsletterOption
from newsletter.cli.output import print_json, print_rows, progress_bar, say
from newsletter.errors import NotFound, UsageError
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.model import Subscription, SuppressionReason
from newsletter.workflows.import_subscribers import (
    add_subscriber,
    export_subscribers,
    forget_subscriber,
    import_subscribers,
    lift_suppression,
    suppress_address,
)
from newsletter.workflows.installation import only_newsletter

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Add, import, find and export readers."
)
ACTOR = "command line"

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="an e-mail address")]


def _evidence(text: str) -> str:
    if not text.strip():
        raise UsageError("--consent: say how they agreed; it is kept as the evidence")
    return text


ConsentOption = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        callback=_evidence,
        help="how they agreed to be mailed; kept as the evidence",
    ),
]


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
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
) -> None:
    """Subscribe one person whose consent you hold."""
    with open_from_file(config) as installation:
        slug = only_newsletter(installation.settings(), newsletter).slug
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
        )
    if json:
        print_json({"address": address, "newsletter": slug, "outcome": outcome})
    else:
        print(f"{address} on {slug}: {outcome}")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a CSV with a column email")],
    consent: ConsentOption,
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    json: JsonOption = False,
) -> None:
    """Bring readers in from a CSV. Exit status 1 if a row could not be used."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: can't be read ({error.strerror})", subject=str(file)) from error
    with open_from_file(config) as installation:
        readers = open_subscriber_file(data)
        with progress_bar("reading", readers.row_bound) as advance:
            report = import_subscribers(
                installation.database,
                installation.keyring,
                readers,
                newsletter=only_newsletter(installation.settings(), newsletter).slug,
                consent=consent,
                actor=ACTOR,
                now=installation.clock.now(),
                on_progress=advance,
            )
    if json:
        print_json(report)
    else:
        print_rows([(count, outcome) for outcome, count in report.outcomes.items()], ("", ""))
        for row in report.refused_rows:
            say(f"line {row.line}: {row.sentence}")
    raise typer.Exit(1 if report.refused else 0)


@app.command("export")
def export(
    config: ConfigOption = DEFAULT_CONFIG,
    newsletter: NewsletterOption = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="else standard output")] = None,
) -> None:
    """Write the readers as CSV, of one newsletter or of all."""
    with open_from_file(config) as installation:
        if out is None:
            count = export_subscribers(installation.database, newsletter, sys.stdout)
        else:
            try:
                with out.open("w", encoding="utf-8", newline="") as stream:
                    count = export_subscribers(installation.database, newsletter, stream)
            except OSError as error:
                raise UsageError(
                    f"{out}: can't be written ({error.strerror})", subject=str(out)
                ) from error
    say(f"{count} rows")


@app.command("find")
def find(
    address: AddressArgument, config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False
) -> None:
    """Show what we hold of a person."""
    wanted = normalise_address(address)
    with open_from_file(config) as installation, installation.database.read() as tx:
        subscriber = tx.subscribers.find(wanted)
        suppressed = tx.subscribers.suppression(installation.keyring.hash_address(wanted))
        if subscriber is None and suppressed is None:
            raise NotFound(f"nobody has the address {wanted}", subject="address")
        subscriptions = tx.subscribers.subscriptions(subscriber.public_id) if subscriber else []
    rows = [_subscription_row(subscription) for subscription in subscriptions]
    if json:
        print_json({"subscriber": subscriber, "suppressed": suppressed, "subscriptions": rows})
        return
    if suppressed:
        print(f"{wanted} is suppressed: {suppressed}")
    for row in rows:
        print(f"{wanted} on {row['newsletter']}: {row['state']} since {row['since']:%Y-%m-%d}")
        if row["departments"]:
            print(f"  departments: {', '.join(row['departments'])}")
        print(f"  agreed by {row['how']}, {row['at']:%Y-%m-%d}: {row['wording']}")


@app.command("suppress")
def suppress(
    address: AddressArgument,
    reason: Annotated[
        SuppressionReason, typer.Option(help="what it blocks depends on it")
    ] = SuppressionReason.LEGAL,
    lift: Annotated[bool, typer.Option("--lift", help="allow mail to it again")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json: JsonOption = False,
) -> None:
    """Mail an address no more, whether we know it or not; or lift that again."""
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


@app.command("stats")
def stats(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Count the readers of each newsletter by state, and who would be mailed now."""
    with open_from_file(config) as installation:
        settings = installation.settings()
        with installation.database.read() as tx:
            counted = {
                newsletter.slug: {
                    **{
                        str(state): n for state, n in tx.subscribers.counts(newsletter.slug).items()
                    },
                    "audience": tx.subscribers.audience_size(newsletter.slug),
                }
                for newsletter in settings.newsletter
            }
    if json:
        print_json({"newsletters": counted})
        return
    for slug, counts in counted.items():
        print(f"{slug}: " + ", ".join(f"{count:,} {state}" for state, count in counts.items()))


def _subscription_row(subscription: Subscription) -> dict[str, Any]:
    return {
        "newsletter": subscription.newsletter,
        "state": subscription.state,
        "since": subscription.changed_at,
        "departments": subscription.departments,
        "how": subscription.consent.how,
        "wording": subscription.consent.wording,
        "wording_version": subscription.consent.wording_version,
        "language": subscription.consent.language,
        "placement": subscription.consent.placement,
        "page": subscription.consent.page,
        "at": subscription.consent.at,
    }
