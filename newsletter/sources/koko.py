"""The counter plugin Koko Analytics, by its REST route (version 2).

It answers for any past window by days, at most 100 rows at a time: so each day
since the last asking is asked for by itself. It needs an application password
of a user who may ``view_koko_analytics``, or a dashboard that is public.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from newsletter.errors import ParseError, SourceError
from newsletter.net.response import StatusError
from newsletter.sources.model import DayReads, ReadBatch, ReadKind, StoryKey
from newsletter.sources.poll import Poll
from newsletter.sources.rest import get_json, objects, rest_url, string
from newsletter.sources.text import cap_problems

NAMESPACE = "koko-analytics/v1"
ROUTE = f"{NAMESPACE}/posts"
PER_PAGE = 100
MAX_PAGES = 50

_FIELDS = {ReadKind.VIEWS: "pageviews", ReadKind.VISITORS: "visitors"}


def fetch_koko(poll: Poll) -> ReadBatch:
    """Reads by day and post; FetchError or ParseError if the plugin can't be asked."""
    kind = ReadKind(poll.reads.stats_kind or ReadKind.VIEWS)
    field = _FIELDS.get(kind)
    if field is None:
        raise SourceError(
            f'reads "{poll.reads.slug}": Koko Analytics counts views and visitors, no {kind}; '
            "set stats_kind to one of them",
            subject=poll.reads.slug,
        )
    counts: Counter[tuple[StoryKey, date]] = Counter()
    problems: list[str] = []
    day = poll.first_day
    while day <= poll.today:
        for row in _rows_of(poll, day):
            problem = _count_row(row, field, day, counts)
            if problem:
                problems.append(f"a count of {poll.url} on {day} was left out: {problem}")
        day += timedelta(days=1)
    return ReadBatch(
        kind=kind,
        days=tuple(DayReads(story, when, count) for (story, when), count in counts.items()),
        problems=cap_problems(problems, f"counts of {poll.url}"),
    )


def _count_row(
    row: Mapping[str, Any], field: str, day: date, counts: Counter[tuple[StoryKey, date]]
) -> str:
    """Take one row into ``counts``; what is wrong with it, or nothing."""
    post, count = row.get("post_id"), row.get(field)
    native_id = str(post) if isinstance(post, int | str) and str(post) not in ("", "0") else None
    url = string(row.get("post_permalink")) or None
    if native_id is None and url is None:
        # Archives and the front page: counted by path, and no stories.
        return "" if row.get("path") else "it names no post"
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        return f'post {native_id or url} has "{str(count)[:40]}" as its {field}'
    # Ranks move while we page, so a post may come twice.
    place = (StoryKey(url, native_id), day)
    counts[place] = max(count, counts[place])
    return ""


def _rows_of(poll: Poll, day: date) -> Iterator[Mapping[str, Any]]:
    for page in range(MAX_PAGES):
        rows = _read_page(poll, day, page * PER_PAGE)
        yield from rows
        if len(rows) < PER_PAGE:
            return


def _read_page(poll: Poll, day: date, offset: int) -> list[Mapping[str, Any]]:
    url = rest_url(
        poll.url,
        ROUTE,
        {
            "start_date": day.isoformat(),
            "end_date": day.isoformat(),
            "offset": str(offset),
            "limit": str(PER_PAGE),
        },
    )
    if poll.reads.username:
        url = _with_login(url, poll.reads.username, poll.password)
    try:
        document, _ = get_json(poll.fetcher, url, allow_private=poll.reads.allow_private)
    except StatusError as error:
        if error.status in (401, 403):
            raise SourceError(
                f"{poll.url} does not let us see Koko Analytics: give username and password_file "
                "of an application password whose user may view it, or make its dashboard public",
                subject=poll.reads.slug,
            ) from error
        raise
    if not isinstance(document, list):
        raise ParseError(
            f"{poll.url} does not answer with a list of posts; check that the plugin Koko "
            "Analytics is active there",
            subject=poll.reads.slug,
        )
    return objects(document)


def _with_login(url: str, username: str, password: str) -> str:
    """The address with a login, which the fetcher sends as Basic authentication and never shows."""
    parts = urlsplit(url)
    login = f"{quote(username, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))
