"""Access logs: lines a second on one core, and memory on 1 GB against 10 MB.

The logs are written here, the same ones every time: a busy paper of 1,000 stories
with 80 requests a second, of which a third are of stories' pages, by readers with
60,000 different agents (a few of them common, most of them rare), crawlers and
repeats, among pages of which nothing is known, pictures, scripts and what scanners
ask for. A last log has each of these agents as often as another, which is the worst
that can be for telling bots.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.children import run_once

STORIES = 1_000
SMALL_MB = 10
LARGE_MB = 1_000
UNIFORM_MB = 50
_LINES_A_SECOND = 80
_AGENTS = 60_000
_OTHER_PAGES = 200_000
_START = datetime(2026, 11, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ASSETS = (
    "/wp-content/themes/courier/style.css?ver=6.1",
    "/wp-content/uploads/2026/11/bridge-768x512.jpg",
    "/wp-includes/js/jquery/jquery.min.js?ver=3.6.1",
    "/favicon.ico",
    "/",
    "/feed/",
    "/wp-login.php",
)
_QUERIES = ("", "", "", "?fbclid=IwAR0x", "?utm_source=newsletter&utm_medium=email")
_CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "curl/7.88.1",
    "-",
)


def measure() -> dict[str, Any]:
    """Figures of both files; a child each, so that neither has the other's memory."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "access.log"
        small, large, uniform = (
            _count(path, mb * 1_000_000, zipf=zipf)
            for mb, zipf in ((SMALL_MB, True), (LARGE_MB, True), (UNIFORM_MB, False))
        )
    return {
        "lines": large["lines"],
        "reads": large["reads"],
        "lines_per_second": round(large["lines"] / large["seconds"]),
        "lines_per_cpu_second": round(large["lines"] / large["cpu_seconds"]),
        "uniform_agents_lines_per_cpu_second": round(uniform["lines"] / uniform["cpu_seconds"]),
        "rss_mb_10_mb_file": round(small["rss_mb"], 1),
        "rss_mb_1_gb_file": round(large["rss_mb"], 1),
        "rss_mb_growth": round(large["rss_mb"] - small["rss_mb"], 1),
        "meant": {
            "lines_per_cpu_second": "at least 40000",
            "uniform_agents_lines_per_cpu_second": "at least 40000",
            "rss_mb_growth": "at most 10",
        },
    }


def _count(path: Path, size: int, *, zipf: bool) -> dict[str, Any]:
    lines = write_log(path, size, zipf=zipf)
    run = run_once("bench.access_log_child", str(path))
    if run["lines"] != lines:
        raise RuntimeError(f"{run['lines']} of {lines} lines were read")
    path.unlink()
    return run


def write_log(path: Path, size: int, *, zipf: bool = True) -> int:
    """Write a combined log of at least ``size`` bytes; how many lines it has.

    With ``zipf`` the nth agent is drawn once where the first is n times.
    """
    written = count = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        for line in _lines(zipf=zipf):
            written += file.write(line)
            count += 1
            if written >= size:
                return count
    return count


def _lines(*, zipf: bool) -> Iterator[str]:
    draw = random.Random(7)
    stories = [f"/stories/{number}/" for number in range(STORIES)]
    agents = [_browser(draw) for _ in range(_AGENTS)]
    weights = list(accumulate(1 / n if zipf else 1 for n in range(1, _AGENTS + 1)))
    moment = 0
    while True:
        now = _START + timedelta(seconds=moment // _LINES_A_SECOND)
        stamp = f"{now.day:02}/{_MONTHS[now.month - 1]}/{now:%Y:%H:%M:%S} +0000"
        for _ in range(_LINES_A_SECOND):
            moment += 1
            kind = draw.random()
            # A few stories are read by many, as everywhere.
            story = stories[min(int(draw.paretovariate(0.6)), STORIES) - 1]
            if kind < 0.34:
                target = story + draw.choice(_QUERIES)
            elif kind < 0.59:
                target = f"/archive/{draw.randrange(_OTHER_PAGES)}/"
            else:
                target = draw.choice(_ASSETS)
            if draw.random() < 0.2:
                agent = draw.choice(_CRAWLERS)
            else:
                agent = agents[bisect(weights, draw.random() * weights[-1])]
            client = f"198.51.{draw.randrange(256)}.{draw.randrange(256)}"
            status = 200 if draw.random() < 0.95 else 404
            yield (
                f'{client} - - [{stamp}] "GET {target} HTTP/1.1" {status} '
                f'{draw.randrange(500, 90_000)} "https://paper.example/" "{agent}"\n'
            )


def _browser(draw: random.Random) -> str:
    version = f"{draw.randrange(90, 150)}.0.{draw.randrange(4000, 7000)}.{draw.randrange(200)}"
    system = draw.choice(("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Linux; Android 14"))
    return (
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} "
        "Safari/537.36"
    )
