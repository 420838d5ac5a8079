"""Bringing readers in: seconds for a million, memory, going on after SIGKILL; finding, counting."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import Child, run_once
from bench.engine_run import own_database
from bench.paper import CONFIG

CHILD = "bench.subscribers_child"
_DATABASE = """
[database]
url = "{url}"
[log]
level = "error"
"""
_DOMAINS = 20_000
_MOST_VISITS = 50
_TOWNS = ("Glendale", "Watertown", "Fresno", "Yerevan", "Paris", "Beirut")


@dataclass(frozen=True)
class SubscriberOptions:
    """``find``: among how many readers one is looked for; None: among those imported.

    ``database`` is the address of a PostgreSQL server, None for SQLite.
    """

    rows: int = 1_000_000
    find: int | None = None
    database: str | None = None
    folder: str | None = None


def measure(options: SubscriberOptions | None = None) -> dict[str, Any]:
    """Figures of one import, of one that is killed half-way, and of looking readers up."""
    options = options or SubscriberOptions()
    with _installation(options) as config:
        file = config.with_name("readers.csv")
        write_list(file, options.rows)
        imported = run_once(CHILD, "import", str(config), str(file))
        file.unlink()
        counted = run_once(CHILD, "count", str(config))
        resumed = _kill_and_resume(config, max(options.rows // 5, 10))
        among = options.rows + resumed["rows"]
        found = run_once(CHILD, "find", str(config)) if options.find is None else None
    with _installation(options) as config:
        inside = run_once(CHILD, "fill", str(config), "--count", str(options.rows))
    if options.find is not None:
        among = options.find
        with _installation(options) as config:
            run_once(CHILD, "fill", str(config), "--count", str(among))
            found = run_once(CHILD, "find", str(config))
    figures: dict[str, Any] = {
        "database": "SQLite" if options.database is None else "PostgreSQL",
        "rows": options.rows,
        "import_seconds": round(imported["seconds"], 1),
        "import_cpu_seconds": round(imported["cpu_seconds"], 1),
        "rows_per_second": round(options.rows / imported["seconds"]),
        # As many readers made inside the database, by a statement for each of the two tables.
        "made_inside_seconds": round(inside["seconds"], 1),
        "import_ratio": round(imported["seconds"] / inside["seconds"], 2),
        "rss_mb_peak": round(imported["rss_mb"]),
        "resume": resumed,
        "find_among": among,
        "find_ms": round(found["median_ms"], 2) if found else None,
        "find_ms_worst": round(found["worst_ms"], 2) if found else None,
        "count_segment_ms": {text: round(ms) for text, ms in counted.items()},
        "meant": {
            "import_seconds": "at most 60 for a million rows",
            "rss_mb_peak": "below 200",
            "count_segment_ms": "within 1,000 for a million readers",
            "find_ms": "within 20 among 10 million",
        },
    }
    figures["shortfalls"] = _shortfalls(figures, imported)
    return figures


def write_list(path: Path, rows: int, *, prefix: str = "reader") -> None:
    """A list as an editor has it, the same one every time: in no order, few without a name."""
    draw = random.Random(11)
    numbers = list(range(rows))
    draw.shuffle(numbers)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("Email,First name,Last name,Language,Town,Visits,Status\n")
        for number in numbers:
            # Half at a few large providers, the others wherever people have their mail.
            host = f"mail-{number % 5}" if draw.random() < 0.5 else f"home-{number % _DOMAINS}"
            name = f"First{number % 977},Last{number % 7919}" if number % 10 else ","
            town = _TOWNS[number % len(_TOWNS)]
            said = f"{town},{number % _MOST_VISITS}"
            file.write(f"{prefix}.{number}@{host}.example,{name},en,{said},subscribed\n")


@contextmanager
def _installation(options: SubscriberOptions) -> Iterator[Path]:
    with (
        TemporaryDirectory(prefix="newsletter-bench-", dir=options.folder) as name,
        ExitStack() as stack,
    ):
        url = "sqlite:///data/newsletter.sqlite"
        if options.database is not None:
            url = stack.enter_context(own_database(options.database))
        config = Path(name) / "config.toml"
        config.write_text(CONFIG + _DATABASE.format(url=url), encoding="utf-8")
        run_once(CHILD, "prepare", str(config))
        yield config


def _kill_and_resume(config: Path, rows: int) -> dict[str, Any]:
    """Import a second list, kill that in its middle, and import it again."""
    file = config.with_name("second.csv")
    write_list(file, rows, prefix="second")
    with Child(CHILD, "import", str(config), str(file), "--tell") as child:
        read = 0
        while read < rows // 2:
            read = child.answer()["read"]
        child.kill()
    done = run_once(CHILD, "import", str(config), str(file))
    file.unlink()
    return {
        "rows": rows,
        "killed_after": read,
        "resumed_at": done["resumed_at"],
        "seconds": round(done["seconds"], 1),
        "counted": done["counted"],
        "added": done["added"],
    }


def _shortfalls(figures: dict[str, Any], imported: dict[str, Any]) -> list[str]:
    resume, rows = figures["resume"], figures["rows"]
    wrong = []
    if imported["added"] != rows:
        wrong.append(f"{imported['added']:,} of {rows:,} rows were added")
    if not resume["resumed_at"] or resume["counted"] != resume["rows"]:
        wrong.append("the import that was killed did not go on where it was")
    if resume["added"] != resume["rows"]:
        wrong.append("rows of the import that was killed were lost or counted twice")
    # A small list is imported at another speed, and meant to show nothing.
    if rows >= 1_000_000:
        most = rows / 1_000_000 * 60
        if figures["import_seconds"] > most:
            wrong.append(f"the import took {figures['import_seconds']} s of {most:.0f}")
        wrong += [
            f"to count “{text}” took {ms} ms"
            for text, ms in figures["count_segment_ms"].items()
            if ms > 1_000 * rows / 1_000_000
        ]
    if figures["rss_mb_peak"] >= 200:
        wrong.append(f"the import took {figures['rss_mb_peak']} MB")
    if (figures["find_ms_worst"] or 0) > 20:
        wrong.append(f"to find an address took {figures['find_ms_worst']} ms")
    return wrong
