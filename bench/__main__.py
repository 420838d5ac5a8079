"""`python -m bench [NAME …] [--json]`: run the benches named, or all, and print their figures.

With `delivery` as the only name its own options count, and the JSON document
holds its figures alone: python -m bench delivery --readers 100000 --kb 40 --json
With `subscribers` as the only name so do --rows, --find, --database and --folder:
python -m bench subscribers --rows 1000000 --database postgresql://USER@HOST/NAME --json
The same goes for `pages` and its --seconds, --list, --sign-ups and --goodbyes:
python -m bench pages --seconds 20 --json
And for `desk` and its --scale:
python -m bench desk --json
And for `ranking`, which needs curves of popularity:
python -m bench ranking --data FOLDER --json
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import (
    access_log,
    delivery,
    demo,
    desk,
    drafting,
    links,
    pages,
    pictures,
    polling,
    ranking,
    rendering,
    starting,
    subscribers,
)
from bench.children import ChildFailed

BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "access-log": access_log.measure,
    "delivery": delivery.measure,
    "demo": demo.measure,
    "desk": desk.measure,
    "drafting": drafting.measure,
    "links": links.measure,
    "pages": pages.measure,
    "pictures": pictures.measure,
    "polling": polling.measure,
    "rendering": rendering.measure,
    "starting": starting.measure,
    "subscribers": subscribers.measure,
}
# Their figures stand alone in the JSON document, where one of them is the only bench.
OWN = ("delivery", "desk", "pages", "subscribers")
USUAL = delivery.DeliveryOptions()
USUAL_ROWS = subscribers.SubscriberOptions().rows


def main() -> None:
    """Print each bench's figures beside what they are meant to be."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.names == ["ranking"]:
        _rank(parser, arguments)
        return
    if arguments.data is not None:
        parser.error("--data belongs to `python -m bench ranking`")
    names = arguments.names
    unknown = sorted(set(names) - BENCHES.keys())
    if unknown:
        parser.error(f"no bench is called {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    alone = arguments.names == ["delivery"]
    options = _delivery_options(parser, arguments)
    readers = subscribers.SubscriberOptions(
        arguments.rows, arguments.find, arguments.database, arguments.folder
    )
    of_readers = arguments.names == ["subscribers"]
    of_pages = arguments.names == ["pages"]
    of_desk = arguments.names == ["desk"]
    loads = pages.PagesOptions(
        seconds=arguments.seconds,
        sign_ups=arguments.sign_ups,
        goodbyes=arguments.goodbyes,
        readers=arguments.list,
        folder=arguments.folder,
    )
    shared = replace(USUAL, database=options.database, folder=options.folder)
    if options != (shared if of_readers or of_pages or of_desk else USUAL) and not alone:
        parser.error("options other than --json belong to `python -m bench delivery`")
    if not of_desk and arguments.scale != 1.0:
        parser.error("--scale belongs to `python -m bench desk`")
    if not of_readers and (arguments.rows, arguments.find) != (USUAL_ROWS, None):
        parser.error("--rows and --find belong to `python -m bench subscribers`")
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        **BENCHES,
        "delivery": lambda: delivery.measure(options),
        "desk": lambda: desk.measure(desk.DeskOptions.of(arguments.scale, arguments.folder)),
        "drafting": lambda: drafting.measure(arguments.stories),
        "pages": lambda: pages.measure(loads if of_pages else None),
        "subscribers": lambda: subscribers.measure(readers if of_readers else None),
    }
    figures: dict[str, dict[str, Any]] = {}
    try:
        for name in arguments.names or BENCHES:
            print(f"running {name}", file=sys.stderr, flush=True)
            figures[name] = measures[name]()
    except ChildFailed as error:
        sys.exit(f"bench: {error}")
    if arguments.json:
        print(
            json.dumps(
                figures[names[0]] if len(names) == 1 and names[0] in OWN else figures, indent=2
            )
        )
    else:
        _print(figures)
    for name, found in figures.items():
        if found.get("shortfalls"):
            sys.exit(f"bench: {name} falls short: {'; '.join(found['shortfalls'])}")


