"""What the columns of the common counters' tables are called, in our words.

A column is known by its header, in lower case. Exports that tell no day cover a
window of days, which their preface, their query or the caller has to name; a
table of anybody else's without days holds running totals.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.sources.model import ReadKind

URL_NAMES = (
    *("url", "address", "link", "page url", "permalink", "full page url", "fullpageurl"),
    *("post_permalink", "href", "metadata: url"),
)
PATH_NAMES = (
    *("path", "page path", "pagepath", "page", "pathname", "page path and screen class"),
    *("pagepathplusquerystring", "page path + query string", "event:page", "landing page"),
)
ID_NAMES = ("id", "post_id", "post id", "native_id")
DATE_NAMES = ("date", "day", "time:day")
COUNT_NAMES = {
    **dict.fromkeys(
        (
            *("reads", "views", "pageviews", "page views", "page_views", "hits"),
            *("screenpageviews", "nb_hits"),
        ),
        ReadKind.VIEWS,
    ),
    **dict.fromkeys(
        (
            *("visitors", "unique visitors", "users", "active users", "activeusers"),
            *("total users", "totalusers", "nb_uniq_visitors"),
        ),
        ReadKind.VISITORS,
    ),
    # Matomo's "unique pageviews" are the visits in which a page was seen.
    **dict.fromkeys(("visits", "sessions", "nb_visits", "unique pageviews"), ReadKind.VISITS),
}


@dataclass(frozen=True)
class Export:
    """A counter's export: recognised where all columns of one of ``marks`` are there.

    ``paths`` are columns that hold a path in this export and mean something
    else elsewhere.
    """

    name: str
    marks: tuple[frozenset[str], ...]
    paths: tuple[str, ...] = ()


EXPORTS = (
    Export(
        "GA4",
        (
            frozenset({"page path and screen class"}),
            frozenset({"page path + query string"}),
            frozenset({"pagepath", "screenpageviews"}),
            frozenset({"pagepathplusquerystring"}),
            frozenset({"fullpageurl"}),
        ),
    ),
    Export(
        "Plausible",
        (frozenset({"name", "visitors", "pageviews"}), frozenset({"event:page"})),
        paths=("name",),
    ),
    Export("Matomo", (frozenset({"label", "nb_hits"}), frozenset({"label", "metadata: url"}))),
    Export(
        "Jetpack",
        (frozenset({"post_permalink", "views"}), frozenset({"href", "title", "views"})),
    ),
)


# GA4's other dimensions of a page, by which no story can be known.
_TITLE_NAMES = frozenset(
    (
        *("page title and screen class", "page title and screen name", "page title"),
        *("pagetitle", "unifiedscreenclass", "unifiedscreenname"),
    )
)


def advise_export(names: Sequence[str]) -> str:
    """What to export instead of a table that names no story, where we know whose it is.

    ``names`` are the cells of its first line, in lower case.
    """
    if not _TITLE_NAMES.isdisjoint(names):
        return (
            "this export of GA4 names pages by their titles: in its report “Pages and screens” "
            "choose the dimension “Page path and screen class”, then export it again"
        )
    if len(names) == 2 and re.fullmatch(r"[0-9][0-9., ]*", names[1]):
        return (
            "it has no header line. If it is the download of WordPress.com's or Jetpack's "
            "statistics, it names posts by their titles only: bring the JSON of their API "
            "(stats/top-posts), or let a plugin or the access log count"
        )
    return ""


def recognise_export(names: frozenset[str]) -> Export | None:
    """Whose export has these columns, if it is one that we know."""
    return next((e for e in EXPORTS if any(mark <= names for mark in e.marks)), None)
