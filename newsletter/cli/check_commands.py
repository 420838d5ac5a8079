"""`newsletter check`: what is wrong, before it matters."""

from collections.abc import Iterator
from dataclasses import dataclass

import typer

from newsletter.cli.opening import open_from_file
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from newsletter.cli.output import print_json
from newsletter.delivery.smtp import open_connection
from newsletter.errors import NewsletterError
from newsletter.publication.model import Settings
from newsletter.sources.model import SourceState
from newsletter.workflows.fetch import poll_source
from newsletter.workflows.installation import Installation


@dataclass(frozen=True)
class _Answer:
    what: str
    level: str
    sentence: str


def check(config: ConfigOption = DEFAULT_CONFIG, json: JsonOption = False) -> None:
    """Look at config, database, relay and sources. Exit status 1 if something does not work."""
    with open_from_file(config) as installation:
        answers = list(_check(installation, installation.settings()))
    if json:
        print_json({"checks": answers})
    for answer in () if json else answers:
        print(f"{answer.level:<5} {answer.what}: {answer.sentence}")
    raise typer.Exit(1 if any(answer.level == "stop" for answer in answers) else 0)


def _check(installation: Installation, settings: Settings) -> Iterator[_Answer]:
    yield _Answer("config", "ok", "every key is known")
    yield _Answer("database", "ok", "answers, and is at this version")
    yield from _check_relay(installation)
    for source in settings.source:
        try:
            batch = poll_source(
                installation.fetcher, source, SourceState(), installation.clock.now()
            )
            yield _Answer(f"source {source.slug}", "ok", f"{len(batch.items)} items")
        except NewsletterError as error:
            yield _Answer(f"source {source.slug}", "stop", str(error))
    yield from _check_settings(settings)


def _check_relay(installation: Installation) -> Iterator[_Answer]:
    try:
        open_connection(installation.relay).close()
        yield _Answer(f"relay {installation.relay.slug}", "ok", "takes us")
    except NewsletterError as error:
        yield _Answer("relay", "stop", str(error))


def _check_settings(settings: Settings) -> Iterator[_Answer]:
    if not settings.newsletter:
        yield _Answer("newsletter", "stop", "none is configured: add a [[newsletter]] table")
    if not settings.publication.postal_address:
        yield _Answer(
            "postal_address", "warn", "is empty; the law asks for one in the footer of bulk mail"
        )
    if not settings.publication.editors:
        yield _Answer("editors", "warn", "nobody is told when a draft waits or a send is late")