def _rank(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """The bench of ranking, which fails where a gate does not hold."""
    if arguments.data is None:
        parser.error("ranking needs --data FOLDER, of CSV files with a row of counts a story")
    figures = ranking.measure(arguments.data, seed=arguments.seed)
    print(json.dumps(figures, indent=2) if arguments.json else ranking.summary(figures))
    if figures["shortfalls"]:
        sys.exit(f"bench: ranking falls short: {'; '.join(figures['shortfalls'])}")


def _print(figures: dict[str, dict[str, Any]]) -> None:
    for name, values in figures.items():
        print(name)
        meant = values.get("meant", {})
        for key, value in values.items():
            if key not in ("meant", "shortfalls"):
                wish = f"  (meant: {meant[key]})" if key in meant else ""
                print(f"  {key:<38} {value}{wish}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}, ranking"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--data", type=Path, metavar="DIR", help="for ranking: popularity curves")
    parser.add_argument("--seed", type=int, default=ranking.SEED, help="for ranking: of its draws")
    parser.add_argument(
        "--stories", type=_positive, default=drafting.STORIES, metavar="N", help="for drafting"
    )
    add = parser.add_argument_group("of subscribers").add_argument
    add("--rows", type=_positive, default=USUAL_ROWS, metavar="N", help="of the file to import")
    add("--find", type=_positive, metavar="N", help="look readers up among so many")
    add = parser.add_argument_group("of pages").add_argument
    usual = pages.PagesOptions()
    add("--seconds", type=float, default=usual.seconds, metavar="N", help="that each load lasts")
    add("--sign-ups", type=float, default=usual.sign_ups, metavar="N", help="a second")
    add("--goodbyes", type=float, default=usual.goodbyes, metavar="N", help="a second")
    add("--list", type=_positive, default=usual.readers, metavar="N", help="readers on it")
    add = parser.add_argument_group("of desk").add_argument
    add("--scale", type=float, default=1.0, help="of the paper: 1 has a million readers")
    add = parser.add_argument_group("of delivery").add_argument
    add("--readers", type=_positive, default=USUAL.readers, metavar="N")
    add("--kb", type=float, default=USUAL.kb, help="KiB of a message on the wire")
    add("--sessions", type=_positive, default=USUAL.sessions, help="connections, of each sender")
    add("--dkim", action="store_true", help="measure signed messages too")
    add("--database", metavar="URL", help="a PostgreSQL server's, where databases may be made")
    add("--workers", type=_positive, default=1, metavar="N", help="compare one worker with N")
    add("--reply-ms", type=float, default=USUAL.reply_ms, help="for --workers: the relay's delay")
    add("--durability", choices=("process", "full"), default="process", help="full measures both")
    add("--kill", action="store_true", help="measure how soon a send resumes after SIGKILL")
    add("--engine-only", action="store_true", help="leave smtplib and smtp-source out")
    add("--rounds", type=_positive, default=USUAL.rounds, metavar="N", help="medians of so many")
    add("--variants", type=_positive, default=1, metavar="N", help="of the issue, for its readers")
    add("--folder", metavar="DIR", help="where the databases lie for the while; else TMPDIR")
    return parser


def _delivery_options(
    parser: argparse.ArgumentParser, given: argparse.Namespace
) -> delivery.DeliveryOptions:
    if given.database and not given.database.startswith("postgresql://"):
        parser.error("--database is postgresql://USER@HOST/NAME; without it SQLite is measured")
    if given.workers > 1 and not given.database:
        parser.error("--workers needs --database: with SQLite one process sends")
    return delivery.DeliveryOptions(
        readers=given.readers,
        kb=given.kb,
        sessions=given.sessions,
        dkim=given.dkim,
        database=given.database,
        workers=given.workers,
        reply_ms=given.reply_ms,
        durability=given.durability,
        kill=given.kill,
        engine_only=given.engine_only,
        rounds=given.rounds,
        folder=given.folder,
        variants=given.variants,
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    main()
