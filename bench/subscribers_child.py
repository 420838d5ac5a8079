"""One act on an installation's readers, in a process of its own, measured."""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.children import Stopwatch, peak_rss_mb
from bench.readers import add_readers
from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.errors import NewsletterError
from newsletter.log import configure_logging
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.subscribers.csv_import import open_subscriber_file
from newsletter.subscribers.importing import Imported
from newsletter.workflows.import_subscribers import import_subscribers
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.segments import segment_of

_LOOKUPS = 1_000


def import_list(installation: Installation, arguments: argparse.Namespace) -> None:
    """Import the file; ``--tell`` says after each batch how far it came."""
    watch = Stopwatch()
    report = import_subscribers(
        installation.database,
        installation.keyring,
        open_subscriber_file(arguments.file, attributes=["town", "visits"]),
        newsletter="weekly",
        consent="made up by the bench",
        actor="bench",
        now=installation.clock.now(),
        on_progress=(lambda read: _say(read=read)) if arguments.tell else None,
    )
    _say(
        **watch.read().figures(),
        rss_mb=peak_rss_mb(),
        resumed_at=report.resumed_at,
        counted=report.rows,
        added=report.outcomes[Imported.ADDED],
    )


def fill(installation: Installation, arguments: argparse.Namespace) -> None:
    """Make readers inside the database, for looking them up."""
    watch = Stopwatch()
    add_readers(installation, "weekly", arguments.count, installation.clock.now())
    _say(**watch.read().figures())


def find(installation: Installation, _arguments: argparse.Namespace) -> None:
    """Look known and unknown addresses up, each in a transaction of its own."""
    wanted = _addresses(installation.database)
    spans = []
    for address in wanted:
        started = time.perf_counter()
        with installation.database.read() as tx:
            tx.subscribers.find(address)
        spans.append((time.perf_counter() - started) * 1_000)
    _say(median_ms=statistics.median(spans), worst_ms=max(spans))


def count_segments(installation: Installation, _arguments: argparse.Namespace) -> None:
    """Count segments of the imported readers, each a few times; the shortest of each is told."""
    now = installation.clock.now()
    spans = {}
    for text in SEGMENTS:
        segment = segment_of(text, installation.settings(), now)
        taken = []
        for _ in range(_COUNTS):
            started = time.perf_counter()
            with installation.database.read() as tx:
                tx.segments.count(segment)
            taken.append((time.perf_counter() - started) * 1_000)
        spans[text] = min(taken)
    _say(**spans)


def prepare(_installation: Installation, _arguments: argparse.Namespace) -> None:
    """Nothing but the schema, which is there by now."""
    _say()


SEGMENTS = (
    "newsletter = weekly and state = active",
    "language = en and signed_up >= 30d ago",
    "state = active and attribute.town = Yerevan",
    "attribute.visits >= 45",
)
_COUNTS = 3
ACTS: Mapping[str, Callable[[Installation, argparse.Namespace], None]] = {
    "count": count_segments,
    "fill": fill,
    "find": find,
    "import": import_list,
    "prepare": prepare,
}


def main() -> None:
    """Do the act that is named."""
    parser = argparse.ArgumentParser(prog="python -m bench.subscribers_child", description=__doc__)
    parser.add_argument("act", choices=ACTS)
    parser.add_argument("config", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--tell", action="store_true")
    arguments = parser.parse_args()
    config = load_config(arguments.config, {})
    configure_logging(config.bootstrap.log.format, config.bootstrap.log.level)
    try:
        if arguments.act == "prepare":
            config.bootstrap.data_dir.mkdir(parents=True, exist_ok=True)
            database = Database.open(config.bootstrap.database.url)
            database.migrate()
            database.close()
        with open_installation(config, SystemClock()) as installation:
            ACTS[arguments.act](installation, arguments)
    except NewsletterError as error:
        sys.exit(f"bench, {arguments.act}: {error}")


def _addresses(database: Database) -> list[str]:
    draw = random.Random(5)
    with database.read() as tx:
        last = tx.connection.scalar(sa.select(sa.func.max(t.subscriber.c.id))) or 1
        keys = [draw.randrange(1, last + 1) for _ in range(_LOOKUPS)]
        known = tx.connection.scalars(
            sa.select(t.subscriber.c.address).where(t.subscriber.c.id.in_(keys))
        ).all()
    unknown = [f"nobody.{number}@mail-0.example" for number in range(_LOOKUPS // 10)]
    mixed = [*known, *unknown]
    draw.shuffle(mixed)
    return mixed


def _say(**figures: Any) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
