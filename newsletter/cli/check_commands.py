"""`newsletter check`: what is wrong, before it matters."""

from collections.abc import Iterator
from dataclasses import dataclass

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json
from newsletter.delivery.smtp import open_connection
from newsletter.errors import NewsletterError
from newsletter.publication.cadence import Cadence
from newsletter.publication.design import design_of
from newsletter.publication.editors import Act
from newsletter.publication.model import Settings
from newsletter.publication.sources import Reads
from newsletter.sources.log_files import find_log_files
from newsletter.workflows.approve import lacking_approvers
from newsletter.workflows.check import check_dns, sender_domains
from newsletter.workflows.clone_guard import reason_to_hold
from newsletter.workflows.fetch import count_offered
from newsletter.workflows.installation import Installation
from newsletter.workflows.material import tell_mixed_kinds, tell_new_kinds, tell_own_unknown
from newsletter.workflows.reads import can_be_asked, poll_counter
from newsletter.workflows.relay_doors import paused_relays
from newsletter.workflows.set_up import is_private_address
from newsletter.workflows.waves import check_waves


@dataclass(frozen=True)
class _Answer:
    what: str
    level: str
    sentence: str


def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Look at config, database, relay, sources and DNS. Exit status 1 if something fails."""
    with open_from_file(config, adopts=False) as installation:
        answers = list(_check(installation, installation.settings()))
    if json:
        print_json({"checks": answers})
    for answer in () if json else answers:
        print(f"{answer.level:<5} {answer.what}: {answer.sentence}")
    raise typer.Exit(1 if any(answer.level == "stop" for answer in answers) else 0)


def _check(installation: Installation, settings: Settings) -> Iterator[_Answer]:
    yield _Answer("config", "ok", "every key is known")
    yield _Answer("database", "ok", "answers, and is at this version")
    yield from _check_relays(installation)
    for source in settings.source:
        try:
            offered = count_offered(installation, source)
            yield _Answer(f"source {source.slug}", "ok", f"{offered} items")
        except NewsletterError as error:
            yield _Answer(f"source {source.slug}", "stop", str(error))
    for reads in settings.reads:
        yield from _check_reads(installation, settings, reads)
    yield from _check_kinds(installation, settings)
    yield from _check_links(installation)
    yield from _check_hold(installation)
    yield from _check_dns(installation, settings)
    yield from _check_settings(settings)
    yield from _check_editors(installation, settings)
    yield from _check_cadences(installation, settings)
    for finding in check_waves(installation, settings):
        yield _Answer(finding.key, finding.level, finding.told)


def _check_reads(installation: Installation, settings: Settings, reads: Reads) -> Iterator[_Answer]:
    if not can_be_asked(reads):
        return
    try:
        if reads.kind == "access-log":
            files = find_log_files(reads.path or "")
            yield _Answer(f"reads {reads.slug}", "ok", f"{len(files)} files")
            return
        now = installation.clock.now()
        today = now.astimezone(settings.publication.zone).date()
        batch = poll_counter(installation, settings, reads, now, today, pages=1)
        count = len(batch.days) + len(batch.totals)
        yield _Answer(f"reads {reads.slug}", "ok", f"{count} rows")
    except NewsletterError as error:
        yield _Answer(f"reads {reads.slug}", "stop", str(error))


def _check_kinds(installation: Installation, settings: Settings) -> Iterator[_Answer]:
    with installation.database.read() as tx:
        for newsletter in settings.newsletter:
            for sentence in (
                *tell_mixed_kinds(tx, settings, newsletter),
                *tell_new_kinds(tx, settings, newsletter, installation.clock.now()),
                *tell_own_unknown(tx, settings, newsletter),
            ):
                yield _Answer(f"reads of {newsletter.slug}", "warn", sentence)


def _check_cadences(installation: Installation, settings: Settings) -> Iterator[_Answer]:
    """Readers who want what is not made: they get nothing."""
    with installation.database.read() as tx:
        known = tx.settings.newsletters()
    for newsletter in settings.newsletter:
        if newsletter.serves(Cadence.MONTHLY) or newsletter.slug not in known:
            continue
        with installation.database.read() as tx:
            readers = tx.subscribers.cadences(newsletter.slug)[Cadence.MONTHLY]
        if readers:
            yield _Answer(
                f"cadence of {newsletter.slug}",
                "warn",
                f"{readers:,} readers chose the best of each month, which is not offered, and get "
                "nothing: set [newsletter.monthly] offered = true",
            )


def _check_links(installation: Installation) -> Iterator[_Answer]:
    """Links that work here only are fine for relays that are here only."""
    url = installation.base_url
    relays = installation.relays
    if relays and all(is_private_address(relay.host) for relay in relays):
        return
    if is_private_address(url):
        yield _Answer("base_url", "stop", f"{url} is this machine: readers could not leave")
    elif not url.startswith("https://"):
        yield _Answer("base_url", "stop", f"{url} is not https, which one-click leaving needs")
    desk = installation.desk_url
    if not desk.startswith("https://") and not is_private_address(desk):
        yield _Answer("desk", "stop", f"{desk} is not https: who listens there is signed in too")


def _check_hold(installation: Installation) -> Iterator[_Answer]:
    if hold := reason_to_hold(installation):
        yield _Answer("sending", "stop", f"is held: {hold}; see `newsletter adopt`")


def _check_relays(installation: Installation) -> Iterator[_Answer]:
    if not installation.relays:
        yield _Answer("relay", "stop", "none is configured: add a [[relay]] table")
    for relay in installation.relays:
        try:
            open_connection(relay).close()
            yield _Answer(f"relay {relay.slug}", "ok", "takes us")
        except NewsletterError as error:
            yield _Answer(f"relay {relay.slug}", "stop", str(error))
    for paused in paused_relays(installation):
        yield _Answer(f"sending over {paused.relay}", "warn", f"is {paused.sentence()}")


def _check_dns(installation: Installation, settings: Settings) -> Iterator[_Answer]:
    try:
        senders = sender_domains(settings, installation.signer)
    except NewsletterError as error:
        yield _Answer("dns", "stop", str(error))
        return
    for seen in check_dns(installation.resolver, senders, installation.relays):
        if not seen.findings:
            yield _Answer(seen.what, "ok", seen.fine)
        for finding in seen.findings:
            yield _Answer(seen.what, finding.level, finding.told)


def _check_settings(settings: Settings) -> Iterator[_Answer]:
    if not settings.newsletter:
        yield _Answer("newsletter", "stop", "none is configured: add a [[newsletter]] table")
    if not settings.publication.postal_address:
        yield _Answer(
            "postal_address", "warn", "is empty; the law asks for one in the footer of bulk mail"
        )
    for sentence in design_of(settings.publication).mended:
        yield _Answer("colours", "warn", sentence)


def _check_editors(installation: Installation, settings: Settings) -> Iterator[_Answer]:
    with installation.database.read() as tx:
        editors = tx.editors.all()
    if not editors:
        yield _Answer(
            "desk", "warn", "nobody may come in: `newsletter editors add ADDRESS` lets a person in"
        )
    for newsletter in lacking_approvers(settings, editors):
        yield _Answer(
            newsletter.slug,
            "warn",
            'asks for two approvals (approval = "two"), and fewer than two editors may approve: '
            "`newsletter editors add ADDRESS --role publisher` lets another person in",
        )
    if not settings.publication.editors and not any(one.may(Act.EDIT) for one in editors):
        yield _Answer("editors", "warn", "nobody is told when a draft waits or a send is late")
