"""The counter plugin WordPress Popular Posts, by its REST route (version 7).

It answers only for windows that end now: a past week cannot be asked later. So
each poll reads the totals of all time, to be differenced against the last
ones; the first poll also spreads three windows over the days they cover.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from newsletter.errors import ParseError
from newsletter.sources.model import DayReads, ReadBatch, StoryKey, TotalReads
from newsletter.sources.poll import Poll
from newsletter.sources.read_counts import parse_count, spread_evenly
from newsletter.sources.rest import get_json, objects, rest_url
from newsletter.sources.text import cap_problems
from newsletter.sources.wordpress_post import post_id

NAMESPACE = "wordpress-popular-posts/v1"
PER_PAGE = 100
MAX_PAGES = 50


def fetch_popular_posts(poll: Poll) -> ReadBatch:
    """The plugin's totals by post id; FetchError or ParseError if it cannot be asked.

    On the first poll the batch also holds estimated days, see `estimate_days`.
    """
    totals, problems = _read_range(poll, "all")
    days: tuple[DayReads, ...] = ()
    if poll.since is None:
        windows = []
        for name in ("last24hours", "last7days", "last30days"):
            counts, more = _read_range(poll, name)
            windows.append(counts)
            problems += more
        days = estimate_days(*windows, today=poll.today)
    return ReadBatch(
        days=days,
        totals=tuple(TotalReads(StoryKey(native_id=i), n) for i, n in totals.items()),
        problems=cap_problems(problems, f"counts of {poll.url}"),
    )


def estimate_days(
    last_day: Mapping[str, int],
    last_week: Mapping[str, int],
    last_month: Mapping[str, int],
    *,
    today: date,
) -> tuple[DayReads, ...]:
    """Days from three windows that end now (reads by post id).

    The last 24 hours count as today, the rest of the last 7 days is spread
    evenly over the six days before, the rest of the last 30 days over the 23
    before those. Each window's sum is kept; what does not divide goes to the
    later days. The first month is thus right in sum, and rough by day.
    """
    week = [today - timedelta(days=back) for back in range(1, 7)]
    month = [today - timedelta(days=back) for back in range(7, 30)]
    sums: Counter[tuple[str, date]] = Counter()
    for story in dict.fromkeys((*last_day, *last_week, *last_month)):
        day_count = last_day.get(story, 0)
        week_count = max(last_week.get(story, 0), day_count)
        month_count = max(last_month.get(story, 0), week_count)
        sums[story, today] += day_count
        for days, count in ((week, week_count - day_count), (month, month_count - week_count)):
            for day, share in zip(days, spread_evenly(count, len(days)), strict=True):
                sums[story, day] += share
    return tuple(
        DayReads(StoryKey(native_id=story), day, count)
        for (story, day), count in sums.items()
        if count
    )


def _read_range(poll: Poll, name: str) -> tuple[dict[str, int], list[str]]:
    """Reads by post id in one of the plugin's ranges."""
    counts: dict[str, int] = {}
    problems: list[str] = []
    for page in range(MAX_PAGES):
        rows = _read_page(poll, name, page * PER_PAGE)
        for row in rows:
            problem = _count_row(row, counts)
            if problem:
                problems.append(f"a count of {poll.url} was left out: {problem}")
        if len(rows) < PER_PAGE:
            break
    return counts, problems


def _read_page(poll: Poll, name: str, offset: int) -> Sequence[Mapping[str, Any]]:
    url = rest_url(
        poll.url,
        f"{NAMESPACE}/popular-posts",
        {
            "range": name,
            "freshness": "0",  # 1 would leave out stories older than the window
            "limit": str(PER_PAGE),
            "offset": str(offset),
            "_fields": "id,pageviews",
        },
    )
    document, _ = get_json(poll.fetcher, url, allow_private=poll.reads.allow_private)
    if not isinstance(document, list):
        raise ParseError(
            f"{poll.url} does not answer with a list of popular posts; check that the plugin "
            "WordPress Popular Posts is active there",
            subject=poll.reads.slug,
        )
    return objects(document)


def _count_row(row: Mapping[str, Any], counts: dict[str, int]) -> str:
    """Take one row into ``counts``; what is wrong with it, or nothing."""
    native_id = post_id(row)
    if native_id is None:
        return "it has no post id"
    count = parse_count(str(row.get("pageviews", "")))  # a string in the plugin's answers
    if count is None:
        return f'post {native_id} has "{str(row.get("pageviews"))[:40]}" as its pageviews'
    # Ranks move while we page, so a post may come twice.
    counts[native_id] = max(count, counts.get(native_id, 0))
    return ""
