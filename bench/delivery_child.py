"""One act of the delivery bench, in a process of its own so that its figures are its own.

`python -m bench.delivery_child prepare|enqueue|send|count CONFIG …` prints JSON, a
line each. ``send`` says that it is ready and begins at a line on standard
input, so that several begin together.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.children import Stopwatch, peak_rss_mb
from bench.letter import write_letter
from bench.paper import add_stories
from bench.readers import add_readers
from bench.sized_issue import approve_issue_of_size
from newsletter.clock import SystemClock
from newsletter.config import Bootstrap, load_config
from newsletter.delivery.dkim_keys import Algorithm, create_key, key_folder
from newsletter.errors import NewsletterError
from newsletter.log import configure_logging
from newsletter.storage.database import Database
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation, only_newsletter
from newsletter.workflows.look_up import find_issue
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import start_sending

LETTER = "letter.json"
SELECTOR = "bench"
_STORIES = 400


def prepare(installation: Installation, arguments: argparse.Namespace) -> None:
    """Stories, readers and an approved issue; the letter beside the config."""
    watch = Stopwatch()
    now = installation.clock.now()
    add_stories(installation, _STORIES, now, days_of_reads=7)
    letter = approve_issue_of_size(installation, arguments.octets)
    write_letter(letter, arguments.config.with_name(LETTER))
    with_choices = arguments.variants > 1
    add_readers(installation, "weekly", arguments.readers, now, with_choices=with_choices)
    _say(octets=len(letter.sample), **watch.read().figures())


def enqueue(installation: Installation, _arguments: argparse.Namespace) -> None:
    """What `newsletter issue send` does before the first message."""
    issue = find_issue(installation, installation.settings(), None, None)
    before = peak_rss_mb()
    watch = Stopwatch()
    started = start_sending(installation, issue, actor="bench")
    usage = watch.read()
    _say(
        issue=issue.public_id,
        audience=started.audience,
        variants=len(started.variants),
        rss_mb_peak=peak_rss_mb(),
        rss_mb_before=before,
        **usage.figures(),
    )


def send(installation: Installation, _arguments: argparse.Namespace) -> None:
    """Deliver all that is due, from opening the ledger until nothing is left."""
    issue = find_issue(installation, installation.settings(), None, None)
    _say(ready=True, rss_mb=peak_rss_mb())
    sys.stdin.readline()
    began = time.monotonic()
    watch = Stopwatch()
    with open_ledger(installation) as ledger:
        summary = deliver(installation, ledger)
    usage = watch.read()
    with installation.database.read() as tx:
        counts = tx.mailings.counts(issue.public_id)
    _say(
        **asdict(summary),
        began=began,
        ended=time.monotonic(),
        rss_mb_peak=peak_rss_mb(),
        ledger=asdict(counts),
        **usage.figures(),
    )


def count(installation: Installation, _arguments: argparse.Namespace) -> None:
    """How many rows of the issue are in each state."""
    settings = installation.settings()
    with installation.database.read() as tx:
        issue = tx.issues.recent(only_newsletter(settings, None).slug, 1)[0]
        _say(ledger=asdict(tx.mailings.counts(issue.public_id)))


ACTS: dict[str, Callable[[Installation, argparse.Namespace], None]] = {
    "prepare": prepare,
    "enqueue": enqueue,
    "send": send,
    "count": count,
}


def main() -> None:
    """Do the act that is named."""
    parser = argparse.ArgumentParser(prog="python -m bench.delivery_child", description=__doc__)
    parser.add_argument("act", choices=ACTS)
    parser.add_argument("config", type=Path)
    parser.add_argument("--readers", type=int, default=0)
    parser.add_argument("--octets", type=int, default=0)
    parser.add_argument("--variants", type=int, default=1)
    arguments = parser.parse_args()
    config = load_config(arguments.config, {})
    configure_logging(config.bootstrap.log.format, config.bootstrap.log.level)
    try:
        if arguments.act == "prepare":
            _make_ready(config.bootstrap)
        with open_installation(config, SystemClock()) as installation:
            ACTS[arguments.act](installation, arguments)
    except NewsletterError as error:
        sys.exit(f"bench, {arguments.act}: {error}")


def _make_ready(bootstrap: Bootstrap) -> None:
    """What has to be there before the installation can be opened: the schema, the DKIM key."""
    if bootstrap.dkim.selectors:
        create_key(key_folder(bootstrap.data_dir), SELECTOR, Algorithm.RSA)
    if bootstrap.database.url.startswith("postgresql"):
        database = Database.open(bootstrap.database.url)
        try:
            database.migrate()
        finally:
            database.close()


def _say(**figures: Any) -> None:
    print(json.dumps({"pid": os.getpid(), **figures}), flush=True)


if __name__ == "__main__":
    main()
