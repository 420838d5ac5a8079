"""What the bench of the pages asks of an installation, in a process of its own.

`python -m bench.pages_child sign-ups|goodbyes CONFIG FILE --count N` writes the requests of a
run to FILE; `… tally CONFIG` counts what has become of them. Each prints a line of JSON.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from altcha import Payload, create_challenge, solve_challenge

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.errors import NewsletterError
from newsletter.log import configure_logging
from newsletter.storage import tables as t
from newsletter.tokens import Keyring, Purpose
from newsletter.web.form_stamp import make_stamp
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation

NEWSLETTER = "weekly"
_LASTS = timedelta(hours=1)
# A visitor's puzzle takes thousands of tries; to look a solution over costs the same for any.
_TRIES = 50
# A form that was shown for so long was filled in by a person.
_SHOWN_FOR = timedelta(seconds=30)
_TYPE = "application/x-www-form-urlencoded"


def write_sign_ups(installation: Installation, arguments: argparse.Namespace) -> None:
    """Forms as people send them: a stamp of ours, a solved puzzle, from networks of their own."""
    now = installation.clock.now()
    _write(arguments.file, _sign_ups(installation.keyring, arguments.count, now))


def _sign_ups(keyring: Keyring, count: int, now: datetime) -> Iterator[str]:
    stamp = make_stamp(keyring, NEWSLETTER, now - _SHOWN_FOR)
    for number in range(count):
        # Half of them at a few large providers, as readers are.
        host = f"mail-{number % 4}" if number % 2 else f"town-{number % 200}"
        form = {
            "address": f"new.reader.{number}@{host}.example",
            "stamp": stamp,
            "proof": _solve(keyring, now),
            "placement": "",
            "page": f"https://paper.example/stories/{number % 97}/",
            "website": "",
        }
        visitor = f"10.{number // 250 % 250}.{number % 250}.7"
        yield _request(f"/subscribe/{NEWSLETTER}", urlencode(form), visitor)


def _solve(keyring: Keyring, now: datetime) -> str:
    puzzle = create_challenge(
        "SHA-256",
        cost=1,
        counter=_TRIES,
        data={"newsletter": NEWSLETTER, "until": int((now + _LASTS).timestamp())},
        hmac_secret=keyring.puzzle_key,
    )
    solution = solve_challenge(puzzle)
    if solution is None:
        raise SystemExit("bench: a puzzle was not solved")
    return Payload(puzzle, solution).to_base64()


def write_goodbyes(installation: Installation, arguments: argparse.Namespace) -> None:
    """One-click POSTs (RFC 8058) of as many readers, from all over the list."""
    with installation.database.read() as tx:
        newsletter = tx.settings.newsletter_id(NEWSLETTER)
        # Ids are random, so that their order has nothing of the table's.
        readers = tx.connection.scalars(
            sa.select(t.subscriber.c.public_id)
            .order_by(t.subscriber.c.public_id)
            .limit(arguments.count)
        ).all()
    sign = installation.keyring.sign
    paths = (f"/unsubscribe/{sign(Purpose.UNSUBSCRIBE, r, newsletter)}" for r in readers)
    body = "List-Unsubscribe=One-Click"
    _write(arguments.file, (_request(path, body, "192.0.2.1") for path in paths))


def tally(installation: Installation, _arguments: argparse.Namespace) -> None:
    """How many wait for their confirmation, how many confirmations were queued, who left."""
    states = sa.select(t.subscription.c.state, sa.func.count()).group_by(t.subscription.c.state)
    queued = sa.select(sa.func.count()).where(t.delivery.c.issue_id.is_(None))
    with installation.database.read() as tx:
        counted: dict[str, int] = dict(tx.connection.execute(states).all())
        _say(
            pending=counted.get("pending", 0),
            unsubscribed=counted.get("unsubscribed", 0),
            confirmations=tx.connection.scalar(queued),
        )


def _request(path: str, body: str, visitor: str) -> str:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nX-Forwarded-For: {visitor}\r\n"
        f"Accept: text/html\r\nAccept-Language: en\r\n\r\n{body}"
    )


def _write(file: Path, requests: Iterator[str]) -> None:
    written = list(requests)
    file.write_text(json.dumps(written), encoding="utf-8")
    _say(requests=len(written))


ACTS: Mapping[str, Callable[[Installation, argparse.Namespace], None]] = {
    "sign-ups": write_sign_ups,
    "goodbyes": write_goodbyes,
    "tally": tally,
}


def main() -> None:
    """Do the act that is named."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages_child", description=__doc__)
    parser.add_argument("act", choices=ACTS)
    parser.add_argument("config", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=0)
    arguments = parser.parse_args()
    config = load_config(arguments.config, {})
    configure_logging(config.bootstrap.log.format, config.bootstrap.log.level)
    try:
        with open_installation(config, SystemClock()) as installation:
            ACTS[arguments.act](installation, arguments)
    except NewsletterError as error:
        sys.exit(f"bench, {arguments.act}: {error}")


def _say(**figures: Any) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
